"""`llmops gate plan`: what would a gate on this suite see?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.gate_options import Alpha, AsJson, Margin, Metrics
from llmops_lib.cli.screen import progress, say, say_json
from llmops_lib.cli.tables import say_rows

_COLUMNS = (
    "metric",
    "trials",
    "sees diffuse",
    "sees concentrated",
    "examples needed",
    "passes unchanged",
    "blocks unchanged",
    "mean trials",
)


def plan(
    pilot: Annotated[Path, typer.Argument(help="Scores of one run with two or more trials.")],
    trials: Annotated[str, typer.Option(help="Trials of the candidate to try, with commas.")] = "2,4,8",
    baseline_trials: Annotated[int, typer.Option(help="Trials of the baseline.")] = 8,
    drop: Annotated[float, typer.Option(help="Drop to find the number of examples for.")] = 0.05,
    metric: Metrics = None,
    alpha: Alpha = 0.05,
    margin: Margin = 0.05,
    simulations: Annotated[int, typer.Option(help="Suites to simulate.")] = 400,
    seed: Annotated[int, typer.Option(help="The same seed gives the same plan.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Say which drops a gate on this suite blocks with 80% chance, and how many examples a drop takes.

    Suites like the pilot are simulated, harmed and put through the gate's own rule: `diffuse` makes all
    examples a bit worse, `concentrated` breaks some of them.
    Exit codes: 0 done, 2 bad usage or input.

    Example: llmops gate plan evals/baselines/support/scores.parquet --trials 2,4,8 --drop 0.05
    """
    from llmops_lib import load_scores, plan_gate  # noqa: PLC0415 - keeps `llmops --help` fast

    with progress("simulating") as advance:
        planned = plan_gate(
            load_scores(pilot),
            trials=_numbers(trials),
            baseline_trials=baseline_trials,
            drop=drop,
            alpha=alpha,
            margin=margin,
            metrics=tuple(metric or ()),
            simulation_count=simulations,
            seed=seed,
            on_metric=advance,
        )
    if as_json:
        say_json({"drop": drop, "seed": seed, "is_simulated": True, "plan": planned.to_dicts()})
        return
    say(
        f"Smallest drops that are blocked with 80% chance, by simulation; examples needed to see {drop:g}; "
        f"a baseline of {baseline_trials} trials."
    )
    say_rows([_row(row) for row in planned.iter_rows(named=True)], _COLUMNS)
    notes = planned.filter(planned["note"].is_not_null()).unique(["metric", "note"], maintain_order=True)
    for row in notes.iter_rows(named=True):
        say(f"{row['metric']}: {row['note']}")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    shown = (
        row["metric"],
        row["rule"],
        _share(row["smallest_diffuse_drop"], 3),
        _share(row["smallest_concentrated_drop"], 3),
        row["items_needed"],
        _share(row["pass_share"], 2),
        _share(row["false_block_share"], 3),
        _share(row["mean_trials"], 1),
    )
    return dict(zip(_COLUMNS, shown, strict=True))


def _share(value: float | None, digits: int) -> str | None:
    return None if value is None else f"{value:.{digits}f}"


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        msg = f"{text!r} are no numbers of trials; expected such as 2,4,8"
        raise typer.BadParameter(msg, param_hint="--trials") from error
