"""Facts about prompts in one look, for the command line and for notebooks."""

from pathlib import Path
from typing import Any

import orjson

from llmops_lib.errors import LlmopsError, PromptError, PromptInputError
from llmops_lib.registry.folders import Folder, found_folder
from llmops_lib.registry.prompts import Prompt, prompt_in, prompt_names


def prompt_facts(prompt: Prompt) -> dict[str, Any]:
    """What a prompt is, without its texts, as plain JSON."""
    return {
        "prompt_name": prompt.name,
        "prompt_version": prompt.version,
        "prompt_hash": prompt.prompt_hash,
        "tool_schema_hash": prompt.tool_schema_hash,
        "declared_model": prompt.model,
        "parameters": dict(prompt.parameters),
        "tools": [tool.name for tool in prompt.tools],
        "owner": prompt.owner,
        "description": prompt.description,
        "commit": prompt.commit,
        "is_dirty": prompt.is_dirty,
        "test_count": len(prompt.tests),
    }


def prompt_overview(folder: str | Path | None = None) -> list[dict[str, Any]]:
    """The facts of every prompt of a folder, by name, with `failures`: what is wrong with it.

    Args:
        folder: Folder of prompts; without it, as for `load_prompt`.
    """
    place = Folder(found_folder(folder, "prompts", PromptError))
    return [_facts_or_failure(place, name) for name in prompt_names(place)]


def inputs_of(prompt: Prompt, *, test: str = "", file: Path | None = None) -> dict[str, Any]:
    """Inputs to render a prompt with: those of one of its tests, or those in a JSON file.

    Args:
        prompt: The prompt.
        test: Name of a test.
        file: JSON file, one object; goes before `test`.

    Raises:
        PromptInputError: If there is no such test, or the file holds no JSON object.
    """
    if file is None:
        found = [one.inputs for one in prompt.tests if one.name == test]
        if found:
            return dict(found[0])
        msg = f"prompt {prompt.name}: has no test {test!r}; there are {[one.name for one in prompt.tests]}"
        raise PromptInputError(msg)
    try:
        inputs = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        msg = f"{file}: no JSON could be read from it ({type(error).__name__}); expected one object of inputs"
        raise PromptInputError(msg) from error
    if not isinstance(inputs, dict):
        msg = f"{file}: found a {type(inputs).__name__}, expected one object of inputs"
        raise PromptInputError(msg)
    return inputs


def _facts_or_failure(place: Folder, name: str) -> dict[str, Any]:
    try:
        prompt = prompt_in(place, name)
    except LlmopsError as error:
        unknown = dict.fromkeys(
            ["prompt_version", "prompt_hash", "declared_model", "owner", "is_dirty", "test_count"]
        )
        return {"prompt_name": name, **unknown, "failures": [str(error)]}
    return {**prompt_facts(prompt), "failures": prompt.failed_tests()}
