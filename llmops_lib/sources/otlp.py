"""OTLP/JSON: traces of any OpenTelemetry exporter, one export request per line or one document.

A line holds many spans, so one bad span is refused alone and its siblings load. What is odd here:

- int64 is text or a number, defaults are left out or written, ids are hex or base64 (`otlp_values`).
- Converters write the protobuf names (`resource_spans`), old collectors `instrumentationLibrarySpans`.
- A trace is spread over lines and files, children before parents: nothing here looks across spans.
- Messages may come as log records in another file; metrics repeat the spans and are refused.
- The Python SDK prints spans in a shape of its own to the console; they are read here too.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from llmops_lib.sources.attributes import Resource, SpanState, canonical_row, described_resource
from llmops_lib.sources.console import console_row, is_console_span
from llmops_lib.sources.json_stream import iter_values
from llmops_lib.sources.otlp_logs import read_log_record
from llmops_lib.sources.otlp_values import attribute_dict, camel_cased, int64, span_identifier
from llmops_lib.sources.place import Place
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample
from llmops_lib.sources.times import KNOWN_PAST_US, parse_time

FORMAT = "otlp"
"""Value of `source_format`."""

LOOKED_FOR = (
    "OTLP/JSON: a top key resourceSpans, resourceLogs or resourceMetrics, "
    "or spans of Python's console exporter (context.trace_id beginning 0x)"
)
"""What `matches` looks for."""

_SPANS = ("resourceSpans", "resource_spans")
_LOGS = ("resourceLogs", "resource_logs")
_METRICS = ("resourceMetrics", "resource_metrics")
_SIGNALS = (*_SPANS, *_LOGS, *_METRICS)
_SCOPES = (
    "scopeSpans",
    "scope_spans",
    "instrumentationLibrarySpans",
    "instrumentation_library_spans",
    "scopeLogs",
    "scope_logs",
    "scopeMetrics",
    "scope_metrics",
)
_RECORDS = ("spans", "logRecords", "log_records", "logs", "metrics")
_FAILED = (2, "2", "STATUS_CODE_ERROR", "ERROR")
_UNMAPPED = {
    "links": "otel.links",
    "traceState": "otel.trace_state",
    "droppedAttributesCount": "otel.dropped_attributes_count",
    "droppedEventsCount": "otel.dropped_events_count",
    "droppedLinksCount": "otel.dropped_links_count",
}
_FIRST_NS, _LAST_NS = (micros * 1_000 for micros in KNOWN_PAST_US)
_KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


def matches(sample: Sample) -> bool:
    """Whether a file is OTLP/JSON or Python's console dialect of it.

    Args:
        sample: The beginning of the file.
    """
    first = sample.first
    if isinstance(first, list):
        first = next((item for item in first if isinstance(item, dict)), None)
    return isinstance(first, dict) and (any(name in first for name in _SIGNALS) or is_console_span(first))


def read_otlp(path: Path, *, timezone: str | None = None) -> SourceRows:
    """The spans of a file, each as it stands on its own.

    Args:
        path: OTLP/JSON, plain or compressed: JSON Lines, one document, or objects one after the other.
        timezone: IANA zone of times that name none; OTLP itself has none of those.

    Returns:
        Spans, refused rows, and messages that came as log records.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    collector = RowCollector(FORMAT, str(path))
    for found in iter_values(path):
        place = Place(collector, found.line, timezone)
        if found.refused is not None:
            place.refuse(found.refused)
        else:
            _read_value(found.value, place)
            collector.hold(len(found.line.raw))
    return collector.finish()


def _read_value(value: Any, place: Place) -> None:
    requests = value if isinstance(value, list) else [value]
    if not all(isinstance(request, dict) for request in requests):
        place.refuse(Refused("not_object", f"found {type(value).__name__}"))
        return
    for request in requests:
        if any(name in request for name in _SIGNALS):
            _read_request(request, place)
        elif is_console_span(request):
            _read_record(request, place, lambda span: console_row(span, timezone=place.timezone))
        else:
            place.refuse(Refused("schema", "no OTLP request and no span of the console exporter"), request)


def _read_request(request: Mapping[str, Any], place: Place) -> None:
    for signal in _SIGNALS:
        for group in _objects(request.get(signal), place, signal):
            for scoped in _named_objects(group, _SCOPES, place):
                _read_scope(scoped, group.get("resource"), signal, place)


