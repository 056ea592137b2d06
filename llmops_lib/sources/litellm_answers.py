"""The provider's raw answer, as gateways log it beside a call: messages, ids and how it ended.

Shapes of the OpenAI chat, completions and responses APIs, of Anthropic's messages, of Gemini and Bedrock.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.cloud_answers import cloud_facts, cloud_messages
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.messages import chat_messages, otel_message, tool_calls_of
from llmops_lib.sources.tool_parts import tool_call

_HELD = ("choices", "output", "content", "candidates", "role", "stop_reason", "id", "model", "usage")

_OF_A_CHOICE = ("message", "delta", "text", "finish_reason", "index")


def answer_columns(answer: Any) -> dict[str, Any]:
    """What the raw answer of a provider tells of its call; nothing where it is none.

    Args:
        answer: The body of the response, or its JSON text.

    Returns:
        Those of `output`, `tool_calls`, `finish_reason`, `response_model` and `request_id` that it states.

    Example:
        >>> answer_columns({"model": "m-1", "choices": [{"text": "hi", "finish_reason": "stop"}]})["output"]
        [{'role': 'assistant', 'parts': [{'type': 'text', 'content': 'hi'}], 'finish_reason': 'stop'}]
    """
    body = json_value(answer)
    if not isinstance(body, dict):
        return {}
    messages, facts = _messages(body), cloud_facts(body)
    columns = {
        "output": messages,
        "tool_calls": tool_calls_of(messages),
        "finish_reason": _finish_reason(facts["stop_reason"], messages),
        "response_model": _text(facts["model"]),
        "request_id": _text(facts["id"]),
    }
    return {name: value for name, value in columns.items() if value}


def answer_rest(answer: Any) -> dict[str, Any]:
    """The fields of a raw answer that neither `answer_columns` nor its token counts hold.

    Args:
        answer: The body of the response, or its JSON text.
    """
    body = json_value(answer)
    if not isinstance(body, dict) or not _messages(body):
        return {}
    return {name: value for name, value in body.items() if name not in _HELD and value is not None}


def request_messages(request: Any) -> Any:
    """The messages of a request in OpenTelemetry's shape, or what else it asked; None where it is empty.

    Args:
        request: The body of a request, its messages, or JSON text of either.
    """
    found = json_value(request)
    body = request if found is None else found
    if not body:
        return None
    if not isinstance(body, dict):
        return chat_messages(body, role="user")
    if "messages" in body:
        system = body.get("system")
        before = [{"role": "system", "content": system}] if system else []
        listed = body["messages"] if isinstance(body["messages"], list) else []
        return chat_messages([*before, *listed], role="user")
    asked = next((body[name] for name in ("input", "prompt", "contents", "query") if body.get(name)), body)
    return chat_messages(asked, role="user")


def _messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    if isinstance(body.get("choices"), list):
        return [_choice(choice) for choice in body["choices"] if isinstance(choice, dict)]
    if isinstance(body.get("output"), list):
        return _responses_messages(body["output"])
    if isinstance(body.get("content"), list) and "role" in body:
        return [otel_message({"content": body["content"], "role": body["role"]}, role="assistant")]
    found = cloud_messages(body)
    return [] if found is None else found[1]


def _choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    found = choice.get("message", choice.get("delta"))
    message = found if isinstance(found, dict) else {"content": choice.get("text")}
    reason = choice.get("finish_reason")
    # The tracer of LangSmith for JavaScript puts the whole last chunk in its place.
    reason = reason.get("finish_reason") if isinstance(reason, dict) else reason
    beside = {name: value for name, value in choice.items() if name not in _OF_A_CHOICE}
    return otel_message({**beside, **message, "finish_reason": reason}, role="assistant")


def _responses_messages(items: list[Any]) -> list[dict[str, Any]]:
    messages = []
    for item in items:
        if isinstance(item, dict) and item.get("type") == "function_call":
            messages.append({"role": "assistant", "parts": [tool_call({**item, "id": item.get("call_id")})]})
        elif isinstance(item, dict) and "content" in item and item.get("type", "message") == "message":
            messages.append(otel_message(item, role="assistant"))
    return messages


def _finish_reason(stated: Any, messages: list[dict[str, Any]]) -> str | None:
    found = next((message["finish_reason"] for message in messages if message.get("finish_reason")), None)
    return _text(found) or _text(stated)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
