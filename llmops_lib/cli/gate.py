"""`llmops gate`: may this change be merged?"""

from pathlib import Path
from typing import Annotated

import typer

from llmops_lib.cli.gate_answers import Anchor, JUnit, Markdown, Strict, answer, leave
from llmops_lib.cli.gate_calibrate import calibrate
from llmops_lib.cli.gate_options import (
    Alpha,
    AsJson,
    Escalate,
    Margin,
    MetricMargins,
    Metrics,
    MostCost,
    MostLatency,
    Unlocked,
    Why,
    loosened,
    margins_of,
    record_overrides,
)
from llmops_lib.cli.gate_plan import plan
from llmops_lib.cli.gate_run import run
from llmops_lib.cli.groups import WholeLines

app = typer.Typer(cls=WholeLines, invoke_without_command=True, rich_markup_mode=None)
app.command("run")(run)
app.command("plan")(plan)
app.command("calibrate")(calibrate)


@app.callback()
def gate(
    context: typer.Context,
    baseline: Annotated[
        Path | None, typer.Option(help="Scores of the run to compare with: scores.parquet.")
    ] = None,
    candidate: Annotated[Path | None, typer.Option(help="Scores of the run to judge.")] = None,
    metric: Metrics = None,
    alpha: Alpha = 0.05,
    margin: Margin = 0.05,
    metric_margin: MetricMargins = None,
    max_p95_ms: MostLatency = None,
    max_cost_usd: MostCost = None,
    unlocked: Unlocked = False,
    why: Why = "",
    anchor: Anchor = None,
    escalate: Escalate = False,
    strict: Strict = False,
    junit: JUnit = None,
    markdown: Markdown = None,
    as_json: AsJson = False,
) -> None:
    """Hold one eval run against another: pass, block, inconclusive, or invalid.

    A metric blocks where a drop is proven (exact test over trials within examples, Holm over metrics), and
    passes where a drop beyond the margin is ruled out. An example or grader that must pass blocks by itself.
    With --anchor the worse of both verdicts counts. Options that let more pass than the gate as it comes
    (--unlocked, --metric, a wider margin, a smaller alpha) are recorded in the audit log with --why.
    Exit codes: 0 pass, or inconclusive with a warning, 1 block, 2 bad usage or input, 3 the runs cannot be
    compared, 4 inconclusive with --strict.

    Example: llmops gate --baseline evals/baselines/support.parquet --candidate scores.parquet
    """
    if context.invoked_subcommand is not None:
        return
    if baseline is None or candidate is None:
        msg = "missing --baseline or --candidate; expected the scores of two runs, or a command such as plan"
        raise typer.BadParameter(msg)
    from llmops_lib import gate as held_against  # noqa: PLC0415 - keeps `llmops --help` fast
    from llmops_lib import load_scores  # noqa: PLC0415 - as above

    margins = margins_of(metric_margin or [])
    loose = loosened(alpha=alpha, margin=margin, margins=margins, metrics=metric or [], is_unlocked=unlocked)
    record_overrides(loose, baseline=baseline, candidate=candidate, why=why)
    judged = load_scores(candidate)
    against = {"baseline": baseline, **({"anchor": anchor} if anchor else {})}
    results = {
        name: held_against(
            load_scores(path),
            judged,
            alpha=alpha,
            margin=margin,
            margins=margins,
            metrics=tuple(metric or ()),
            most_p95_latency_ms=max_p95_ms,
            most_cost_usd=max_cost_usd,
            allows_unlocked=unlocked,
            escalates=escalate,
        )
        for name, path in against.items()
    }
    answer(results, junit=junit, markdown=markdown, as_json=as_json)
    leave(results, is_strict=strict)
