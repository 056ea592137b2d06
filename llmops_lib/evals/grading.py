"""Answers of a run become scores: one row per case, trial and grader."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from llmops_lib.chat import ChatResult
from llmops_lib.errors import SuiteError
from llmops_lib.evals.graders import comparing, grounding, resisting, spending
from llmops_lib.evals.graders.answers import Graded, Verdict
from llmops_lib.evals.judged import JUDGES, Judges
from llmops_lib.evals.plan import EvalPlan, PlannedCall
from llmops_lib.evals.suites import Grader
from llmops_lib.registry.canonical import content_hash

Grade = Callable[[Graded, Mapping[str, Any]], Verdict | None]

KINDS: Mapping[str, Grade] = {
    "exact": comparing.exact,
    "normalized": comparing.normalized_match,
    "numeric": comparing.numeric,
    "facts": comparing.facts,
    "json_schema": comparing.json_schema,
    "golden": comparing.golden,
    "faithfulness": grounding.faithfulness,
    "refusal": grounding.refusal,
    "resisted": resisting.resisted,
    "latency": spending.latency,
    "cost": spending.cost,
}
"""Graders that judge without a model; None where a case does not say what they need."""

_BY_THE_PROMPT = frozenset(("400", "413", "422"))
"""Statuses with which an endpoint refuses what the prompt under test made of the case: its failure."""


def check_graders(plan: EvalPlan, *, has_judge: bool) -> None:
    """Refuses graders that this version does not have, before anything is paid for.

    Raises:
        SuiteError: If a kind is unknown, or a model must judge and none was given.
    """
    for grader in plan.suite.settings.graders:
        if grader.kind not in KINDS and grader.kind not in JUDGES:
            msg = f"suite {plan.suite.name}: grader {grader.name!r} is of the unknown kind {grader.kind!r}; "
            msg += f"there are {', '.join((*KINDS, *JUDGES))}"
            raise SuiteError(msg)
        if grader.kind in JUDGES and not has_judge:
            msg = (
                f"suite {plan.suite.name}: grader {grader.name!r} needs a model as judge; give one (--judge)"
            )
            raise SuiteError(msg)


def graded_rows(plan: EvalPlan, results: Sequence[ChatResult], judges: Judges | None) -> list[dict[str, Any]]:
    """The scores of all answers.

    A call that the endpoint refused because of what was sent is a failure with score 0; any other call
    without an answer is missing: its score is null and `error` says why.

    Args:
        plan: What was asked.
        results: What came of it, in the same order.
        judges: Asks models; None where no grader needs one.

    Returns:
        Columns of SCORES, without those of the run.
    """
    rows = []
    for grader in plan.suite.settings.graders:
        verdicts = _verdicts(plan, results, grader, judges)
        facts = {"kind": grader.kind, "grader_hash": content_hash(grader.model_dump(exclude_unset=True))}
        facts |= judges.facts if judges is not None and grader.kind in JUDGES else {}
        for call, result, verdict in zip(plan.calls, results, verdicts, strict=True):
            if verdict is not None:
                rows.append(_row(call, result, grader, verdict, facts))
    return rows


def _verdicts(
    plan: EvalPlan, results: Sequence[ChatResult], grader: Grader, judges: Judges | None
) -> list[Verdict | None]:
    pairs = list(zip(plan.calls, results, strict=True))
    graded = [_graded(plan, call, result) for call, result in pairs]
    if grader.kind in JUDGES and judges is not None:
        said = iter(judges.verdicts(grader, [one for one in graded if one is not None]))
        found = [next(said) if one is not None else None for one in graded]
    else:
        found = [KINDS[grader.kind](one, grader.settings) if one is not None else None for one in graded]
    return [
        _unanswered(call, result, grader) if one is None else verdict
        for one, verdict, (call, result) in zip(graded, found, pairs, strict=True)
    ]


def _graded(plan: EvalPlan, call: PlannedCall, result: ChatResult) -> Graded | None:
    if result.answer is None:
        return None
    text, tool_calls = result.answer.text or "", result.answer.tool_calls
    return Graded(
        call.case, text, plan.suite.settings.schemas, result.latency_ms, result.cost_usd, tool_calls
    )


def _unanswered(call: PlannedCall, result: ChatResult, grader: Grader) -> Verdict | None:
    # What a case does not ask of an answer is not missing where there is none.
    if grader.kind in KINDS and KINDS[grader.kind](Graded(call.case, "", {}), grader.settings) is None:
        return None
    if result.error_type in _BY_THE_PROMPT:
        return Verdict(0.0, passed=False, label="refused_by_endpoint", explanation=result.error or "")
    return Verdict(None, None, "missing", result.error or "")


def _row(
    call: PlannedCall, result: ChatResult, grader: Grader, verdict: Verdict, facts: Mapping[str, Any]
) -> dict[str, Any]:
    answer = result.answer
    expected = call.case.expected.model_dump(by_alias=True, exclude_unset=True)
    # Which model answered, where an alias was asked: a provider can move it to another version.
    answered = {"response_model": answer.model} if answer and answer.model else {}
    must_pass = call.case.must_pass or grader.must_pass
    metadata = {"must_pass": must_pass, "tags": call.case.tags, **answered, **facts}
    return {
        "example_id": call.case.id,
        "trial": call.trial,
        "scorer": grader.name,
        **graded_columns(result, verdict),
        "input": orjson.dumps(call.case.inputs).decode(),
        "output": json.dumps(answer.text) if answer else None,
        "expected": orjson.dumps(expected).decode(),
        "metadata": orjson.dumps(metadata).decode(),
    }


def graded_columns(result: ChatResult, verdict: Verdict) -> dict[str, Any]:
    """What a row of SCORES says of a call and of the verdict on it, whatever was asked.

    Args:
        result: What came of the call.
        verdict: Of one grader.
    """
    answer = result.answer
    return {
        "score": verdict.score,
        "passed": verdict.passed,
        "label": verdict.label,
        "explanation": verdict.explanation or None,
        "started_at": result.started_at,
        "latency_ms": result.latency_ms if answer else None,
        "input_tokens": answer and answer.input_tokens,
        "output_tokens": answer and answer.output_tokens,
        "cost_usd": result.cost_usd,
        "error": verdict.explanation if verdict.score is None else None,
        "trace_id": result.trace_id,
    }
