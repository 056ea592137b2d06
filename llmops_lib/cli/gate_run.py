"""`llmops gate run`: run the candidate, hold it against the baseline, with no more trials than it takes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.asking import asking
from llmops_lib.cli.eval_run import Model, say_plan
from llmops_lib.cli.gate_answers import Anchor, JUnit, Markdown, Strict, answer, leave
from llmops_lib.cli.gate_options import (
    Alpha,
    AsJson,
    Margin,
    MetricMargins,
    Metrics,
    MostCost,
    MostLatency,
    Why,
    loosened,
    margins_of,
    record_overrides,
)
from llmops_lib.cli.options import PriceFile
from llmops_lib.cli.screen import say


def run(
    suite: Annotated[str, typer.Argument(help="Name of a suite.")],
    baseline: Annotated[Path, typer.Option(help="Scores of the pinned run to compare with.")],
    anchor: Anchor = None,
    prompt: Annotated[str, typer.Option(help="NAME or NAME@REF; without it, that of the suite.")] = "",
    model: Model = "",
    judge: Annotated[str, typer.Option(help="Model that judges, where a grader needs one.")] = "",
    metric: Metrics = None,
    alpha: Alpha = 0.05,
    margin: Margin = 0.05,
    metric_margin: MetricMargins = None,
    max_p95_ms: MostLatency = None,
    max_cost_usd: MostCost = None,
    why: Why = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it takes at most; make no call.")
    ] = False,
    max_usd: Annotated[float, typer.Option(min=0, help="No call that might exceed this; 0: no limit.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Calls at a time.")] = 8,
    out: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("reports/evals"),
    cache: Annotated[Path, typer.Option(help="Folder of answers; kept ones are not paid for again.")] = Path(
        "reports/evals/.answers"
    ),
    prices: PriceFile = None,
    strict: Strict = False,
    junit: JUnit = None,
    markdown: Markdown = None,
    as_json: AsJson = False,
) -> None:
    """Run a prompt with 2 trials of each case, look, and go on to 4 and 8 only where it is still open.

    Each look pays for its new trials only. Alpha is split over the looks, so looking three times blocks a
    harmless change no more often than looking once. With --anchor the worse of both verdicts counts.
    Options that let more pass than the gate as it comes are recorded in the audit log with --why.
    Exit codes: as of `llmops gate`.

    Example: llmops gate run support_quality --baseline evals/baselines/v7/scores.parquet --model gpt-4o-mini
    """
    from llmops_lib import load_prompt, load_scores, load_suite, plan_eval  # noqa: PLC0415 - keeps `--help` fast
    from llmops_lib.stats.gate_rule import ESCALATION  # noqa: PLC0415 - as above

    found = load_suite(suite)
    asked = load_prompt(prompt or found.settings.prompt)
    plans = [plan_eval(found, asked, model=model or None, trials=trials) for trials, _ in ESCALATION]
    if dry_run:
        say_plan(plans[-1], prices, as_json=as_json)
        return
    margins = margins_of(metric_margin or [])
    loose = loosened(alpha=alpha, margin=margin, margins=margins, metrics=metric or [])
    record_overrides(loose, baseline=baseline, candidate=f"{suite} {prompt}".strip(), why=why)
    paths = {"baseline": baseline, **({"anchor": anchor} if anchor else {})}
    against = {name: load_scores(path) for name, path in paths.items()}
    own = {"cache": cache, "concurrency": concurrency, "prices": prices, "max_usd": max_usd}
    rules = {
        "alpha": alpha,
        "margin": margin,
        "margins": margins,
        "metrics": tuple(metric or ()),
        "most_p95_latency_ms": max_p95_ms,
        "most_cost_usd": max_cost_usd,
    }
    with asking(judge, out, own) as run_one:
        results, facts = _looked(plans, run_one, against, rules)
    if not as_json:
        cost = "an unknown sum" if facts["cost_usd"] is None else f"${facts['cost_usd']:,.4f}"
        say(f"{facts['scores']}: {facts['trials']} trials, {facts['new_call_count']:,} new calls, {cost}")
    answer(results, junit=junit, markdown=markdown, as_json=as_json, facts=facts)
    leave(results, is_strict=strict)


def _looked(
    plans: list[Any], run_one: Any, against: dict[str, Any], rules: dict[str, Any]
) -> tuple[Any, Any]:
    """What the gate says at the first look where nothing is open any more, and what it took."""
    from llmops_lib import gate, load_scores  # noqa: PLC0415 - as above

    first = plans[0]
    began = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    run_id = f"{first.suite.name}-{first.prompt.name}-{first.prompt.prompt_hash[:8]}-{began}"
    new_calls, costs = 0, []
    for plan in plans:
        outcome, path = run_one(plan, run_id)
        new_calls += outcome.call_count - outcome.cached_count
        costs.append(outcome.cost_usd)
        scores = load_scores(path)
        results = {name: gate(one, scores, escalates=True, **rules) for name, one in against.items()}
        verdicts = {one.verdict for one in results.values()}
        if verdicts & {"block", "invalid"} or "inconclusive" not in verdicts:
            break
    facts = {
        "run_id": run_id,
        "scores": str(path),
        "trials": plan.trials,
        "new_call_count": new_calls,
        "cost_usd": None if None in costs else sum(costs),
    }
    return results, facts
