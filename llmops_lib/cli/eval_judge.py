"""`llmops eval judge`: a sample of production put before a model."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.asking import settings_of
from llmops_lib.cli.eval_run import Cache, Concurrency, MaxMinutes, MaxUsd
from llmops_lib.cli.options import PriceFile
from llmops_lib.cli.paid_calls import judge_key
from llmops_lib.cli.screen import progress, say, say_json


def judge(
    sample: Annotated[Path, typer.Argument(help="Sample that `llmops eval sample` wrote.")],
    model: Annotated[
        str, typer.Option(help="Model that judges; without it, that of the judge's prompt.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take; make no call.")] = False,
    max_usd: MaxUsd = 0,
    max_minutes: MaxMinutes = 0,
    concurrency: Concurrency = 8,
    out: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("reports/evals"),
    cache: Cache = Path("reports/evals/.answers"),
    prices: PriceFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the outcome as JSON.")] = False,
) -> None:
    """Judge the calls of a sample by a model, and write scores that keep their weights.

    Calls that failed score 0 and cost nothing. Known wrong answers are judged along; where one passes, no
    verdict counts. What a judge says is no quality yet: docs/continuous_evals.md tells how labels correct it.
    The endpoint comes from OPENAI_BASE_URL and OPENAI_API_KEY; the same command goes on after a stop.
    Exit codes: 0 every call was judged, 1 some were not, 2 bad usage or input.

    Example: llmops eval judge reports/evals/samples/2026-W46 --model gpt-4o-mini --dry-run
    """
    from llmops_lib import load_sample, plan_judging  # noqa: PLC0415 - keeps `llmops --help` fast

    plan = plan_judging(load_sample(sample), model=model or None)
    if dry_run:
        _say_plan(plan, prices, as_json=as_json)
        return
    limits = {"max_usd": max_usd, "deadline_seconds": max_minutes * 60 or None}
    settings = {**limits, "cache": cache, "concurrency": concurrency, "prices": prices}
    outcome, path = _judge(plan, out, settings)
    unjudged = outcome.scores["score"].null_count()
    facts = {
        "run_id": outcome.run_id,
        "judged_count": outcome.scores["score"].count(),
        "unjudged_count": unjudged,
    }
    if as_json:
        counts = {"call_count": outcome.call_count, "cached_count": outcome.cached_count}
        say_json({**facts, **counts, "cost_usd": outcome.cost_usd, "scores": str(path)})
    else:
        _say_outcome(outcome, path)
    if unjudged:
        raise typer.Exit(1)


def _judge(plan: Any, out: Path, settings: dict[str, Any]) -> tuple[Any, Path]:
    from llmops_lib import EndpointClient, Judges, judge_sample, write_run  # noqa: PLC0415 - as above

    own = settings_of(out / "spans.jsonl", settings)
    with EndpointClient(settings=own) as client, progress("judging") as advance:
        ask = partial(client.chat_all, on_call=advance)
        outcome = judge_sample(plan, Judges(ask, plan.model, judge_key(settings["cache"])))
    return outcome, write_run(outcome, out)


def _say_plan(plan: Any, prices: Path | None, *, as_json: bool) -> None:
    from llmops_lib import Endpoint  # noqa: PLC0415 - as above

    most = plan.most_usd(Endpoint.from_environment().provider, prices)
    if as_json:
        say_json(
            {"sampled": plan.sample.height, "asked": len(plan.items), "model": plan.model, "most_usd": most}
        )
        return
    cost = "at most an unknown sum: no price or no token limit" if most is None else f"at most ${most:,.4f}"
    say(f"{plan.sample.height:,} sampled calls; {len(plan.items):,} to be judged by {plan.model}: {cost}")


def _say_outcome(outcome: Any, path: Path) -> None:
    cost = "unknown" if outcome.cost_usd is None else f"${outcome.cost_usd:,.4f}"
    labels = outcome.scores["label"].value_counts(sort=True).rows()
    said = ", ".join(f"{count:,} {name}" for name, count in labels)
    say(f"{path}: {outcome.scores.height:,} sampled calls: {said}")
    made, kept = outcome.call_count, outcome.cached_count
    say(f"  {made:,} calls of the judge, {kept:,} of them kept from before; this run cost {cost}")
    say("  a judge errs: the share of good verdicts is no quality before labels have corrected it")
