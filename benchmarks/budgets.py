"""Budgets and breakers on a million synthetic calls, and how often the forecast's interval held the outcome.

python benchmarks/budgets.py [CALLS]
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from llmops_lib import BreakerPolicy, Budget, budget_backtest, budget_status, simulate_breaker
from llmops_lib.budgets.forecast import Floats, outlook

START = datetime(2026, 10, 5, tzinfo=UTC)
DAYS = 42
WEEKDAYS = np.array([1.2, 1.25, 1.2, 1.15, 1.0, 0.45, 0.35])
KINDS = ("steady", "swings", "walk", "growth 3%", "growth 10%", "jump", "bursts")
SERIES = 4_000
COST_SPREAD = 1.2
"""Standard deviation of the logarithm of a call's cost."""


def traffic(calls: int) -> pl.DataFrame:
    """Calls of 60 tenants and 50,000 users over six weeks, one in a hundred without a price."""
    draw = np.random.default_rng(1)
    start_us = np.sort(draw.integers(0, DAYS * 86_400 * 10**6, calls)) + int(START.timestamp() * 1e6)
    number = pl.Series(range(calls)).cast(pl.String)
    cost = draw.lognormal(-6, COST_SPREAD, calls)
    return pl.DataFrame(
        {
            "trace_id": "t" + number,
            "span_id": "s" + number,
            "is_model_call": np.ones(calls, dtype=bool),
            "is_error": draw.random(calls) < 0.02,
            "started_at": pl.Series(start_us).cast(pl.Datetime("us", "UTC")),
            "ended_at": pl.Series(start_us + draw.integers(10**5, 10**7, calls)).cast(
                pl.Datetime("us", "UTC")
            ),
            "cost_usd": pl.Series(np.where(draw.random(calls) < 0.01, np.nan, cost)).fill_nan(None),
            "input_tokens": draw.integers(10, 5_000, calls),
            "output_tokens": draw.integers(1, 900, calls),
            "tenant": "tenant-" + pl.Series(draw.zipf(1.5, calls) % 60).cast(pl.String),
            "feature": "feature-" + pl.Series(draw.integers(0, 8, calls)).cast(pl.String),
            "user_id": "user-" + pl.Series(draw.integers(0, 50_000, calls)).cast(pl.String),
        }
    )


def demand(kind: str, days: int, per_day: int, draw: np.random.Generator) -> Floats:
    """Spend per day of many series of one kind; a call costs one on average."""
    day = np.arange(days)
    rate = np.tile(WEEKDAYS[day % 7] / WEEKDAYS.mean(), (SERIES, 1))
    swing, swings = np.zeros(SERIES), np.zeros((SERIES, days))
    for one in day:
        swing = 0.6 * swing + draw.normal(0, 0.2, SERIES)
        swings[:, one] = swing
    if kind == "walk":
        rate *= np.exp(np.cumsum(draw.normal(0, 0.05, (SERIES, days)), axis=1))
    elif kind != "steady":
        rate *= np.exp(swings)
    rate *= {"growth 3%": 1.03, "growth 10%": 1.10}.get(kind, 1.0) ** (day / 7)
    if kind == "jump":
        rate *= np.where(day >= days - 20 - 10, 1.5, 1.0)
    if kind == "bursts":
        rate *= np.where(draw.random((SERIES, days)) < 0.02, 6, 1)
    count = draw.poisson(rate * per_day)
    # The sum of many log-normal costs, as a gamma with the same mean and variance.
    spread = np.exp(COST_SPREAD**2) - 1
    return draw.gamma(np.maximum(count, 1e-9) / spread, spread) * (count > 0)


def coverage(kind: str, history: int, per_day: int) -> list[str]:
    """Share of outcomes inside the interval, 1, 7 and 20 days ahead."""
    spend = demand(kind, 56 + 20, per_day, np.random.default_rng(7))
    past = spend[:, 56 - history : 56]
    held = []
    for days in (1, 7, 20):
        expected = outlook(past, np.zeros_like(past), days, has_part=False)
        miss = np.abs(spend[:, 56 : 56 + days].sum(axis=1) - expected.daily.sum(axis=1))
        held.append(f"{(miss <= expected.spread).mean():.0%}")
    return held


def timed(what: str, run: Callable[[], object]) -> None:
    """Prints the seconds and the processor seconds of the best of three runs."""
    runs = []
    for _ in range(3):
        begun, worked = time.perf_counter(), time.process_time()
        run()
        runs.append((time.perf_counter() - begun, time.process_time() - worked))
    seconds, processor_seconds = min(runs)
    print(f"{what:<62}{seconds:6.2f} s {processor_seconds:6.2f} s CPU")


def main() -> None:
    """Prints all figures."""
    calls = traffic(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    print(f"{len(calls):,} calls, ${calls['cost_usd'].sum():,.0f}")
    budgets = (
        Budget(name="everything", limit_usd=5_000, window="month"),
        Budget(name="each tenant and feature", limit_usd=20, window="week", each=("tenant", "feature")),
        Budget(name="each of 50,000 users", limit_tokens=200_000, window="day", each=("user_id",)),
    )
    for budget in budgets:
        timed(f"budget_status, {budget.name}", lambda budget=budget: budget_status(calls, [budget]))
    timed(f"budget_backtest, {budgets[1].name}", lambda: budget_backtest(calls, [budgets[1]]))
    for limit_usd, window, each in ((5, "rolling 1h", "tenant"), (3, "day", "tenant"), (4, "rolling 1h", ())):
        policy = BreakerPolicy(
            limit_usd=limit_usd, window=window, reserve_usd=0.05, each=each, cooldown=timedelta(minutes=1)
        )
        blocked = simulate_breaker(calls, policy)["blocked_count"].sum()
        what = f"simulate_breaker, ${limit_usd} in a {window}, {each or 'all'}: {blocked:,} blocked"
        timed(what, lambda policy=policy: simulate_breaker(calls, policy))
    print("\noutcomes held by an interval meant for 80%: 1, 7, 20 days ahead")
    for history, per_day in ((56, 300), (56, 3), (28, 300), (14, 300)):
        for kind in KINDS:
            print(f"{history} days, {per_day:>3} calls a day, {kind:<11}", *coverage(kind, history, per_day))


if __name__ == "__main__":
    main()
