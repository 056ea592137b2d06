"""Strings of masked JSON texts as values: what they mean, or as JSON text again."""

from collections.abc import Callable

import orjson
import polars as pl

from llmops_lib.sources.json_text import json_text
from llmops_lib.sources.json_tokens import ESCAPES, MEANINGS

PLAIN = r"^[\p{L}\p{N}!#$%&'()*+,\-./:;<=>?@^_`|}~]"
"""Pattern of text that is no JSON text itself: it begins with a visible character that opens no value."""


def unmasked(cells: pl.Expr) -> pl.Expr:
    """What strings mean.

    Args:
        cells: Tokens of masked texts.
    """
    return cells.str.replace_many(list(MEANINGS), list(MEANINGS.values()))


def quoted(cells: pl.Expr) -> pl.Expr:
    """Strings as orjson writes them, quotes included.

    Args:
        cells: Tokens of masked texts.
    """
    escaped = cells.str.replace_many(list(ESCAPES), list(ESCAPES.values()))
    return pl.concat_str(pl.lit('"'), escaped, pl.lit('"'))


def json_texts(cells: pl.Series) -> pl.Series:
    """What `json_text` makes of each string, null where there is none.

    Args:
        cells: Tokens of masked texts, none of them empty.
    """
    is_plain = cells.str.contains(PLAIN)
    if is_plain.all():
        return _select(cells, quoted)
    texts = _select(cells, unmasked)
    # A loop over texts, because the parser tells sooner than any pattern whether one is JSON.
    found = texts.filter(~is_plain).unique().drop_nulls().to_list()
    anew = {text: written for text in found if (written := json_text(text)) is not text}
    if anew:
        texts = texts.replace(list(anew), list(anew.values()))
    plain = is_plain.arg_true()
    return texts if plain.is_empty() else texts.scatter(plain, _select(cells.gather(plain), quoted))


def _select(cells: pl.Series, text_of: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    return cells.to_frame("cell").select(text_of(pl.col("cell"))).to_series()


def rewritten(
    found: pl.Series, texts: pl.Series, is_open: pl.Series, text_of: Callable[[str], str | None]
) -> pl.Series:
    """The column with what a function makes of some of the texts, one by one.

    Args:
        found: The column.
        texts: What the function takes.
        is_open: Of which of them.
        text_of: The function.
    """
    rows = is_open.fill_null(value=False).arg_true()
    if rows.is_empty():
        return found
    written = map(text_of, texts.gather(rows).to_list())
    return found.clone().scatter(rows, pl.Series(list(written), dtype=pl.String))


def parsed_numbers(texts: pl.Series) -> list[int | float]:
    """What the parser makes of texts of the pattern `NUMBER`."""
    whole = texts.cast(pl.Int64, strict=False)
    return _parsed(texts) if whole.null_count() else whole.to_list()


def number_texts(texts: pl.Series) -> pl.Series:
    """Texts of the pattern `NUMBER` as orjson writes them."""
    whole = texts.cast(pl.Int64, strict=False)
    if not whole.null_count():
        return whole.cast(pl.String)
    return pl.Series([orjson.dumps(_parsed(texts))[1:-1].decode()]).str.split(",").explode()


def _parsed(texts: pl.Series) -> list[int | float]:
    found: list[int | float] = orjson.loads(f"[{texts.str.join(',').item()}]")
    return found
