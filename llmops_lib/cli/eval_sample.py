"""`llmops eval sample`: a probability sample of production calls, to be judged."""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.found import say_unread
from llmops_lib.cli.options import ColumnsFile, NaiveTimezone, PriceFile, Source
from llmops_lib.cli.screen import progress, say, say_json

_LISTED = 12
"""Strata that are listed."""


def sample(
    source: Source,
    rate: Annotated[float, typer.Option(help="Share of calls that is wanted, such as 0.01.")] = 0.01,
    period: Annotated[
        str, typer.Option(help="Week, month or day, such as 2026-W46; without it, all calls.")
    ] = "",
    timezone: Annotated[str, typer.Option(help="Zone whose midnights bound the period.")] = "UTC",
    plan: Annotated[
        Path | None,
        typer.Option(help="plan.json of an earlier sample; its chances hold, and --rate does not."),
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(help="Judgements of an earlier sample, for Neyman's allocation.")
    ] = None,
    salt: Annotated[str, typer.Option(help="Another salt draws another sample.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder; reports/evals/samples/PERIOD without.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be drawn; write nothing.")
    ] = False,
    naive_timezone: NaiveTimezone = "",
    columns: ColumnsFile = None,
    prices: PriceFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the outcome as JSON.")] = False,
) -> None:
    """Draw calls to be judged, each with a known chance, and write them with their weights.

    Calls with errors, refusals, low feedback, retries or outliers, and those of rare features, are drawn
    more often, and weigh less for it. The same call is always in or out; a higher rate keeps what was drawn.
    The files hold texts as they are in the traces; the terminal shows none.
    Exit codes: 0 done, 2 bad usage or input.

    Example: llmops eval sample traces --rate 0.01 --period 2026-W46
    """
    from llmops_lib import load_plan, sample_calls, sampling_plan, write_sample  # noqa: PLC0415 - fast --help
    from llmops_lib.secrets.written import hide_secrets_of  # noqa: PLC0415 - as above

    with progress("sampling"):
        calls = _calls(source, period, timezone, (naive_timezone, columns, prices))
        if plan is not None:
            chosen = load_plan(plan)
        else:
            salted = {"salt": salt} if salt else {}
            chosen = sampling_plan(calls, rate=rate, scores=_scores(scores), **salted)
        drawn = sample_calls(calls, chosen).collect(engine="streaming")
        folder = out or Path("reports/evals/samples") / (period or "all")
        path = None if dry_run else write_sample(hide_secrets_of(drawn), chosen, folder)
    if as_json:
        say_json(_facts(drawn, chosen) | {"sample": None if path is None else str(path)})
    else:
        _say(drawn, chosen, path)


def _calls(source: str, period: str, timezone: str, reading: tuple[str, Path | None, Path | None]) -> Any:
    from llmops_lib import Period, in_period, open_source, price_calls  # noqa: PLC0415 - as above

    naive_timezone, columns, prices = reading
    opened = open_source(source, timezone=naive_timezone or None, columns=columns)
    say_unread(opened)
    within = in_period(opened.spans, Period.named(period, timezone)) if period else opened.spans
    return price_calls(within, prices=prices)


def _scores(path: Path | None) -> Any:
    from llmops_lib import load_scores, sample_scores  # noqa: PLC0415 - as above

    return None if path is None else sample_scores(load_scores(path))


def _facts(drawn: Any, plan: Any) -> dict[str, Any]:
    from llmops_lib.safety import masked  # noqa: PLC0415 - as above

    counts = drawn.group_by("stratum").len("drawn_count")
    strata = plan.strata.join(counts, on="stratum", how="left", maintain_order="left").fill_null(0)
    names = ("stratum", "call_count", "drawn_count", "chance", "weight")
    shown = masked(strata.select(names))
    return {
        "drawn_count": drawn.height,
        "planned_call_count": int(plan.kinds["call_count"].sum()),
        "expected_count": round(float(plan.strata["expected_count"].sum()), 1),
        "rate": plan.rate,
        "strata": shown.to_dicts(),
    }


def _say(drawn: Any, plan: Any, path: Path | None) -> None:
    facts = _facts(drawn, plan)
    counted, expected = facts["planned_call_count"], facts["expected_count"]
    say(
        f"{'would draw' if path is None else f'{path}:'} {facts['drawn_count']:,} calls; the plan is of "
        f"{counted:,} calls at {plan.rate:.2%}, which is {counted * plan.rate:,.0f}, and the floors of its "
        f"strata make it {expected:,.0f}"
    )
    for row in facts["strata"][:_LISTED]:
        say(
            f"  {row['stratum']:<50} {row['drawn_count']:>7,} of {row['call_count']:>9,}"
            f"  chance {row['chance']:.4f}  weight {row['weight']:.1f}"
        )
    if len(facts["strata"]) > _LISTED:
        say(f"  ... and {len(facts['strata']) - _LISTED} more strata; --json lists them all")
