"""A suite run against a prompt and a model, as scores."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from llmops_lib.chat import Caller, OnCall, has_baseline
from llmops_lib.errors import SuiteError
from llmops_lib.evals.grading import check_graders, graded_rows
from llmops_lib.evals.judged import Judges
from llmops_lib.evals.plan import EvalPlan
from llmops_lib.registry.names import checked_run_id
from llmops_lib.schema import SCORES, validate
from llmops_lib.secrets.written import hide_secrets_of
from llmops_lib.whole_files import write_whole

RUN_FORMAT = "llmops_eval"
"""`source_format` of scores that this project made."""


@dataclass(frozen=True)
class EvalRun:
    """What came of a run.

    Attributes:
        run_id: Its name.
        scores: SCORES.
        call_count: Calls of the model under test.
        cached_count: Those of them that had been made before.
        failed_count: Those of them without an answer.
        cost_usd: What the calls of this run cost; None where one is unknown.
    """

    run_id: str
    scores: pl.DataFrame
    call_count: int
    cached_count: int
    failed_count: int
    cost_usd: float | None


def run_eval(  # noqa: PLR0913 - plan, client, judges, and three that tests set
    plan: EvalPlan,
    client: Caller,
    *,
    judges: Judges | None = None,
    run_id: str | None = None,
    on_call: OnCall | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> EvalRun:
    """Makes the calls of a plan and grades the answers.

    Args:
        plan: What to ask.
        client: Makes the calls; with a cache, those that were made before are not made again.
        judges: Models that judge, where a grader needs one.
        run_id: Name of the run; made of suite, prompt, model and time without.
        on_call: Called after each call.
        clock: Gives the time.

    Raises:
        SuiteError: If a grader is unknown, or needs a judge and there is none, or `run_id` cannot name a
            folder; nothing has been asked then.
    """
    check_graders(plan, has_judge=judges is not None)
    began = clock()
    prompt, suite = plan.prompt, plan.suite
    made = f"{suite.name}-{prompt.name}-{prompt.prompt_hash[:8]}-{began:%Y%m%dT%H%M%S}"
    name = checked_run_id(run_id or made, SuiteError)
    results = client.chat_all([call.request for call in plan.calls], on_call=on_call)
    rows = graded_rows(plan, results, judges)
    whole = {
        "run_id": name,
        "suite": suite.name,
        "suite_hash": suite.suite_hash,
        "model": plan.model,
        "provider": client.provider,
        "prompt_name": prompt.name,
        "prompt_version": prompt.version,
        "prompt_hash": prompt.prompt_hash,
        "source_format": RUN_FORMAT,
        "source_file": name,
    }
    # Scores of the bundled answerer say nothing about a model.
    facts = _run_facts(plan) | {"is_simulated": has_baseline(results)}
    scores = pl.DataFrame(
        [{**row, **whole, "metadata": _joined(row["metadata"], facts)} for row in rows],
        schema=SCORES.polars_schema,
    )
    costs = [result.cost_usd for result in results if not result.is_cached and result.attempt_count]
    return EvalRun(
        run_id=name,
        scores=validate(scores, SCORES),
        call_count=len(results),
        cached_count=sum(result.is_cached for result in results),
        failed_count=sum(result.answer is None for result in results),
        cost_usd=None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost),
    )


def write_run(run: EvalRun, folder: Path) -> Path:
    """Writes the scores as Parquet and JSON Lines, keys in texts hidden, and returns the Parquet file.

    Args:
        run: The run.
        folder: Folder of runs; one folder per run is made in it.

    Raises:
        SuiteError: If it cannot be written, or its `run_id` cannot name a folder.
    """
    own = folder / checked_run_id(run.run_id, SuiteError)
    try:
        own.mkdir(parents=True, exist_ok=True)
        scores = hide_secrets_of(run.scores)
        write_whole(own / "scores.jsonl", scores.write_ndjson)
        write_whole(own / "scores.parquet", scores.write_parquet)
    except (OSError, pl.exceptions.PolarsError) as error:
        msg = f"{own}: the scores cannot be written ({error}); make room or give another folder"
        raise SuiteError(msg) from error
    return own / "scores.parquet"


def _run_facts(plan: EvalPlan) -> dict[str, Any]:
    prompt, suite = plan.prompt, plan.suite
    return {
        "suite_version": suite.version,
        "is_locked": suite.is_locked,
        "planned_case_count": len({call.case.id for call in plan.calls}),
        "planned_trial_count": plan.trials,
        "prompt_commit": prompt.commit,
        "prompt_is_dirty": prompt.is_dirty,
        "tool_schema_hash": prompt.tool_schema_hash,
    }


def _joined(metadata: str, facts: dict[str, Any]) -> str:
    return orjson.dumps({**orjson.loads(metadata), **facts}).decode()
