"""Messages that travel as events: span events and log records of the conventions of 2024 and 2025.

Each event holds one message (`gen_ai.user.message`, `gen_ai.choice`), or all of a call at once
(`gen_ai.client.inference.operation.details`).
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.messages import chat_messages, otel_message, untyped_parts

_ROLE_OF = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_DETAILS = "gen_ai.client.inference.operation.details"
_CONTENT = {
    "gen_ai.content.prompt": ("gen_ai.prompt", "input"),
    "gen_ai.content.completion": ("gen_ai.completion", "output"),
}
_COLUMNS = {
    "input": "gen_ai.input.messages",
    "output": "gen_ai.output.messages",
    "system_instructions": "gen_ai.system_instructions",
}

_OF_THE_EVENT = frozenset(
    ("event.name", "gen_ai.event.content", "gen_ai.system", "gen_ai.provider.name", "gen_ai.message.index")
)
"""Attributes of an event that say what it is, and are no part of its message."""

MESSAGE_EVENTS = frozenset((*_ROLE_OF, _CHOICE, _DETAILS, *_CONTENT))
"""Names of the events that carry messages."""


def event_messages(name: str, fields: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What a message event adds to `input`, `output` and `system_instructions`.

    Args:
        name: Name of the event, one of `MESSAGE_EVENTS`.
        fields: Body and attributes of the event.

    Returns:
        Column -> messages; empty where the content was not recorded.

    Example:
        >>> event_messages("gen_ai.user.message", {"content": "hi"})
        {'input': [{'role': 'user', 'parts': [{'type': 'text', 'content': 'hi'}]}]}
    """
    written = json_value(fields.get("gen_ai.event.content"))
    if isinstance(written, dict):
        fields = {**fields, **written}
    if name in _ROLE_OF:
        return {"input": [otel_message(_message_fields(fields), role=_ROLE_OF[name])]}
    if name == _CHOICE:
        return {"output": [_choice(fields)]}
    if name in _CONTENT:
        attribute, column = _CONTENT[name]
        return _listed({column: chat_messages(fields.get(attribute))})
    return _listed({column: json_value(fields.get(attribute)) for column, attribute in _COLUMNS.items()})


def _choice(fields: Mapping[str, Any]) -> dict[str, Any]:
    inner = json_value(fields.get("message"))
    message = (
        dict(inner) if isinstance(inner, dict) else {"content": fields.get("message", fields.get("content"))}
    )
    for name, value in fields.items():
        if value and name not in _OF_THE_EVENT and name not in ("message", "index"):
            message.setdefault(name, value)
    return otel_message(_with_parts(message), role="assistant")


def _with_parts(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message with its content as the parts that Strands writes as JSON text."""
    parts = untyped_parts(message.get("content"))
    return message if parts is None else {**message, "content": parts}


def _message_fields(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    calls = json_value(fields.get("tool_calls"))
    found = {name: value for name, value in fields.items() if name not in _OF_THE_EVENT}
    return _with_parts({**found, "tool_calls": calls} if calls is not None else found)


def _listed(columns: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {
        column: value if isinstance(value, list) else [value]
        for column, value in columns.items()
        if value is not None
    }
