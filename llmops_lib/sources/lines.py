"""Bytes to JSON values: bounded lines, and a parser that accepts nothing dubious.

orjson does the work. What it refuses is read again with the standard library, only to name the
reason or to replace lone surrogates. What it accepts silently, repeated keys and deep nesting, is
found by writing the value back, which costs about a fifth of the parsing:

- A colon in JSON is a key's separator, a character of a string, or written as an escape. The value
  written back therefore has as many colons as the text unless a key repeats (or an escaped colon
  stands in the text, which sends it to the slow check).
- orjson does not write beyond a fixed depth, so a value wrapped in lists up to that depth is
  written exactly when it is not too deep itself.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import orjson

from llmops_lib.errors import SourceError
from llmops_lib.sources.compressed import open_decompressed
from llmops_lib.sources.refusals import Refused

__all__ = ["Line", "Refused", "iter_lines", "open_decompressed", "parse_json", "read_json_document"]

LINE_LIMIT = 64 << 20
"""Bytes of the longest line that is read."""

DOCUMENT_LIMIT = 512 << 20
"""Bytes of the longest file that is read as one JSON value."""

# A row may nest 200 levels deep, and is itself one.
_DEPTH_LIMIT = 201
# The longest whole number that a double can approach.
_DIGIT_LIMIT = 308
_BOM = b"\xef\xbb\xbf"
_MARKED_OBJECT = _BOM + b"{"
# Bytes that are not UTF-8 are damaged text if they begin like JSON or UTF-16, else no text at all.
_TEXT_STARTS = (b"{", b"[", b'"', b"\xff\xfe", b"\xfe\xff")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Line:
    """One line of a file.

    Attributes:
        number: Counted from 1.
        offset: Of its first byte in the decompressed file.
        raw: Its bytes without the newline; empty where it is too long.
        is_too_long: Whether it is longer than 64 MB.
    """

    number: int
    offset: int
    raw: bytes
    is_too_long: bool = False


def iter_lines(path: Path) -> Iterator[Line]:
    r"""The lines of a file that are not blank.

    Lines end at `\n` only: U+2028 and U+0085 stand inside JSON strings, and splitting there would
    tear records apart.

    Args:
        path: A plain, gzip or zstd file; byte order marks are dropped.

    Raises:
        SourceError: If the file cannot be read or decompressed.
    """
    offset = 0
    with open_decompressed(path) as stream:
        number = 0
        while raw := stream.readline(LINE_LIMIT + 1):
            number += 1
            size = len(raw)
            is_too_long = size > LINE_LIMIT and not raw.endswith(b"\n")
            if is_too_long:
                raw, size = b"", size + skip_line(stream)
            else:
                raw = without_mark(raw, is_first=number == 1)
            raw = raw.rstrip(b"\r\n")
            if is_too_long or raw.strip():
                yield Line(number, offset, raw, is_too_long)
            offset += size


def without_mark(raw: bytes, *, is_first: bool = False) -> bytes:
    """A line without the byte order mark before it, which stands amid files that were put together.

    Args:
        raw: The line.
        is_first: Whether it is the first of its file, where the mark may stand alone.
    """
    return raw[3:] if raw.startswith(_MARKED_OBJECT) or (is_first and raw.startswith(_BOM)) else raw


def skip_line(stream: BinaryIO) -> int:
    """Reads on behind the next newline, and gives the number of bytes."""
    skipped = 0
    while rest := stream.readline(1 << 20):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def parse_json(raw: bytes) -> Any:
    """The one JSON value that the bytes hold.

    Lone surrogates are replaced by U+FFFD, because no later step could store them.

    Args:
        raw: UTF-8 text.

    Raises:
        Refused: `json`, `encoding`, `duplicate_key`, `depth` (over 200 levels) or `nonfinite`.

    Example:
        >>> parse_json(b'{"input_tokens": 120}')
        {'input_tokens': 120}
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _second_reading(raw)
    written = written_within_depth(value)
    if raw.count(b":") != written.count(b":") or b"\\u003a" in raw or b"\\u003A" in raw:
        _stdlib_parse(raw.decode())
    return value


def read_json_document(path: Path, *, parse: Callable[[bytes], Any] = parse_json) -> Any:
    """The one JSON value that a whole file holds.

    Args:
        path: A plain, gzip or zstd file.
        parse: What reads its bytes and raises Refused.

    Raises:
        SourceError: If it cannot be read, is longer than 512 MB or is not one JSON value.
    """
    with open_decompressed(path) as stream:
        raw = stream.read(DOCUMENT_LIMIT + 1)
    if len(raw) > DOCUMENT_LIMIT:
        msg = f"{path}: is over {DOCUMENT_LIMIT >> 20} MB of one JSON value; export it as JSON Lines instead"
        raise SourceError(msg)
    try:
        return parse(raw.removeprefix(_BOM))
    except Refused as refused:
        msg = f"{path}: is not one valid JSON value ({refused}); expected a whole JSON document"
        raise SourceError(msg) from refused


def _second_reading(raw: bytes) -> Any:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        code = "encoding" if raw.startswith(_TEXT_STARTS) else "json"
        raise Refused(code, f"byte {error.start} is not UTF-8") from None
    value = _stdlib_parse(text)
    try:
        value = orjson.loads(_LONE_SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False)))
    except (orjson.JSONDecodeError, RecursionError):
        raise Refused(reason="depth") from None
    written_within_depth(value)
    return value


def _stdlib_parse(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_bounded_int,
        )
    except RecursionError:
        raise Refused(reason="depth") from None
    except json.JSONDecodeError as error:
        raise Refused(reason="json", detail=f"{error.msg} at character {error.pos}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise Refused(reason="duplicate_key", detail=repr(repeated[:40]))
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise Refused(reason="nonfinite", detail=name)


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Refused(reason="nonfinite", detail=text[:40])
    return number


def _bounded_int(text: str) -> int:
    if len(text) > _DIGIT_LIMIT:
        raise Refused(reason="json", detail=f"a number of {len(text)} digits")
    return int(text)


def written_within_depth(value: Any, *, levels_given: int = 0) -> bytes:
    """The value as JSON.

    Args:
        value: What orjson has read.
        levels_given: How many levels around the value, or its parts, are no part of what was read.

    Raises:
        Refused: `depth` if it nests over 200 levels.
    """
    for _ in range(_SPARE_LEVELS - levels_given):
        value = [value]
    try:
        return orjson.dumps(value)
    except TypeError:
        raise Refused(reason="depth") from None


def _writable_levels() -> int:
    """How many levels orjson writes: a fixed number that its documentation does not promise."""
    value: Any = 0
    levels = 0
    with suppress(TypeError):
        while levels < 2_000:
            orjson.dumps(value)
            value, levels = [value], levels + 1
    return levels - 1


_SPARE_LEVELS = max(_writable_levels() - _DEPTH_LIMIT, 0)
