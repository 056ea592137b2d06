"""Files of JSON objects: one per line, or one after the other over as many lines as they take.

Exporters that print (`ConsoleSpanExporter`) and people who format by hand write objects over many lines;
such a file is recognised because no line of its beginning is an object by itself.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from llmops_lib.sources.lines import LINE_LIMIT, Line, iter_lines, parse_json
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.sample import take_sample

_PROBED_LINES = 200
_BLOCK_LIMIT = 4 * LINE_LIMIT
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True)
class StreamValue:
    """One JSON value of a file, or why it is none.

    Attributes:
        line: First line of the value and all of its text.
        value: The value, or None where it was refused.
        refused: Why there is no value.
    """

    line: Line
    value: Any = None
    refused: Refused | None = None


def iter_values(path: Path, *, parse: Callable[[bytes], Any] = parse_json) -> Iterator[StreamValue]:
    """The JSON values of a file in order, refused ones included.

    Args:
        path: A plain, gzip or zstd file.
        parse: What reads one JSON value and raises Refused.

    Raises:
        SourceError: If the file cannot be read or decompressed.
    """
    lines = iter_lines(path)
    probed = list(islice(lines, _PROBED_LINES))
    everything: Iterable[Line] = chain(probed, lines)
    is_document = _is_document(path)
    if is_document or not _has_value(probed, parse):
        everything = _blocks(everything, is_document=is_document)
    for line in everything:
        yield _parsed(line, parse)


def is_by_line(path: Path) -> bool:
    """Whether `iter_values` takes each line of a file for a value.

    Args:
        path: A plain, gzip or zstd file.

    Raises:
        SourceError: If the file cannot be read or decompressed.
    """
    if _is_document(path):
        return False
    return _has_value(islice(iter_lines(path), _PROBED_LINES), parse_json)


def _is_document(path: Path) -> bool:
    return take_sample(path, has_rows=False).kind == "document"


def _has_value(lines: Iterable[Line], parse: Callable[[bytes], Any]) -> bool:
    return any(line.raw.startswith(b"{") and _parsed(line, parse).refused is None for line in lines)


def _parsed(line: Line, parse: Callable[[bytes], Any]) -> StreamValue:
    if line.is_too_long:
        return StreamValue(line, refused=Refused("line_too_long"))
    try:
        return StreamValue(line, parse(line.raw))
    except Refused as refused:
        return StreamValue(line, refused=refused)


def _blocks(lines: Iterable[Line], *, is_document: bool) -> Iterator[Line]:
    """Whole objects as lines: from an opening bracket to the one that closes it."""
    block: list[Line] = []
    depth = size = 0
    for line in lines:
        # An object inside another is indented or awaited: else one at the margin begins anew, after a cut.
        is_awaited = is_document and block and block[-1].raw.rstrip().endswith((b",", b"[", b":"))
        is_object = not block or block[0].raw.startswith(b"{") or not is_document
        if block and line.raw.startswith(b"{") and is_object and not is_awaited:
            yield _joined(block, size)
            block, depth, size = [], 0, 0
        size += len(line.raw)
        if not block or size <= _BLOCK_LIMIT:
            block.append(line)
        depth += _opened(line.raw)
        if depth <= 0:
            yield _joined(block, size)
            block, depth, size = [], 0, 0
    if block:
        yield _joined(block, size)


def _opened(raw: bytes) -> int:
    brackets = [token for token in _TOKENS.findall(raw) if len(token) == 1]
    return sum(1 if bracket in b"{[" else -1 for bracket in brackets)


def _joined(block: list[Line], size: int) -> Line:
    first = block[0]
    if size > _BLOCK_LIMIT or first.is_too_long:
        return Line(first.number, first.offset, b"", is_too_long=True)
    return Line(first.number, first.offset, b"\n".join(line.raw for line in block))
