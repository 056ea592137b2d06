"""Spans of Phoenix's endpoint `otlpv1` in the shape of its REST API."""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.beyond import beyond

_STATUS = {"1": "OK", "2": "ERROR", "STATUS_CODE_OK": "OK", "STATUS_CODE_ERROR": "ERROR"}
_READ = (
    *("trace_id", "span_id", "parent_span_id", "name", "kind", "status", "attributes", "events", "flags"),
    *("start_time_unix_nano", "end_time_unix_nano"),
)
_SCALARS = ("string_value", "int_value", "double_value", "bool_value", "bytes_value")
_KINDS = (*_SCALARS, "array_value", "kvlist_value")


def is_otlp_span(value: Mapping[str, Any]) -> bool:
    """Whether a record is a span of that endpoint."""
    return "start_time_unix_nano" in value and "trace_id" in value


def span_of_otlp(span: Mapping[str, Any]) -> dict[str, Any]:
    """A span of that endpoint as a span of the REST API.

    Args:
        span: Snake_case OpenTelemetry span, its values wrapped by kind.
    """
    status = span["status"] if isinstance(span.get("status"), dict) else {}
    attributes = _attributes(span.get("attributes"))
    known = {
        "name": span.get("name"),
        "context": {"trace_id": span.get("trace_id"), "span_id": span.get("span_id")},
        "parent_id": span.get("parent_span_id"),
        "start_time": _microseconds(span.get("start_time_unix_nano")),
        "end_time": _microseconds(span.get("end_time_unix_nano")),
        "status_code": _STATUS.get(str(status.get("code")), "UNSET"),
        "status_message": status.get("message"),
        "attributes": attributes,
        "events": [
            {
                "name": event.get("name"),
                "timestamp": _microseconds(event.get("time_unix_nano")),
                "attributes": _attributes(event.get("attributes")),
            }
            for event in _objects(span.get("events"))
        ],
    }
    attributes |= beyond(status, ("code", "message"), "otel.status.")
    return known | {name: value for name, value in span.items() if name not in _READ and value}


def _microseconds(nanoseconds: Any) -> Any:
    try:
        return (int(nanoseconds) + 500) // 1_000
    except (TypeError, ValueError):
        return nanoseconds


def _attributes(pairs: Any) -> dict[str, Any]:
    found = {str(pair.get("key")): _value(pair.get("value")) for pair in _objects(pairs)}
    for pair in _objects(pairs):
        more = beyond(pair, ("key", "value"), "") | beyond(pair.get("value"), _KINDS, "value.")
        if more:
            found[f"otel.attribute.{pair.get('key')}"] = more
    return found


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _value(wrapped: Any) -> Any:
    if not isinstance(wrapped, dict):
        return None
    for kind in _SCALARS:
        if wrapped.get(kind) is not None:
            return _scalar(kind, wrapped[kind])
    if isinstance(wrapped.get("array_value"), dict):
        return [_value(item) for item in _objects(wrapped["array_value"].get("values"))]
    if isinstance(wrapped.get("kvlist_value"), dict):
        return _attributes(wrapped["kvlist_value"].get("values"))
    return None


def _scalar(kind: str, value: Any) -> Any:
    is_number_text = kind == "int_value" and isinstance(value, str) and value.removeprefix("-").isdigit()
    return int(value) if is_number_text else value
