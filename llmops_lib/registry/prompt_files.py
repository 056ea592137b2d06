"""Reads the file of a prompt: YAML front matter, then messages, each under a line that names its role.

The text is cut into messages before anything is rendered, so no input can begin a message of its own.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from llmops_lib.errors import PromptError
from llmops_lib.json_schemas import check_schema
from llmops_lib.registry.language import RESERVED, VARIABLE
from llmops_lib.registry.strict_yaml import read_mapping

ROLES = ("system", "developer", "user", "assistant")
_FENCE = "---"
_MARKER = re.compile(r"<!--\s*(\w+)\s*-->\s*")
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

Word = Annotated[str, Field(min_length=1, max_length=200)]
Share = Annotated[float, Field(ge=0, le=1)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Count = Annotated[int, Field(ge=1)]


class Parameters(BaseModel):
    """Parameters of a call that every prompt may state; `extra` takes those of one provider."""

    model_config = _STRICT

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Share | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: list[Word] | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    reasoning_effort: Word | None = None
    response_format: dict[str, JsonValue] | None = None
    extra: dict[str, JsonValue] = {}


class RenderTest(BaseModel):
    """One example of inputs, and what the rendered prompt must and must not contain."""

    model_config = _STRICT

    name: Word
    inputs: dict[str, JsonValue]
    contains: list[Word] = []
    lacks: list[Word] = []


class FrontMatter(BaseModel):
    """What stands between the two lines of dashes."""

    model_config = _STRICT

    model: Word
    owner: Word
    input_schema: dict[str, JsonValue]
    description: str = ""
    version: Word | None = None
    parameters: Parameters = Parameters()
    tools: list[Word] = []
    tests: list[RenderTest] = []


class MessageTemplate(BaseModel):
    """A message before it is rendered."""

    model_config = _STRICT

    role: Literal["system", "developer", "user", "assistant"]
    template: str
    line: int


def read_prompt_file(content: bytes, where: str) -> tuple[FrontMatter, tuple[MessageTemplate, ...]]:
    """The front matter and the messages of a prompt file.

    Args:
        content: The file.
        where: Its name, for messages.

    Raises:
        PromptError: If it has no front matter, a key of it is unknown, missing or of the wrong type, or the
            text is not cut into messages; the message lists everything that is wrong.
    """
    text = _text(content, where)
    lines = text.split("\n")
    ends = [number for number, line in enumerate(lines) if line.rstrip() == _FENCE]
    if len(ends) < 2 or ends[0] != 0:
        msg = f"{where}: line 1: expected front matter, YAML between two lines of `{_FENCE}`"
        raise PromptError(msg)
    try:
        stated = read_mapping("\n".join(lines[1 : ends[1]]), first_line=2)
        matter = FrontMatter.model_validate(stated)
        _check_inputs(matter.input_schema)
    except ValidationError as error:
        msg = f"{where}: front matter: {in_words(error, FrontMatter)}"
        raise PromptError(msg) from error
    except ValueError as error:
        msg = f"{where}: front matter: {error}"
        raise PromptError(msg) from error
    return matter, _messages(lines, ends[1] + 1, where)


def in_words(error: ValidationError, model: type[BaseModel]) -> str:
    """What pydantic found, without the values that it found it in.

    Args:
        error: From validating `model`.
        model: The model, whose keys are listed where one is unknown.
    """
    return "; ".join(_one_in_words(dict(one), model) for one in error.errors(include_url=False))


def _one_in_words(one: dict[str, Any], model: type[BaseModel]) -> str:
    path = ".".join(str(step)[:60] for step in one["loc"])
    if one["type"] == "extra_forbidden":
        known = f" (there are {', '.join(model.model_fields)})" if len(one["loc"]) == 1 else ""
        return f"{path}: is no known key{known}"
    if one["type"] == "missing":
        return f"{path}: is missing"
    return f"{path}: {one['msg'][0].lower()}{one['msg'][1:]}"


def _text(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        msg = f"{where}: byte {error.start} is not UTF-8; save the file as UTF-8"
        raise PromptError(msg) from error


def _check_inputs(schema: dict[str, Any]) -> None:
    properties = schema.get("properties")
    if schema.get("type") != "object" or not isinstance(properties, dict):
        msg = "input_schema: expected `type: object` with `properties`, one per variable of the template"
        raise ValueError(msg)
    unfit = [name for name in properties if not VARIABLE.fullmatch(name) or name in RESERVED]
    if unfit:
        msg = (
            f"input_schema: {unfit[0][:60]!r} cannot be the name of a variable; expected lower-case letters, "
            f"digits and `_`, a letter first, and none of {', '.join(sorted(RESERVED))}"
        )
        raise ValueError(msg)
    try:
        check_schema(schema)
    except ValueError as error:
        msg = f"input_schema {error}"
        raise ValueError(msg) from error


def _messages(lines: list[str], start: int, where: str) -> tuple[MessageTemplate, ...]:
    marks = [
        (number, found[1])
        for number in range(start, len(lines))
        if (found := _MARKER.fullmatch(lines[number]))
    ]
    unknown = [(number, role) for number, role in marks if role not in ROLES]
    before = "".join(lines[start : marks[0][0] if marks else len(lines)]).strip()
    if not marks or before or unknown:
        line = unknown[0][0] + 1 if unknown else start + 1
        msg = (
            f"{where}: line {line}: expected messages, each under a line such as `<!-- system -->`; roles "
            f"are {', '.join(ROLES)}"
        )
        raise PromptError(msg)
    ends = [*(number for number, _ in marks[1:]), len(lines)]
    return tuple(
        _message(lines, number, end, role, where) for (number, role), end in zip(marks, ends, strict=True)
    )


def _message(lines: list[str], mark: int, end: int, role: Any, where: str) -> MessageTemplate:
    written = [number for number in range(mark + 1, end) if lines[number].strip()]
    if not written:
        msg = f"{where}: line {mark + 1}: the {role} message is empty; write it or remove its line"
        raise PromptError(msg)
    template = "\n".join(lines[written[0] : written[-1] + 1])
    return MessageTemplate(role=role, template=template, line=written[0] + 1)
