"""Weave calls, as `calls/stream_query` and `Call.to_dict` write them, one object each.

Whether a call is a model call shows only beside its children, so a file is read whole before its rows are
made. The pairs of start and end that the SDK sends are one call.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from llmops_lib.sources.record_rows import accept_row, page_items, refuse_record
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, first_object
from llmops_lib.sources.updates import merged_updates
from llmops_lib.sources.weave_calls import call_row, has_usage

FORMAT = "weave"
"""Value of `source_format`."""

LOOKED_FOR = "Weave: calls with op_name, trace_id and started_at, or a batch of their starts and ends"
"""What tells this format, for the error that no format was found."""

_CALL = {"op_name", "trace_id", "started_at"}
_LISTS = ("calls", "batch")
_EVENTS = ("start", "end")


def matches(sample: Sample) -> bool:
    """Whether a file holds Weave calls.

    Args:
        sample: The beginning of the file.
    """
    row = first_object(sample.first)
    for name in _LISTS:
        if isinstance(row.get(name), list):
            row = first_object(row[name])
    event = _event(row)
    found = row if event is None else event
    names = found.keys() or set(sample.columns)
    is_event = event is not None and "project_id" in names
    return is_event or names >= _CALL or str(found.get("op_name")).startswith("weave:///")


def read_weave(path: Path, *, timezone: str | None = None) -> SourceRows:
    """The calls of a Weave export as rows of SPANS.

    Args:
        path: JSON or JSON Lines (each also as gzip or zstd), or Parquet.
        timezone: Not used: Weave writes UTC.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    del timezone
    collector = RowCollector(FORMAT, str(path))
    found: list[Record] = []
    for record in _all_items(path, collector):
        reason = _reason_to_refuse(record.value)
        if reason is None:
            found.append(record)
        else:
            refuse_record(record, reason, collector)
    calls = merged_updates(found, collector, key="id", version="", is_update=bool)
    parents = {call.value.get("parent_id") for call in calls if _can_be_parent(call.value)}
    for call in calls:
        accept_row(call, partial(_row, parents=parents), collector)
    return collector.finish()


def _can_be_parent(call: Mapping[str, Any]) -> bool:
    return isinstance(call.get("parent_id"), str) and has_usage(call)


def _all_items(path: Path, collector: RowCollector) -> Iterator[Record]:
    for record in iter_records(path, collector):
        for item in page_items(record, _LISTS, _CALL):
            event = _event(item.value)
            yield item if event is None else item.part(event)


def _event(value: Any) -> dict[str, Any] | None:
    """The body of a start or an end, of a line `{"start": {...}}` or of a batch with mode and req."""
    if not isinstance(value, dict) or not _CALL.isdisjoint(value):
        return None
    request = value["req"] if isinstance(value.get("req"), dict) else value
    body = next((request[name] for name in _EVENTS if isinstance(request.get(name), dict)), None)
    return body if isinstance(body, dict) else None


def _reason_to_refuse(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "not_object"
    if value.get("deleted_at"):
        return "not_a_span: a call that was deleted"
    return None if "id" in value else "schema: no call of Weave"


def _row(call: Mapping[str, Any], parents: set[Any]) -> dict[str, Any]:
    call_id = call.get("id")
    return call_row(call, is_parent=isinstance(call_id, str) and call_id in parents)
