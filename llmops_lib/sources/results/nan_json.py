"""JSON as graders write it: NaN stands where a metric could not be computed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError
from llmops_lib.sources.lines import DOCUMENT_LIMIT, iter_lines, open_decompressed, parse_json
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector
from llmops_lib.sources.sample import take_sample

# A whole string, so that the word inside one is never touched, or the constant itself.
_STRING_OR_NAN = re.compile(rb'"(?:[^"\\]|\\.)*"|\bNaN\b', re.DOTALL)


def parse_nan_json(raw: bytes) -> Any:
    """The one JSON value that the bytes hold, with null where they say NaN.

    NaN is no JSON, but Python's writer puts it where a score does not exist.
    Infinity stays refused: it is a value, and no column could hold it.

    Args:
        raw: UTF-8 text.

    Raises:
        Refused: As `parse_json` does.

    Example:
        >>> parse_nan_json(b'{"value": NaN, "answer": "NaN"}')
        {'value': None, 'answer': 'NaN'}
    """
    try:
        return parse_json(raw)
    except Refused as refused:
        if refused.reason != "nonfinite":
            raise
        return parse_json(_STRING_OR_NAN.sub(_without_nan, raw))


def iter_nan_records(path: Path, refusals: RowCollector) -> Iterator[Record]:
    """The records of a file as `iter_records` gives them, with null where its JSON says NaN.

    Args:
        path: A JSON, JSON Lines, CSV or Parquet file.
        refusals: Takes the refused records.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    kind = take_sample(path).kind
    if kind == "document":
        value = read_nan_document(path)
        yield from Record(value).items(value) if isinstance(value, list) else [Record(None).part(value)]
    elif kind == "lines":
        yield from _line_records(path, refusals)
    else:
        yield from iter_records(path, refusals)


def read_nan_document(path: Path) -> Any:
    """The one JSON value that a whole file holds, with null where it says NaN.

    Args:
        path: A plain, gzip or zstd file.

    Raises:
        SourceError: If it cannot be read, is longer than 512 MB or is not one JSON value.
    """
    with open_decompressed(path) as stream:
        raw = stream.read(DOCUMENT_LIMIT + 1)
    if len(raw) > DOCUMENT_LIMIT:
        msg = f"{path}: is over {DOCUMENT_LIMIT >> 20} MB of one JSON value; write it as JSON Lines instead"
        raise SourceError(msg)
    try:
        return parse_nan_json(raw.removeprefix(b"\xef\xbb\xbf"))
    except Refused as refused:
        msg = f"{path}: is not one valid JSON value ({refused}); expected a whole JSON document"
        raise SourceError(msg) from refused


def _line_records(path: Path, refusals: RowCollector) -> Iterator[Record]:
    for line in iter_lines(path):
        if line.is_too_long:
            refusals.refuse("line_too_long", line=line.number, offset=line.offset)
            continue
        try:
            value = parse_nan_json(line.raw)
        except Refused as refused:
            refusals.refuse(str(refused), line=line.number, offset=line.offset, raw=line.raw)
            continue
        yield Record(value, line.number, line.raw, line.offset)


def _without_nan(found: re.Match[bytes]) -> bytes:
    return b"null" if found[0] == b"NaN" else found[0]
