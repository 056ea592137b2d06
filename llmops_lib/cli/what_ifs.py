"""`llmops report ...-what-if`: scenarios over last month's traffic, one command per notebook."""

from pathlib import Path
from typing import Annotated

import typer

from llmops_lib.cli.options import Columns, Month, MonthZone, NaiveTimezone, Prices, Source
from llmops_lib.cli.report import AsJson, Output, write_report

Features = Annotated[list[str] | None, typer.Option("--feature", help="A feature concerned; all without it.")]


def routing_what_if(
    source: Source,
    month: Month = "",
    to_model: Annotated[
        str, typer.Option(help="Model that calls go to; without it, the one that would have saved most.")
    ] = "",
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of the calls concerned that move.")] = 0.5,
    features: Features = None,
    also: Annotated[
        list[str] | None, typer.Option(help="A model that is not in use yet, as provider/model.")
    ] = None,
    difficulty: Annotated[str, typer.Option(help="Attribute that holds a difficulty score.")] = "",
    scores: Annotated[str, typer.Option(help="Eval results whose scores name traces.")] = "",
    scorer: Annotated[str, typer.Option(help="Scorer whose scores count.")] = "",
    timezone: MonthZone = "UTC",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    prices: Prices = "",
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write what a cheaper model would have saved, and done to quality.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report routing-what-if traces --to-model gpt-4o-mini --share 0.3
    """
    parameters = {
        "source": source,
        "month": month,
        "to_model": to_model,
        "share": share,
        "features": features or [],
        "also": also or [],
        "difficulty": difficulty,
        "scores": scores,
        "scorer": scorer,
        "timezone": timezone,
        "naive_timezone": naive_timezone,
        "columns": columns,
        "prices": prices,
    }
    write_report("routing-what-if", output, parameters, as_json=as_json)


def caching_what_if(
    source: Source,
    month: Month = "",
    hit_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the possible cache reads that hit.")
    ] = 0.9,
    lifetime: Annotated[str, typer.Option(help="How long a beginning stays cached: 5m or 1h.")] = "5m",
    features: Features = None,
    timezone: MonthZone = "UTC",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    prices: Prices = "",
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write what prompt caching would have saved, and from where on it pays.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report caching-what-if traces --lifetime 1h --hit-share 0.8
    """
    parameters = {
        "source": source,
        "month": month,
        "hit_share": hit_share,
        "lifetime": lifetime,
        "features": features or [],
        "timezone": timezone,
        "naive_timezone": naive_timezone,
        "columns": columns,
        "prices": prices,
    }
    write_report("caching-what-if", output, parameters, as_json=as_json)


def budget_what_if(
    source: Source,
    month: Month = "",
    limit: Annotated[
        float, typer.Option("--limit-usd", min=0, help="Cap in US dollars; 0: half of the largest window.")
    ] = 0.0,
    window: Annotated[str, typer.Option(help="Window of the cap: day, week or month.")] = "day",
    each: Annotated[
        str, typer.Option(help="Dimension of which each value has a cap of its own; empty: one cap.")
    ] = "tenant",
    growth: Annotated[float, typer.Option(min=-0.9, max=100, help="Growth of traffic, such as 0.2.")] = 0.0,
    budgets: Annotated[str, typer.Option(help="Your budgets (YAML).")] = "",
    breaker_usd: Annotated[
        float, typer.Option(min=0.000001, help="Limit of each user's breaker in a rolling hour (USD).")
    ] = 0.5,
    reserve_usd: Annotated[
        float, typer.Option(min=0.000001, help="What a call sets aside at the breaker, in US dollars.")
    ] = 0.05,
    timezone: MonthZone = "UTC",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    prices: Prices = "",
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write what a cap or a circuit breaker would have refused.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report budget-what-if traces --limit-usd 5 --each tenant --growth 0.2
    """
    parameters = {
        "source": source,
        "month": month,
        "limit_usd": limit,
        "window": window,
        "each": each,
        "growth": growth,
        "budgets": budgets,
        "breaker_usd": breaker_usd,
        "reserve_usd": reserve_usd,
        "timezone": timezone,
        "naive_timezone": naive_timezone,
        "columns": columns,
        "prices": prices,
    }
    write_report("budget-what-if", output, parameters, as_json=as_json)
