"""Requests of OTLP/JSON cut into spans and what stands around them, many at a time.

Around its spans a line holds resources and scopes. With `null` in the place of each span that is a short
text, which is parsed as any line is; the spans are told by their structures. Both together say all that
parsing the line would say. A line with anything unusual is not cut.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import polars as pl

from llmops_lib.sources.json_tokens import Tokens, masked, tokens_of
from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.otlp_forms import OPENING, WORDS, Form, form_of
from llmops_lib.sources.refusals import Refused

_KNOWN = 10_000
_REQUEST = {"resourceSpans"}
_GROUP = {"resource", "scopeSpans", "schemaUrl"}
_SCOPED = {"scope", "spans", "schemaUrl"}
_SPAN = "null"


@dataclass(slots=True)
class Surroundings:
    """What was found around spans so far.

    Attributes:
        describe: Makes a scope of a scope and a resource as they are written.
        scopes: All scopes.
        scope_keys: What tells each of them from others.
        numbers: What tells a scope -> its place in `scopes`.
        frames: Text around spans -> the scope of each of them, None where it has to be read as a whole.
        forms: Structure -> form of spans, None where their lines have to be read as a whole.
    """

    describe: Callable[[Any, Any], Any]
    scopes: list[Any] = field(default_factory=list)
    scope_keys: list[bytes] = field(default_factory=list)
    numbers: dict[bytes, int] = field(default_factory=dict)
    frames: dict[str, list[int] | None] = field(default_factory=dict)
    forms: dict[str, Form | None] = field(default_factory=dict)

    def forget(self) -> None:
        """Bounds what is kept: a file may have as many of everything as it has lines."""
        if len(self.scopes) > _KNOWN or len(self.frames) > _KNOWN:
            for found in (self.scopes, self.scope_keys, self.numbers, self.frames):
                found.clear()
        if len(self.forms) > _KNOWN:
            self.forms.clear()

    def form(self, structure: str | None) -> Form | None:
        """The form of spans of a structure."""
        if structure is None:
            return None
        if structure not in self.forms:
            self.forms[structure] = form_of(structure)
        return self.forms[structure]

    def scopes_of(self, frame: str | None) -> list[int] | None:
        """The number of the scope of each span in a text with null in their places."""
        if frame is None:
            return None
        if frame not in self.frames:
            self.frames[frame] = self._read(frame)
        return self.frames[frame]

    def _read(self, frame: str) -> list[int] | None:
        try:
            request = parse_json(WORDS.written(frame).encode())
        except Refused:
            return None
        found: list[int] = []
        for group in _objects(request, _REQUEST, "resourceSpans"):
            for scoped in _objects(group, _GROUP, "scopeSpans"):
                spans = scoped.get("spans") if scoped is not None and scoped.keys() <= _SCOPED else None
                if not isinstance(spans, list) or any(span is not None for span in spans):
                    return None
                found += [self._number(scoped.get("scope"), group.get("resource"))] * len(spans)
        return found

    def _number(self, scope: Any, resource: Any) -> int:
        key = orjson.dumps([resource, scope])
        if key not in self.numbers:
            self.numbers[key] = len(self.scopes)
            self.scopes.append(self.describe(scope, resource))
            self.scope_keys.append(key)
        return self.numbers[key]


def _objects(holder: Any, names: set[str], name: str) -> list[Any]:
    """The objects of a list, or one None where there is anything else."""
    if not isinstance(holder, dict) or not holder.keys() <= names:
        return [None]
    held = holder.get(name)
    return held if isinstance(held, list) and all(isinstance(item, dict) for item in held) else [None]


@dataclass(frozen=True)
class CutSpans:
    """Spans of lines that were cut.

    Attributes:
        texts: Each span, masked, without its opening and with what follows it.
        rests: What follows it.
        tokens: Those of `texts`.
        lines: Position of its line among those that were cut.
        scope_numbers: Its scope in `surroundings`.
        surroundings: What stands around the spans.
        groups: Forms, and the rows of the spans of each.
        whole_lines: Positions of the lines that have to be read as a whole; their spans are in no group.
    """

    texts: pl.Series
    rests: pl.Series
    tokens: Tokens
    lines: np.ndarray
    scope_numbers: np.ndarray
    surroundings: Surroundings
    groups: list[tuple[Form, np.ndarray]]
    whole_lines: list[int]

    def written(self, rows: list[int]) -> list[str]:
        """Some spans as they are written."""
        own = pl.DataFrame({"text": self.texts.gather(rows), "rest": self.rests.gather(rows)})
        cut = own.select(pl.col("text").str.head(-pl.col("rest").str.len_chars().cast(pl.Int64)))
        return [OPENING + text for text in WORDS.all_written(cut.to_series())]

    def text(self, row: int) -> str:
        """One span as it is written."""
        return OPENING + WORDS.written(self.texts[row].removesuffix(self.rests[row]))

    def scope(self, row: int) -> Any:
        """The scope of one span."""
        return self.surroundings.scopes[self.scope_numbers[row]]


def cut(texts: pl.Series, surroundings: Surroundings, *, has_controls: bool = True) -> CutSpans:
    """The spans of lines.

    Args:
        texts: One text for each line, null where it is no UTF-8.
        surroundings: What was found around spans before; more is added.
        has_controls: Whether there may be control characters in the texts.
    """
    surroundings.forget()
    pieces = masked(texts, WORDS, has_controls=has_controls).str.split("{" + WORDS.code("traceId"))
    counts = (pieces.list.len().fill_null(1) - 1).to_numpy()
    pieces = pieces.filter(pl.Series(counts > 0))
    spans = pieces.list.slice(1).explode().cast(pl.String)
    lines = np.repeat(np.arange(texts.len()), counts)
    tokens = tokens_of(spans)
    found = tokens.structures.to_frame("structure").with_row_index("row")
    found = found.group_by("structure", maintain_order=True).agg("row")
    is_whole = counts == 0
    groups = []
    for structure, some in zip(found["structure"], found["row"], strict=True):
        form, rows = surroundings.form(structure), some.to_numpy().astype(np.int64)
        if form is None:
            is_whole[lines[rows]] = True
        else:
            groups.append((form, rows))
    rests = _rests(spans, tokens, groups)
    frames = _frames(pieces.list.first(), rests, pl.Series(lines))
    scopes = _scopes(frames, counts, is_whole, surroundings)
    groups = [(form, rows[~is_whole[lines[rows]]]) for form, rows in groups]
    return CutSpans(
        texts=spans,
        rests=rests,
        tokens=tokens,
        lines=lines,
        scope_numbers=scopes,
        surroundings=surroundings,
        groups=[(form, rows) for form, rows in groups if rows.size],
        whole_lines=np.flatnonzero(is_whole).tolist(),
    )


def _rests(texts: pl.Series, tokens: Tokens, groups: Sequence[tuple[Form, np.ndarray]]) -> pl.Series:
    """What follows each span, up to the next or to the end of the line."""
    lengths = np.zeros(texts.len(), np.int64)
    for form, rows in groups:
        lengths[rows] = form.rest_length
    rests = _tail(tokens.flat.gather(tokens.starts[1:] - 1), lengths)
    for form, rows in groups:
        if not form.is_last:
            place = 2 * len(form.between) - 2
            begun = _tail(tokens.at(rows, place), lengths[rows])
            going_on = texts.gather(rows).str.split('"').list.slice(place + 1).list.join('"')
            parts = pl.DataFrame({"begun": begun, "going_on": going_on})
            rests = rests.scatter(
                rows, parts.select(pl.concat_str("begun", pl.lit('"'), "going_on")).to_series()
            )
    return rests


def _tail(texts: pl.Series, lengths: np.ndarray) -> pl.Series:
    return texts.str.tail(pl.Series(lengths))


def _frames(heads: pl.Series, rests: pl.Series, lines: pl.Series) -> list[str | None]:
    """The text of each line that holds spans, with null in the place of each."""
    by_line = pl.DataFrame({"line": lines, "rest": rests}).group_by("line", maintain_order=True)
    joined = by_line.agg(pl.col("rest").str.join(_SPAN, ignore_nulls=False))
    frames = joined.select(pl.concat_str(pl.lit(heads), pl.lit(_SPAN), "rest"))
    return frames.to_series().to_list()


def _scopes(
    frames: Sequence[str | None], counts: np.ndarray, is_whole: np.ndarray, surroundings: Surroundings
) -> np.ndarray:
    """The number of the scope of each span; marks the lines whose surroundings are unusual."""
    found = []
    for line, frame in zip(np.flatnonzero(counts), frames, strict=True):
        scopes = None if is_whole[line] else surroundings.scopes_of(frame)
        if scopes is None or len(scopes) != counts[line]:
            is_whole[line] = True
            scopes = [0] * counts[line]
        found += scopes
    return np.array(found, np.int64)
