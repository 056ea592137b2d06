"""One Braintrust log row as a row of SPANS.

- Times are seconds since the epoch in `metrics`; `created` is when the row was written.
- `time_to_first_token` stands on every call, also on those that did not stream: there it says nothing.
- An exception is stored on the span whose code raised it; the model call inside has neither usage nor error.
- No cost is stored; an `estimated_cost` in an export is Braintrust's own estimate.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS
from llmops_lib.sources.attributes import SpanState, canonical_row
from llmops_lib.sources.feedback import is_feedback
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.provider_answers import (
    answer_attributes,
    ending_attributes,
    request_attributes,
)
from llmops_lib.sources.provider_usage import usage_attributes
from llmops_lib.sources.times import parse_time
from llmops_lib.sources.tracebacks import error_class_of

OPERATION_BY_TYPE = {
    "llm": "chat",
    "tool": "execute_tool",
    "score": "evaluation",
    "task": "chain",
    "eval": "chain",
}
"""Operation of each span type; a `function` or an `automation` may be anything."""

_IN_COLUMNS = frozenset(("span_id", "root_span_id", "input", "output", "metadata", "tags", "error"))


def mapping(value: Any) -> dict[str, Any]:
    """The object that a field holds, also as JSON text, or an empty one."""
    found = json_value(value)
    return found if isinstance(found, dict) else {}


def span_row(log_row: Mapping[str, Any]) -> dict[str, Any]:
    """The SPANS columns and `feature_hint` of a log row.

    Args:
        log_row: A row of the SDK or of an export.

    Raises:
        Refused: If a time cannot be right.
    """
    kind, metrics = mapping(log_row.get("span_attributes")), mapping(log_row.get("metrics"))
    name = kind["name"] if isinstance(kind.get("name"), str) else None
    operation = _operation(kind)
    started_at = parse_time(metrics.get("start"), unit="s") or parse_time(
        log_row.get("created"), timezone="UTC"
    )
    attributes = _attributes(log_row, operation)
    if operation == "execute_tool":
        attributes["gen_ai.tool.name"] = name
    row: dict[str, Any] = canonical_row(attributes, name=name, state=SpanState(started_at=started_at))
    row["attributes"].pop("gen_ai.operation.name", None)
    parents = json_value(log_row.get("span_parents"))
    row |= {
        **_outcome(log_row.get("error")),
        "trace_id": log_row.get("root_span_id"),
        "span_id": log_row.get("span_id"),
        "parent_span_id": parents[0] if isinstance(parents, list) and parents else None,
        "name": name,
        "started_at": started_at,
        "ended_at": parse_time(metrics.get("end"), unit="s"),
        "feedback_score": _feedback(log_row.get("scores")),
    }
    return row


def _operation(kind: Mapping[str, Any]) -> str:
    operation = OPERATION_BY_TYPE.get(str(kind.get("type")).lower(), "span")
    return "embeddings" if operation == "chat" and "embed" in str(kind.get("name")).lower() else operation


def _attributes(log_row: Mapping[str, Any], operation: str) -> dict[str, Any]:
    metadata, metrics = mapping(log_row.get("metadata")), mapping(log_row.get("metrics"))
    answer = answer_attributes(log_row.get("output"))
    attributes = {
        "metadata": metadata or None,
        **{f"braintrust.{name}": json_value(value) or value for name, value in _others(log_row)},
        **_input(log_row.get("input"), operation),
        **answer,
        "gen_ai.operation.name": operation,
        "tags": json_value(log_row.get("tags")),
    }
    if operation not in MODEL_OPERATIONS:
        return attributes
    return attributes | {
        "gen_ai.provider.name": metadata.get("provider"),
        "gen_ai.request.model": metadata.get("model"),
        "gen_ai.request.stream": metadata.get("stream"),
        "gen_ai.server.time_to_first_token": metrics.get("time_to_first_token"),
        "llm.cost.total": metrics.get("estimated_cost", log_row.get("estimated_cost")),
        **ending_attributes(metadata, answer),
        **usage_attributes(metrics),
    }


def _others(log_row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in log_row.items()
        if name not in _IN_COLUMNS and value not in (None, "", [], {})
    ]


def _input(value: Any, operation: str) -> dict[str, Any]:
    found = json_value(value)
    is_request = operation in MODEL_OPERATIONS and isinstance(found, list)
    return request_attributes({"messages": found}) if is_request else request_attributes(value)


def _outcome(error: Any) -> dict[str, Any]:
    if error is None or error in ("", {}):
        return {"is_error": False}
    details = mapping(error)
    message = details.get("message") if details else error
    named = details.get("name", details.get("type"))
    error_type = named if isinstance(named, str) else error_class_of(str(message))
    return {"is_error": True, "error_type": error_type, "error_message": message}


def _feedback(scores: Any) -> float | None:
    found = [
        float(score)
        for name, score in mapping(scores).items()
        if is_feedback(name) and isinstance(score, int | float)
    ]
    return found[-1] if found else None
