"""JSON Lines parsed many at a time, as strictly as one by one, and only those alone that need it.

What `lines.parse_json` asks of a line, a batch answers at once: orjson refuses what it would refuse of
any of them; none of them can have more colons than its written value (see there), so a batch has as many
only if each line has; and a batch that can be written within the depth holds no line that cannot.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from llmops_lib.sources.lines import Line, Refused, parse_json, written_within_depth
from llmops_lib.sources.rows import RowCollector

# So few that their values are still in the processor's cache when they are written and sorted.
_BATCH_BYTES = 128 << 10
_COLON = ord(":")


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines that follow each other, and what they hold.

    Attributes:
        values: The value of each line that could be read.
        numbers: The number of each of these lines, counted from 1.
        offsets: The byte offset of each of them.
        raws: The bytes of each of them.
    """

    values: list[Any]
    numbers: list[int]
    offsets: list[int]
    raws: list[bytes]

    @property
    def size(self) -> int:
        """Bytes of the lines."""
        return sum(map(len, self.raws))

    def columns(self) -> tuple[list[Any], list[int], list[int], list[bytes]]:
        """Values, numbers, offsets and bytes, one of each for every line."""
        return self.values, self.numbers, self.offsets, self.raws


def iter_batches(lines: Iterable[Line], collector: RowCollector) -> Iterator[Batch]:
    """Lines in batches; those that cannot be read go to the quarantine on the way.

    Args:
        lines: Lines of JSON.
        collector: Takes the refused lines.
    """
    waiting: list[Line] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line.raw)
        if size >= _BATCH_BYTES:
            yield _batch(waiting, collector)
            waiting, size = [], 0
    if waiting:
        yield _batch(waiting, collector)


def _batch(lines: list[Line], collector: RowCollector) -> Batch:
    values = _values_together([line.raw for line in lines])
    if values is None:
        lines, values = _values_alone(lines, collector)
    return Batch(
        values,
        [line.number for line in lines],
        [line.offset for line in lines],
        [line.raw for line in lines],
    )


def _values_alone(lines: list[Line], collector: RowCollector) -> tuple[list[Line], list[Any]]:
    kept: list[Line] = []
    values: list[Any] = []
    for line in lines:
        if not line.raw.strip():
            continue
        try:
            values.append(parse_json(line.raw))
        except Refused as refused:
            collector.refuse(str(refused), line=line.number, offset=line.offset, raw=line.raw)
        else:
            kept.append(line)
    return kept, values


def _values_together(lines: list[bytes]) -> list[Any] | None:
    """The values of the lines, or None where one of them must be looked at alone."""
    try:
        values = list(map(orjson.loads, lines))
        written = written_within_depth(values, levels_given=1)
    except (orjson.JSONDecodeError, Refused):
        return None
    raw = b"\n".join(lines)
    if _may_escape_colons(raw) or _colons(raw) != _colons(written):
        return None
    return values


def _colons(text: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == _COLON))


def _may_escape_colons(raw: bytes) -> bool:
    return b"\\u003" in raw and (b"\\u003a" in raw or b"\\u003A" in raw)
