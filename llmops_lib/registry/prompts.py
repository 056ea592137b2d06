"""A prompt: its file read, its templates compiled, its content hashed, its place in git known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from llmops_lib.errors import LlmopsError, PromptError, PromptInputError, TemplateError, ToolError
from llmops_lib.json_schemas import misfits
from llmops_lib.registry import git
from llmops_lib.registry.canonical import content_hash
from llmops_lib.registry.folders import Folder, found_folder
from llmops_lib.registry.names import checked_name
from llmops_lib.registry.plain_json import plain_copy
from llmops_lib.registry.prompt_files import MessageTemplate, RenderTest, read_prompt_file
from llmops_lib.registry.sandbox import MAX_CHARACTERS, compiled, rendered
from llmops_lib.registry.tools import Tool, tool_from_json

SUFFIXES = (".md", ".jinja")
TOOLS_FOLDER = "tools"

Message = dict[str, str]


@dataclass(frozen=True)
class Prompt:
    """A prompt as its file states it.

    Attributes:
        name: Name of its file without the ending.
        model: Model that it is written for.
        owner: Who answers for it.
        description: What it is for.
        version: Label that its owner gave it; the hash, not the label, says what it is.
        parameters: Parameters of the call, those that are stated.
        input_schema: JSON Schema of its inputs; inputs that it does not declare are refused.
        tools: Tools that it offers to the model.
        tests: Examples of inputs, with what the rendered prompt must contain.
        messages: Its templates.
        path: Its file.
        commit: Commit that it was read from, or that is checked out; None where git does not know.
        is_dirty: Whether its file or those of its tools differ from the commit; None where git does not
            know.
    """

    name: str
    model: str
    owner: str
    description: str
    version: str | None
    parameters: Mapping[str, Any]
    input_schema: Mapping[str, Any]
    tools: tuple[Tool, ...]
    tests: tuple[RenderTest, ...] = field(repr=False)
    messages: tuple[MessageTemplate, ...] = field(repr=False)
    path: Path
    commit: str | None
    is_dirty: bool | None

    @cached_property
    def prompt_hash(self) -> str:
        """SHA-256 of what decides about a call: messages, input schema, model, parameters and tools.

        Owner, description, version and tests are not in it, nor are blank lines around messages and the
        order of keys.
        """
        return content_hash(
            {
                "messages": [{"role": one.role, "template": one.template} for one in self.messages],
                "input_schema": self.input_schema,
                "model": self.model,
                "parameters": self.parameters,
                "tools": {tool.name: tool.schema_hash for tool in self.tools},
            }
        )

    @cached_property
    def tool_schema_hash(self) -> str | None:
        """SHA-256 of the definitions of its tools; None where it has none."""
        return content_hash({tool.name: tool.schema_hash for tool in self.tools}) if self.tools else None

    def render(self, **inputs: Any) -> list[Message]:
        """The chat messages for these inputs.

        Everything is checked before a call is paid for. Inputs are values: what looks like a template in
        them stays text, and none of them can begin a message.

        Args:
            inputs: A value for each variable, plain JSON.

        Returns:
            One dict per message, in order: `role`, `content`.

        Raises:
            PromptInputError: If an input is missing, unknown, or does not fit the input schema.
            TemplateError: If a template uses a field that an input does not have, or grows beyond its bounds.
        """
        values = self._checked(inputs)
        written: list[Message] = []
        left = MAX_CHARACTERS
        for message in self.messages:
            try:
                content = rendered(self._template(message), values, characters=left)
            except TemplateError as error:
                msg = f"prompt {self.name}, the {message.role} message from line {message.line}: {error}"
                raise TemplateError(msg) from error
            left -= len(content)
            written.append({"role": message.role, "content": content})
        return written

    def failed_tests(self) -> list[str]:
        """What is wrong with the rendering of its tests, one text each; none where all pass."""
        failures = []
        for test in self.tests:
            try:
                text = "\n".join(message["content"] for message in self.render(**test.inputs))
            except LlmopsError as error:
                failures.append(f"{test.name}: {error}")
                continue
            failures += [f"{test.name}: lacks {part!r}" for part in test.contains if part not in text]
            failures += [f"{test.name}: contains {part!r}" for part in test.lacks if part in text]
        return failures

    def _template(self, message: MessageTemplate) -> Any:
        variables = frozenset(self.input_schema["properties"])
        return compiled(message.template, variables, message.line)

    def _checked(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        try:
            values: dict[str, Any] = plain_copy(dict(inputs), "inputs")
            # A misspelt input would otherwise vanish, and the prompt be sent without it.
            wrong = misfits(values, {"additionalProperties": False, **self.input_schema})
        except (ValueError, RecursionError) as error:
            msg = f"prompt {self.name}: {error}"
            raise PromptInputError(msg) from error
        if wrong:
            msg = f"prompt {self.name}: its inputs do not fit its input_schema: {'; '.join(wrong)}"
            raise PromptInputError(msg)
        return values


def load_prompt(reference: str, *, folder: str | Path | None = None) -> Prompt:
    """A prompt from its file, as it is or as it was in a commit.

    Args:
        reference: Name, or name and revision: `support_answer`, `support_answer@v1.2`,
            `support_answer@HEAD~3`.
        folder: Folder of prompts; without it, `prompts/` below the working directory or, where there is
            none, the prompts that come with the library.

    Returns:
        The prompt; its templates are known to compile and to use declared inputs only.

    Raises:
        PromptError: If there is no such prompt or its file is not as expected.
        TemplateError: If a template uses more than a prompt may.
        ToolError: If a tool that it names is not defined.
        RevisionError: If git knows no such revision.
    """
    name, _, revision = reference.partition("@")
    checked_name(name, "prompt", PromptError)
    place = found_folder(folder, "prompts", PromptError)
    if not revision and "@" in reference:
        msg = f"prompt {reference!r}: expected a revision after the `@`, such as HEAD~1 or a tag"
        raise PromptError(msg)
    commit = git.resolve(place, revision) if revision else None
    return prompt_in(Folder(place, commit), name)


def prompt_names(folder: Folder) -> list[str]:
    """Names of the prompts of a folder, in order; a README is none."""
    files = [Path(name) for name in folder.names()]
    return sorted({file.stem for file in files if file.suffix in SUFFIXES and file.stem != "README"})


def prompt_in(folder: Folder, name: str) -> Prompt:
    """A prompt of a folder; see `load_prompt`."""
    checked_name(name, "prompt", PromptError)
    file, content = _file(folder, name)
    where = f"{folder.path.name}/{file}" + (f" at {folder.commit[:12]}" if folder.commit else "")
    matter, messages = read_prompt_file(content, where)
    tools = tuple(_tool(folder, tool, where) for tool in matter.tools)
    stated = matter.parameters.model_dump(exclude_unset=True)
    prompt = Prompt(
        name=name,
        model=matter.model,
        owner=matter.owner,
        description=matter.description,
        version=matter.version,
        parameters={key: value for key, value in stated.items() if value is not None},
        input_schema=matter.input_schema,
        tools=tools,
        tests=tuple(matter.tests),
        messages=messages,
        path=folder.path / file,
        commit=folder.commit or git.head(folder.path),
        is_dirty=False
        if folder.commit
        else git.differs_from_head(folder.path, prompt_files(name, matter.tools)),
    )
    for message in messages:
        try:
            prompt._template(message)  # noqa: SLF001 - compiled once here, so that a bad prompt never loads
        except TemplateError as error:
            msg = f"{where}: {error}"
            raise TemplateError(msg) from error
    return prompt


def prompt_files(name: str, tools: list[str]) -> list[str]:
    """Files below the folder of prompts that a prompt is made of, whichever of its endings it has."""
    own = [f"{name}{suffix}" for suffix in SUFFIXES]
    return [*own, *(f"{TOOLS_FOLDER}/{tool}.json" for tool in tools)]


def _file(folder: Folder, name: str) -> tuple[str, bytes]:
    try:
        read = {f"{name}{suffix}": folder.read(f"{name}{suffix}") for suffix in SUFFIXES}
    except ValueError as error:
        msg = f"prompt {name}: {error}"
        raise PromptError(msg) from error
    found = [(file, content) for file, content in read.items() if content is not None]
    if len(found) == 1:
        return found[0]
    at = f" at {folder.commit[:12]}" if folder.commit else ""
    if found:
        msg = f"prompt {name}: found both {found[0][0]} and {found[1][0]}{at}, expected one of them"
    else:
        msg = f"prompt {name}: is not in {folder.path}{at}; there are {prompt_names(folder)}"
    raise PromptError(msg)


def _tool(folder: Folder, name: str, where: str) -> Tool:
    checked_name(name, f"{where}: tool", ToolError)
    file = f"{TOOLS_FOLDER}/{name}.json"
    try:
        content = folder.read(file)
    except ValueError as error:
        msg = f"{where}: its tool {file}: {error}"
        raise ToolError(msg) from error
    if content is None:
        known = [one.removesuffix(".json") for one in folder.names(TOOLS_FOLDER) if one.endswith(".json")]
        msg = f"{where}: names the tool {name!r}, which is not in {TOOLS_FOLDER}/; there are {known}"
        raise ToolError(msg)
    return tool_from_json(content, f"{TOOLS_FOLDER}/{name}.json")
