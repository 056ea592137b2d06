"""One span of OTLP/JSON as a row, with what its scope and its resource tell of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS
from llmops_lib.sources.attributes import Resource, SpanState, canonical_row, described_resource
from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.claude_code_spans import CLAUDE_CODE, claude_code_attributes
from llmops_lib.sources.logfire_spans import LOGFIRE_TYPE, OPERATION, logfire_attributes, stream_seconds
from llmops_lib.sources.mlflow_spans import SPAN_TYPE, genai_attributes
from llmops_lib.sources.operations import operation_name
from llmops_lib.sources.otlp_values import attribute_dict, camel_cased, int64, span_identifier
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import KNOWN_PAST_US, parse_time

_FAILED = (2, "2", "STATUS_CODE_ERROR", "ERROR")
_UNMAPPED = {
    "links": "otel.links",
    "traceState": "otel.trace_state",
    "droppedAttributesCount": "otel.dropped_attributes_count",
    "droppedEventsCount": "otel.dropped_events_count",
    "droppedLinksCount": "otel.dropped_links_count",
}
_READ = frozenset(
    (
        *("traceId", "spanId", "parentSpanId", "name", "kind", "status", "attributes", "events"),
        *("startTimeUnixNano", "endTimeUnixNano", "flags"),
    )
)
_STATUS_FIELDS = {"code", "message"}
_EVENT_FIELDS = ("name", "timeUnixNano", "attributes", "droppedAttributesCount")
_FIRST_NS, _LAST_NS = (micros * 1_000 for micros in KNOWN_PAST_US)
_KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


@dataclass(frozen=True)
class Scope:
    """What spans of one instrumentation of one resource have in common.

    Attributes:
        resource: Their resource.
        attributes: What the scope adds to the attributes of each.
    """

    resource: Resource
    attributes: Mapping[str, Any]


def described_scope(scope: Any, resource: Any, more: Mapping[str, Any] | None = None) -> Scope:
    """A scope, worked out once for all of its spans.

    Args:
        scope: As it is written, or None.
        resource: As it is written, or None.
        more: Further attributes of each of its spans.
    """
    unread = beyond(resource, ("attributes", "droppedAttributesCount"), "otel.resource.")
    attributes = {**(more or {}), **unread, **_scope_attributes(scope)}
    return Scope(described_resource(_described(resource)), attributes)


def _described(resource: Any) -> dict[str, Any]:
    try:
        return attribute_dict(resource.get("attributes")) if isinstance(resource, dict) else {}
    except Refused:
        # Its spans are whole without it: a service is then unknown, and the text of the resource is kept.
        return {"attributes": resource["attributes"]}


def span_row(found: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """The row of one span.

    Args:
        found: The span as it is written.
        scope: What `described_scope` makes of its scope.

    Raises:
        Refused: If an id, a time or an attribute cannot be read.
    """
    span = camel_cased(found)
    started_at = _time_of(span.get("startTimeUnixNano"))
    status = span.get("status")
    status = status if isinstance(status, dict) else {}
    written = attribute_dict(span.get("attributes"))
    row = canonical_row(
        _with_name_read(_genai(written, span), span.get("name"), scope),
        name=span.get("name"),
        events=_events(span.get("events")),
        resource=scope.resource,
        state=SpanState(started_at, status.get("code") in _FAILED, status.get("message")),
    )
    row["trace_id"] = span_identifier(span.get("traceId"), "traceId")
    row["span_id"] = span_identifier(span.get("spanId"), "spanId")
    row["parent_span_id"] = span_identifier(span.get("parentSpanId"), "parentSpanId")
    row["name"] = span.get("name")
    row["started_at"] = _stream_began(started_at, written)
    row["ended_at"] = _time_of(span.get("endTimeUnixNano"))
    if LOGFIRE_TYPE in written and OPERATION in written:
        row["attributes"][OPERATION] = written[OPERATION]
    row["attributes"] |= _unmapped(span, scope.attributes)
    if not status.keys() <= _STATUS_FIELDS:
        row["attributes"] |= beyond(status, _STATUS_FIELDS, "otel.status.")
    return row


def _genai(attributes: dict[str, Any], span: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes in words of the conventions, where MLflow, Claude Code or Logfire wrote its own."""
    if LOGFIRE_TYPE in attributes:
        status = span.get("status")
        is_failed = isinstance(status, dict) and status.get("code") in _FAILED
        attributes = dict(logfire_attributes(attributes, is_failed=is_failed))
    name = span["name"] if isinstance(span.get("name"), str) else None
    if name is not None and name.startswith(CLAUDE_CODE):
        return claude_code_attributes(attributes, name)
    return genai_attributes(attributes, name) if SPAN_TYPE in attributes else attributes


def _stream_began(logged_at: datetime | int | None, written: Mapping[str, Any]) -> datetime | int | None:
    """When a span began, which a log of Logfire tells by how long the stream took that has just ended."""
    took = stream_seconds(written)
    if took is None or not isinstance(logged_at, int):
        return logged_at
    return logged_at - round(took * 1_000_000_000)


def _with_name_read(attributes: dict[str, Any], name: Any, scope: Scope) -> dict[str, Any]:
    """Attributes that the name of a span tells where OpenLIT wrote nothing more.

    It describes a call once the answer is there, so one that failed has a name such as `chat gpt-4o` alone.
    """
    library = str(scope.attributes.get("otel.scope.name")).partition(".")[0]
    if not isinstance(name, str) or library != "openlit":
        return attributes
    operation, _, model = name.partition(" ")
    if operation_name(operation) not in MODEL_OPERATIONS or not model or any(map(_is_genai, attributes)):
        return attributes
    return {"gen_ai.operation.name": operation, "gen_ai.request.model": model, **attributes}


def _is_genai(name: str) -> bool:
    return name.startswith("gen_ai.")


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
            "attributes": attribute_dict(event.get("attributes"))
            | beyond(event, _EVENT_FIELDS, "otel.event."),
        }
        for event in map(camel_cased, events)
    ]


def _scope_attributes(scope: Any) -> dict[str, Any]:
    described = scope if isinstance(scope, dict) else {}
    if "attributes" in described:
        described = {**described, "attributes": _described(described)}
    return {f"otel.scope.{name}": value for name, value in described.items() if value}


def _unmapped(span: Mapping[str, Any], origin: Mapping[str, Any]) -> dict[str, Any]:
    kind = span.get("kind")
    word = _KINDS.get(kind) if type(kind) is int else str(kind or "").removeprefix("SPAN_KIND_").lower()
    unmapped = {**origin, "otel.kind": word} if word else {**origin}
    if not _READ.issuperset(span):
        rest = {name: value for name, value in span.items() if name not in _READ and value}
        unmapped |= {_UNMAPPED.get(name, f"otel.span.{name}"): value for name, value in rest.items()}
    return unmapped
