"""Messages of every dialect in the shape of OpenTelemetry: `[{"role", "parts": [{"type", "content"}]}]`.

What a message or a part of it holds beyond that stays in it, under its own name.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.tool_parts import stated_call, tool_call, tool_result

_TEXT_TYPES = ("text", "input_text", "output_text")
_CALL_TYPES = ("tool_call", "tool-call", "tool_use", "function_call")
_RESULT_TYPES = ("tool_call_response", "tool-result", "tool_result", "function_call_output")
# Gemini and Bedrock give a part no type: the name of its one field says what it is.
_CALL_FIELDS = ("functionCall", "function_call", "toolUse")
_RESULT_FIELDS = ("functionResponse", "function_response", "toolResult")
_UNTYPED = {*_CALL_FIELDS, *_RESULT_FIELDS, "text", "reasoningContent", "image", "document", "cachePoint"}
_THOUGHT_TYPES = ("reasoning", "thinking")
_ITEM_TYPES = ("function_call", "function_call_output", "reasoning")
_MESSAGE_FIELDS = frozenset(("role", "content", "parts", "tool_calls"))


def chat_messages(value: Any, *, role: str = "user") -> Any:
    """The messages that a value holds, in OpenTelemetry's shape; a value without messages as it is.

    Args:
        value: A list of messages, an object with `messages`, JSON text of either, or anything else.
        role: Role of messages that state none.

    Example:
        >>> chat_messages('[{"role": "user", "content": "hi"}]')
        [{'role': 'user', 'parts': [{'type': 'text', 'content': 'hi'}]}]
    """
    found = json_value(value)
    if isinstance(found, dict):
        listed = found.get("messages")
        found = listed if isinstance(listed, list) else [found]
    if not isinstance(found, list) or not any(_is_message(item) for item in found):
        return value
    if not all(_is_message(item) or _is_item(item) for item in found):
        return value
    return [otel_message(item, role=role) if _is_message(item) else _item_message(item) for item in found]


def _is_message(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and "role" in item
        and ("content" in item or "parts" in item or "tool_calls" in item)
    )


def _is_item(item: Any) -> bool:
    """Whether a value stands between the messages of the Responses API: a call, a result, a thought."""
    return isinstance(item, dict) and item.get("type") in _ITEM_TYPES


def _item_message(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": "tool" if item["type"] in _RESULT_TYPES else "assistant", "parts": [_part(item)]}


def otel_message(message: Mapping[str, Any], *, role: str) -> dict[str, Any]:
    """One message of OpenAI, Anthropic, Vercel or OpenTelemetry in the shape of the latter.

    Args:
        message: Has `content` (text or a list of parts), `tool_calls` or `parts`.
        role: Role if it states none.

    Example:
        >>> otel_message({"tool_calls": [{"id": "c1", "name": "f", "arguments": "{}"}]}, role="assistant")
        {'role': 'assistant', 'parts': [{'type': 'tool_call', 'id': 'c1', 'name': 'f', 'arguments': {}}]}
    """
    stated = message.get("role") or role
    # Gemini's word.
    stated = "assistant" if stated == "model" else stated
    if isinstance(message.get("parts"), list):
        return {**message, "role": stated, "parts": parts_of(message)}
    parts = _content_parts(message, is_tool=stated == "tool")
    parts += [tool_call(call) for call in _asked_calls(message)]
    converted = {"role": stated, "parts": parts}
    return converted if message.keys() <= _MESSAGE_FIELDS else converted | _beyond(message, parts)


def _asked_calls(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tool calls of a message, and the one function call of its time before there were tools."""
    calls, alone = message.get("tool_calls"), message.get("function_call")
    found = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return [*found, alone] if isinstance(alone, dict) and _is_function_call(alone) else found


def _is_function_call(value: Any) -> bool:
    return isinstance(value, dict) and "name" in value


