"""`llmops gate`: may this change be merged?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.gate_calibrate import calibrate
from llmops_lib.cli.gate_options import Alpha, AsJson, Margin, Metrics, Unlocked
from llmops_lib.cli.gate_plan import plan
from llmops_lib.cli.screen import say, say_json

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="May this change be merged? And what would a gate on this suite see?",
)
app.command("plan")(plan)
app.command("calibrate")(calibrate)

_EXIT = {"pass": 0, "inconclusive": 0, "block": 1, "invalid": 3}


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
    metric_margin: Annotated[
        list[str] | None, typer.Option(help="METRIC=MARGIN for one metric; may be repeated.")
    ] = None,
    max_p95_ms: Annotated[float | None, typer.Option(help="Largest 95th percentile of latency.")] = None,
    max_cost_usd: Annotated[float | None, typer.Option(help="Largest mean cost of a call.")] = None,
    unlocked: Unlocked = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 4 where it is inconclusive.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML for a CI server.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown for a pull request.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold one eval run against another: pass, block, inconclusive, or invalid.

    A metric blocks where a drop is proven (exact test over trials within examples, Holm over metrics), and
    passes where a drop beyond the margin is ruled out. An example or grader that must pass blocks by itself.
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
    from llmops_lib import gate_junit, gate_markdown, load_scores  # noqa: PLC0415 - as above

    result = held_against(
        load_scores(baseline),
        load_scores(candidate),
        alpha=alpha,
        margin=margin,
        margins=_margins(metric_margin or []),
        metrics=tuple(metric or ()),
        most_p95_latency_ms=max_p95_ms,
        most_cost_usd=max_cost_usd,
        allows_unlocked=unlocked,
    )
    if junit is not None:
        _write(junit, gate_junit(result.verdict, result.reasons, result.metrics, result.failures))
    if markdown is not None:
        _write(markdown, gate_markdown(result.verdict, result.reasons, result.metrics, result.items))
    if as_json:
        tables = {name: getattr(result, name).to_dicts() for name in ("metrics", "failures", "items")}
        say_json({"verdict": result.verdict, "reasons": list(result.reasons), **tables})
    else:
        _say(result)
    code = 4 if strict and result.verdict == "inconclusive" else _EXIT[result.verdict]
    if code:
        raise typer.Exit(code)


def _margins(given: list[str]) -> dict[str, float]:
    found = {}
    for text in given:
        name, equals, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            equals = ""
        if not equals or not name:
            msg = f"{text!r} is no margin of a metric; expected one such as facts=0.02"
            raise typer.BadParameter(msg, param_hint="--metric-margin")
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise typer.BadParameter(msg) from error


def _say(result: Any) -> None:
    say(f"{result.verdict}: {result.reasons[0]}")
    for reason in result.reasons[1:]:
        say(f"  {reason}")
    for row in result.metrics.iter_rows(named=True):
        say(
            f"  {row['metric']:<20} {row['decision']:<13} {row['baseline_mean']:.3f} -> "
            f"{row['candidate_mean']:.3f}  p {row['p_adjusted']:.2g}"
        )
    for row in result.items.head(5).iter_rows(named=True):
        say(
            f"  worse: {row['example_id']} {row['metric']} {row['baseline_mean']:.2f} -> "
            f"{row['candidate_mean']:.2f}"
        )
