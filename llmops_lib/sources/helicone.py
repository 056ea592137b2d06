"""Helicone: requests as CSV, JSON or JSON Lines, of its export tool, its API and its query builder.

A JSON list of the older tool ends with a comma after its last request, which no JSON reader takes.
The CSV of the tool has no request id and an empty latency; its objects have their quotes doubled twice.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError
from llmops_lib.sources.compressed import open_decompressed
from llmops_lib.sources.helicone_rows import request_row
from llmops_lib.sources.lines import DOCUMENT_LIMIT, parse_json
from llmops_lib.sources.record_rows import accept_row, page_items
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, first_object

FORMAT = "helicone"
"""Value of `source_format`."""

LOOKED_FOR = "Helicone: requests with request_created_at, response_status and response_id or request_id"
"""What tells this format, for the error that no format was found."""

_MARKS = {"request_created_at", "response_status"}
_IDS = {"response_id", "request_id"}
_TRAILING_COMMA = re.compile(rb",\s*\]\s*\Z")


def matches(sample: Sample) -> bool:
    """Whether a file holds requests that Helicone logged.

    Args:
        sample: The beginning of the file.
    """
    row = first_object(sample.first)
    if isinstance(row.get("data"), list):
        row = first_object(row["data"])
    names = set(row or sample.columns)
    return names >= _MARKS and not names.isdisjoint(_IDS)


def read_helicone(path: Path, *, timezone: str | None = None) -> SourceRows:
    """The requests of a Helicone export as rows of SPANS.

    Args:
        path: CSV, JSON or JSON Lines, each also as gzip or zstd, or Parquet.
        timezone: Not used: Helicone writes UTC, also where its times name no zone.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    del timezone
    collector = RowCollector(FORMAT, str(path))
    for record in _records(path, collector):
        for item in page_items(record, ("data",), _MARKS):
            accept_row(item, lambda request: request_row(_checked(request)), collector)
    return collector.finish()


def _records(path: Path, collector: RowCollector) -> Iterator[Record]:
    values = _list_with_trailing_comma(path)
    if values is None:
        yield from iter_records(path, collector)
    else:
        yield from Record(values).items(values)


def _list_with_trailing_comma(path: Path) -> list[Any] | None:
    with open_decompressed(path) as stream:
        if stream.read(1) != b"[":
            return None
        raw = b"[" + stream.read(DOCUMENT_LIMIT)
    if not _TRAILING_COMMA.search(raw[-64:]):
        return None
    try:
        values = parse_json(raw.rstrip()[:-1].rstrip()[:-1] + b"]")
    except Refused as refused:
        msg = (
            f"{path}: is not one valid JSON value ({refused}); expected a list of requests. Export it again."
        )
        raise SourceError(msg) from refused
    return values if isinstance(values, list) else None


def _checked(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(reason="not_object")
    if "request_created_at" not in value:
        raise Refused(reason="schema", detail="no Helicone request: request_created_at is missing")
    return value