def _beyond(message: Mapping[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    is_result = bool(parts) and parts[0].get("type") == "tool_call_response"
    told = ("tool_call_id", "id") if is_result else ()
    called = ("function_call",) if _is_function_call(message.get("function_call")) else ()
    return beyond(message, (*_MESSAGE_FIELDS, *told, *called), "")


def _content_parts(message: Mapping[str, Any], *, is_tool: bool) -> list[dict[str, Any]]:
    content = message.get("content")
    if content is None:
        return []
    call_id = message.get("tool_call_id") or message.get("id")
    if is_tool and call_id is not None and not isinstance(content, list):
        return [{"type": "tool_call_response", "id": call_id, "response": content}]
    if isinstance(content, list):
        return [_part(item) for item in content]
    return [{"type": "text", "content": content}]


def untyped_parts(value: Any) -> list[dict[str, Any]] | None:
    """The parts of a message of Bedrock or Gemini that a value lists without the message; None otherwise.

    Args:
        value: A list or its JSON text.

    Example:
        >>> untyped_parts('[{"text": "hi"}]'), untyped_parts('[{"city": "Paris"}]'), untyped_parts("hi")
        ([{'text': 'hi'}], None, None)
    """
    found = json_value(value)
    if not isinstance(found, list) or not found:
        return None
    is_part = [isinstance(item, dict) and len(item) == 1 and item.keys() <= _UNTYPED for item in found]
    return found if all(is_part) else None


def parts_of(message: Mapping[str, Any]) -> list[Any]:
    """The parts of a message; those of Gemini get the type that they are without.

    Args:
        message: Has a list of `parts`.
    """
    return [
        _untyped_part(part) if isinstance(part, dict) and "type" not in part else part
        for part in message["parts"]
    ]


def _untyped_part(item: Mapping[str, Any]) -> dict[str, Any]:
    for names, convert in ((_CALL_FIELDS, tool_call), (_RESULT_FIELDS, tool_result)):
        held = next((name for name in names if isinstance(item.get(name), dict)), None)
        if held is not None:
            return convert(item[held]) | beyond(item, (held, "text"), "")
    if isinstance(item.get("text"), str):
        return _told(item, "reasoning" if item.get("thought") is True else "text", ("text",))
    return {**item}


def _part(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        return {"type": "text", "content": item}
    kind = item.get("type")
    if kind is None:
        return _untyped_part(item)
    if kind in _TEXT_TYPES and ("text" in item or "content" in item):
        return _told(item, "text", ("text", "content"))
    if kind in _THOUGHT_TYPES:
        return _told(item, "reasoning", ("thinking", "text", "content"))
    if kind in _CALL_TYPES:
        return tool_call(item)
    return tool_result(item) if kind in _RESULT_TYPES else item


def _told(item: Mapping[str, Any], kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    held = next((name for name in names if name in item), "")
    return {"type": kind, "content": item.get(held)} | beyond(item, ("type", held), "")


def tool_calls_of(output: Any) -> list[dict[str, Any]] | None:
    """The tool calls that messages ask for, `{"id", "name", "arguments"}` each, or None without any.

    Args:
        output: Messages in OpenTelemetry's shape, or their JSON text.
    """
    if isinstance(output, str) and "tool_call" not in output:
        return None
    messages = json_value(output)
    calls = [
        stated_call(item)
        for message in (messages if isinstance(messages, list) else ())
        if isinstance(message, dict) and isinstance(message.get("parts"), list)
        for item in message["parts"]
        if isinstance(item, dict) and item.get("type") == "tool_call"
    ]
    return calls or None


def finish_reason_of(output: Any) -> str | None:
    """Why generation ended, where only the messages say so.

    Args:
        output: Messages in OpenTelemetry's shape, or their JSON text.
    """
    if output is None or (isinstance(output, str) and "finish_reason" not in output):
        return None
    messages = json_value(output)
    for message in messages if isinstance(messages, list) else ():
        reason = message.get("finish_reason") if isinstance(message, dict) else None
        if isinstance(reason, str) and reason:
            return reason
    return None
