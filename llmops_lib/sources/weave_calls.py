"""One Weave call as a row of SPANS.

- `summary.usage` holds counts by model, and every ancestor repeats the sum of the calls below it: only a
  call without a child that has usage is a model call.
- A failed call has no usage; what it was is then told by the operation it names.
- Costs stand in `summary.weave.costs` by model, where the export asked for them.
- `wb_user_id` is the account that traced, not the user of the application.
"""

import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS, TOKEN_CONVENTION
from llmops_lib.sources.attributes import SpanState, canonical_row
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.operations import operation_name
from llmops_lib.sources.provider_answers import answer_attributes, request_attributes
from llmops_lib.sources.provider_usage import usage_attributes
from llmops_lib.sources.times import parse_time
from llmops_lib.sources.tracebacks import error_class_of

_PREFIX = "weave:///"
_IN_COLUMNS = frozenset(
    (
        "id",
        "trace_id",
        "parent_id",
        "display_name",
        "started_at",
        "ended_at",
        "inputs",
        "output",
        "exception",
        "attributes",
        "thread_id",
    )
)
# Operations that Weave's own integrations name after the method of the provider's client.
_CALLS = re.compile(
    r"(?i)(?:.*\.)?(?:chat\.completions(?:\.\w+)*|completions\.create|responses\.(?:create|parse)"
    r"|messages\.(?:create|stream)|litellm\.a?completion|generate_content(?:_async|_stream)?"
    r"|chat\.complete(?:_async)?|embeddings?\.create|litellm\.a?embedding|embed_content|rerank)"
)
_KINDS = {"llm": "chat", "agent": "invoke_agent", "tool": "execute_tool", "scorer": "evaluation"}
_COSTS = ("prompt_tokens_total_cost", "completion_tokens_total_cost")
_FAILED = "error"


def mapping(value: Any) -> dict[str, Any]:
    """The object that a field holds, also as JSON text, or an empty one."""
    found = json_value(value)
    return found if isinstance(found, dict) else {}


def has_usage(call: Mapping[str, Any]) -> bool:
    """Whether a call states counts of tokens, its own or those of the calls below it."""
    usage = mapping(mapping(call.get("summary")).get("usage"))
    return any(usage_attributes(counts) for counts in usage.values())


def call_row(call: Mapping[str, Any], *, is_parent: bool) -> dict[str, Any]:
    """The SPANS columns and `feature_hint` of a call.

    Args:
        call: A call of the API.
        is_parent: Whether a child of it has usage, so that its own repeats that of its children.

    Raises:
        Refused: If a time cannot be right.
    """
    name = _op_name(call.get("op_name"))
    operation = _operation(call, name, is_parent=is_parent)
    started_at = parse_time(call.get("started_at"), timezone="UTC")
    attributes = _attributes(call, operation)
    if operation == "execute_tool":
        attributes["gen_ai.tool.name"] = name
    row: dict[str, Any] = canonical_row(attributes, name=name, state=SpanState(started_at=started_at))
    row["attributes"].pop("gen_ai.operation.name", None)
    row |= {
        **_outcome(call),
        "trace_id": call.get("trace_id"),
        "span_id": call.get("id"),
        "parent_span_id": call.get("parent_id"),
        "name": call.get("display_name") or name,
        "started_at": started_at,
        "ended_at": parse_time(call.get("ended_at"), timezone="UTC"),
    }
    return row | ({"session_id": call["thread_id"]} if call.get("thread_id") else {})


def _op_name(reference: Any) -> str | None:
    """The name in a reference such as `weave:///team/project/op/answer:v1`."""
    if not isinstance(reference, str) or not reference:
        return None
    if not reference.startswith(_PREFIX):
        return reference
    return reference.rpartition("/op/")[2].rpartition(":")[0] or reference


def _operation(call: Mapping[str, Any], name: str | None, *, is_parent: bool) -> str:
    kind = _kind(call)
    stated = _KINDS.get(kind) or operation_name(kind) or "span"
    if is_parent:
        return "chain" if stated in (*MODEL_OPERATIONS, "span") else stated
    is_provider_call = _CALLS.fullmatch(name or "") is not None
    if is_provider_call or stated == "chat" or (stated == "span" and _is_single(call)):
        told = (name or "").lower()
        return "embeddings" if "embed" in told else "rerank" if "rerank" in told else "chat"
    return stated


def _kind(call: Mapping[str, Any]) -> str:
    attributes = mapping(call.get("attributes"))
    return str(mapping(attributes.get("weave")).get("kind", attributes.get("kind"))).lower()


def _is_single(call: Mapping[str, Any]) -> bool:
    # An export of roots alone has the sums and not the calls: several models or requests are no one call.
    usage = mapping(mapping(call.get("summary")).get("usage"))
    requests = [mapping(counts).get("requests") or 1 for counts in usage.values()]
    return has_usage(call) and requests == [1]


def _attributes(call: Mapping[str, Any], operation: str) -> dict[str, Any]:
    own = mapping(call.get("attributes"))
    attributes = {
        "metadata": own or None,
        **{f"weave.{name}": json_value(value) or value for name, value in _others(call)},
        **request_attributes(call.get("inputs")),
        **answer_attributes(call.get("output")),
        "gen_ai.operation.name": operation,
    }
    if operation not in MODEL_OPERATIONS:
        return attributes
    summary = mapping(call.get("summary"))
    found = {**_model(call, summary), **_usage(summary), "llm.cost.total": _cost(summary)}
    return attributes | {name: value for name, value in found.items() if value is not None}


def _others(call: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in call.items()
        if name not in _IN_COLUMNS and value not in (None, "", [], {})
    ]


def _model(call: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    models = list(mapping(summary.get("usage")))
    asked = mapping(call.get("inputs")).get("model")
    named = models[0] if len(models) == 1 else None
    return {
        "gen_ai.request.model": asked if isinstance(asked, str) else None,
        "gen_ai.response.model": named if named != asked else None,
    }


def _usage(summary: Mapping[str, Any]) -> dict[str, Any]:
    usage = list(mapping(summary.get("usage")).values())
    if len(usage) != 1:
        return {}
    counts, given = usage_attributes(usage[0]), mapping(usage[0])
    # Only Anthropic has these two names together, and its input leaves the cache out.
    if "input_tokens" in given and "cache_read_input_tokens" in given and "prompt_tokens" not in given:
        counts[TOKEN_CONVENTION] = "exclusive"
    return counts


def _cost(summary: Mapping[str, Any]) -> float | None:
    costs = mapping(mapping(summary.get("weave")).get("costs"))
    parts = [mapping(cost).get(name) for cost in costs.values() for name in _COSTS]
    known = [part for part in parts if isinstance(part, int | float) and not isinstance(part, bool)]
    return float(sum(known)) if known else None


def _outcome(call: Mapping[str, Any]) -> dict[str, Any]:
    exception = call.get("exception")
    status = mapping(mapping(call.get("summary")).get("weave")).get("status")
    if not exception and status != _FAILED:
        return {"is_error": False}
    text = exception if isinstance(exception, str) else None
    return {"is_error": True, "error_type": error_class_of(text or ""), "error_message": text}
