"""`llmops gate calibrate`: how often does the gate block what did not change?"""

from pathlib import Path
from typing import Annotated

import typer

from llmops_lib.cli.asking import asking
from llmops_lib.cli.eval_run import Model
from llmops_lib.cli.gate_options import Alpha, AsJson, Escalate, Margin, Metrics, Unlocked
from llmops_lib.cli.screen import progress, say, say_json

_DESIGNS = {
    "runs": "Each later run as a candidate for the first",
    "splits": "Trials of one run split by chance: noise between runs is not in it",
}


def calibrate(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Scores of runs of the same prompt and model.")
    ] = None,
    suite: Annotated[str, typer.Option("--run", help="Suite to run for it; RUNS are not given then.")] = "",
    times: Annotated[int, typer.Option(min=1, help="Candidate runs to make with --run.")] = 5,
    trials: Annotated[int, typer.Option(min=1, help="Trials of a candidate with --run.")] = 2,
    baseline_trials: Annotated[int, typer.Option(min=1, help="Trials of the baseline with --run.")] = 8,
    prompt: Annotated[str, typer.Option(help="NAME or NAME@REF; without it, that of the suite.")] = "",
    model: Model = "",
    judge: Annotated[str, typer.Option(help="Model that judges, where a grader needs one.")] = "",
    max_usd: Annotated[float, typer.Option(min=0, help="Most that a run may cost; 0: no limit.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("reports/evals/calibration"),
    splits: Annotated[int, typer.Option(help="Splits, where there is a single run.")] = 200,
    candidate_trials: Annotated[
        int | None, typer.Option(help="Trials of the candidate in a split; half of them without.")
    ] = None,
    escalate: Escalate = False,
    metric: Metrics = None,
    alpha: Alpha = 0.05,
    margin: Margin = 0.05,
    unlocked: Unlocked = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same splits.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Say how often the gate blocks runs of one and the same thing, with its exact 95% interval.

    Give several runs of what did not change, let --run make them, or give one run with many trials, which
    is split by chance. No run that --run makes shares an answer with another; one that was stopped goes on.
    Exit codes: 0 the share is within --alpha, 1 it is above it beyond chance, 2 bad usage or input.

    Example: llmops gate calibrate --run support_quality --times 10 --model gpt-4o-mini
    """
    from llmops_lib import calibrate_gate, load_scores  # noqa: PLC0415 - keeps `llmops --help` fast

    if bool(runs) == bool(suite):
        msg = "expected either the scores of runs, or --run with the name of a suite"
        raise typer.BadParameter(msg)
    paths = runs or _made((suite, prompt, model, judge), [baseline_trials, *[trials] * times], out, max_usd)
    with progress("comparing") as advance:
        found = calibrate_gate(
            load_scores(paths),
            candidate_trials=candidate_trials,
            split_count=splits,
            seed=seed,
            on_comparison=advance,
            alpha=alpha,
            margin=margin,
            metrics=tuple(metric or ()),
            allows_unlocked=unlocked,
            escalates=escalate,
        )
    rows = {row["outcome"]: row for row in found.to_dicts()}
    block = rows["block"]
    if as_json:
        say_json({"alpha": alpha, "seed": seed, "outcomes": found.to_dicts()})
    else:
        say(f"{_DESIGNS[block['design']]}; {block['comparison_count']} comparisons.")
        for name, row in rows.items():
            limits = f"95%: {row['share_lower']:.1%} to {row['share_upper']:.1%}"
            say(f"  {name.replace('_', ' '):<18} {row['share']:>6.1%}  ({row['outcome_count']}; {limits})")
    if block["share_lower"] > alpha:
        raise typer.Exit(1)


def _made(asked: tuple[str, str, str, str], trials: list[int], out: Path, max_usd: float) -> list[Path]:
    """The scores of runs, one for each number of trials, each with answers of its own."""
    from llmops_lib import load_prompt, load_suite, plan_eval  # noqa: PLC0415 - as above

    suite, prompt, model, judge = asked
    found = load_suite(suite)
    own = load_prompt(prompt or found.settings.prompt)
    paths = []
    for number, count in enumerate(trials):
        plan = plan_eval(found, own, model=model or None, trials=count)
        name = f"{found.name}-{own.name}-{own.prompt_hash[:8]}-{number}"
        settings = {"cache": out / ".answers" / name, "concurrency": 8, "prices": None, "max_usd": max_usd}
        with asking(judge, out, settings) as run_one:
            outcome, path = run_one(plan, name)
        told = f"{outcome.call_count:,} calls, {outcome.cached_count:,} of them kept from before"
        typer.echo(f"{path}: {told}, {outcome.failed_count:,} without an answer", err=True)
        paths.append(path)
    return paths
