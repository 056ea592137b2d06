"""One Langfuse observation as a row of SPANS.

- Latency comes from start and end alone: downloads give milliseconds before late 2025, then seconds.
- A GENERATION is a model call, as in Langfuse's own sums, also where its original attributes name a wrapper
  such as the outer `ai.generateText`: Langfuse gives a wrapper counts of its own that need not repeat those
  inside. A wrapper whose counts do repeat them is folded later, with those of every other format.
- A model name is what the caller asked for or what answered; the attributes tell where they are there.
- Provider, response id, finish reason and the like stand in those attributes or nowhere.
"""

import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS, OPERATIONS
from llmops_lib.sources.attributes import canonical_row
from llmops_lib.sources.langfuse_content import asked_tool_calls, content
from llmops_lib.sources.langfuse_exchange import exchange
from llmops_lib.sources.langfuse_fields import mapping, unwrapped
from llmops_lib.sources.langfuse_metadata import (
    OTEL_PARTS,
    ending_of,
    environment_of,
    kept_metadata,
    nested_parts,
    prompt_of,
)
from llmops_lib.sources.langfuse_usage import CACHE_WRITE_1H, convention_notes, reported_cost, token_counts
from llmops_lib.sources.messages import tool_calls_of
from llmops_lib.sources.providers import provider_name
from llmops_lib.sources.times import parse_time

OPERATION_BY_TYPE = {
    "GENERATION": "chat",
    "EMBEDDING": "embeddings",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
    "RETRIEVER": "retrieval",
    "EVALUATOR": "evaluation",
    "GUARDRAIL": "guardrail",
    "CHAIN": "chain",
    "SPAN": "other",
    "EVENT": "other",
}
"""Operation of each observation type; before mid-2025 there were only SPAN, GENERATION and EVENT."""

_FROM_ATTRIBUTES = (
    "provider",
    "request_id",
    "finish_reason",
    "http_status",
    "session_id",
    "user_id",
    "tenant",
    "feature",
    "feature_hint",
    "service",
    "release",
    "system_instructions",
    "tool_name",
    "tool_call_id",
)
_SENT = ("request_id", "finish_reason", "system_instructions", "is_streaming")
IN_COLUMNS = frozenset(
    (
        "id",
        "trace_id",
        "parent_observation_id",
        "name",
        "start_time",
        "end_time",
        "metadata",
        "model",
        "provided_model_name",
        "input",
        "output",
        "session_id",
        "user_id",
        "environment",
        "tags",
        "trace_tags",
        "trace_name",
        "release",
        "prompt_name",
        "prompt_version",
        "tool_calls",
        "total_cost",
        # Worked out by Langfuse from what stands beside them.
        "latency",
        "time_to_first_token",
        "input_usage",
        "output_usage",
        "total_usage",
    )
)
"""Fields that columns hold, or that say nothing more than others; what is in no column is an attribute."""

# Langfuse takes its input and output from these, and keeps them all the same.
_IN_CONTENT = ("input.value", "input.mime_type", "output.value", "output.mime_type")
_ERROR_CLASS = re.compile(r"(?:\w+\.)*([A-Z]\w*(?:Error|Exception|Timeout))\b\s*[:(]")
# Langfuse keeps its times in UTC; the blob export writes them without saying so.
_ZONE = "UTC"


def observation_row(observation: Mapping[str, Any]) -> dict[str, Any]:
    """The SPANS columns and `feature_hint` of an observation.

    Args:
        observation: Fields in snake_case.

    Raises:
        Refused: If a time or a count cannot be right.
    """
    observation = nested_parts(observation)
    evidence = _evidence(observation)
    operation = operation_of_type(observation.get("type"), evidence.get("operation"))
    is_call = operation in MODEL_OPERATIONS
    sent = exchange(observation, evidence) if is_call else _contents(observation)
    stated = {name: value for name, value in evidence.items() if value is not None}
    told = {name: stated.get(name, sent.get(name)) for name in _SENT}
    row = {
        **{name: evidence.get(name) for name in _FROM_ATTRIBUTES},
        **{name: value for name, value in told.items() if value is not None},
        **_identity(observation),
        "environment": environment_of(observation, evidence),
        **prompt_of(observation, evidence),
        **_times(observation),
        **_models(observation, sent | stated),
        **outcome(observation, evidence),
        "operation": operation,
        "input": sent["input"],
        "output": sent["output"],
        "tool_calls": asked_tool_calls(observation) or tool_calls_of(sent["output"]),
        "attributes": _attributes(observation, evidence) | sent.get("attributes", {}),
    }
    if operation == "execute_tool" and not row["tool_name"]:
        row["tool_name"] = observation.get("name")
    return row | _usage(observation, row["attributes"]) if is_call else row


