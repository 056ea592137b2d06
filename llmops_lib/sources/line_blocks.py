"""Lines of a file by the megabyte: as one column of texts, and one by one where that is asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa

from llmops_lib.sources.lines import LINE_LIMIT, Line, open_decompressed, skip_line, without_mark

_BLOCK_BYTES = 24 << 20
_PART_BYTES = 256 << 10
_NEWLINE = ord("\n")
_FIRST_VISIBLE = 0x20


@dataclass(frozen=True)
class Block:
    """Lines that follow each other.

    Attributes:
        raw: Their bytes, each line with its newline, perhaps but for the last.
        number: Of the first line in the file, counted from 1.
        offset: Of the first byte in the file.
    """

    raw: bytes
    number: int
    offset: int

    @cached_property
    def _controls(self) -> np.ndarray:
        """Where control characters stand, most of them newlines."""
        whole = np.frombuffer(self.raw, np.uint8)
        # Parts so short that what is found in them stays in the processor's cache.
        starts = range(0, len(whole), _PART_BYTES)
        parts = [
            start + np.flatnonzero(whole[start : start + _PART_BYTES] < _FIRST_VISIBLE) for start in starts
        ]
        return np.concatenate([np.empty(0, np.int64), *parts])

    @cached_property
    def _newlines(self) -> np.ndarray:
        is_newline = np.frombuffer(self.raw, np.uint8)[self._controls] == _NEWLINE
        found: np.ndarray = self._controls[is_newline]
        return found

    @cached_property
    def _bounds(self) -> np.ndarray:
        last = [] if self.raw.endswith(b"\n") or not self.raw else [len(self.raw)]
        return np.concatenate([[0], self._newlines + 1, last]).astype(np.int64)

    @cached_property
    def has_controls(self) -> bool:
        """Whether any line holds control characters."""
        return len(self._controls) > len(self._newlines)

    @cached_property
    def has_escapes(self) -> bool:
        """Whether any line holds an escape."""
        return b"\\" in self.raw

    @property
    def numbers(self) -> np.ndarray:
        """The number of each line in the file, counted from 1."""
        return np.arange(self.number, self.number + len(self))

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self._bounds) - 1

    def texts(self) -> pl.Series:
        """The lines without their ends, null where one is no UTF-8."""
        offsets = pa.py_buffer(self._bounds)
        lines = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(self), [None, offsets, pa.py_buffer(self.raw)]
        )
        try:
            column = pl.Series(lines).cast(pl.String)
        except pl.exceptions.ComputeError:
            column = pl.Series([_decoded(line) for line in lines.to_pylist()], dtype=pl.String)
        return column.str.strip_chars_end("\r\n")

    def line(self, number: int) -> Line:
        """One line, without its end.

        Args:
            number: Its number in the block, from 0 on.
        """
        start, end = self._bounds[number : number + 2].tolist()
        raw = without_mark(self.raw[start:end], is_first=self.number + number == 1)
        return Line(self.number + number, self.offset + start, raw.rstrip(b"\r\n"))

    def offsets(self, places: np.ndarray) -> np.ndarray:
        """The offsets of some lines in the file, by their places in the block."""
        found: np.ndarray = self.offset + self._bounds[places]
        return found


class LinesOf(Sequence[bytes]):
    """The bytes of some lines of a block, without their ends.

    Args:
        block: The lines.
        places: The place of each of those in it.
    """

    def __init__(self, block: Block, places: np.ndarray) -> None:
        self._block = block
        self._places = places

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self._places)

    def __getitem__(self, number: Any) -> Any:
        """The bytes of one line."""
        return self._block.line(int(self._places[number])).raw


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def iter_blocks(path: Path, on_too_long: Callable[[Line], None]) -> Iterator[Block]:
    """The lines of a file in blocks, without those that are too long.

    Args:
        path: A plain, gzip or zstd file.
        on_too_long: Takes each line over 64 MB, without its bytes.

    Raises:
        SourceError: If the file cannot be read or decompressed.
    """
    number, offset = 1, 0
    with open_decompressed(path) as stream:
        while raw := _whole_lines(stream):
            begins = raw.rfind(b"\n", 0, -1) + 1
            is_too_long = len(raw) - begins > LINE_LIMIT and not raw.endswith(b"\n")
            kept = raw[:begins] if is_too_long else raw
            block = Block(kept, number, offset)
            yield block
            number += len(block)
            if is_too_long:
                on_too_long(Line(number, offset + begins, b"", is_too_long=True))
                number, offset = number + 1, offset + skip_line(stream)
            offset += len(raw)


def _whole_lines(stream: BinaryIO) -> bytes:
    raw = stream.read(_BLOCK_BYTES)
    if raw and not raw.endswith(b"\n"):
        begun = len(raw) - raw.rfind(b"\n") - 1
        raw += stream.readline(LINE_LIMIT + 1 - begun)
    return raw
