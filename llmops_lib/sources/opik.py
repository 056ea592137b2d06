"""Opik: files of `opik export`, pages of its API, tables of its interface, and the rows that its SDK sends.

Spans become rows. A trace is no span: its totals repeat those of its spans; its thread, user, tags and
environment are brought to them once everything is loaded. The SDK sends a span or a trace when it
begins and again when it ends, under one id: the two are merged.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from llmops_lib.sources.attributes import canonical_row
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.opik_csv import is_wide, trace_and_span
from llmops_lib.sources.opik_interface import is_exported, stated_fields
from llmops_lib.sources.opik_spans import OPERATION_BY_TYPE, feedback, mapping, span_row
from llmops_lib.sources.record_rows import accept_row, refuse_record
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.rows import TRACE_COLUMNS, RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, first_object, take_sample
from llmops_lib.sources.updates import merged_updates

FORMAT = "opik"
"""Value of `source_format`."""

LOOKED_FOR = (
    "Opik: keys trace and spans, or rows with id, start_time, last_updated_at, project_name or "
    "total_estimated_cost, and type, trace_id (a span) or thread_id, input (a trace)"
)
"""What tells this format, for the error that no format was found."""

_LISTS = ("content", "spans", "traces")
_OWN = {"id", "trace_id"}
_TYPES = (*OPERATION_BY_TYPE, "general")


def matches(sample: Sample) -> bool:
    """Whether a file is an Opik export.

    Args:
        sample: The beginning of the file.
    """
    row = first_object(sample.first)
    for name in _LISTS:
        if isinstance(row.get(name), list) and "trace" not in row:
            row = first_object(row[name])
    trace = row.get("trace")
    if isinstance(trace, dict):
        return "id" in trace and "start_time" in trace and "observations" not in row
    names = row.keys() or set(sample.columns)
    if is_wide(names):
        return True
    is_known = {"id", "start_time"} <= names and not names.isdisjoint(("project_name", "project_id"))
    # Langfuse names its fields alike, and writes its types in capitals.
    is_other = row.get("type") not in (None, "", *_TYPES)
    if is_exported(names):
        return not is_other
    return is_known and not is_other and (_is_span(names) or _is_trace(names))


def _is_span(names: Any) -> bool:
    return "trace_id" in names and "type" in names and "run_type" not in names


def _is_trace(names: Any) -> bool:
    # A long input pushes what follows it out of the sample.
    told = {"thread_id", "last_updated_at", "input", "project_name"}
    return "trace_id" not in names and "run_type" not in names and len(told & set(names)) > 1


def read_opik(path: Path, *, timezone: str | None = None) -> SourceRows:
    """The spans of an Opik export as rows of SPANS.

    Args:
        path: JSON, JSON Lines or CSV (each also as gzip or zstd).
        timezone: Not used: Opik writes UTC.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    del timezone
    collector = RowCollector(FORMAT, str(path))
    columns = take_sample(path).columns
    is_table = is_wide(columns)
    found: dict[str, list[Record]] = {"span": [], "trace": []}
    trace_id = None
    for kind, item in _all_items(path, collector, is_table=is_table, is_interface=is_exported(columns)):
        if kind == "trace":
            trace_id = item.value.get("id")
        # Below its trace, a span of the interface does not repeat it.
        in_trace = {"trace_id": trace_id} if kind == "span" and trace_id else {}
        found[kind].append(replace(item, value=in_trace | item.value))
    traces = _once(found["trace"]) if is_table else _merged(found["trace"], collector)
    scores = {trace.value.get("id"): feedback(trace.value) for trace in traces if _has_id(trace)}
    for span in _merged(found["span"], collector):
        accept_row(span, partial(_row, scores=scores), collector)
    for trace in traces:
        _set_aside(trace, collector)
    return collector.finish()


def _all_items(
    path: Path, collector: RowCollector, *, is_table: bool, is_interface: bool
) -> Iterator[tuple[str, Record]]:
    for record in iter_records(path, collector):
        is_row = is_interface and isinstance(record.value, dict)
        read = replace(record, value=stated_fields(record.value)) if is_row else record
        for kind, item in _side_by_side(read) if is_table else _items(read):
            if kind in ("span", "trace"):
                yield kind, item
            else:
                refuse_record(item, kind, collector)


def _side_by_side(record: Record) -> Iterator[tuple[str, Record]]:
    if not isinstance(record.value, dict):
        yield "not_object", record
        return
    trace, span = trace_and_span(record.value)
    if span.get("id"):
        yield "span", record.part(span)
    yield "trace", record.part(trace)


def _once(traces: list[Record]) -> list[Record]:
    """Each trace once: its fields stand beside every one of its spans."""
    return list({str(trace.value.get("id")): trace for trace in reversed(traces)}.values())


def _items(record: Record) -> Iterator[tuple[str, Record]]:
    """What a record is, or the reason to refuse it, and the record."""
    value = record.value
    if not isinstance(value, dict):
        yield "not_object", record
        return
    trace = value.get("trace")
    if isinstance(trace, dict):
        yield "trace", record.part(trace)
    listed = next((name for name in _LISTS if isinstance(value.get(name), list)), None)
    if listed is not None:
        for item in record.items(value[listed]):
            yield from _items(item)
    own = {name: field for name, field in value.items() if name != listed}
    if not isinstance(trace, dict) and (listed is None or not _OWN.isdisjoint(own)):
        yield _kind(own), record if listed is None else record.part(own)


def _kind(value: Mapping[str, Any]) -> str:
    if "trace_id" in value or value.get("type") in _TYPES:
        return "span"
    return "trace" if "id" in value else "schema: neither a span nor a trace"


def _merged(records: list[Record], collector: RowCollector) -> list[Record]:
    return merged_updates(records, collector, key="id", version="last_updated_at", is_update=bool)


def _has_id(trace: Record) -> bool:
    return isinstance(trace.value.get("id"), str) and trace.value["id"] != ""


def _row(span: Mapping[str, Any], scores: Mapping[Any, float | None]) -> dict[str, Any]:
    row = span_row(span)
    # Feedback on a whole trace is about what its root returned.
    if row["parent_span_id"] is None and row["feedback_score"] is None:
        row["feedback_score"] = scores.get(str(row["trace_id"]))
    return row


def _set_aside(record: Record, collector: RowCollector) -> None:
    trace = record.value
    if not _has_id(record):
        refuse_record(record, "missing_field: id of a trace", collector)
        return
    metadata = mapping(trace.get("metadata"))
    evidence = canonical_row({"metadata": metadata}, name=None)
    stated = {
        "session_id": trace.get("thread_id"),
        "environment": trace.get("environment"),
        "feature_hint": trace.get("name"),
    }
    told = {**evidence, **{name: value for name, value in stated.items() if value}}
    columns: dict[str, Any] = {name: _text(told.get(name)) for name in TRACE_COLUMNS if name != "tags"}
    tags = json_value(trace.get("tags"))
    columns["tags"] = [str(tag) for tag in tags] if isinstance(tags, list) and tags else None
    collector.add_message({"trace_id": trace["id"], **columns}, line=record.line, raw=record.raw)


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)
