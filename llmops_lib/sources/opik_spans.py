"""One Opik span as a row of SPANS.

- `usage` has OpenAI's names, and the provider's own counts as `original_usage.*`; the input of Anthropic
  contains the cache in newer SDKs and leaves it out in older ones, which the two together show.
- The provider of an unknown address is its host name, which names no provider.
- `type` tells a model call from the rest, but not what kind of call: an embedding says so in its name.
- `duration` and `ttft` are milliseconds.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS, TOKEN_CONVENTION
from llmops_lib.sources.attributes import SpanState, canonical_row
from llmops_lib.sources.failures import error_class
from llmops_lib.sources.feedback import is_feedback
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.provider_answers import (
    answer_attributes,
    ending_attributes,
    request_attributes,
)
from llmops_lib.sources.provider_usage import usage_attributes
from llmops_lib.sources.times import parse_time

OPERATION_BY_TYPE = {"llm": "chat", "tool": "execute_tool", "guardrail": "guardrail"}
"""Operation of each span type; `general` says nothing."""

_IN_COLUMNS = frozenset(
    (
        "id",
        "trace_id",
        "parent_span_id",
        "name",
        "type",
        "start_time",
        "end_time",
        "input",
        "output",
        "metadata",
        "model",
        "provider",
        "tags",
        "environment",
        "total_estimated_cost",
        "thread_id",
        "duration",
    )
)
_ORIGINAL = "original_usage."
_RAW_CACHE = ("cache_read_input_tokens", "cache_creation_input_tokens")
# Opik keeps its times in UTC.
_ZONE = "UTC"


def mapping(value: Any) -> dict[str, Any]:
    """The object that a field holds, also as JSON text, or an empty one."""
    found = json_value(value)
    return found if isinstance(found, dict) else {}


def span_row(span: Mapping[str, Any]) -> dict[str, Any]:
    """The SPANS columns and `feature_hint` of a span.

    Args:
        span: A row of the API, of the SDK's batches or of an export.

    Raises:
        Refused: If a time cannot be right.
    """
    name = span.get("name") if isinstance(span.get("name"), str) else None
    operation = _operation(span)
    started_at = parse_time(span.get("start_time"), timezone=_ZONE)
    attributes = _attributes(span, operation)
    if operation == "execute_tool":
        attributes["gen_ai.tool.name"] = name
    row: dict[str, Any] = canonical_row(attributes, name=name, state=SpanState(started_at=started_at))
    row["attributes"].pop("gen_ai.operation.name", None)
    row |= {
        **_outcome(mapping(span.get("error_info"))),
        "trace_id": span.get("trace_id"),
        "span_id": span.get("id"),
        "parent_span_id": span.get("parent_span_id"),
        "name": name,
        "started_at": started_at,
        "ended_at": parse_time(span.get("end_time"), timezone=_ZONE),
        "latency_ms": span.get("duration"),
        "feedback_score": feedback(span),
    }
    return row


def _operation(span: Mapping[str, Any]) -> str:
    operation = OPERATION_BY_TYPE.get(str(span.get("type")).lower(), "span")
    told = f"{span.get('name')} {mapping(span.get('metadata')).get('type')}"
    return "embeddings" if operation == "chat" and "embed" in told.lower() else operation


def _attributes(span: Mapping[str, Any], operation: str) -> dict[str, Any]:
    metadata = mapping(span.get("metadata"))
    request, answer = request_attributes(span.get("input")), answer_attributes(span.get("output"))
    attributes = {
        "metadata": metadata or None,
        **{f"opik.{name}": value for name, value in span.items() if name not in _IN_COLUMNS},
        **request,
        **answer,
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": span.get("provider"),
        "deployment.environment.name": span.get("environment"),
        "tags": json_value(span.get("tags")),
    }
    attributes["opik.error_info"] = json_value(span.get("error_info"))
    if operation not in MODEL_OPERATIONS:
        return attributes
    return attributes | ending_attributes(metadata, answer) | _call_attributes(span, metadata, request)


def _call_attributes(
    span: Mapping[str, Any], metadata: Mapping[str, Any], request: Mapping[str, Any]
) -> dict[str, Any]:
    asked, named = request.get("gen_ai.request.model"), span.get("model")
    found = {
        "gen_ai.request.model": asked or named,
        "gen_ai.response.model": named if asked and named != asked else None,
        "gen_ai.response.id": metadata.get("id"),
        "openai.response.service_tier": metadata.get("service_tier"),
        "gen_ai.request.stream": metadata.get("stream"),
        "llm.cost.total": span.get("total_estimated_cost"),
        **_usage(mapping(span.get("usage"))),
        **_wait(span),
    }
    return {name: value for name, value in found.items() if value is not None}


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    raw = {name.removeprefix(_ORIGINAL): count for name, count in usage.items() if name.startswith(_ORIGINAL)}
    given = {name: count for name, count in usage.items() if not name.startswith(_ORIGINAL)}
    counts = {**usage_attributes(raw), **usage_attributes(given)}
    is_raw_input = counts.get("gen_ai.usage.input_tokens") == raw.get("input_tokens", -1)
    if is_raw_input and any(raw.get(name) for name in _RAW_CACHE):
        counts[TOKEN_CONVENTION] = "exclusive"
    return counts


def _wait(span: Mapping[str, Any]) -> dict[str, Any]:
    ttft = span.get("ttft")
    if isinstance(ttft, bool) or not isinstance(ttft, int | float) or ttft < 0:
        return {}
    return {"gen_ai.response.time_to_first_chunk": ttft / 1_000}


def _outcome(error: Mapping[str, Any]) -> dict[str, Any]:
    if not error:
        return {"is_error": False}
    return {
        "is_error": True,
        "error_type": error_class(error.get("exception_type")),
        "error_message": error.get("message"),
    }


def feedback(holder: Mapping[str, Any]) -> float | None:
    """The feedback of a user on a span or a trace, the last one where there are several.

    Args:
        holder: A span or a trace with `feedback_scores`.
    """
    scores = json_value(holder.get("feedback_scores"))
    found = [
        float(score["value"])
        for score in (scores if isinstance(scores, list) else ())
        if isinstance(score, dict)
        and is_feedback(score.get("name"))
        and str(score.get("source")) in ("ui", "sdk", "None")
        and isinstance(score.get("value"), int | float)
    ]
    return found[-1] if found else None
