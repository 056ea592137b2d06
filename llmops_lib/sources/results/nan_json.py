"""JSON as graders write it: NaN stands where a metric could not be computed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops_lib.sources.lines import parse_json, read_json_document
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector

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
    yield from iter_records(path, refusals, parse=parse_nan_json)


def read_nan_document(path: Path) -> Any:
    """The one JSON value that a whole file holds, with null where it says NaN.

    Args:
        path: A plain, gzip or zstd file.

    Raises:
        SourceError: If it cannot be read, is longer than 512 MB or is not one JSON value.
    """
    return read_json_document(path, parse=parse_nan_json)


def _without_nan(found: re.Match[bytes]) -> bytes:
    return b"null" if found[0] == b"NaN" else found[0]
