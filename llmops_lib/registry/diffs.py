"""What changed between two versions of a prompt: its settings, its templates, and the text they make."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from llmops_lib.errors import LlmopsError
from llmops_lib.registry.prompts import Prompt

_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS


@dataclass(frozen=True)
class Difference:
    """One part of a prompt that is not as it was.

    Attributes:
        part: `settings`, `template` or `rendered`.
        name: Name of the test whose inputs were rendered; empty for the others.
        lines: Unified diff, without its two header lines.
    """

    part: str
    name: str
    lines: tuple[str, ...]


def prompt_diff(old: Prompt, new: Prompt) -> list[Difference]:
    """What is not the same in two prompts, part by part; nothing where they send the same.

    A template can change without the text changing, and the other way about, when the tests do: so the
    inputs of each test are rendered by both.

    Args:
        old: The earlier version.
        new: The later one. Its tests give the inputs, and those of the earlier one that it no longer has.
    """
    tests: Mapping[str, Mapping[str, Any]] = {
        test.name: test.inputs for prompt in (old, new) for test in prompt.tests
    }
    parts = [
        ("settings", "", _settings(old), _settings(new)),
        ("template", "", _template(old), _template(new)),
        *(
            ("rendered", name, _rendered(old, inputs), _rendered(new, inputs))
            for name, inputs in tests.items()
        ),
    ]
    return [
        Difference(part, name, _unified(before, after))
        for part, name, before, after in parts
        if before != after
    ]


def _settings(prompt: Prompt) -> str:
    settings = {
        "model": prompt.model,
        "parameters": prompt.parameters,
        "input_schema": prompt.input_schema,
        "tools": {tool.name: tool.definition for tool in prompt.tools},
        "version": prompt.version,
        "owner": prompt.owner,
        "description": prompt.description,
    }
    return orjson.dumps(settings, option=_PRETTY).decode()


def _template(prompt: Prompt) -> str:
    return "\n\n".join(f"<!-- {message.role} -->\n{message.template}" for message in prompt.messages)


def _rendered(prompt: Prompt, inputs: Mapping[str, Any]) -> str:
    try:
        messages = prompt.render(**inputs)
    except LlmopsError as error:
        return f"(cannot be rendered: {error})"
    return "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in messages)


def _unified(before: str, after: str) -> tuple[str, ...]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return tuple(lines)[2:]
