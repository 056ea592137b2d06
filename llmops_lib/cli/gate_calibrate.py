"""`llmops gate calibrate`: how often does the gate block what did not change?"""

from pathlib import Path
from typing import Annotated

import typer

from llmops_lib.cli.gate_options import Alpha, AsJson, Margin, Metrics, Unlocked
from llmops_lib.cli.screen import progress, say, say_json

_DESIGNS = {
    "runs": "Each later run as a candidate for the first",
    "splits": "Trials of one run split by chance: noise between runs is not in it",
}


def calibrate(
    runs: Annotated[list[Path], typer.Argument(help="Scores of runs of the same prompt and model.")],
    splits: Annotated[int, typer.Option(help="Splits, where there is a single run.")] = 200,
    candidate_trials: Annotated[
        int | None, typer.Option(help="Trials of the candidate in a split; half of them without.")
    ] = None,
    metric: Metrics = None,
    alpha: Alpha = 0.05,
    margin: Margin = 0.05,
    unlocked: Unlocked = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same splits.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Say how often the gate blocks runs of one and the same thing, with its exact 95 % interval.

    Give several runs of what did not change, or one run with many trials, which is split by chance.
    Exit codes: 0 the share is within --alpha, 1 it is above it beyond chance, 2 bad usage or input.

    Example: llmops gate calibrate reports/evals/*/scores.parquet
    """
    from llmops_lib import calibrate_gate, load_scores  # noqa: PLC0415 - keeps `llmops --help` fast

    with progress("comparing") as advance:
        found = calibrate_gate(
            load_scores(runs),
            candidate_trials=candidate_trials,
            split_count=splits,
            seed=seed,
            on_comparison=advance,
            alpha=alpha,
            margin=margin,
            metrics=tuple(metric or ()),
            allows_unlocked=unlocked,
        )
    rows = {row["outcome"]: row for row in found.to_dicts()}
    block = rows["block"]
    if as_json:
        say_json({"alpha": alpha, "seed": seed, "outcomes": found.to_dicts()})
    else:
        say(f"{_DESIGNS[block['design']]}; {block['comparison_count']} comparisons.")
        for name, row in rows.items():
            limits = f"95 %: {row['share_lower']:.1%} to {row['share_upper']:.1%}"
            say(f"  {name.replace('_', ' '):<18} {row['share']:>6.1%}  ({row['outcome_count']}; {limits})")
    if block["share_lower"] > alpha:
        raise typer.Exit(1)
