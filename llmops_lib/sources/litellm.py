"""LiteLLM: spend logs of the proxy and standard logging payloads of its callbacks.

Every object is one call, and every attempt of a call that was retried or fell back is an object of its
own. Attempts can share LiteLLM's id; those after the first get their start appended to it, so that
none is taken for a copy of another.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from llmops_lib.sources.litellm_rows import call_row
from llmops_lib.sources.record_rows import page_items
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, first_object

FORMAT = "litellm"
"""Value of `source_format`."""

LOOKED_FOR = (
    "LiteLLM: spend logs with request_id, spend, startTime and call_type or api_key, or logging payloads "
    "with startTime, call_type and response_cost or modelParameters"
)
"""What tells this format, for the error that no format was found."""

_SPEND_LOG = {"request_id", "spend", "startTime"}
_SPEND_MARKS = {"call_type", "api_key", "custom_llm_provider"}
_PAYLOAD = {"response_cost", "startTime"}
_PAYLOAD_MARKS = {"call_type", "hidden_params", "model_map_information", "status_fields"}
# What was put into buckets before the middle of 2024 has no cost.
_EARLY_PAYLOAD = {"call_type", "modelParameters", "startTime"}
_IDS = {"request_id", "id", "litellm_call_id"}
_OWN = _IDS | {"startTime"}
_WRAPPED = "standard_logging_object"

Attempts = dict[tuple[Any, Any], set[datetime | None]]


def matches(sample: Sample) -> bool:
    """Whether a file holds calls that LiteLLM logged.

    Args:
        sample: The beginning of the file.
    """
    row = first_object(sample.first)
    if isinstance(row.get("data"), list):
        row = first_object(row["data"])
    names = row.keys() if row else set(sample.columns)
    return is_call(names) or isinstance(row.get(_WRAPPED), dict)


def is_call(names: Any) -> bool:
    """Whether an object of these keys is a spend log or a logging payload."""
    found = set(names)
    return (
        (found >= _SPEND_LOG and not found.isdisjoint(_SPEND_MARKS))
        or (found >= _PAYLOAD and not found.isdisjoint(_PAYLOAD_MARKS))
        or found >= _EARLY_PAYLOAD
    )


def read_litellm(path: Path, *, timezone: str | None = None) -> SourceRows:
    """The calls of a LiteLLM log as rows of SPANS.

    Args:
        path: JSON (a list, or an object with `data`), JSON Lines, CSV or Parquet.
        timezone: Not used: LiteLLM writes UTC, also where its times name no zone.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    del timezone
    collector = RowCollector(FORMAT, str(path))
    attempts: Attempts = {}
    for record in iter_records(path, collector):
        for item in _calls(record):
            _accept(item, collector, attempts)
    return collector.finish()


def _calls(record: Record) -> Iterator[Record]:
    if isinstance(record.value, dict) and isinstance(record.value.get(_WRAPPED), dict):
        yield record.part(record.value[_WRAPPED])
    else:
        yield from page_items(record, ("data",), _OWN)


def _accept(record: Record, collector: RowCollector, attempts: Attempts) -> None:
    place: dict[str, Any] = {"line": record.line, "offset": record.offset, "raw": record.raw}
    try:
        row = call_row(_checked(record.value))
    except Refused as refused:
        collector.refuse(str(refused), **place)
        return
    started = attempts.setdefault((row["trace_id"], row["span_id"]), set()) if _has_id(row) else set()
    if started and row["started_at"] not in started and row["started_at"] is not None:
        row["span_id"] = f"{row['span_id']}@{row['started_at']:%Y-%m-%dT%H:%M:%S.%fZ}"
    started.add(row["started_at"])
    collector.accept(row, **place)


def _has_id(row: Mapping[str, Any]) -> bool:
    return isinstance(row["span_id"], str) and isinstance(row["trace_id"], str)


def _checked(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(reason="not_object")
    if "startTime" not in value or _IDS.isdisjoint(value):
        # The proxy also sums its spend by day, under the same address.
        raise Refused(reason="schema", detail="no LiteLLM call: startTime or an id is missing")
    return value
