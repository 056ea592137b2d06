"""Spans as `ConsoleSpanExporter` of the Python SDK prints them: not OTLP, but often saved as such.

Ids begin with `0x`, times are ISO text, the parent of a root is null, attributes are a plain object.

Source: `ReadableSpan.to_json` in https://github.com/open-telemetry/opentelemetry-python
"""

import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.attributes import SpanState, canonical_row
from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import parse_time

_READ = (
    *("name", "context", "kind", "parent_id", "parent_span_id", "start_time", "end_time"),
    *("status", "attributes", "events", "links", "resource", "scope"),
)
# Tools that pass printed spans on leave out what tells a hex number.
_HEX_NUMBER = re.compile(r"(?:0x)?[0-9a-f]{1,32}")
_TRACE_DIGITS, _SPAN_DIGITS = 32, 16


def is_console_span(value: Mapping[str, Any]) -> bool:
    """Whether an object is a printed span.

    Args:
        value: An object of a file.
    """
    context, kind = value.get("context"), value.get("kind")
    # Spans of MLflow 2 have such ids too, and their status at the top.
    if not isinstance(context, dict) or "status_code" in value:
        return False
    return str(context.get("trace_id")).startswith("0x") or str(kind).startswith("SpanKind.")


def console_row(span: Mapping[str, Any], *, timezone: str | None = None) -> dict[str, Any]:
    """The columns of a printed span.

    Args:
        span: The object.
        timezone: IANA zone of times that name none; the SDK always writes one.

    Raises:
        Refused: If a field cannot be right.
    """
    context = span["context"]
    status = _object(span.get("status"), "status")
    resource = _object(span.get("resource"), "resource")
    started_at = parse_time(span.get("start_time"), timezone=timezone)
    row = canonical_row(
        _object(span.get("attributes"), "attributes"),
        name=span.get("name"),
        events=_events(span.get("events")),
        # Before 1.15 the attributes of the resource stood at its top.
        resource=_object(resource.get("attributes", resource), "resource"),
        state=SpanState(started_at, status.get("status_code") == "ERROR", status.get("description")),
    )
    row |= {
        "trace_id": _identifier(context.get("trace_id"), "trace_id", _TRACE_DIGITS),
        "span_id": _identifier(context.get("span_id"), "span_id", _SPAN_DIGITS),
        "parent_span_id": _identifier(
            span.get("parent_id") or span.get("parent_span_id"), "parent_id", _SPAN_DIGITS
        ),
        "name": span.get("name"),
        "started_at": started_at,
        "ended_at": parse_time(span.get("end_time"), timezone=timezone),
    }
    kind = str(span.get("kind")).removeprefix("SpanKind.").lower()
    rest = {f"otel.span.{name}": value for name, value in span.items() if name not in _READ and value}
    rest |= beyond(context, ("trace_id", "span_id", "trace_state"), "otel.context.")
    rest |= beyond(status, ("status_code", "description"), "otel.status.")
    if "attributes" in resource:
        rest |= beyond(resource, ("attributes", "schema_url"), "otel.resource.")
    rest |= beyond(span.get("scope"), (), "otel.scope.")
    links = {"otel.links": span["links"]} if span.get("links") else {}
    row["attributes"] |= {"otel.kind": kind, **links, **rest}
    return row


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not an object")
    return value


def _events(events: Any) -> list[dict[str, Any]]:
    if not isinstance(events or [], list) or not all(isinstance(event, dict) for event in events or ()):
        raise Refused(reason="type", detail="events is no list of objects")
    return [
        {
            "name": event.get("name"),
            "time": event.get("timestamp"),
            "attributes": _object(event.get("attributes"), "attributes of an event"),
        }
        for event in events or ()
    ]


def _identifier(value: Any, name: str, digits: int) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not text")
    lowered = value.lower()
    if not _HEX_NUMBER.fullmatch(lowered):
        raise Refused(reason="invalid_id", detail=f"{name} {value[:40]!r} is no hex number")
    return lowered.removeprefix("0x").zfill(digits)
