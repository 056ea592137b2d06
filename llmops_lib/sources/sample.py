"""What format detection sees: the shape of a file's first 64 kB of content, never its name."""

import codecs
import contextlib
import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import jiter
import polars as pl

from llmops_lib.errors import SourceError
from llmops_lib.sources.lines import LINE_LIMIT, open_decompressed

PARQUET_MAGIC = b"PAR1"
SAMPLE_BYTES = 64 * 1024
"""Decompressed bytes that detection looks at."""

_SEPARATORS = ",;\t|"
_TRAILING_COMMA = re.compile(r",\s*\]\s*\Z")


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, parsed as far as it goes.

    Attributes:
        kind: `document` (one JSON value, also on a single line), `lines` (JSON Lines, or JSON objects
            one after the other), `csv`, `parquet`, or `unknown` (binary, or nothing but blanks).
        first: document: the value, cut off where the sample ends; lines: the first object that parses;
            else None.
        columns: csv and parquet: column names; else the keys of the first object.
        separator: csv: what separates the cells.
    """

    kind: str
    first: Any = None
    columns: tuple[str, ...] = ()
    separator: str = ","


def take_sample(path: Path) -> Sample:
    """The sample of a file.

    Args:
        path: A plain, gzip or zstd file, or a Parquet file.

    Raises:
        SourceError: If the file cannot be read.
    """
    with open_decompressed(path) as stream:
        prefix = stream.read(SAMPLE_BYTES)
        if prefix.startswith(PARQUET_MAGIC):
            return _sample_parquet(path)
        is_whole = len(prefix) < SAMPLE_BYTES
        sample = sample_text(prefix, is_whole=is_whole)
        # A first line longer than the sample looks like a document until another line follows it.
        if sample.kind == "document" and b"\n" not in prefix and not is_whole and _has_more_lines(stream):
            return replace(sample, kind="lines")
    return sample


def sample_text(prefix: bytes, *, is_whole: bool = True) -> Sample:
    r"""The sample of a text file.

    Args:
        prefix: The first bytes of the decompressed file.
        is_whole: Whether `prefix` is the whole file, and not its beginning.

    Returns:
        A sample of kind `document`, `lines`, `csv` or `unknown`.

    Example:
        >>> sample_text(b'{"a": 1}\n{"a": 2}\n').kind
        'lines'
        >>> sample_text(b'[{"a": 1},\n {"a"', is_whole=False).columns
        ('a',)
    """
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(prefix, final=is_whole)
    text = text.removeprefix("\ufeff").lstrip()
    # One bad line further down must not hide what the file is.
    if not text or "\0" in text.partition("\n")[0]:
        return Sample("unknown")
    if text[0] in "{[":
        return _sample_json(text)
    objects = list(_objects_on_lines(text))
    if objects and len(objects) * 2 >= sum(1 for line in text.split("\n") if line.strip()):
        return _sample_lines(objects[0])
    return _sample_csv(text)


def first_object(value: Any) -> dict[str, Any]:
    """The value itself where it is an object, the first object of a list, or an empty one.

    Args:
        value: What `Sample.first` holds, or a part of it.

    Example:
        >>> first_object([1, {"a": 2}]), first_object("text")
        ({'a': 2}, {})
    """
    rows = value if isinstance(value, list) else [value]
    return next((row for row in rows if isinstance(row, dict)), {})


def _sample_parquet(path: Path) -> Sample:
    try:
        return Sample("parquet", None, tuple(pl.read_parquet_schema(path)))
    except (pl.exceptions.PolarsError, OSError) as error:
        msg = f"{path}: begins like Parquet but is not readable as such ({error}); export it again"
        raise SourceError(msg) from error


def _has_more_lines(stream: BinaryIO) -> bool:
    if not stream.readline(LINE_LIMIT).endswith(b"\n"):
        return False
    while line := stream.readline(LINE_LIMIT):
        if line.strip():
            return True
    return False


def _sample_json(text: str) -> Sample:
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return _sample_unfinished(text)
    if not text[end:].strip():
        return _sample_document(value)
    if isinstance(value, dict):
        return _sample_lines(value)
    return _sample_lines(next(_objects_on_lines(text), None))


def _sample_unfinished(text: str) -> Sample:
    # A first line that does not parse is either a document that goes on, or one bad line among good
    # ones. Inside a document an object is indented or followed by a comma, so it never parses alone.
    if text[0] == "{":
        first_line, _, rest = text.partition("\n")
        following = next(_objects_on_lines(rest), None)
        if following is not None and len(first_line.strip()) > 1:
            return _sample_lines(following)
    # An old export tool of Helicone leaves a comma behind the last object of its list.
    for candidate in (text, _TRAILING_COMMA.sub("]", text)):
        with contextlib.suppress(ValueError):
            return _sample_document(jiter.from_json(candidate.encode(), partial_mode="trailing-strings"))
    return Sample("document")


def _sample_document(value: Any) -> Sample:
    return Sample("document", value, tuple(first_object(value)))


def _sample_lines(first: dict[str, Any] | None) -> Sample:
    return Sample("lines", first, tuple(first or ()))


def _sample_csv(text: str) -> Sample:
    header = text.split("\n", 1)[0].rstrip("\r")
    separator = max(_SEPARATORS, key=header.count)
    columns = next(csv.reader([header], delimiter=separator), [])
    return Sample("csv", None, tuple(columns), separator)


def _objects_on_lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.split("\n"):
        if not line.startswith("{"):
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value
