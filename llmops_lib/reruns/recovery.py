"""What a recorded call was made of: its messages as they were sent, and the inputs that a prompt had then.

Nothing is guessed. Inputs come from variables that the trace records, or are read out of the messages with
the version that made them; where the text can be read in several ways, all must give the new version the
same text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from llmops_lib.errors import LlmopsError, PromptInputError
from llmops_lib.registry.prompts import Message, Prompt
from llmops_lib.registry.readings import Readings, read_messages, untold_by

VARIABLES = "llm.prompt_template.variables"
"""Attribute in which OpenInference records the variables of a prompt."""


@dataclass(frozen=True)
class Recovered:
    """One recorded call as both versions send it.

    Attributes:
        old: Messages of the version in force, as recorded.
        new: Messages of the other version.
        inputs: Inputs of the prompt.
        how: `recorded` (the trace states the inputs) or `read` (out of the messages).
    """

    old: list[Message]
    new: list[Message]
    inputs: Mapping[str, Any]
    how: str


def recover(
    call: Mapping[str, Any], old: Prompt, new: Prompt, *, given: Mapping[str, Any] | None = None
) -> Recovered:
    """The messages of a call, and what another version makes of its inputs.

    Args:
        call: A row of SPANS: `system_instructions`, `input`, `attributes`.
        old: The version that made its messages.
        new: The version to compare with.
        given: Values of inputs that the old version did not have.

    Raises:
        PromptInputError: If that cannot be known; the message says why.
    """
    values = dict(given or {})
    recorded = recorded_messages(call)
    variables = recorded_variables(call)
    if variables is not None and (not recorded or _makes(old, variables, recorded)):
        sent = recorded or old.render(**variables)
        told = Readings((variables,), used=frozenset(variables))
        return Recovered(sent, _agreed(told, new, values) + sent[len(old.messages) :], variables, "recorded")
    if not recorded:
        msg = "its messages are not recorded"
        raise PromptInputError(msg)
    own, later = recorded[: len(old.messages)], recorded[len(old.messages) :]
    readings = read_messages(old, own)
    return Recovered(recorded, _agreed(readings, new, values) + later, readings.inputs[0], "read")


def recorded_messages(call: Mapping[str, Any]) -> list[Message]:
    """The messages of a call as the chat API takes them; none where none are recorded.

    Args:
        call: A row of SPANS.

    Raises:
        PromptInputError: If they hold more than text, such as images or tool calls.

    Example:
        >>> recorded_messages({"system_instructions": None, "input":
        ...     '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]'})
        [{'role': 'user', 'content': 'hi'}]
    """
    system, asked = (_loaded(call[name]) for name in ("system_instructions", "input"))
    parts = system if isinstance(system, list) else [] if system is None else [system]
    messages = [{"role": "system", "content": _text(part)} for part in parts]
    listed = asked if isinstance(asked, list) else [] if asked is None else [asked]
    return messages + [_message(one) for one in listed]


def recorded_variables(call: Mapping[str, Any]) -> dict[str, Any] | None:
    """The variables of the prompt that a trace states; None where it states none.

    Args:
        call: A row of SPANS with its `attributes`.

    Example:
        >>> recorded_variables({"attributes": '{"llm.prompt_template.variables": {"q": 1}}'})
        {'q': 1}
    """
    attributes = _loaded(call.get("attributes"))
    if not isinstance(attributes, dict):
        return None
    stated = _loaded(attributes.get(VARIABLES))
    if isinstance(stated, dict):
        return stated
    # Phoenix takes objects apart: one attribute for each of their fields.
    flat = {
        name.removeprefix(f"{VARIABLES}."): value
        for name, value in attributes.items()
        if name.startswith(f"{VARIABLES}.") and "." not in name.removeprefix(f"{VARIABLES}.")
    }
    return flat or None


def _agreed(readings: Readings, new: Prompt, given: Mapping[str, Any]) -> list[Message]:
    """The messages that the new version makes of every reading, where they are the same."""
    untold = [name for name in untold_by(readings, new) if name.split(".")[0] not in given]
    if untold:
        msg = f"does not tell {', '.join(untold)}, which the new version uses"
        raise PromptInputError(msg)
    wanted = new.input_schema["properties"].keys()
    made: list[list[Message]] = []
    for inputs in readings.inputs:
        known = {name: value for name, value in {**inputs, **given}.items() if name in wanted}
        messages = new.render(**known)
        made += [messages] if messages not in made else []
    if len(made) > 1:
        msg = "its text can be read in several ways, of which the new version makes different texts"
        raise PromptInputError(msg)
    return made[0]


def _makes(prompt: Prompt, variables: Mapping[str, Any], recorded: Sequence[Message]) -> bool:
    try:
        rendered = prompt.render(**variables)
    except LlmopsError:
        return False
    contents = [one["content"] for one in recorded[: len(rendered)]]
    return contents == [one["content"] for one in rendered]


def _loaded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _message(one: Any) -> Message:
    if isinstance(one, str):
        return {"role": "user", "content": one}
    if not isinstance(one, Mapping) or not isinstance(one.get("parts"), list):
        msg = "its input is no list of messages"
        raise PromptInputError(msg)
    if one.get("role") not in ("system", "developer", "user", "assistant"):
        msg = "holds messages of tools, which cannot be sent again alone"
        raise PromptInputError(msg)
    return {"role": str(one["role"]), "content": "".join(_text(part) for part in one["parts"])}


def _text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("content"), str):
        return str(part["content"])
    msg = "holds more than text, such as tool calls or images, which are not sent again"
    raise PromptInputError(msg)
