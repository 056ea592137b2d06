"""Tools as code: a pydantic model is the definition, the JSON beside it is what loading reads.

Loading never runs the code of a tool. `write_tools` turns models into JSON Schema files once, when the
author changes them; those files are reviewed and committed, so the schema that was in force at any
commit can be read without running what stood there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from llmops_lib.errors import ToolError
from llmops_lib.json_schemas import check_schema
from llmops_lib.registry.canonical import content_hash
from llmops_lib.registry.names import checked_name

_KEYS = ["name", "description", "parameters"]
_SIZE_LIMIT = 256 * 1024


@dataclass(frozen=True)
class Tool:
    """A tool that a prompt may offer to a model.

    Attributes:
        name: As the model calls it.
        description: What the model is told that it does.
        parameters: JSON Schema of its arguments, an object.
    """

    name: str
    description: str
    parameters: dict[str, Any]

    @property
    def definition(self) -> dict[str, Any]:
        """The tool as a request to a model states it."""
        return {"name": self.name, "description": self.description, "parameters": self.parameters}

    @cached_property
    def schema_hash(self) -> str:
        """SHA-256 of the definition: name, description and parameters."""
        return content_hash(self.definition)


def tool_of(model: type[BaseModel], *, name: str | None = None) -> Tool:
    """The tool that a pydantic model defines.

    Args:
        model: Pydantic model class. Its docstring becomes the description; `extra="forbid"` in its
            configuration makes arguments that it does not have invalid.
        name: Name of the tool; without it, the name of the class in snake case.

    Raises:
        ToolError: If it has no docstring or its schema is not that of an object.

    Example:
        >>> from pydantic import BaseModel
        >>> class LookupOrder(BaseModel):
        ...     "Look up an order by its number."
        ...     order: str
        >>> tool_of(LookupOrder).name
        'lookup_order'
    """
    schema = model.model_json_schema()
    schema.pop("title", None)
    description = schema.pop("description", "")
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in model.__name__)
    return checked_tool(
        {"name": name or snake.lstrip("_"), "description": description, "parameters": schema}, model.__name__
    )


def checked_tool(definition: Any, where: str) -> Tool:
    """A tool from its JSON definition.

    Args:
        definition: Object with `name`, `description` and `parameters`.
        where: What it was read from, for messages.

    Raises:
        ToolError: If it has other keys, no description, or parameters that are no JSON Schema of an object.
    """
    if not isinstance(definition, dict) or sorted(definition) != sorted(_KEYS):
        found = sorted(definition) if isinstance(definition, dict) else type(definition).__name__
        msg = f"{where}: found {found}, expected an object with the keys {_KEYS}"
        raise ToolError(msg)
    name = checked_name(definition["name"], f"{where}: tool", ToolError)
    description, parameters = definition["description"], definition["parameters"]
    if not isinstance(description, str) or not description.strip():
        msg = f"{where}: has no description; say in a sentence what the tool does, the model reads it"
        raise ToolError(msg)
    if not isinstance(parameters, dict) or parameters.get("type") != "object":
        msg = f"{where}: its parameters are not of type object; arguments have names"
        raise ToolError(msg)
    try:
        check_schema(parameters)
    except ValueError as error:
        msg = f"{where}: its parameters: {error}"
        raise ToolError(msg) from error
    return Tool(name, description, parameters)


def tool_from_json(content: bytes, where: str) -> Tool:
    """A tool from the content of its file, `<name>.json`.

    Args:
        content: JSON, at most 256 KB.
        where: The file, for messages; its name is that of the tool.

    Raises:
        ToolError: If it is no definition, or one of another tool.
    """
    if len(content) > _SIZE_LIMIT:
        msg = f"{where}: larger than {_SIZE_LIMIT // 1024} KB, expected one tool"
        raise ToolError(msg)
    try:
        definition = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        msg = f"{where}: line {error.lineno}: is no JSON; write it anew with `llmops prompts tools`"
        raise ToolError(msg) from error
    tool = checked_tool(definition, where)
    if f"{tool.name}.json" != Path(where).name:
        msg = f"{where}: defines the tool {tool.name!r}; expected it in {tool.name}.json"
        raise ToolError(msg)
    return tool


def tool_json(tool: Tool) -> bytes:
    """The content of the file of a tool."""
    return orjson.dumps(tool.definition, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_tools(
    models: Iterable[type[BaseModel]], folder: str | Path, *, is_check: bool = False
) -> list[Path]:
    """The definition files that do not say what the models say; they are written unless only checked.

    Args:
        models: Pydantic model classes, one per tool.
        folder: Where the files are, `prompts/tools`.
        is_check: Only say which files differ.

    Returns:
        The files that differed, by name.

    Raises:
        ToolError: If a model defines no tool or two define the same one.
    """
    tools = [tool_of(model) for model in models]
    repeated = sorted({tool.name for tool in tools if [other.name for other in tools].count(tool.name) > 1})
    if repeated:
        msg = f"{', '.join(repeated)}: defined by two models; rename one of the classes"
        raise ToolError(msg)
    changed = []
    for tool in sorted(tools, key=lambda tool: tool.name):
        path = Path(folder) / f"{tool.name}.json"
        if path.is_file() and path.read_bytes() == tool_json(tool):
            continue
        changed.append(path)
        if not is_check:
            path.write_bytes(tool_json(tool))
    return changed