def _read_scope(scoped: Mapping[str, Any], resource: Any, signal: str, place: Place) -> None:
    scope = scoped.get("scope", scoped.get("instrumentationLibrary"))
    described = described_resource(_described(resource))
    origin = _scope_attributes(scope)
    # One Python step per span: each has its own set of attributes, so there are no columns to work on yet.
    for record in _named_objects(scoped, _RECORDS, place):
        if signal in _SPANS:
            _read_record(record, place, lambda span: _span_row(span, described, origin))
        elif signal in _LOGS:
            read_log_record(record, place)
        else:
            place.refuse(Refused("not_a_span", f"metric {str(record.get('name'))[:80]}"), record)


def _described(resource: Any) -> dict[str, Any]:
    try:
        return attribute_dict(resource.get("attributes")) if isinstance(resource, dict) else {}
    except Refused:
        # Its spans are whole without it: a service is then unknown, and the text of the resource is kept.
        return {"attributes": resource["attributes"]}


def _read_record(
    record: Mapping[str, Any], place: Place, row_of: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> None:
    try:
        row = row_of(record)
    except Refused as refused:
        place.refuse(refused, record)
    else:
        place.accept(row, record)


def _named_objects(
    holder: Mapping[str, Any], names: tuple[str, ...], place: Place
) -> Iterator[Mapping[str, Any]]:
    for name in names:
        if name in holder:
            yield from _objects(holder[name], place, name)


def _objects(values: Any, place: Place, name: str) -> Iterator[Mapping[str, Any]]:
    if values is None:
        return
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, dict):
            yield value
        else:
            place.refuse(Refused("schema", f"{name} holds {type(value).__name__}, not an object"), value)


def _span_row(found: Mapping[str, Any], resource: Resource, origin: Mapping[str, Any]) -> dict[str, Any]:
    span = camel_cased(found)
    started_at = _time_of(span.get("startTimeUnixNano"))
    status = span.get("status")
    status = status if isinstance(status, dict) else {}
    row = canonical_row(
        attribute_dict(span.get("attributes")),
        name=span.get("name"),
        events=_events(span.get("events")),
        resource=resource,
        state=SpanState(started_at, status.get("code") in _FAILED, status.get("message")),
    )
    row["trace_id"] = span_identifier(span.get("traceId"), "traceId")
    row["span_id"] = span_identifier(span.get("spanId"), "spanId")
    row["parent_span_id"] = span_identifier(span.get("parentSpanId"), "parentSpanId")
    row["name"] = span.get("name")
    row["started_at"] = started_at
    row["ended_at"] = _time_of(span.get("endTimeUnixNano"))
    row["attributes"] |= _unmapped(span, origin)
    return row


def _time_of(value: Any) -> datetime | int | None:
    """Nanoseconds since 1970 where they are in range, which spares a datetime per span."""
    nanoseconds = int64(value)
    if type(nanoseconds) is int and _FIRST_NS <= nanoseconds <= _LAST_NS:
        return nanoseconds
    # Writers that leave defaults in write 0 for a time that is not known.
    return parse_time(nanoseconds or None, unit="ns")


def _events(events: Any) -> list[dict[str, Any]]:
    if not events:
        return []
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise Refused(reason="type", detail="events is no list of objects")
    return [
        {
            "name": event.get("name"),
            "time": int64(event.get("timeUnixNano")),
            "attributes": attribute_dict(event.get("attributes")),
        }
        for event in map(camel_cased, events)
    ]


def _scope_attributes(scope: Any) -> dict[str, Any]:
    described = scope if isinstance(scope, dict) else {}
    return {f"otel.scope.{name}": value for name in ("name", "version") if (value := described.get(name))}


def _unmapped(span: Mapping[str, Any], origin: Mapping[str, Any]) -> dict[str, Any]:
    kind = span.get("kind")
    word = _KINDS.get(kind) if type(kind) is int else str(kind or "").removeprefix("SPAN_KIND_").lower()
    unmapped = {**origin, "otel.kind": word} if word else {**origin}
    if not _UNMAPPED.keys().isdisjoint(span):
        unmapped |= {to: span[name] for name, to in _UNMAPPED.items() if span.get(name)}
    return unmapped
