"""What can be said of an answer without knowing the right one."""

from collections.abc import Mapping, Sequence
from typing import Any

from llmops_lib.chat import ChatResult
from llmops_lib.evals.cases import Case, Expected
from llmops_lib.evals.graders.answers import Graded, Verdict
from llmops_lib.evals.graders.comparing import json_schema
from llmops_lib.evals.judged import Judges
from llmops_lib.evals.suites import Grader, Suite
from llmops_lib.refusals import refuses

ANSWERED, REFUSED = "answered", "refused"
"""Scores that every answer gets: whether it is whole, and whether it refuses."""

_BY_THE_PROMPT = frozenset(("400", "413", "422"))
"""Statuses with which an endpoint refuses what a version sends: its failure."""


def reference_free(suite: Suite | None, *, has_judge: bool) -> list[Grader]:
    """The graders of a suite that need no expected answer.

    Args:
        suite: A suite for the prompt; None where there is none.
        has_judge: Whether a model can be asked.
    """
    graders = suite.settings.graders if suite else []
    schemas = [one for one in graders if one.kind == "json_schema" and "schema" in one.settings]
    judged = [one for one in graders if one.kind == "judge_faithfulness" and has_judge]
    return [*schemas, *judged]


def verdicts(
    grader: Grader,
    asked: Sequence[tuple[str, Mapping[str, Any], ChatResult]],
    suite: Suite,
    judges: Judges | None,
) -> list[Verdict]:
    """What a grader says of answers; without a score where there is none.

    Args:
        grader: One of `reference_free`.
        asked: Name of each call, the inputs of its prompt, and what came of it.
        suite: The suite of the grader.
        judges: Asks models; None where no grader needs one.
    """
    graded = {name: _graded(name, inputs, result, suite) for name, inputs, result in asked if result.answer}
    if grader.kind == "judge_faithfulness" and judges is not None:
        said: list[Verdict | None] = judges.verdicts(grader, list(graded.values()))
    else:
        said = [json_schema(one, grader.settings) for one in graded.values()]
    found = dict(zip(graded, said, strict=True))
    return [found.get(name) or _unanswered(result) for name, _, result in asked]


def is_whole(result: ChatResult) -> Verdict:
    """Whether there is an answer, neither empty nor cut nor withheld.

    Args:
        result: The call.
    """
    if result.answer is None:
        return _unanswered(result)
    wrong = [flag for flag in result.answer.flags if flag != "no_usage"]
    return Verdict(float(not wrong), not wrong, wrong[0] if wrong else "whole")


def has_refused(result: ChatResult, suite: Suite | None) -> Verdict:
    """Whether an answer refuses; 1 where it does, which is neither good nor bad.

    Args:
        result: The call.
        suite: The suite whose refusal grader says which field tells.
    """
    if result.answer is None:
        return Verdict(None, None, "missing", result.error or "")
    kinds = [one for one in suite.settings.graders if one.kind == "refusal"] if suite else []
    settings = kinds[0].settings if kinds else {}
    answer = Graded(_case("a", {}), result.answer.text or "", {})
    field, status_field = (settings.get(name) for name in ("field", "status_field"))
    status = answer.field(str(status_field)) if status_field else None
    text = answer.words(str(field) if field else None)
    refused = status == "refused" if isinstance(status, str) else refuses(text)
    return Verdict(float(refused), None, "refused" if refused else "not_refused")


def _unanswered(result: ChatResult) -> Verdict:
    if result.error_type in _BY_THE_PROMPT:
        return Verdict(0.0, passed=False, label="refused_by_endpoint", explanation=result.error or "")
    return Verdict(None, None, "missing", result.error or "")


def _graded(name: str, inputs: Mapping[str, Any], result: ChatResult, suite: Suite) -> Graded:
    text = (result.answer.text or "") if result.answer else ""
    return Graded(_case(name, inputs), text, suite.settings.schemas)


def _case(name: str, inputs: Mapping[str, Any]) -> Case:
    return Case(id=name, inputs=dict(inputs), expected=Expected(), tags=["rerun"])
