"""The fast way through OTLP/JSON: lines that hold requests of the usual kind are cut, the others parsed.

A line that is written in an unusual way, with blanks or with escapes for letters, is written anew and then
cut. What still is unusual is read span by span.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl

from llmops_lib.sources.alike import FEWEST, AlikeSpans
from llmops_lib.sources.json_stream import StreamValue
from llmops_lib.sources.line_blocks import Block
from llmops_lib.sources.lines import Line, parse_json
from llmops_lib.sources.otlp_cuts import Surroundings, cut
from llmops_lib.sources.otlp_spans import described_scope, span_row
from llmops_lib.sources.place import Place
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector

__all__ = ["FEWEST", "OrdinaryRequests"]

_REWRITTEN_BYTES = 4 << 20


class OrdinaryRequests:
    """Takes the lines of a file.

    Args:
        collector: Takes the rows.
        read_value: Reads what one line holds, span by span.
        timezone: IANA zone of times that name none.
        fewest: Spans that are alike below which they are read alone.
    """

    def __init__(
        self,
        collector: RowCollector,
        read_value: Callable[[Any, Place], None],
        *,
        timezone: str | None,
        fewest: int,
    ) -> None:
        self._collector = collector
        self._read_value = read_value
        self._timezone = timezone
        self._spans = AlikeSpans(collector, span_row, fewest=fewest)
        self._surroundings = Surroundings(described_scope)

    def take_block(self, block: Block) -> None:
        """Takes lines of one value each."""
        whole = self._cut(block.texts(), block.numbers, block.line, has_controls=block.has_controls)
        lines = (line for line in map(block.line, whole) if line.raw.strip())
        self.take_values(map(_parsed, lines))

    def take_values(self, values: Iterable[StreamValue]) -> None:
        """Takes values that were parsed."""
        lines: list[Line] = []
        texts: list[bytes] = []
        size = 0
        for found in values:
            if found.refused is not None:
                self.place(found.line).refuse(found.refused)
                continue
            text = _written(found.value)
            if text is None:
                self._read_value(found.value, self.place(found.line))
                continue
            lines.append(found.line)
            texts.append(text)
            size += len(found.line.raw)
            if size >= _REWRITTEN_BYTES:
                self._take_rewritten(lines, texts)
                lines, texts, size = [], [], 0
        if lines:
            self._take_rewritten(lines, texts)

    def place(self, line: Line) -> Place:
        """Where the records of a line stand."""
        return Place(self._collector, line, self._timezone)

    def _take_rewritten(self, lines: Sequence[Line], texts: Sequence[bytes]) -> None:
        column = pl.Series(texts, dtype=pl.Binary).cast(pl.String)
        numbers = np.array([line.number for line in lines], np.int64)
        for number in self._cut(column, numbers, lines.__getitem__, has_controls=False):
            self._read_value(parse_json(texts[number]), self.place(lines[number]))
            self._collector.hold(len(texts[number]))

    def _cut(
        self,
        texts: pl.Series,
        numbers: np.ndarray,
        line_of: Callable[[int], Line],
        *,
        has_controls: bool,
    ) -> list[int]:
        spans = cut(texts, self._surroundings, has_controls=has_controls)
        self._spans.take(spans, numbers, line_of)
        return spans.whole_lines


def _parsed(line: Line) -> StreamValue:
    try:
        return StreamValue(line, parse_json(line.raw))
    except Refused as refused:
        return StreamValue(line, refused=refused)


def _written(value: Any) -> bytes | None:
    """The value as compact JSON, where it may be a request and can be written so."""
    if not isinstance(value, dict) or "resourceSpans" not in value:
        return None
    try:
        return orjson.dumps(value)
    except TypeError:
        return None
