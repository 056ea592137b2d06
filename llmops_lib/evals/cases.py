"""The cases of a suite, one JSON object per line, read so that none can be lost, doubled or misread."""

import json
from collections import defaultdict
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from llmops_lib.errors import SuiteError
from llmops_lib.registry.canonical import content_hash
from llmops_lib.registry.prompt_files import in_words

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
_ID = r"^[a-z0-9][a-z0-9._-]{0,79}$"
_SHOWN = 10
"""Bad lines that a message lists."""

Text = Annotated[str, Field(min_length=1)]


class Expected(BaseModel):
    """What a case expects of an answer; a grader uses the part that it is about.

    Attributes:
        status: Outcome that the answer must state, such as `answered`.
        facts: Facts that it must hold; each is a list of wordings, one of which is enough.
        lacks: Texts that it must not hold.
        tools: Names of the tools that may be called; none of them where the list is empty.
        sources: Ids of the passages that it must rest on.
        number: Number that it must state.
        answer: A good answer, for a judge to compare with.
        golden: The answer that was accepted, to the letter.
        schema_name: Schema of the suite that the answer must fit.
    """

    model_config = _STRICT

    status: Text | None = None
    facts: list[Annotated[list[Text], Field(min_length=1)]] = []
    lacks: list[Text] = []
    tools: list[Text] | None = None
    sources: list[Text] | None = None
    number: float | None = None
    answer: Text | None = None
    golden: JsonValue = None
    schema_name: Annotated[Text | None, Field(alias="schema")] = None


class Case(BaseModel):
    """One case of a suite.

    Attributes:
        id: Name of the case in its suite.
        inputs: Inputs of the prompt.
        expected: What its answer must be.
        tags: Groups that it belongs to.
        must_pass: Whether its failure alone blocks a change.
        note: Why the case is there.
    """

    model_config = _STRICT

    id: Annotated[str, Field(pattern=_ID)]
    inputs: dict[str, JsonValue]
    expected: Expected
    tags: Annotated[list[Text], Field(min_length=1)]
    must_pass: bool = False
    note: str = ""

    @property
    def case_hash(self) -> str:
        """SHA-256 of all that the case states, its note aside."""
        return content_hash(self.model_dump(by_alias=True, exclude_unset=True, exclude={"note"}))


def read_cases(content: bytes, where: str) -> tuple[Case, ...]:
    """The cases of a file, in order.

    Args:
        content: JSON Lines; blank lines do not count.
        where: The file, for messages.

    Raises:
        SuiteError: If a line is no case, an id stands twice, or two cases have the same inputs; the message
            lists the lines.
    """
    cases: list[Case] = []
    lines: list[int] = []
    problems: list[str] = []
    # Only \n ends a line: other separators of Unicode may stand inside of texts.
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            cases.append(_case(line))
            lines.append(number)
        except ValueError as error:
            problems.append(f"{where}:{number}: {error}")
    problems += _doubles(cases, lines, where)
    if not cases and not problems:
        problems = [f"{where}: holds no case; expected one JSON object per line"]
    if problems:
        more = f"\n... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        msg = "\n".join(problems[:_SHOWN]) + more
        raise SuiteError(msg)
    return tuple(cases)


def _case(line: bytes) -> Case:
    try:
        # Both read it: orjson is the stricter one, but keeps the last of two equal keys without a word.
        orjson.loads(line)
        stated = json.loads(line, object_pairs_hook=_pairs)
    except json.JSONDecodeError as error:
        msg = f"is no JSON: {error.msg} at character {error.pos}"
        raise ValueError(msg) from error
    try:
        case = Case.model_validate(stated)
        _ = case.case_hash
    except ValidationError as error:
        raise ValueError(in_words(error, Case)) from error
    except (TypeError, RecursionError) as error:
        msg = "holds a number of more than 64 bits or nests too deeply"
        raise ValueError(msg) from error
    return case


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        repeated = next(key for key, _ in pairs if [other for other, _ in pairs].count(key) > 1)
        msg = f"names the key {repeated[:60]!r} twice"
        raise ValueError(msg)
    return made


def _doubles(cases: list[Case], lines: list[int], where: str) -> list[str]:
    by_id: defaultdict[str, list[int]] = defaultdict(list)
    by_inputs: defaultdict[str, list[int]] = defaultdict(list)
    for case, line in zip(cases, lines, strict=True):
        by_id[case.id].append(line)
        by_inputs[content_hash(case.inputs)].append(line)
    named = [(f"the id {name!r}", found) for name, found in by_id.items()]
    copied = [("the same inputs", found) for found in by_inputs.values()]
    return [
        f"{where}:{found[-1]}: has {what}, as line {found[0]} has; a case that stands twice counts twice"
        for what, found in (*named, *copied)
        if len(found) > 1
    ]
