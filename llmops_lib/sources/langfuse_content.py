"""Input, output and tool calls of Langfuse observations."""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.langfuse_fields import mapping, unwrapped
from llmops_lib.sources.langsmith_content import message_of
from llmops_lib.sources.messages import chat_messages
from llmops_lib.sources.tool_parts import tool_call


def content(value: Any, role: str) -> Any:
    r"""Messages in OpenTelemetry's shape where the field holds messages, else what it holds.

    Args:
        value: `input` or `output` of an observation, often JSON text, sometimes in JSON text.
        role: Role of messages that state none.

    Example:
        >>> content('"{\\"role\\": \\"user\\", \\"content\\": \\"hi\\"}"', "user")
        [{'role': 'user', 'parts': [{'type': 'text', 'content': 'hi'}]}]
    """
    return messages_in(unwrapped(value), role)


def messages_in(found: Any, role: str) -> Any:
    """What `content` gives for a value that is out of its layers of JSON text.

    Args:
        found: What `unwrapped` returns.
        role: Role of messages that state none.
    """
    if isinstance(found, dict) and "messages" in found and len(found) > 1:
        # The state of a graph or the options of a request: more than the messages in it.
        return found
    listed = found["messages"] if isinstance(found, dict) and "messages" in found else found
    messages = listed if isinstance(listed, list) else [listed]
    if any(isinstance(message, dict) and "additional_kwargs" in message for message in messages):
        found = [_langchain_message(message) for message in messages]
    return chat_messages(found, role=role)


def _langchain_message(message: Any) -> Any:
    if isinstance(message, dict) and "role" not in message:
        named = {"id": message["id"]} if isinstance(message.get("id"), str) else {}
        return {**named, **message_of(message)}
    more = mapping(mapping(message).get("additional_kwargs"))
    if "tool_calls" not in more:
        return message
    rest = {name: value for name, value in more.items() if name != "tool_calls"}
    return {**message, "tool_calls": more["tool_calls"], "additional_kwargs": rest}


def asked_tool_calls(observation: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The tool calls that Langfuse found in the output, as `{"id", "name", "arguments"}`.

    Args:
        observation: Fields in snake_case.
    """
    calls = observation.get("tool_calls")
    names = observation.get("tool_call_names")
    if not isinstance(calls, list):
        return None
    found = [tool_call(mapping(unwrapped(call))) for call in calls]
    given = names if isinstance(names, list) and len(names) == len(found) else [None] * len(found)
    return [
        {"id": call["id"], "name": call["name"] or name, "arguments": call["arguments"]}
        for call, name in zip(found, given, strict=True)
    ]
