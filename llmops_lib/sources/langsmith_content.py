"""Messages of LangSmith runs: those of LangChain, and the requests and answers of wrapped SDKs."""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.langfuse_fields import mapping
from llmops_lib.sources.litellm_answers import answer_columns, answer_rest
from llmops_lib.sources.messages import chat_messages, finish_reason_of, otel_message, tool_calls_of

_ROLES = {
    "human": "user",
    "HumanMessage": "user",
    "ai": "assistant",
    "AIMessage": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "SystemMessage": "system",
    "tool": "tool",
    "ToolMessage": "tool",
    "function": "tool",
    "FunctionMessage": "tool",
}


def run_input(inputs: Any) -> tuple[Any, dict[str, Any]]:
    """The messages of a model run, or its whole input, and what else it was asked with.

    Args:
        inputs: `inputs` of a run.
    """
    found = mapping(inputs)
    listed = found.get("messages")
    if isinstance(listed, list) and len(listed) == 1 and isinstance(listed[0], list):
        listed = listed[0]
    if not isinstance(listed, list) or not listed:
        return inputs or None, {}
    messages = [message_of(item) for item in listed]
    more = {name: value for name, value in found.items() if name != "messages" and value is not None}
    return chat_messages(messages, role="user"), more


def run_output(outputs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the answer of a model run tells of its call, and what of the answer no column holds.

    Args:
        outputs: `outputs` of a run.
    """
    found = mapping(outputs)
    generation = first_generation(found)
    if generation:
        message = mapping(generation.get("message"))
        told = message_of(message) if message else {"role": "assistant", "content": generation.get("text")}
        about = _response_metadata(generation)
        output = [otel_message(told, role="assistant")]
        columns = {
            "output": output,
            "tool_calls": tool_calls_of(output),
            "finish_reason": about.get("finish_reason") or about.get("stop_reason"),
            "response_model": about.get("model_name") or about.get("model"),
            "request_id": about.get("id"),
        }
        told = () if _holds_more(found["generations"]) else ("generations",)
        more = {name: value for name, value in found.items() if name not in told and value is not None}
        return columns, more | ({"response_metadata": about} if about else {})
    columns = answer_columns(found)
    if "output" in columns:
        return columns, answer_rest(found)
    output = chat_messages(_listed(found), role="assistant") if found else outputs
    columns |= {"output": output or None, "finish_reason": finish_reason_of(output)}
    return columns | {"tool_calls": tool_calls_of(output)}, {}


def _listed(outputs: Mapping[str, Any]) -> Any:
    for name in ("messages", "message", "output"):
        found = outputs.get(name)
        if isinstance(found, dict) and _is_message(found):
            return [message_of(found)]
        if isinstance(found, list) and found and all(isinstance(item, dict) for item in found):
            return [message_of(item) for item in found]
    return message_of(outputs) if _is_message(outputs) else outputs


def _is_message(value: Mapping[str, Any]) -> bool:
    return "content" in value or "kwargs" in value or "tool_calls" in value


def first_generation(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The first generation of a LangChain result, or an empty object.

    Args:
        outputs: `outputs` of a run.
    """
    generations = outputs.get("generations")
    while isinstance(generations, list) and generations:
        generations = generations[0]
    return mapping(generations)


def _holds_more(generations: Any) -> bool:
    """Whether a batch of prompts, or several answers to one, stand beside the first generation."""
    while isinstance(generations, list) and generations:
        if len(generations) > 1:
            return True
        generations = generations[0]
    return False


def message_fields(message: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a LangChain message, which its serialized form wraps in `kwargs` or `data`."""
    return mapping(message.get("kwargs")) or mapping(message.get("data")) or {**message}


def message_of(message: Any) -> Any:
    """A message with a role, and tool calls where its content does not hold them.

    Args:
        message: A message of LangChain, serialized or not, or of an SDK.

    Example:
        >>> message_of({"lc": 1, "id": ["schema", "HumanMessage"], "kwargs": {"content": "hi"}})
        {'content': 'hi', 'role': 'user'}
    """
    if not isinstance(message, dict):
        return message
    inner = message_fields(message)
    path = message.get("id")
    kind = inner.get("type") or message.get("type")
    kind = path[-1] if kind in (None, "constructor") and isinstance(path, list) and path else kind
    role = inner.get("role") or _ROLES.get(str(kind))
    if role is None:
        return message
    told = ("role", "type", "id", "content", "name", "tool_call_id", "tool_calls", "additional_kwargs")
    kept = {name: inner[name] for name in ("content", "name", "tool_call_id") if inner.get(name) is not None}
    kept |= beyond(inner, told, "")
    if inner != message:
        kept |= beyond(message, ("lc", "type", "id", "kwargs", "data"), "")
    more = mapping(inner.get("additional_kwargs"))
    kept |= beyond({"additional_kwargs": beyond(more, ("tool_calls",), "")}, (), "")
    calls = inner.get("tool_calls") or more.get("tool_calls")
    content = kept.get("content")
    has_calls = isinstance(content, list) and any(mapping(part).get("type") == "tool_use" for part in content)
    return {**kept, "role": role} | ({"tool_calls": calls} if calls and not has_calls else {})


def _response_metadata(generation: Mapping[str, Any]) -> dict[str, Any]:
    message = message_fields(mapping(generation.get("message")))
    return mapping(generation.get("generation_info")) | mapping(message.get("response_metadata"))
