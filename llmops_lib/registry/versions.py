"""The versions that prompts and tools have had, out of the git history of their folder."""

from pathlib import Path
from typing import Any

import orjson
import polars as pl

from llmops_lib.errors import LlmopsError, PromptError, RevisionError, ToolError
from llmops_lib.registry import git
from llmops_lib.registry.folders import Folder, found_folder
from llmops_lib.registry.names import checked_name
from llmops_lib.registry.prompts import TOOLS_FOLDER, Prompt, prompt_files, prompt_in, prompt_names
from llmops_lib.registry.tools import Tool, tool_from_json
from llmops_lib.schema import PROMPT_VERSIONS, TOOL_VERSIONS

_JSON = ".json"


def load_tools(*, folder: str | Path | None = None) -> list[Tool]:
    """The tools of a folder of prompts, by name; no code of theirs is run.

    Args:
        folder: Folder of prompts; their tools are in `tools/` below it. Without it, as for `load_prompt`.

    Raises:
        ToolError: If a definition is not as expected.
    """
    place = Folder(found_folder(folder, "prompts", PromptError))
    tools = _tools(place)
    return [tools[name] for name in sorted(tools)]


def prompt_versions(name: str | None = None, *, folder: str | Path | None = None) -> pl.DataFrame:
    """What prompts have been: one row for each commit that changed what one of them sends.

    A commit that changes a tool of the prompt counts, one that changes its owner, label or tests does not.

    Args:
        name: A prompt; without it, all that the folder holds now.
        folder: Folder of prompts; without it, as for `load_prompt`.

    Returns:
        PROMPT_VERSIONS, by prompt, newest first; changes that are not committed come before all commits.
        Outside a git repository, one row per prompt.

    Raises:
        PromptError: If there is no such prompt, now or in the history.
    """
    place = found_folder(folder, "prompts", PromptError)
    names = [checked_name(name, "prompt", PromptError)] if name else prompt_names(Folder(place))
    rows = [row for one in names for row in _versions_of(place, one)]
    if name and not rows:
        known = prompt_names(Folder(place))
        msg = f"prompt {name}: is neither in {place} nor in its history; there are {known}"
        raise PromptError(msg)
    return pl.DataFrame(rows, schema=PROMPT_VERSIONS.polars_schema)


def tool_versions(*, folder: str | Path | None = None) -> pl.DataFrame:
    """What the tools have been: one row for each commit that changed the definition of one.

    Args:
        folder: Folder of prompts; their tools are in `tools/` below it. Without it, as for `load_prompt`.

    Returns:
        TOOL_VERSIONS, by tool, oldest first. The time of a commit stands in for that of its deployment; where
        you know better, replace `in_force_at`. A tool that no commit holds has one row without a time.

    Raises:
        ToolError: If a definition is not as expected.
    """
    place = found_folder(folder, "prompts", PromptError)
    rows = _committed_tools(place)
    committed = {row["tool_name"] for row in rows}
    rows += [_tool_row(tool, None) for name, tool in _tools(Folder(place)).items() if name not in committed]
    table = pl.DataFrame(rows, schema=TOOL_VERSIONS.polars_schema)
    return table.sort("tool_name", "in_force_at", maintain_order=True)


def _versions_of(place: Path, name: str) -> list[dict[str, Any]]:
    files = [*prompt_files(name, []), TOOLS_FOLDER]
    rows: list[dict[str, Any]] = []
    for commit in reversed(_history(place, files)):
        row = _row(name, _prompt_or_error(Folder(place, commit.sha), name))
        # Before it was there, and where a commit changed another prompt's tool, nothing happened to it.
        if (
            (rows[-1]["prompt_hash"], rows[-1]["error"]) != (row["prompt_hash"], row["error"])
            if rows
            else row["prompt_hash"]
        ):
            place_in_git = {"commit": commit.sha, "committed_at": commit.committed_at}
            rows.append(row | place_in_git | {"author": commit.author, "subject": commit.subject})
    now = _prompt_or_error(Folder(place), name)
    row = _row(name, now)
    if not rows and isinstance(now, str) and not any((place / file).exists() for file in files[:2]):
        return []
    if not rows or rows[-1]["prompt_hash"] != row["prompt_hash"]:
        rows.append(row)
    return rows[::-1]


def _history(place: Path, files: list[str]) -> list[git.Commit]:
    try:
        return git.history(place, files)
    except RevisionError:
        return []


def _prompt_or_error(folder: Folder, name: str) -> Prompt | str:
    try:
        return prompt_in(folder, name)
    except LlmopsError as error:
        return str(error)


def _row(name: str, prompt: Prompt | str) -> dict[str, Any]:
    row = dict.fromkeys(PROMPT_VERSIONS.names) | {"prompt_name": name}
    if isinstance(prompt, str):
        return row | {"error": prompt}
    hashes = {tool.name: tool.schema_hash for tool in prompt.tools}
    return row | {
        "prompt_version": prompt.version,
        "prompt_hash": prompt.prompt_hash,
        "tool_schema_hash": prompt.tool_schema_hash,
        "tool_hashes": orjson.dumps(hashes).decode() if hashes else None,
        "declared_model": prompt.model,
        "owner": prompt.owner,
    }


def _tools(folder: Folder) -> dict[str, Tool]:
    files = [file for file in folder.names(TOOLS_FOLDER) if file.endswith(_JSON)]
    return {file.removesuffix(_JSON): _tool(folder, file) for file in files}


def _tool(folder: Folder, file: str) -> Tool:
    try:
        content = folder.read(f"{TOOLS_FOLDER}/{file}")
    except ValueError as error:
        msg = f"{TOOLS_FOLDER}/{file}: {error}"
        raise ToolError(msg) from error
    return tool_from_json(content or b"", f"{TOOLS_FOLDER}/{file}")


def _committed_tools(place: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    last: dict[str, str | None] = {}
    for commit in reversed(_history(place, [TOOLS_FOLDER])):
        found = _readable_tools(Folder(place, commit.sha))
        for name in sorted(last.keys() | found.keys()):
            tool = found.get(name)
            schema_hash = tool.schema_hash if tool else None
            if name not in last or last[name] != schema_hash:
                last[name] = schema_hash
                rows.append(_tool_row(tool, commit) | {"tool_name": name})
    return rows


def _readable_tools(folder: Folder) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for file in folder.names(TOOLS_FOLDER):
        try:
            found |= {file.removesuffix(_JSON): _tool(folder, file)} if file.endswith(_JSON) else {}
        except ToolError:
            # One bad commit of long ago must not end the history of all tools.
            continue
    return found


def _tool_row(tool: Tool | None, commit: git.Commit | None) -> dict[str, Any]:
    return {
        "tool_name": tool.name if tool else None,
        "schema_hash": tool.schema_hash if tool else None,
        "parameters": orjson.dumps(tool.parameters).decode() if tool else None,
        "in_force_at": commit.committed_at if commit else None,
        "commit": commit.sha if commit else None,
    }
