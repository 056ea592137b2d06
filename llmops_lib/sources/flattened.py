"""Messages that were flattened into one attribute per field, such as `gen_ai.prompt.0.content`.

Attributes are flat, so OpenLLMetry and OpenInference write a list of messages as numbered names. The
numbers have gaps, and come in any order.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.messages import otel_message

_LEVELS = 14
_INDEX_DIGITS = 6
_INNER_PREFIXES = ("message.", "message_content.", "tool_call.")


def unflattened(flat: Mapping[str, Any]) -> Any:
    """The tree that dotted names spell; numbered children become a list in the order of their numbers.

    Args:
        flat: Names to values; messages inside values may have dotted names of their own.

    Example:
        >>> unflattened({"1.role": "user", "0.role": "system"})
        [{'role': 'system'}, {'role': 'user'}]
    """
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".", _LEVELS)
        node = tree
        for step in path:
            child = node.get(step)
            if not isinstance(child, dict):
                child = node[step] = {}
            node = child
        node[last] = _inner(value)
    return _listed(tree)


def _inner(value: Any) -> Any:
    if isinstance(value, list):
        return [_inner(item) for item in value]
    # Arguments of tools may have dotted names of their own, which are no levels.
    if isinstance(value, dict) and any(name.startswith(_INNER_PREFIXES) for name in value):
        return unflattened(value)
    return value


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(step.isdecimal() and len(step) <= _INDEX_DIGITS for step in node):
        return [_listed(node[step]) for step in sorted(node, key=int)]
    return {step: _listed(child) for step, child in node.items()}


def flattened_messages(flat: Mapping[str, Any], *, role: str) -> list[dict[str, Any]]:
    """The messages that numbered attributes spell, in OpenTelemetry's shape.

    Args:
        flat: Attributes without their common prefix: `0.role`, in OpenInference `0.message.role`.
        role: Role of messages that state none.

    Example:
        >>> flattened_messages({"0.content": "hi"}, role="user")
        [{'role': 'user', 'parts': [{'type': 'text', 'content': 'hi'}]}]
    """
    tree = unflattened(flat)
    return [
        otel_message(_plain(item.get("message", item)), role=role)
        for item in (tree if isinstance(tree, list) else ())
        if isinstance(item, dict) and isinstance(item.get("message", item), dict)
    ]


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """The message without the names that OpenInference repeats: `tool_calls.0.tool_call.function`."""
    contents = message.get("contents")
    if isinstance(contents, list):
        rest = {name: value for name, value in message.items() if name != "contents"}
        message = {**rest, "content": [_unwrapped(item, "message_content") for item in contents]}
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        message = {**message, "tool_calls": [_unwrapped(item, "tool_call") for item in calls]}
    return message


def _unwrapped(item: Any, name: str) -> Any:
    return item.get(name, item) if isinstance(item, dict) else item
