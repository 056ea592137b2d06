"""Log records of OTLP: those that carry messages of a span; all others repeat what spans say."""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.event_messages import MESSAGE_EVENTS, event_messages
from llmops_lib.sources.json_text import json_text
from llmops_lib.sources.otlp_values import any_value, attribute_dict, camel_cased, span_identifier
from llmops_lib.sources.place import Place
from llmops_lib.sources.refusals import Refused


def read_log_record(record: Mapping[str, Any], place: Place) -> None:
    """Takes a record's messages for its span, or refuses the record.

    Args:
        record: One of `logRecords`.
        place: Where it stands.
    """
    try:
        message = _message(camel_cased(record))
    except Refused as refused:
        place.refuse(refused, record)
    else:
        place.add_message(message, record)


def _message(record: Mapping[str, Any]) -> dict[str, str | None]:
    attributes = attribute_dict(record.get("attributes"))
    name = record.get("eventName") or attributes.get("event.name")
    if not isinstance(name, str) or name not in MESSAGE_EVENTS:
        raise Refused(reason="not_a_span", detail=f"log record {str(name)[:80]}")
    trace_id = span_identifier(record.get("traceId"), "traceId")
    span_id = span_identifier(record.get("spanId"), "spanId")
    if trace_id is None or span_id is None:
        raise Refused(reason="not_a_span", detail=f"log record {name} of no span")
    body = any_value(record.get("body"))
    fields = attributes | (body if isinstance(body, dict) else {"content": body})
    columns = event_messages(name, fields)
    written = {
        column: json_text(columns[column]) if column in columns else None
        for column in ("input", "output", "system_instructions")
    }
    return {"trace_id": trace_id, "span_id": span_id, **written}
