"""JSON Lines parsed many at a time, as strictly as one by one, and only those alone that need it.

What `lines.parse_json` asks of a line, a batch answers at once: orjson refuses what it would refuse of
any of them; none of them can have more colons than its written value (see there), so a batch has as many
only if each line has; and a batch that can be written within the depth holds no line that cannot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson

from llmops_lib.sources.lines import (
    LINE_LIMIT,
    Refused,
    open_decompressed,
    parse_json,
    skip_line,
    without_mark,
    written_within_depth,
)
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
        raws: The bytes of each of them, perhaps with a carriage return.
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


def iter_batches(path: Path, collector: RowCollector) -> Iterator[Batch]:
    """The lines of a file in batches; those that cannot be read go to the quarantine on the way.

    Args:
        path: A plain, gzip or zstd file of JSON Lines.
        collector: Takes the refused lines.

    Raises:
        SourceError: If the file cannot be read or decompressed.
    """
    number, offset = 1, 0
    with open_decompressed(path) as stream:
        while raw := _whole_lines(stream):
            lines = raw.split(b"\n")
            offsets = list(accumulate((len(line) + 1 for line in lines), initial=offset))
            if not lines[-1]:
                del lines[-1]
            too_long = len(lines) - 1 if len(lines[-1]) > LINE_LIMIT else None
            yield _batch(lines[:too_long], number, offsets, collector)
            if too_long is not None:
                collector.refuse("line_too_long", line=number + too_long, offset=offsets[too_long])
                offset += skip_line(stream)
            number, offset = number + len(lines), offset + len(raw)


def _whole_lines(stream: BinaryIO) -> bytes:
    raw = stream.read(_BATCH_BYTES)
    if raw and not raw.endswith(b"\n"):
        begun = len(raw) - raw.rfind(b"\n") - 1
        raw += stream.readline(LINE_LIMIT + 1 - begun)
    return raw


def _batch(lines: list[bytes], number: int, offsets: list[int], collector: RowCollector) -> Batch:
    values = _values_together(lines)
    if values is not None:
        return Batch(values, list(range(number, number + len(lines))), offsets, lines)
    batch = Batch([], [], [], [])
    for line_number, offset, raw in zip(range(number, number + len(lines)), offsets, lines, strict=False):
        text = without_mark(raw, is_first=line_number == 1).rstrip(b"\r\n")
        if not text.strip():
            continue
        try:
            value = parse_json(text)
        except Refused as refused:
            collector.refuse(str(refused), line=line_number, offset=offset, raw=text)
            continue
        batch.values.append(value)
        batch.numbers.append(line_number)
        batch.offsets.append(offset)
        batch.raws.append(text)
    return batch


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
