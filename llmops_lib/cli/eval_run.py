"""`llmops eval run`: a suite against a prompt and a model."""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.asking import asking, spans_file
from llmops_lib.cli.options import PriceFile
from llmops_lib.cli.screen import say, say_json

Suite = Annotated[str, typer.Argument(help="Name of a suite.")]
Model = Annotated[str, typer.Option(help="Model under test; without it, that of the prompt.")]
MaxUsd = Annotated[float, typer.Option(min=0, help="No call that might exceed this; 0: no limit.")]
MaxMinutes = Annotated[float, typer.Option(min=0, help="No new call after this; 0: no limit.")]
Concurrency = Annotated[int, typer.Option(min=1, max=256, help="Calls at a time.")]
Cache = Annotated[Path, typer.Option(help="Folder of answers; a run that was stopped goes on.")]
Only = Annotated[list[str] | None, typer.Option("--only", help="Id of a case or tag; may be repeated.")]


def run(
    suite: Suite,
    prompt: Annotated[str, typer.Option(help="NAME or NAME@REF; without it, that of the suite.")] = "",
    model: Model = "",
    trials: Annotated[int, typer.Option(min=1, help="Trials of each case.")] = 1,
    only: Only = None,
    judge: Annotated[str, typer.Option(help="Model that judges, where a grader needs one.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take; make no call.")] = False,
    max_usd: MaxUsd = 0,
    max_minutes: MaxMinutes = 0,
    concurrency: Concurrency = 8,
    out: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("reports/evals"),
    cache: Cache = Path("reports/evals/.answers"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Make every call anew.")] = False,
    prices: PriceFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the outcome as JSON.")] = False,
) -> None:
    """Run a suite against a prompt and a model, and write the scores as Parquet and JSON Lines.

    The endpoint comes from OPENAI_BASE_URL and OPENAI_API_KEY; without a key, `llmops serve-baseline` serves
    a small extractive answerer. Answers are kept, so the same command goes on after an interruption.
    Exit codes: 0 every call was answered, 1 some were not, 2 bad usage or input.

    Example: llmops eval run support_quality --prompt support_answer@HEAD~1 --model gpt-4o-mini --trials 4
    """
    from llmops_lib import load_prompt, load_suite, plan_eval  # noqa: PLC0415 - keeps `llmops --help` fast

    found = load_suite(suite)
    plan = plan_eval(
        found,
        load_prompt(prompt or found.settings.prompt),
        model=model or None,
        trials=trials,
        only=only or (),
    )
    if not found.is_locked and not as_json:
        say(f"warning: suite {found.name} is not as it was locked; a gate will refuse these scores")
    if dry_run:
        say_plan(plan, prices, as_json=as_json)
        return
    limits = {"max_usd": max_usd, "deadline_seconds": max_minutes * 60 or None}
    patience = {"cache": None if fresh else cache, "concurrency": concurrency, "prices": prices}
    outcome, path, spans = run_plan(plan, judge, out, {**limits, **patience})
    facts = {
        name: getattr(outcome, name) for name in ("run_id", "call_count", "cached_count", "failed_count")
    }
    if as_json:
        means = _means(outcome)
        facts["is_locked"] = found.is_locked
        say_json({**facts, "cost_usd": outcome.cost_usd, "scores": str(path), "spans": str(spans), **means})
    else:
        _say_outcome(outcome, path)
    if outcome.failed_count:
        raise typer.Exit(1)


def run_plan(plan: Any, judge: str, out: Path, settings: dict[str, Any]) -> tuple[Any, Path, Path]:
    """What came of a plan, its scores and its spans.

    Args:
        plan: An EvalPlan.
        judge: Model that judges; empty without.
        out: Folder of runs.
        settings: Of the client, and `max_usd`.
    """
    with asking(judge, out, settings) as run_one:
        outcome, path = run_one(plan)
    return outcome, path, spans_file(out)


def say_plan(plan: Any, prices: Path | None, *, as_json: bool) -> None:
    """Says how many calls a plan makes and what they cost at most.

    Args:
        plan: An EvalPlan.
        prices: The user's own list.
        as_json: Whether a script reads it.
    """
    from llmops_lib import Endpoint  # noqa: PLC0415 - as above

    most = plan.most_usd(Endpoint.from_environment().provider, prices)
    cases = len({call.case.id for call in plan.calls})
    if as_json:
        say_json({"calls": len(plan.calls), "cases": cases, "trials": plan.trials, "most_usd": most})
        return
    cost = "at most an unknown sum: no price or no token limit" if most is None else f"at most ${most:,.4f}"
    say(f"{len(plan.calls):,} calls ({cases} cases, {plan.trials} trials) of {plan.model}: {cost}")


def say_baseline(scores: Any) -> None:
    """Says that the bundled answerer answered, where it did.

    Args:
        scores: SCORES.
    """
    from llmops_lib import BASELINE_MODEL  # noqa: PLC0415 - as above

    if scores["metadata"].str.contains('"is_simulated":true', literal=True).any():
        say(f"{BASELINE_MODEL} answered, which is no language model: these figures say nothing about one")


def _means(outcome: Any) -> dict[str, Any]:
    grouped = outcome.scores.group_by("scorer", maintain_order=True)
    rows = [
        (name, part["score"].mean(), part["score"].count(), part["score"].null_count())
        for (name,), part in grouped
    ]
    return {
        "scorers": [{"scorer": a, "mean_score": b, "score_count": c, "missing": d} for a, b, c, d in rows]
    }


def _say_outcome(outcome: Any, path: Path) -> None:
    cost = "unknown" if outcome.cost_usd is None else f"${outcome.cost_usd:,.4f}"
    say(
        f"{path}: {outcome.call_count:,} calls, {outcome.cached_count:,} of them kept from before, "
        f"{outcome.failed_count:,} without an answer; this run cost {cost}"
    )
    for row in _means(outcome)["scorers"]:
        mean = "none" if row["mean_score"] is None else f"{row['mean_score']:.3f}"
        missing = f", {row['missing']} missing" if row["missing"] else ""
        say(f"  {row['scorer']:<20} {mean} over {row['score_count']}{missing}")
    say_baseline(outcome.scores)
