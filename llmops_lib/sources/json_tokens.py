r"""JSON texts as columns of tokens: cut at their quotes, so that no object is made of any of them.

Escapes are first replaced by control characters, which JSON text may not hold, so every quote that is left
begins or ends a string. Cut at the quotes, the odd tokens are strings and the even ones all that stands
between them: the structure. Known names of fields are replaced by codes and belong to the structure.

Texts of one structure differ in nothing but their strings and numbers, so one of them decides whether all
of them are JSON. A text with anything unusual in it (`\u` escapes, long numbers) has no structure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

__all__ = [
    "ESCAPES",
    "MEANINGS",
    "NUMBER",
    "SEPARATOR",
    "Tokens",
    "Words",
    "joined",
    "masked",
    "tokens_of",
    "words_of",
]

SEPARATOR = "\x11"
"""Stands between the tokens of a structure."""

_CODE = "\x10"
_FIRST_LETTER = 0xC0
_MASKS = {
    "\\\\": "\x01",
    '\\"': "\x02",
    "\\n": "\x03",
    "\\r": "\x04",
    "\\t": "\x05",
    "\\b": "\x06",
    "\\f": "\x07",
}
MEANINGS = {"\x01": "\\", "\x02": '"', "\x03": "\n", "\x04": "\r", "\x05": "\t", "\x06": "\b", "\x07": "\f"}
_CONTROLS = r"[\x00-\x1f]"
# Numbers that are longer, or have an exponent, are left to the parser.
NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?"
"""Pattern of a number."""


@dataclass(frozen=True, eq=False)
class Words:
    """Names of fields, and what often stands between two strings, as codes.

    Attributes:
        codes: Text -> what replaces it, escapes included.
        meanings: Code -> text.
    """

    codes: dict[str, str]
    meanings: dict[str, str]

    def code(self, name: str) -> str:
        """What replaces the name of a field, its quotes and its colon."""
        return self.codes[f'"{name}":']

    def all_written(self, texts: pl.Series) -> pl.Series:
        """The texts that were masked."""
        marks = {**self.meanings, **ESCAPES}
        return texts.str.replace_many(list(marks), list(marks.values()))

    def written(self, text: str) -> str:
        """The text that was masked."""
        return _MARK.sub(lambda mark: self.meanings.get(mark[0]) or ESCAPES[mark[0]], text)


ESCAPES = {mask: escape for escape, mask in _MASKS.items()}
_MARK = re.compile(f"{_CODE}.|[\x01-\x07]")


def words_of(names: Iterable[str], phrases: Iterable[str] = ()) -> Words:
    """A vocabulary.

    Args:
        names: Names of fields, without digits.
        phrases: What often stands between two strings, without their quotes; it begins with no quote.
    """
    texts = [*phrases, *(f'"{name}":' for name in names)]
    meanings = {f"{_CODE}{chr(_FIRST_LETTER + number)}": text for number, text in enumerate(texts)}
    # The strings on both sides of a phrase keep their quotes.
    codes = {
        text if text.startswith('"') else f'"{text}"': code if text.startswith('"') else f'"{code}"'
        for code, text in meanings.items()
    }
    return Words({**codes, **_MASKS, "\\/": "/"}, meanings)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Texts that were cut at their quotes.

    Attributes:
        flat: The tokens of all texts, one after the other.
        starts: Where those of each text begin, and where the last end.
        structures: The even tokens of each text, numbers as 0; null where a text cannot be told by them.
    """

    flat: pl.Series
    starts: np.ndarray
    structures: pl.Series

    def at(self, rows: np.ndarray, place: int) -> pl.Series:
        """One token of some of the texts."""
        return self.flat.gather(self.starts[rows] + place)


def masked(texts: pl.Series, words: Words, *, has_controls: bool = True) -> pl.Series:
    """The texts with codes for words and escapes, null where one cannot be written so.

    Args:
        texts: JSON texts, or null.
        words: The vocabulary.
        has_controls: Whether there may be control characters in them.
    """
    found = texts.str.replace_many(list(words.codes), list(words.codes.values()), leftmost=True)
    is_odd = found.str.contains("\\", literal=True)
    if has_controls:
        is_odd |= texts.str.contains(_CONTROLS)
    return found.set(is_odd, None) if is_odd.any() else found


def tokens_of(texts: pl.Series) -> Tokens:
    """The tokens of masked texts.

    Args:
        texts: What `masked` returns.
    """
    lists = texts.str.split('"')
    sizes = lists.list.len().fill_null(1).to_numpy().astype(np.int64)
    starts = _ends(sizes)
    flat = lists.explode()
    is_even = np.repeat(starts[:-1] % 2 == 0, sizes)
    is_even[1::2] ^= True
    structures = joined(flat.filter(pl.Series(is_even)), (sizes + 1) // 2)
    codes = (column.str.count_matches(_CODE, literal=True) for column in (texts, structures))
    # A code in a string stands for a quote that was no end of it.
    is_told = ((next(codes) == next(codes)) & pl.Series(sizes % 2 == 1)).fill_null(value=False)
    structures = structures.str.replace_all(NUMBER, "0")
    return Tokens(flat, starts, structures if is_told.all() else structures.set(~is_told, None))


def joined(texts: pl.Series, sizes: np.ndarray) -> pl.Series:
    """Texts that follow each other as one, with `SEPARATOR` between them.

    Args:
        texts: All of them.
        sizes: How many of them each text is made of.
    """
    held = texts.to_arrow(compat_level=pl.CompatLevel.newest())
    # From buffers, because an array of numpy's would make Arrow import pandas.
    buffers = [None, pa.py_buffer(_ends(sizes))]
    lists = pa.Array.from_buffers(pa.large_list(held.type), len(sizes), buffers, children=[held])
    return pl.Series(lists).list.join(SEPARATOR)


def _ends(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
