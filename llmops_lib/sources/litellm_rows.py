"""One LiteLLM call, as spend log or as logging payload, as a row of SPANS.

- What LiteLLM served from its own response cache went to no provider: its tokens stay, but it is no
  model call, or a price would be put on what cost nothing.
- The trace of a call is its session where LiteLLM keeps one word for both.
- Times without a zone are UTC. The time to the first token is the end where nothing was streamed; in the
  database it then may lie a millisecond before it.
- A cost of 0 with the reason why it could not be computed is an unknown cost.
- `model` is kept as the log has it, with or without the provider before it; the alias that the caller
  asked for is the attribute `litellm.model_group`.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS
from llmops_lib.sources.attribute_names import PROPERTY_NAMES
from llmops_lib.sources.failures import error_class
from llmops_lib.sources.inclusive_counts import made_inclusive
from llmops_lib.sources.langfuse_fields import mapping, object_in
from llmops_lib.sources.litellm_answers import answer_columns, answer_rest, request_messages
from llmops_lib.sources.litellm_usage import (
    ZEROS,
    billing_attributes,
    has_usage,
    stated_total,
    token_columns,
    with_writes,
)
from llmops_lib.sources.providers import provider_name
from llmops_lib.sources.times import parse_time

_OBJECTS = (
    *("metadata", "request_tags", "messages", "response", "proxy_server_request", "error_information"),
    *("cost_breakdown", "guardrail_information", "hidden_params", "model_map_information"),
    *("model_parameters", "modelParameters", "response_cost_failure_debug_info", "status_fields", "usage"),
)
# What a request asked, in the names of each API.
_ASKED = ("messages", "input", "prompt", "contents", "query")
_TOLD_WITHIN = 200
# What LiteLLM passed through without looking at it.
_NO_MODEL = "unknown"
_STREAMED = (True, "True", "true")
_ROUNDING = timedelta(milliseconds=1)
_OPERATIONS = (
    ("embedding", "embeddings"),
    ("rerank", "rerank"),
    ("text_completion", "text_completion"),
    ("completion", "chat"),
    ("responses", "chat"),
    ("anthropic_messages", "chat"),
    ("generate_content", "chat"),
    ("mcp_tool", "execute_tool"),
)
_ERROR_TEXT = re.compile(r"(?:litellm\.)?([A-Z]\w*(?:Error|Exception|Timeout)):")
_NO_TEXT = ("image", "speech", "transcription", "moderation", "video", "ocr", "search", "vector_store")
_NO_CALL = ("get_", "delete_", "list_", "cancel_")
_IN_COLUMNS = frozenset(
    (
        "call_type",
        "completionStartTime",
        "completion_tokens",
        "custom_llm_provider",
        "endTime",
        "error_str",
        "messages",
        "model",
        "prompt_tokens",
        "request_tags",
        "response",
        "response_cost",
        "response_time",
        "request_duration_ms",
        "spend",
        "startTime",
        "stream",
    )
)
_PROPERTY_OBJECTS = ("spend_logs_metadata", "requester_metadata", "requester_custom_headers")


def call_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """The SPANS columns of a call.

    Args:
        record: A row of LiteLLM's spend logs, or a standard logging payload.

    Raises:
        Refused: If a time cannot be right.
    """
    call = {
        name: object_in(value) if name in _OBJECTS else value
        for name, value in record.items()
        if value is not None and value != ""
    }
    metadata = mapping(call.get("metadata"))
    operation = _operation(call, metadata)
    is_hit = str(call.get("cache_hit")).lower() == "true"
    row = {
        **_content(call),
        **_tool(metadata),
        **_identity(call, metadata),
        **_times(call, has_stream="stream" in record),
        **_outcome(call, metadata),
        "name": _tool_name(call, metadata) or call.get("call_type") or operation,
        "operation": operation,
        "is_model_call": operation in MODEL_OPERATIONS and not is_hit,
        "provider": _provider(call.get("custom_llm_provider")),
        "request_model": None if call.get("model") == _NO_MODEL else call.get("model"),
        "attributes": _attributes(call, metadata, operation),
    }
    if operation in MODEL_OPERATIONS:
        counts, notes = with_writes(token_columns(call, metadata), metadata)
        counts, more = made_inclusive(counts, stated_total(call, metadata))
        row |= {**counts, "reported_cost_usd": _cost(call)}
        row["attributes"] |= notes | more
    return row


def _cost(call: Mapping[str, Any]) -> Any:
    cost = call.get("spend", call.get("response_cost"))
    return None if cost in ZEROS and call.get("response_cost_failure_debug_info") else cost


def _operation(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    kind = str(call.get("call_type") or "").lower()
    if any(word in kind for word in (*_NO_TEXT, *_NO_CALL)):
        return "other"
    for word, operation in _OPERATIONS:
        if word in kind:
            return operation
    # The proxy logs calls that failed before their kind was known, and calls that it passed through.
    is_call = has_usage(call, metadata) or (not kind and call.get("model"))
    return "chat" if is_call else "other"


def _provider(raw: Any) -> str | None:
    return provider_name(raw) if isinstance(raw, str) else None


def _identity(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    own_id = call.get("request_id", call.get("id"))
    trace_id = call.get("trace_id")
    user = call.get("end_user") or call.get("user") or metadata.get("user_api_key_user_id")
    team = call.get("team_id") or metadata.get("user_api_key_team_id")
    org = call.get("organization_id") or metadata.get("user_api_key_org_id")
    identity = {
        "span_id": own_id or call.get("litellm_call_id"),
        "trace_id": trace_id or call.get("session_id") or call.get("litellm_call_id") or own_id,
        "session_id": call.get("session_id") or trace_id,
        "user_id": user,
        "tenant": team or org,
        "tags": call.get("request_tags") or None,
    }
    # LiteLLM puts its own id in place of an answer's where there was none.
    is_answered = own_id != call.get("litellm_call_id") and not _is_failed(call, metadata)
    return identity | {"request_id": own_id if is_answered else None} | _properties(metadata)


def _properties(metadata: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for source in _PROPERTY_OBJECTS:
        properties = mapping(object_in(metadata.get(source)))
        for column, names in PROPERTY_NAMES.items():
            value = next((properties[name] for name in names if properties.get(name)), None)
            if isinstance(value, str | int) and not isinstance(value, bool):
                found.setdefault(column, value)
    return found


def _times(call: Mapping[str, Any], *, has_stream: bool) -> dict[str, Any]:
    started_at = parse_time(call.get("startTime"), timezone="UTC")
    ended_at = parse_time(call.get("endTime"), timezone="UTC")
    first_at = parse_time(call.get("completionStartTime"), timezone="UTC")
    times: dict[str, Any] = {"started_at": started_at, "ended_at": ended_at}
    if "stream" in call:
        times["is_streaming"] = call["stream"]
    if has_stream and call.get("stream") not in _STREAMED:
        return times
    if started_at and first_at and ended_at and started_at <= first_at < ended_at - _ROUNDING:
        times["time_to_first_token_ms"] = (first_at - started_at).total_seconds() * 1_000
        times["is_streaming"] = True
    return times


def _is_failed(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    status = call.get("status") or metadata.get("status")
    return status == "failure" or bool(call.get("error_str"))


def _outcome(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    if not _is_failed(call, metadata):
        return {"is_error": False}
    information = mapping(call.get("error_information")) or mapping(metadata.get("error_information"))
    code = str(information.get("error_code") or "")
    # Payloads of 2024 have nothing but the text.
    told = _ERROR_TEXT.match(str(call.get("error_str") or "")[:_TOLD_WITHIN])
    return {
        "is_error": True,
        "error_type": error_class(information.get("error_class")) or (told and told[1]),
        "error_message": information.get("error_message") or call.get("error_str"),
        "http_status": int(code) if re.fullmatch("[1-5][0-9]{2}", code) else None,
    }


def _content(call: Mapping[str, Any]) -> dict[str, Any]:
    response = call.get("response")
    columns = answer_columns(response)
    if "output" not in columns and response:
        columns["output"] = response
    columns.pop("request_id", None)
    asked = mapping(call.get("proxy_server_request"))
    request = asked if any(asked.get(name) for name in _ASKED) else None
    return columns | {"input": request_messages(call.get("messages") or request)}


def _tool(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a tool of an MCP server was asked and what it gave."""
    tool = mapping(metadata.get("mcp_tool_call_metadata"))
    told = {"input": tool.get("arguments"), "output": tool.get("result")}
    return {column: value for column, value in told.items() if value}


def _tool_name(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> Any:
    tool = mapping(metadata.get("mcp_tool_call_metadata"))
    return tool.get("name") or call.get("mcp_namespaced_tool_name")


def _attributes(call: Mapping[str, Any], metadata: Mapping[str, Any], operation: str) -> dict[str, Any]:
    kept = _IN_COLUMNS if operation in MODEL_OPERATIONS else _IN_COLUMNS - {"spend", "response_cost"}
    rest = {f"litellm.{name}": _stated(value) for name, value in call.items() if name not in kept}
    known = {name: value for name, value in rest.items() if value not in (None, {}, [], "")}
    more = answer_rest(call.get("response"))
    return known | ({"litellm.response": more} if more else {}) | billing_attributes(call, metadata)


def _stated(value: Any) -> Any:
    """The value without the many fields of it that are null."""
    if isinstance(value, dict):
        return {name: _stated(inner) for name, inner in value.items() if inner is not None}
    return value
