"""`llmops report prompt-ab`: which of two prompts is better on production traffic."""

from pathlib import Path
from typing import Annotated

import typer

from llmops_lib.cli.options import Columns, NaiveTimezone, Prices, Source
from llmops_lib.cli.report import AsJson, Output, write_report

Zone = Annotated[str, typer.Option(help="Zone whose midnights bound the days.")]


def prompt_ab(
    source: Source,
    a: Annotated[str, typer.Option(help="Baseline: NAME@VERSION, or an arm of the experiment.")],
    b: Annotated[str, typer.Option(help="Candidate.")],
    experiment: Annotated[str, typer.Option(help="Experiment whose arms these are.")] = "",
    primary: Annotated[str, typer.Option(help="Metric that decides.")] = "cost_per_call_usd",
    split: Annotated[tuple[float, float], typer.Option(help="Planned split of the users, a first.")] = (
        1.0,
        1.0,
    ),
    monitoring: Annotated[
        str, typer.Option(help="anytime (anybody may look), group_sequential (planned looks) or fixed.")
    ] = "anytime",
    planned_users: Annotated[int, typer.Option(min=0, help="Users of both arms planned for the end.")] = 0,
    first_day: Annotated[str, typer.Option(help="First day; without it, the first with calls.")] = "",
    last_day: Annotated[str, typer.Option(help="Last day; without it, the last with calls.")] = "",
    before_days: Annotated[
        int, typer.Option(min=0, help="Days before the first whose calls take noise away (CUPED).")
    ] = 0,
    by: Annotated[str, typer.Option(help="Dimension that segments are made of.")] = "model",
    scores: Annotated[str, typer.Option(help="Eval results of both prompts.")] = "",
    timezone: Zone = "UTC",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    prices: Prices = "",
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write whether prompt B is better than prompt A: verdict, checks, effects, cases, segments, power.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report prompt-ab traces --a support_answer@3 --b support_answer@4
    """
    parameters = {
        "source": source,
        "a": a,
        "b": b,
        "experiment": experiment,
        "primary": primary,
        "split": list(split),
        "monitoring": monitoring,
        "planned_users": planned_users,
        "first_day": first_day,
        "last_day": last_day,
        "before_days": before_days,
        "by": by,
        "scores": scores,
        "timezone": timezone,
        "naive_timezone": naive_timezone,
        "columns": columns,
        "prices": prices,
    }
    write_report("prompt-ab", output, parameters, as_json=as_json)
