"""Spans with plain attributes that tools keep one by one, in the shape of Python's console exporter.

- The JavaScript SDK: what its console exporter prints and what file exporters make of its spans (VS Code,
  Gemini CLI), each with its own place for the ids and its own way to write a time.
- OpenTelemetry spans whose attributes are a plain object, as CloudWatch and databases keep them.

Source: `ConsoleSpanExporter` and `ReadableSpan` of https://github.com/open-telemetry/opentelemetry-js
"""

from collections.abc import Mapping
from typing import Any

_NS_PER_S, _NS_PER_US = 10**9, 10**3
_JS_KINDS = {0: "internal", 1: "server", 2: "client", 3: "producer", 4: "consumer"}
_ERRORS = (2, "2", "ERROR", "STATUS_CODE_ERROR")
_CONTEXTS = ("spanContext", "_spanContext")
_PARENTS = ("parentSpanContext", "_parentSpanContext")
_SCOPES = ("instrumentationScope", "instrumentationLibrary", "scope")
_ATTRIBUTES = ("attributes", "_rawAttributes", "_attributes")
_STARTS = ("startTime", "startTimeUnixNano", "timestamp")
_ENDS = ("endTime", "endTimeUnixNano")
_EVENT = ("name", "attributes", "time", "timeUnixNano")
_READ = frozenset(
    (
        *(*_CONTEXTS, *_PARENTS, *_SCOPES, *_STARTS, *_ENDS, "duration", "_duration", "durationNano", "id"),
        *("traceId", "spanId", "parentSpanId", "parentId", "name", "kind", "status", "attributes", "events"),
        *("links", "resource", "type", "traceFlags", "flags", "ended", "isRemote"),
    )
)


def printed_span(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """A span of these as Python's console exporter would print it; None for anything else.

    Args:
        value: An object of a file.

    Example:
        >>> span = {"name": "chat", "traceId": "ab", "id": "cd", "timestamp": 1772445600000000, "duration": 5}
        >>> printed_span(span | {"attributes": {}})["end_time"]
        1772445600000005000
    """
    context = next((value[name] for name in _CONTEXTS if isinstance(value.get(name), dict)), value)
    starts = (name for name in _STARTS if _nanoseconds(value.get(name), name) is not None)
    start = next(starts, None)
    if "traceId" not in context or start is None or not isinstance(value.get("attributes"), dict):
        return None
    started = _nanoseconds(value[start], start)
    status = value["status"] if isinstance(value.get("status"), dict) else {}
    return {
        "name": value.get("name"),
        "context": {"trace_id": context["traceId"], "span_id": context.get("spanId", value.get("id"))},
        "kind": _kind(value.get("kind"), is_otlp=start == "startTimeUnixNano"),
        "parent_id": _parent(value),
        "start_time": started,
        "end_time": _end(value, started),
        "status": _status(status),
        "attributes": value["attributes"],
        "events": _events(value.get("events")),
        "links": value.get("links"),
        "resource": _resource(value.get("resource")),
        "scope": next((value[name] for name in _SCOPES if isinstance(value.get(name), dict)), None),
        **{name: held for name, held in value.items() if name not in _READ},
    }


def _nanoseconds(value: Any, name: str) -> int | None:
    """Nanoseconds of a pair of seconds and nanoseconds, or of a number in the unit of its field."""
    if isinstance(value, list) and len(value) == 2 and all(type(part) is int for part in value):
        seconds, nanoseconds = map(int, value)
        return seconds * _NS_PER_S + nanoseconds
    if name in ("timestamp", "duration") and isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * _NS_PER_US)
    is_number = type(value) is int or (isinstance(value, str) and value.isdecimal() and len(value) < 20)
    return int(value) if is_number and name.endswith("UnixNano") else None


def _end(value: Mapping[str, Any], started: int | None) -> int | None:
    ends = (_nanoseconds(value.get(name), name) for name in _ENDS)
    ended = next((end for end in ends if end), None)
    took = _nanoseconds(value.get("duration"), "duration")
    return ended if ended is not None or took is None or started is None else started + took


def _kind(kind: Any, *, is_otlp: bool) -> str | None:
    if type(kind) is int:
        return _JS_KINDS.get(kind - 1 if is_otlp else kind)
    return str(kind).removeprefix("SPAN_KIND_") if kind else None


def _parent(value: Mapping[str, Any]) -> Any:
    contexts = [value[name] for name in _PARENTS if isinstance(value.get(name), dict)]
    stated = value.get("parentSpanId") or value.get("parentId")
    return stated or next((context.get("spanId") for context in contexts), None)


def _status(status: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: held for name, held in status.items() if name not in ("code", "message")}
    code = "ERROR" if status.get("code") in _ERRORS else None
    return {**rest, "status_code": code, "description": status.get("message")}


def _events(events: Any) -> Any:
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        return events
    return [
        {
            **{name: held for name, held in event.items() if name not in _EVENT},
            "name": event.get("name"),
            "timestamp": _nanoseconds(event.get("time"), "time")
            or _nanoseconds(event.get("timeUnixNano"), "timeUnixNano"),
            "attributes": event.get("attributes"),
        }
        for event in events
    ]


def _resource(resource: Any) -> Any:
    if not isinstance(resource, dict):
        return resource
    held = next((name for name in _ATTRIBUTES if name in resource), None)
    rest = {name: value for name, value in resource.items() if name not in (held, "schemaUrl")}
    return {**rest, "attributes": _named(resource.get(held)) if held else {}}


def _named(attributes: Any) -> Any:
    """Attributes by name, also where each is a pair of name and value."""
    if not isinstance(attributes, list):
        return attributes
    pairs = [pair for pair in attributes if isinstance(pair, list) and len(pair) == 2]
    return {str(name): value for name, value in pairs}
