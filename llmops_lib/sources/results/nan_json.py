"""JSON as graders write it: NaN stands where a metric could not be computed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector

# A whole string, so that the word inside one is never touched, or the constant itself.
_STRING_OR_NAN = re.compile(rb'"(?:[^"\\]|\\.)*"|\bNaN\b', re.DOTALL)
_STRING_OR_CONSTANT = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b', re.DOTALL)


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
    return _parsed(raw, _STRING_OR_NAN)


def parse_nonfinite_json(raw: bytes) -> Any:
    """As `parse_nan_json`, with the text Infinity or -Infinity where the bytes say so.

    For a line of several metrics, where the others are good and the infinite one is told by its text.

    Args:
        raw: UTF-8 text.

    Raises:
        Refused: As `parse_json` does.

    Example:
        >>> parse_nonfinite_json(b'{"error": -Infinity, "value": NaN}')
        {'error': '-Infinity', 'value': None}
    """
    return _parsed(raw, _STRING_OR_CONSTANT)


def iter_nan_records(path: Path, refusals: RowCollector) -> Iterator[Record]:
    """The records of a file as `iter_records` gives them, with null where its JSON says NaN.

    Args:
        path: A JSON, JSON Lines, CSV or Parquet file.
        refusals: Takes the refused records.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    yield from iter_records(path, refusals, parse=parse_nan_json)


def _parsed(raw: bytes, replaced: re.Pattern[bytes]) -> Any:
    try:
        return parse_json(raw)
    except Refused as refused:
        if refused.reason != "nonfinite":
            raise
        return parse_json(replaced.sub(_without_constant, raw))


def _without_constant(found: re.Match[bytes]) -> bytes:
    if found[0].endswith(b"Infinity"):
        return b'"' + found[0] + b'"'
    return b"null" if found[0] == b"NaN" else found[0]