def _contents(observation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "input": content(observation.get("input"), "user"),
        "output": content(observation.get("output"), "assistant"),
    }


def _usage(observation: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    counts = token_counts(observation)
    cache_write_1h = counts.pop(CACHE_WRITE_1H, None)
    notes = {} if cache_write_1h is None else {CACHE_WRITE_1H: cache_write_1h}
    held = {"attributes": {**attributes, **notes, **convention_notes(observation)}}
    return {**counts, "reported_cost_usd": reported_cost(observation), **held}


def _evidence(observation: Mapping[str, Any]) -> dict[str, Any]:
    metadata = mapping(observation.get("metadata"))
    own = {f"metadata.{name}": value for name, value in metadata.items() if name not in OTEL_PARTS}
    attributes = mapping(unwrapped(metadata.get("attributes")))
    resource = mapping(unwrapped(metadata.get("resourceAttributes")))
    name = observation.get("name")
    evidence: dict[str, Any] = canonical_row(
        {**attributes, **own}, name=name if isinstance(name, str) else None, resource=resource
    )
    provider = metadata.get("ls_provider")
    if not evidence.get("provider") and isinstance(provider, str):
        evidence["provider"] = provider_name(provider)
    return evidence | {name: told for name, told in ending_of(observation).items() if not evidence.get(name)}


def operation_of_type(kind: Any, by_attributes: str | None) -> str:
    """The operation of an observation.

    Args:
        kind: Its type.
        by_attributes: The operation that its original attributes name.
    """
    by_type = OPERATION_BY_TYPE.get(str(kind).upper(), "other")
    trusted = {"chat": MODEL_OPERATIONS, "other": OPERATIONS}.get(by_type, ())
    return by_attributes if by_attributes in trusted else by_type


def _identity(observation: Mapping[str, Any]) -> dict[str, Any]:
    named = {
        "trace_id": observation.get("trace_id"),
        "span_id": observation.get("id"),
        "parent_span_id": observation.get("parent_observation_id"),
        "name": observation.get("name"),
    }
    known = {
        "session_id": observation.get("session_id"),
        "user_id": observation.get("user_id"),
        "release": observation.get("release"),
        "tags": observation.get("trace_tags", observation.get("tags")),
        "feature_hint": observation.get("trace_name"),
    }
    return named | {name: value for name, value in known.items() if value}


def _times(observation: Mapping[str, Any]) -> dict[str, Any]:
    started_at = parse_time(observation.get("start_time"), timezone=_ZONE)
    ended_at = parse_time(observation.get("end_time"), timezone=_ZONE)
    first_at = parse_time(observation.get("completion_start_time"), timezone=_ZONE)
    times: dict[str, Any] = {"started_at": started_at, "ended_at": ended_at}
    # Proxies fill the field on every call: equal to the end, it says that nothing was streamed.
    if first_at is not None and started_at is not None and started_at <= first_at != ended_at:
        times["time_to_first_token_ms"] = (first_at - started_at).total_seconds() * 1_000
        times["is_streaming"] = True
    return times


def _models(observation: Mapping[str, Any], evidence: Mapping[str, Any]) -> dict[str, Any]:
    given = observation.get("model", observation.get("provided_model_name"))
    asked, answered = evidence.get("request_model"), evidence.get("response_model")
    if given and asked and not answered and given != asked:
        answered = given
    return {"request_model": asked or given, "response_model": answered}


def outcome(observation: Mapping[str, Any], evidence: Mapping[str, Any]) -> dict[str, Any]:
    """`is_error`, `error_type` and `error_message` of an observation.

    Args:
        observation: Uses `level`, `status_message`.
        evidence: What its original attributes say; uses `error_type`.
    """
    if observation.get("level") != "ERROR":
        return {"is_error": False}
    message = observation.get("status_message")
    named = _ERROR_CLASS.match(str(message or "")[:300])
    error_type = evidence.get("error_type") or (named[1] if named else None)
    return {"is_error": True, "error_type": error_type, "error_message": message}


def _attributes(observation: Mapping[str, Any], evidence: Mapping[str, Any]) -> dict[str, Any]:
    in_columns = IN_COLUMNS | {"status_message"} if observation.get("level") == "ERROR" else IN_COLUMNS
    rest = {
        f"langfuse.{name}": value
        for name, value in observation.items()
        if name not in in_columns and value not in ({}, [])
    }
    if observation.get("level") in ("DEFAULT", "ERROR"):
        del rest["langfuse.level"]
    attributes = mapping(evidence.get("attributes"))
    kept = {name: value for name, value in attributes.items() if name not in _IN_CONTENT}
    return {**kept, **kept_metadata(observation.get("metadata")), **rest}
