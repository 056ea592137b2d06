"""Arize Phoenix: saved dataframes of spans, and the JSON of its two REST endpoints.

- Absent values are NaN or null; a root has no parent_id.
- The kind of a span stands beside its attributes, not always among them.
- The endpoint `otlpv1` is no OTLP/JSON: snake_case keys, no envelope, every kind of value present as
  null. Its nanoseconds passed through floats and are right to the microsecond only.
- No export carries the cost that the Phoenix server works out.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops_lib.sources.attributes import SpanState, canonical_row
from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.phoenix_otlp import is_otlp_span, span_of_otlp
from llmops_lib.sources.phoenix_table import flattened, is_table_row, span_of_row
from llmops_lib.sources.record_rows import accept_row
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, first_object
from llmops_lib.sources.times import parse_time

FORMAT = "phoenix"
"""Value of `source_format`."""

LOOKED_FOR = (
    "Phoenix: columns context.span_id and context.trace_id, spans with context and span_kind, or spans "
    "with trace_id and start_time_unix_nano"
)
"""What tells this format, for the error that no format was found."""

_MAPPED = frozenset(
    (
        "name",
        "context",
        "span_kind",
        "parent_id",
        "start_time",
        "end_time",
        "status_code",
        "status_message",
        "attributes",
        "events",
    )
)


def matches(sample: Sample) -> bool:
    """Whether a file is a Phoenix export.

    Args:
        sample: The beginning of the file.
    """
    row = first_object(sample.first)
    if isinstance(row.get("data"), list):
        row = first_object(row["data"])
    names = row or dict.fromkeys(sample.columns)
    is_table = {"context.span_id", "context.trace_id"} <= names.keys()
    return is_table or is_otlp_span(row) or _is_rest_span(row) or _is_annotation(row)


def _is_rest_span(value: Mapping[str, Any]) -> bool:
    # The console exporter of the OpenTelemetry SDK writes a context too, and a `kind`.
    return isinstance(value.get("context"), dict) and "span_kind" in value


def _is_annotation(value: Mapping[str, Any]) -> bool:
    return "annotator_kind" in value and "span_id" in value


def read_phoenix(path: Path, *, timezone: str | None = None) -> SourceRows:
    """The spans of a Phoenix export as rows of SPANS.

    Args:
        path: Parquet, or JSON, JSON Lines or CSV (each also as gzip or zstd).
        timezone: IANA zone of times that name none; Phoenix itself always names one.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    collector = RowCollector(FORMAT, str(path))
    for record in _all_items(path, collector):
        accept_row(record, lambda span: _span_row(_as_rest_span(span), timezone), collector)
    return collector.finish()


def _all_items(path: Path, collector: RowCollector) -> Iterator[Record]:
    for record in iter_records(path, collector):
        value = record.value
        is_page = (
            isinstance(value, dict)
            and isinstance(value.get("data"), list)
            and value.keys().isdisjoint(("context", "trace_id", "context.trace_id"))
        )
        yield from record.items(value["data"]) if is_page else (record,)


def _as_rest_span(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(reason="not_object")
    if is_table_row(value):
        return span_of_row(value)
    if is_otlp_span(value):
        return span_of_otlp(value)
    if _is_annotation(value):
        raise Refused(reason="not_a_span", detail="phoenix annotation")
    if not isinstance(value.get("context"), dict):
        raise Refused(reason="schema", detail="no span of Phoenix")
    return value


def _span_row(span: Mapping[str, Any], timezone: str | None) -> dict[str, Any]:
    attributes = _attributes(span)
    if span.get("span_kind"):
        attributes.setdefault("openinference.span.kind", span["span_kind"])
    name = span.get("name") if isinstance(span.get("name"), str) else None
    started_at = parse_time(span.get("start_time"), timezone=timezone)
    state = SpanState(
        started_at=started_at,
        is_failed=str(span.get("status_code")).upper() == "ERROR",
        message=span.get("status_message") or None,
    )
    row: dict[str, Any] = canonical_row(attributes, name=name, events=_events(span, timezone), state=state)
    # Events in a notation that could not be read stay as the text they are.
    mapped = _MAPPED - {"events"} if isinstance(span.get("events"), str) else _MAPPED
    rest = {f"phoenix.{key}": value for key, value in span.items() if key not in mapped and value is not None}
    rest |= beyond(span["context"], ("trace_id", "span_id", "trace_state"), "phoenix.context.")
    row |= {
        "trace_id": span["context"].get("trace_id"),
        "span_id": span["context"].get("span_id"),
        "parent_span_id": span.get("parent_id"),
        "name": name,
        "started_at": started_at,
        "ended_at": parse_time(span.get("end_time"), timezone=timezone),
        "attributes": {**(row.get("attributes") or {}), **rest},
    }
    return row


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    attributes = holder.get("attributes")
    return dict(flattened(attributes)) if isinstance(attributes, dict) else {}


def _events(span: Mapping[str, Any], timezone: str | None) -> list[dict[str, Any]]:
    events = span.get("events")
    return [
        {
            "name": event.get("name"),
            "time": parse_time(event.get("timestamp"), timezone=timezone),
            "attributes": _attributes(event),
        }
        for event in (events if isinstance(events, list) else ())
        if isinstance(event, dict)
    ]
