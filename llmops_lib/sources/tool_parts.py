"""Parts of messages that stand for tool calls and their results, from those of every dialect."""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.json_text import json_value

# An item of the Responses API has an id of its own beside that of the call, which its result names too.
_CALL_IDS = ("call_id", "toolCallId", "tool_call_id", "tool_use_id", "toolUseId", "id")
_RESPONSES = ("response", "result", "output", "content")
_ARGUMENTS = ("arguments", "input", "args")


def tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """The part that stands for a tool call of any dialect; arguments in JSON text are taken apart.

    Args:
        call: Has an id, a name and arguments, at its top or under `function`.
    """
    inner = _called(call)
    converted = {"type": "tool_call", **stated_call(call)}
    if call.get("id") and call["id"] != converted["id"]:
        converted["item_id"] = call["id"]
    told = ("type", "name", "toolName", next((key for key in _ARGUMENTS if key in inner), ""))
    others = beyond(inner, told if inner is not call else (*told, *_told_ids(call)), "")
    if inner is not call:
        others |= beyond(call, ("type", "function", *_told_ids(call)), "")
    return converted | {key: value for key, value in others.items() if key not in converted}


def _called(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call.get("function")
    return function if isinstance(function, dict) else call


def stated_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """The id, name and arguments of a tool call.

    Args:
        call: As `tool_call` takes it.
    """
    inner = _called(call)
    arguments = next((inner[key] for key in _ARGUMENTS if key in inner), None)
    parsed = json_value(arguments)
    return {
        "id": _first(call, _CALL_IDS),
        "name": inner.get("name", inner.get("toolName")),
        "arguments": arguments if parsed is None else parsed,
    }


def _told_ids(item: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that hold the id, which some writers repeat."""
    return tuple(name for name in _CALL_IDS if item.get(name) == _first(item, _CALL_IDS))


def _first(item: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((item[name] for name in names if item.get(name)), None)


def _response(item: Mapping[str, Any]) -> Any:
    return next((item[name] for name in _RESPONSES if name in item), None)


def tool_result(item: Mapping[str, Any]) -> dict[str, Any]:
    """The part that stands for what a tool answered.

    Args:
        item: Has an id and an answer.
    """
    answer = {"type": "tool_call_response", "id": _first(item, _CALL_IDS), "response": _response(item)}
    name = next((name for name in _RESPONSES if name in item), "")
    return answer | beyond(item, ("type", name, *_told_ids(item)), "")
