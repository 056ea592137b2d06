"""OTLP/JSON: traces of any OpenTelemetry exporter, one export request per line or one document.

A line holds many spans, so one bad span is refused alone and its siblings load. What is odd here:

- int64 is text or a number, defaults are left out or written, ids are hex or base64 (`otlp_values`).
- Converters write the protobuf names (`resource_spans`), old collectors `instrumentationLibrarySpans`.
- A trace is spread over lines and files, children before parents: nothing here looks across spans.
- Messages may come as log records in another file; metrics repeat the spans and are refused.
- SDKs print spans in shapes of their own (`console`, `printed_spans`), and trace stores and scripts put
  other things around them (`otlp_wrappings`); they are read here too.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.console import console_row, is_console_span
from llmops_lib.sources.json_stream import StreamValue, is_by_line, iter_values
from llmops_lib.sources.line_blocks import iter_blocks
from llmops_lib.sources.otlp_logs import read_log_record
from llmops_lib.sources.otlp_requests import FEWEST, OrdinaryRequests
from llmops_lib.sources.otlp_spans import Scope, described_scope, span_row
from llmops_lib.sources.otlp_wrappings import unwrapped
from llmops_lib.sources.place import Place
from llmops_lib.sources.printed_spans import printed_span
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, first_object

FORMAT = "otlp"
"""Value of `source_format`."""

LOOKED_FOR = (
    "OTLP/JSON: a top key resourceSpans, resourceLogs, resourceMetrics or batches, spans alone (traceId, "
    "spanId and startTimeUnixNano), or spans as SDKs print them (context.trace_id beginning 0x, or traceId, "
    "startTime as a pair of numbers and attributes)"
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
_LIBRARIES = ("scope", "instrumentationLibrary", "instrumentation_library")
# A group of these alone is empty: protobuf leaves empty lists out.
_DESCRIPTIONS = {"resource", *_LIBRARIES, "schemaUrl", "schema_url"}
# Fields of what the JavaScript SDK writes to a file beside spans.
_OF_OTHER_SIGNALS = {"hrTime", "scopeMetrics"}


def matches(sample: Sample) -> bool:
    """Whether a file is OTLP/JSON or Python's console dialect of it.

    Args:
        sample: The beginning of the file.
    """
    first = first_object(sample.first)
    if not _OF_OTHER_SIGNALS.isdisjoint(first):
        return "resource" in first
    return any(_is_request(item) or _printed(item) is not None for item in _unwrapped(first))


def _is_request(value: Mapping[str, Any]) -> bool:
    return any(name in value for name in _SIGNALS)


def _printed(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return value if is_console_span(value) else printed_span(value)


def _unwrapped(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if _is_request(value) or _printed(value) is not None:
        return [value]
    items = unwrapped(value)
    return [*items] if all(_is_request(item) or printed_span(item) is not None for item in items) else [value]


def read_otlp(path: Path, *, timezone: str | None = None, fewest_alike: int | None = FEWEST) -> SourceRows:
    """The spans of a file, each as it stands on its own.

    Args:
        path: OTLP/JSON, plain or compressed: JSON Lines, one document, or objects one after the other.
        timezone: IANA zone of times that name none; OTLP itself has none of those.
        fewest_alike: Spans that are alike from which they are read as columns; None reads each alone.

    Returns:
        Spans, refused rows, and messages that came as log records.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    collector = RowCollector(FORMAT, str(path))
    if fewest_alike is None:
        for found in iter_values(path):
            _read_found(found, Place(collector, found.line, timezone))
        return collector.finish()
    requests = OrdinaryRequests(collector, read_value, timezone=timezone, fewest=fewest_alike)
    if is_by_line(path):
        for block in iter_blocks(path, lambda line: requests.place(line).refuse(Refused("line_too_long"))):
            requests.take_block(block)
    else:
        requests.take_values(iter_values(path))
    collector.order_by_line()
    return collector.finish()


def _read_found(found: StreamValue, place: Place) -> None:
    if found.refused is not None:
        place.refuse(found.refused)
    else:
        read_value(found.value, place)
        place.collector.hold(len(found.line.raw))


def read_value(value: Any, place: Place) -> None:
    """Takes what one line holds, span by span.

    Args:
        value: What was parsed.
        place: Where it stands.
    """
    requests = value if isinstance(value, list) else [value]
    if not requests or not all(isinstance(request, dict) for request in requests):
        place.refuse(Refused("not_object", f"found {type(value).__name__}"))
        return
    items = [item for request in requests for item in _unwrapped(request)]
    for span, scope in _scoped_spans(items, place):
        place.read(span, partial(span_row, scope=scope))
    for item in items:
        if _is_request(item):
            _read_others(item, place)
        elif (printed := _printed(item)) is not None:
            place.read(item, partial(_printed_row, printed=printed, timezone=place.timezone))
        elif not _OF_OTHER_SIGNALS.isdisjoint(item):
            place.refuse(Refused("not_a_span", "log record or metric of the JavaScript SDK"), item)
        else:
            place.refuse(Refused("schema", "no OTLP request and no span as an SDK prints it"), item)


def _printed_row(_: Any, *, printed: Mapping[str, Any], timezone: str | None) -> dict[str, Any]:
    return console_row(printed, timezone=timezone)


def _scoped_spans(
    requests: list[Mapping[str, Any]], place: Place
) -> Iterator[tuple[Mapping[str, Any], Scope]]:
    """The spans of requests, each with its scope."""
    for request in requests:
        around = beyond(request, _SIGNALS, "otel.request.")
        for signal in _SPANS:
            for group in _objects(request.get(signal), place, signal):
                about = around | beyond(group, (*_SCOPES, *_DESCRIPTIONS), "otel.resource_spans.")
                for scoped in _named_objects(group, _SCOPES, place):
                    written = next((scoped[name] for name in _LIBRARIES if name in scoped), None)
                    more = about | beyond(scoped, (*_RECORDS, *_DESCRIPTIONS), "otel.scope_spans.")
                    scope = described_scope(written, group.get("resource"), more)
                    for span in _named_objects(scoped, _RECORDS, place):
                        yield span, scope


def _read_others(request: Mapping[str, Any], place: Place) -> None:
    for signal in (*_LOGS, *_METRICS):
        for group in _objects(request.get(signal), place, signal):
            for scoped in _named_objects(group, _SCOPES, place):
                for record in _named_objects(scoped, _RECORDS, place):
                    if signal in _LOGS:
                        read_log_record(record, place)
                    else:
                        place.refuse(Refused("not_a_span", f"metric {str(record.get('name'))[:80]}"), record)


def _named_objects(
    holder: Mapping[str, Any], names: tuple[str, ...], place: Place
) -> Iterator[Mapping[str, Any]]:
    found = [name for name in names if name in holder]
    for name in found:
        yield from _objects(holder[name], place, name)
    if not found and not holder.keys() <= _DESCRIPTIONS:
        place.refuse(Refused("schema", f"neither {names[0]} nor another name of them"), holder)


def _objects(values: Any, place: Place, name: str) -> Iterator[Mapping[str, Any]]:
    if values is None:
        return
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, dict):
            yield value
        else:
            place.refuse(Refused("schema", f"{name} holds {type(value).__name__}, not an object"), value)
