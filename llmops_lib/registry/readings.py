"""What inputs a rendered prompt was made of, read back out of its text.

A template is walked along the text that it made: literal text must stand there, a variable takes what stands
between. Every way to read the text is followed, and counts only if rendering it gives the text again. Text
that comes from traces is hostile: the walk has a budget of steps and builds no expression from it.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from llmops_lib.errors import PromptInputError, TemplateError
from llmops_lib.json_schemas import misfits
from llmops_lib.registry.bound import Path, declared
from llmops_lib.registry.prompts import Message, Prompt
from llmops_lib.registry.sandbox import compiled, parsed, rendered
from llmops_lib.registry.walks import Walk, used_paths

MOST_READINGS = 64
"""Ways to read one text that are looked at; a text with more tells too little."""

_T = TypeVar("_T")

_PROBES: Mapping[str, Any] = {
    "string": "\u241f probe \u241f",
    "integer": 918_273_645,
    "number": 918_273_645.5,
    "array": ["\u241f probe \u241f"],
    "object": {"\u241f": "\u241f"},
}
_EMPTY: Mapping[str, tuple[Any, ...]] = {
    "string": ("",),
    "integer": (0,),
    "number": (0.0,),
    "array": ([],),
    "object": ({},),
    "boolean": (True, False),
    "null": (None,),
}


@dataclass(frozen=True)
class Readings:
    """The inputs that messages may have been made of.

    Attributes:
        inputs: Every way to read them; each gives exactly these messages.
        untold: Inputs whose value the messages do not tell, though one may have been given.
        used: Inputs that the version uses which made the messages.
        parts: Objects of which only some fields were read: their place, and those fields.
    """

    inputs: tuple[Mapping[str, Any], ...]
    untold: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    parts: frozenset[tuple[Path, frozenset[str]]] = frozenset()


def read_messages(prompt: Prompt, messages: Sequence[Message]) -> Readings:
    """The inputs that a version of a prompt made messages of.

    Args:
        prompt: The version that made them.
        messages: Rendered messages, as many as the prompt has.

    Raises:
        PromptInputError: If this version cannot have made them, or they can be read in too many ways.
    """
    roles = [_role(one["role"]) for one in messages]
    if roles != [_role(one.role) for one in prompt.messages]:
        msg = f"has messages of {', '.join(roles) or 'nobody'}, which this version does not make"
        raise PromptInputError(msg)
    templates = [parsed(one.template) for one in prompt.messages]
    texts = [one["content"] for one in messages]
    walk = Walk(templates, texts, prompt.input_schema)
    found: dict[str, Mapping[str, Any]] = {}
    untold: set[str] = set()
    parts: set[tuple[Path, frozenset[str]]] = set()
    used = frozenset(str(path[0]) for path in used_places(prompt))
    for bound in _few(walk.readings()):
        completed = list(_completed(prompt, texts, bound.inputs(), used))
        found |= {json.dumps(inputs): inputs for inputs, probed in completed if probed is None}
        untold |= {probed for _, probed in completed if probed is not None}
        parts |= set(bound.parts.items()) if completed else set()
    if not found:
        msg = "its text is not what this version makes of any inputs"
        raise PromptInputError(msg)
    fitting = [one for one in found.values() if not misfits(one, prompt.input_schema)]
    return Readings(tuple(fitting or found.values()), frozenset(untold), used, frozenset(parts))


def used_places(prompt: Prompt) -> frozenset[Path]:
    """The places in its inputs that a prompt uses, such as `("passages", "*", "text")`."""
    bodies = (parsed(one.template).body for one in prompt.messages)
    return frozenset(path for body in bodies for path in used_paths(body, {}) if path[0] != "loop")


def untold_by(readings: Readings, prompt: Prompt) -> list[str]:
    """What a prompt uses that the messages do not tell, by name; nothing where they tell all.

    Args:
        readings: Of the messages.
        prompt: Another version of the prompt that they were made by.
    """
    untold = set()
    for path in used_places(prompt):
        absent = any(path[0] not in inputs and path[0] not in readings.used for inputs in readings.inputs)
        if path[0] in readings.untold or absent or any(_lacks(*part, path) for part in readings.parts):
            untold.add(".".join(map(str, path)))
    return sorted(untold)


def _lacks(place: Path, told: frozenset[str], path: Path) -> bool:
    """Whether a place is the whole of an object that was read in parts, or another part of it."""
    depth = len(place)
    is_inside = path[:depth] == place and len(path) > depth
    return place[: len(path)] == path or (is_inside and path[depth] not in told)


def _few(many: Iterator[_T]) -> list[_T]:
    few = list(itertools.islice(many, MOST_READINGS + 1))
    if len(few) > MOST_READINGS:
        msg = "its text can be read in too many ways"
        raise PromptInputError(msg)
    return few


def _completed(
    prompt: Prompt, texts: Sequence[str], inputs: Mapping[str, Any], used: frozenset[str]
) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Readings with every way to fill what was not read, and those in which a probe made no difference."""
    missing = sorted(used - inputs.keys())
    options = [_options(prompt, name) for name in missing]
    for chosen in _few(itertools.product(*options)):
        filled = {name: one for name, one in zip(missing, chosen, strict=True) if one is not _ABSENT}
        values = {**inputs, **filled}
        if not _makes(prompt, texts, values):
            continue
        yield values, None
        for name in missing:
            schema = declared(prompt.input_schema, (name,))
            is_listed = "enum" in schema or "const" in schema
            probes = [] if is_listed else [_PROBES[kind] for kind in _kinds(schema) if kind in _PROBES]
            if any(_makes(prompt, texts, {**values, name: probe}) for probe in probes):
                yield values, name


_ABSENT = object()


def _options(prompt: Prompt, name: str) -> list[Any]:
    schema = declared(prompt.input_schema, (name,))
    required = name in prompt.input_schema.get("required", ())
    known = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    values = list(known) if known else [one for kind in _kinds(schema) for one in _EMPTY[kind]]
    return values if required else [_ABSENT, *values]


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    stated = schema.get("type")
    kinds: list[Any] = stated if isinstance(stated, list) else [stated]
    return [kind for kind in kinds if kind in _EMPTY] or list(_EMPTY)


def _makes(prompt: Prompt, texts: Sequence[str], values: Mapping[str, Any]) -> bool:
    # Without the schema: whether a text tells a value does not hang on which values are allowed today.
    variables = frozenset(prompt.input_schema["properties"])
    try:
        return all(
            rendered(compiled(one.template, variables, one.line), values) == text
            for one, text in zip(prompt.messages, texts, strict=True)
        )
    except TemplateError:
        return False


def _role(role: str) -> str:
    return "system" if role == "developer" else role
