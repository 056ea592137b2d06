"""A rerun: recorded calls made again with two versions of a prompt, graded alike."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import polars as pl

from llmops_lib.chat import Caller, ChatResult, OnCall, has_baseline
from llmops_lib.errors import SuiteError
from llmops_lib.evals.graders.answers import Verdict
from llmops_lib.evals.grading import graded_columns
from llmops_lib.evals.judged import Judges
from llmops_lib.evals.run import RUN_FORMAT
from llmops_lib.evals.suites import Suite
from llmops_lib.registry.names import checked_run_id
from llmops_lib.registry.prompts import Prompt
from llmops_lib.reruns.grading import ANSWERED, REFUSED, has_refused, is_whole, reference_free, verdicts
from llmops_lib.reruns.plan import PlannedPair, RerunPlan
from llmops_lib.schema import SCORES, validate

SIDES = ("old", "new")

SIDE_BY_SIDE = timedelta(minutes=10)
"""Calls of a pair that began farther apart, as where one was kept from before, say nothing of latency."""

_COUNTS = ("found_count", "drawn_count", "rerun_count", "skipped_count", "same_request_count", "failed_count")

Graders = tuple[Suite | None, Judges | None]


@dataclass(frozen=True)
class Rerun:
    """What came of a rerun.

    Attributes:
        run_id: Its name.
        old: SCORES of the version in force; `metadata` holds `weight`, `unit` and `stratum` of each call.
        new: SCORES of the other version.
        skipped: Drawn calls that could not be made again, with the reason.
        facts: What it was made of: prompts, counts, whether the answers are simulated.
    """

    run_id: str
    old: pl.DataFrame
    new: pl.DataFrame
    skipped: pl.DataFrame
    facts: Mapping[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        """How many calls were found, drawn, made again, left out, alike and without an answer."""
        return {name: self.facts[name] for name in _COUNTS}

    @property
    def source(self) -> dict[str, Any]:
        """The export that calls were drawn from: `files`, `fingerprint`, `is_synthetic`."""
        stated = self.facts.get("source") or {}
        return {
            "files": stated.get("files", []),
            "fingerprint": stated.get("fingerprint", "unknown"),
            "is_synthetic": bool(stated.get("is_synthetic", False)),
        }


def run_rerun(  # noqa: PLR0913 - plan, client, graders, and three that tests set
    plan: RerunPlan,
    client: Caller,
    *,
    suite: Suite | None = None,
    judges: Judges | None = None,
    run_id: str | None = None,
    on_call: OnCall | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Rerun:
    """Makes the calls of a plan, old and new side by side, and grades both alike.

    Calls that both versions would send alike are made once and count for both: nothing changed for them.

    Args:
        plan: What to ask.
        client: Makes the calls; with a cache, those that were made before are not made again.
        suite: Its graders that need no expected answer grade both versions.
        judges: Models that judge, where a grader needs one.
        run_id: Name of the run; made of prompt, versions and time without.
        on_call: Called after each call.
        clock: Gives the time.

    Raises:
        SuiteError: If a judge gives no usable prompt, or `run_id` cannot name a folder; nothing has been
            asked then.
    """
    began = clock()
    hashes = "-".join(prompt.prompt_hash[:8] for prompt in (plan.old, plan.new))
    name = checked_run_id(run_id or f"{plan.new.name}-{hashes}-{began:%Y%m%dT%H%M%S}", SuiteError)
    results = _sent(plan, client, on_call)
    apart = [
        abs(one.started_at - other.started_at) > SIDE_BY_SIDE for one, other in zip(*results, strict=True)
    ]
    pairs = [
        replace(pair, call={**pair.call, "is_apart": is_apart})
        for pair, is_apart in zip(plan.pairs, apart, strict=True)
    ]
    old, new = (
        _scores(_whole(name, side, prompt, client.provider), pairs, answers, (suite, judges))
        for side, prompt, answers in zip(SIDES, (plan.old, plan.new), results, strict=True)
    )
    return Rerun(name, old, new, plan.skipped, _facts(name, plan, results, began, suite))


def _sent(
    plan: RerunPlan, client: Caller, on_call: OnCall | None
) -> tuple[list[ChatResult], list[ChatResult]]:
    """The one place where recorded texts leave, as far as the policy lets them for the purpose `rerun`."""
    requests = plan.requests
    # By place: the request of a result may be another one, of which the policy has replaced parts.
    results = client.chat_all(requests, on_call=on_call)
    done = {id(request): result for request, result in zip(requests, results, strict=True)}
    old = [done[id(pair.old)] for pair in plan.pairs]
    new = [done[id(pair.old if pair.is_same else pair.new)] for pair in plan.pairs]
    return old, new


def _whole(run_id: str, side: str, prompt: Prompt, provider: str | None) -> dict[str, Any]:
    return {
        "run_id": f"{run_id}-{side}",
        "provider": provider,
        "prompt_name": prompt.name,
        "prompt_version": prompt.version,
        "prompt_hash": prompt.prompt_hash,
        "source_format": RUN_FORMAT,
        "source_file": run_id,
        "trial": 1,
    }


def _scores(
    whole: Mapping[str, Any], pairs: Sequence[PlannedPair], results: Sequence[ChatResult], graders: Graders
) -> pl.DataFrame:
    suite = graders[0]
    names = {"suite": suite.name, "suite_hash": suite.suite_hash} if suite else {}
    rows = [
        {**_row(pair, result, scorer, verdict), **whole, **names, "source_line": number}
        for scorer, said in _graded(pairs, results, graders)
        for number, (pair, result, verdict) in enumerate(zip(pairs, results, said, strict=True), start=1)
    ]
    return validate(pl.DataFrame(rows, schema=SCORES.polars_schema), SCORES)


def _graded(
    pairs: Sequence[PlannedPair], results: Sequence[ChatResult], graders: Graders
) -> Iterator[tuple[str, list[Verdict]]]:
    suite, judges = graders
    asked = [(pair.id, pair.inputs, result) for pair, result in zip(pairs, results, strict=True)]
    yield ANSWERED, [is_whole(result) for result in results]
    yield REFUSED, [has_refused(result, suite) for result in results]
    for grader in reference_free(suite, has_judge=judges is not None):
        if suite is not None:
            yield grader.name, verdicts(grader, asked, suite, judges)


def _row(pair: PlannedPair, result: ChatResult, scorer: str, verdict: Verdict) -> dict[str, Any]:
    answer = result.answer
    metadata = {
        "weight": pair.call["weight"],
        "unit": pair.call["unit"],
        "stratum": pair.call["stratum"],
        "feature": pair.call["feature"],
        "is_same_request": pair.is_same,
        "is_apart": pair.call["is_apart"],
        "is_neutral": scorer == REFUSED,
        "recovered": pair.call["how"],
        "source_trace_id": pair.call["trace_id"],
        "source_span_id": pair.call["span_id"],
    }
    text = answer.text if answer and answer.text is not None else None
    output = (
        text
        if text is not None
        else answer and orjson.dumps([dict(one) for one in answer.tool_calls]).decode()
    )
    return {
        "example_id": pair.id,
        "scorer": scorer,
        **graded_columns(result, verdict),
        "model": (answer and answer.model) or result.request.model,
        "input": orjson.dumps(pair.inputs).decode(),
        "output": None if output is None else json.dumps(output),
        "metadata": orjson.dumps(metadata).decode(),
    }


def _facts(
    run_id: str,
    plan: RerunPlan,
    results: tuple[list[ChatResult], list[ChatResult]],
    began: datetime,
    suite: Suite | None,
) -> dict[str, Any]:
    made = {id(result): result for side in results for result in side}.values()
    costs = [one.cost_usd for one in made if not one.is_cached and one.attempt_count]
    return {
        "run_id": run_id,
        "started_at": began.isoformat(timespec="seconds"),
        "prompt_name": plan.new.name,
        "old": _version(plan.old),
        "new": _version(plan.new),
        "suite": suite.name if suite else None,
        "found_count": plan.drawn.found_count,
        "other_version_count": plan.drawn.other_version_count,
        "drawn_count": plan.drawn.calls.height,
        "rerun_count": len(plan.pairs),
        "skipped_count": plan.skipped.height,
        "same_request_count": sum(pair.is_same for pair in plan.pairs),
        "call_count": len(made),
        "cached_count": sum(one.is_cached for one in made),
        "failed_count": sum(one.answer is None for one in made),
        "cost_usd": None if any(one is None for one in costs) else sum(one for one in costs if one),
        # Answers of the bundled answerer say nothing about a model.
        "is_simulated": has_baseline(made),
    }


def _version(prompt: Prompt) -> dict[str, Any]:
    names = ("prompt_hash", "version", "commit", "is_dirty", "model")
    return {name: getattr(prompt, name) for name in names}
