"""What format detection sees: the shape of a file's first 64 kB of content, never its name.

Any line may be a broken one, the first as well as another, so what is seen of a file of lines is every
object that stands on a line of its own. A line longer than the sample is seen as far as the sample goes.
"""

import codecs
import contextlib
import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import jiter
import polars as pl

from llmops_lib.errors import SourceError
from llmops_lib.sources.column_json import by_column, is_begun_by_column
from llmops_lib.sources.lines import open_decompressed, read_json_document

PARQUET_MAGIC = b"PAR1"
SAMPLE_BYTES = 64 * 1024
"""Decompressed bytes that detection looks at."""

_SEPARATORS = ",;\t|"
_TRAILING_COMMA = re.compile(r",\s*\]\s*\Z")
_PRINTED = re.compile(r"^\{$", re.MULTILINE)
_ROWS = 10_000
# How far the search goes for the lines behind one that is longer than the sample.
_SEARCHED_BYTES, _SEARCHED_LINES = 256 << 20, 100


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, parsed as far as it goes.

    Attributes:
        kind: `document` (one JSON value, also on a single line), `lines` (JSON Lines), `objects` (JSON
            objects one after the other, each over many lines), `csv`, `parquet`, or `unknown` (binary, or
            nothing but blanks).
        first: document: the value, cut off where the sample ends; lines and objects: the first object
            that parses; else None.
        columns: csv and parquet: column names; else the keys of the first object.
        separator: csv: what separates the cells.
        rows: lines and objects: the objects that parse, of objects the first only; else none.
    """

    kind: str
    first: Any = None
    columns: tuple[str, ...] = ()
    separator: str = ","
    rows: tuple[dict[str, Any], ...] = ()


def take_sample(path: Path, *, size: int = SAMPLE_BYTES, has_rows: bool = True) -> Sample:
    """The sample of a file.

    Args:
        path: A plain, gzip or zstd file, or a Parquet file.
        size: How many decompressed bytes to look at.
        has_rows: Whether to parse the lines behind one that is longer than that.

    Raises:
        SourceError: If the file cannot be read.
    """
    with open_decompressed(path) as stream:
        prefix = stream.read(size)
        if prefix.startswith(PARQUET_MAGIC):
            return _sample_parquet(path)
        is_whole = len(prefix) < size
        sample = sample_text(prefix, is_whole=is_whole)
        if not is_whole and is_begun_by_column(sample.first) and (rows := _rows_by_column(path)):
            return Sample("document", rows, tuple(rows[0]))
        is_one_line = b"\n" not in prefix
        if is_whole or sample.rows or (sample.first is not None and not is_one_line):
            return sample
        further = islice(_beginnings(stream), _SEARCHED_LINES)
        if is_one_line and not has_rows:
            return _sample_lines([]) if any(line.strip() for line in further) else sample
        return _sample_further(sample, further, is_one_line=is_one_line)


def _rows_by_column(path: Path) -> list[dict[str, Any]] | None:
    """The rows of a table whose first column is longer than the sample; None where it is none."""
    with contextlib.suppress(SourceError):
        return by_column(read_json_document(path))
    return None


def sample_text(prefix: bytes, *, is_whole: bool = True) -> Sample:
    r"""The sample of a text file.

    Args:
        prefix: The first bytes of the decompressed file.
        is_whole: Whether `prefix` is the whole file, and not its beginning.

    Returns:
        A sample of any kind but `parquet`.

    Example:
        >>> sample_text(b'{"a": 1}\n{"a": 2}\n').kind
        'lines'
        >>> sample_text(b'[{"a": 1},\n {"a"', is_whole=False).columns
        ('a',)
    """
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(prefix, final=is_whole)
    text = text.removeprefix("\ufeff").lstrip()
    if not text:
        return Sample("unknown")
    if text[0] in "{[":
        return _sample_json(text, is_whole=is_whole)
    rows = _rows(text, is_whole=is_whole)
    table = _sample_csv(text)
    # A cell of a table may be a line of JSON too; under a header of one name it is no cell.
    if len(rows) * 2 >= _line_count(text) or (rows and len(table.columns) < 2):
        return _sample_lines(rows)
    # Programs print lines of their own before the objects of an exporter.
    if printed := None if rows else _PRINTED.search(text):
        begun = _sample_json(text[printed.start() :], is_whole=is_whole)
        if isinstance(begun.first, dict):
            return replace(begun, kind="objects")
    return Sample("unknown") if "\0" in text.partition("\n")[0] else table


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


def _sample_further(sample: Sample, further: Iterable[bytes], *, is_one_line: bool) -> Sample:
    """The sample of a file of which no whole line is an object, once the lines behind are seen too."""
    begun = [line for line in further if line.strip()]
    rows = [row for line in begun for row in _rows(line.decode(errors="replace"), is_whole=False)]
    is_table = sample.kind == "csv" and (not rows or len(sample.columns) > 1)
    if not begun or not (rows or is_one_line) or is_table:
        return sample
    first = [sample.first] if is_one_line and isinstance(sample.first, dict) else []
    return _sample_lines([*first, *rows])


def _beginnings(stream: BinaryIO) -> Iterator[bytes]:
    """The beginning of each line behind the one in which the stream stands."""
    is_inside = True
    left = _SEARCHED_BYTES
    while left > 0 and (piece := stream.readline(SAMPLE_BYTES)):
        if not is_inside:
            yield piece
        is_inside = not piece.endswith(b"\n")
        left -= len(piece)


def _sample_json(text: str, *, is_whole: bool) -> Sample:
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return _sample_unfinished(text, is_whole=is_whole)
    if not text[end:].strip():
        value = by_column(value) or value
        return Sample("document", value, tuple(first_object(value)))
    rows = _rows(text[end:], is_whole=is_whole)
    if not isinstance(value, dict):
        return _sample_lines(rows)
    is_over_lines = "\n" in text[:end] and not rows
    return replace(_sample_lines([value, *rows]), kind="objects" if is_over_lines else "lines")


def _sample_unfinished(text: str, *, is_whole: bool) -> Sample:
    # A first line that does not parse is either a document that goes on, or one bad line among good
    # ones. Inside a document an object is indented or followed by a comma, so it never parses alone.
    first_line, _, rest = text.partition("\n")
    begun = _begun_document(text)
    rows = _rows(rest, is_whole=is_whole)
    is_document = begun is not None and begun.columns and len(rows) * 2 <= _line_count(text)
    is_line = is_whole and len(first_line.strip()) > 1 and text[0] == "{"
    if rows and (is_line or not is_document):
        return _sample_lines(rows)
    return begun or Sample("document")


def _begun_document(text: str) -> Sample | None:
    # An old export tool of Helicone leaves a comma behind the last object of its list.
    for candidate in (text, _TRAILING_COMMA.sub("]", text)):
        with contextlib.suppress(ValueError):
            value = jiter.from_json(candidate.encode(), partial_mode="trailing-strings")
            return Sample("document", value, tuple(first_object(value)))
    return None


def _sample_lines(rows: list[dict[str, Any]]) -> Sample:
    first = rows[0] if rows else None
    return Sample("lines", first, tuple(first or ()), rows=tuple(rows[:_ROWS]))


def _sample_csv(text: str) -> Sample:
    header = text.split("\n", 1)[0].rstrip("\r")
    separator = max(_SEPARATORS, key=header.count)
    try:
        columns = next(csv.reader([header], delimiter=separator), [])
    except csv.Error:
        # A carriage return inside, as in the output of a progress bar.
        columns = header.split(separator)
    return Sample("csv", None, tuple(columns), separator)


def _rows(text: str, *, is_whole: bool) -> list[dict[str, Any]]:
    """The objects that stand on lines of their own; of a last line that is cut off, what is there."""
    *lines, last = text.split("\n")
    rows = [row for line in lines if (row := _row(line)) is not None]
    row = _row(last, is_whole=is_whole)
    return rows if row is None else [*rows, row]


def _line_count(text: str) -> int:
    return sum(1 for line in text.split("\n") if line.strip())


def _row(line: str, *, is_whole: bool = True) -> dict[str, Any] | None:
    line = line.removeprefix("\ufeff")
    if not line.startswith("{"):
        return None
    if is_whole or line.rstrip().endswith("}"):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(line)
            return value if isinstance(value, dict) else None
    if not is_whole:
        with contextlib.suppress(ValueError):
            value = jiter.from_json(line.encode(errors="replace"), partial_mode="trailing-strings")
            return value if isinstance(value, dict) else None
    return None
