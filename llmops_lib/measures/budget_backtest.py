"""When budgets would have warned and stopped in the past."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from llmops_lib.budgets.declared import NANO_PER_USD, Budget
from llmops_lib.budgets.files import checked_budgets
from llmops_lib.budgets.rows import WINDOW_SCHEMA, declared_columns, names_its_value
from llmops_lib.budgets.windows import calendar_starts, rolling_length
from llmops_lib.calls import PRICE_HINT, model_calls, portable
from llmops_lib.frames import collected
from llmops_lib.schema import UTC_DATETIME


@portable
def budget_backtest(calls: Any, budgets: Sequence[Budget], *, at: datetime | None = None) -> pl.DataFrame:
    """When each budget would have warned and stopped, in every window of the past.

    Nothing is stopped in this look back: what was spent after a budget was used up stands beside it, which is
    what a stop could have saved at most.

    Args:
        calls: SPANS with the columns of `price_calls`, on any engine; uses `started_at`, `cost_usd`,
            `input_tokens`, `output_tokens` and the dimensions of the budgets.
        budgets: Budgets, as `load_budgets` gives them.
        at: Later calls are left out; None takes all.

    Returns:
        A polars DataFrame whatever came in, since spend adds up in order: one row per budget, value it holds
        for and window with calls, in the order of the budgets, then of the windows, then by `spent_share`
        downwards. A rolling budget has a row per local day. `budget`, `tenant`, `feature`, `user_id`,
        `model`, `window`, `window_start_at`, `window_end_at` (UTC), `call_count`, `unknown_count`,
        `spent_usd`, `spent_tokens`, `limit_usd`, `limit_tokens` as in `budget_status`; `spent_share` (of the
        limit; the most that a rolling window held on that day; null for calls that name no value of `each`),
        `state` (at its worst), `warned_at`, `stopped_at` (UTC, start of the call that reached the share), and
        `after_stop_usd` (USD of the calls of the window that started later; 0 where nothing was stopped).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
        BudgetError: If `budgets` are no budgets, or `at` names no zone.

    Example:
        >>> from datetime import UTC
        >>> started_at = [datetime(2026, 11, 9, hour, tzinfo=UTC) for hour in (8, 9, 10, 11)]
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True] * 4, "started_at": started_at, "cost_usd": [0.5, 0.25, 0.5, 2.0],
        ...     "input_tokens": [10, 20, 30, 40], "output_tokens": [1, 2, 3, 4],
        ... })
        >>> past = budget_backtest(calls, [Budget(name="all", limit_usd=1, window="day", warn_share=0.7)])
        >>> past.select(pl.col("warned_at", "stopped_at").dt.hour(), "after_stop_usd").rows()
        [(9, 10, 2.0)]
    """
    own = checked_budgets(budgets, at)
    dimensions = dict.fromkeys(name for budget in own for name in budget.dimensions)
    columns = ["started_at", "cost_usd", "input_tokens", "output_tokens", *dimensions]
    frame = model_calls(calls, columns, hint=PRICE_HINT)
    seen = collected((frame if at is None else frame.filter(nw.col("started_at") <= at)).to_native())
    return pl.concat([_EMPTY, *(_windows(seen, budget) for budget in own)], how="diagonal")


_EMPTY = pl.DataFrame(
    schema={
        **WINDOW_SCHEMA,
        "warned_at": UTC_DATETIME,
        "stopped_at": UTC_DATETIME,
        "after_stop_usd": pl.Float64,
    }
)


def _windows(seen: pl.DataFrame, budget: Budget) -> pl.DataFrame:
    """The rows of one budget."""
    own = seen.filter(*(pl.col(name) == value for name, value in budget.where.items()))
    if own.is_empty():
        return _EMPTY
    tokens = pl.coalesce(pl.col("input_tokens") + pl.col("output_tokens"), "input_tokens", "output_tokens")
    used = (pl.col("cost_usd") * NANO_PER_USD).round().cast(pl.Int64) if budget.limit_usd else tokens
    counted = own.with_columns(
        pl.col("started_at").cast(UTC_DATETIME), _tokens=tokens.cast(pl.Int64), _used=used
    )
    timed = _in_windows(counted, budget).sort("started_at")
    rows = _reached(timed, budget).group_by(*budget.each, "window_start_at", "window_end_at").agg(*_amounts())
    of_nobody = [
        pl.when(names_its_value(budget)).then(pl.col(name)).alias(name)
        for name in ("spent_share", "warned_at", "stopped_at")
    ]
    named = rows.with_columns(*of_nobody, *declared_columns(budget)).with_columns(state=_state())
    down = [False, True, *(False for _ in budget.each)]
    ordered = named.sort("window_start_at", "spent_share", *budget.each, descending=down, nulls_last=True)
    return ordered.select(name for name in _EMPTY.columns if name in ordered.columns)


def _in_windows(own: pl.DataFrame, budget: Budget) -> pl.DataFrame:
    """The calls with the bounds of their window, or of their local day where the window rolls."""
    window = "day" if rolling_length(budget.window) else budget.window
    first, last = own["started_at"].min(), own["started_at"].max()
    bounds = calendar_starts(window, first, last, budget.timezone)  # type: ignore[arg-type] # the least of times is a time
    starts = pl.Series("window_start_at", bounds, UTC_DATETIME)
    place = np.searchsorted(
        starts.dt.epoch("us").to_numpy(), own["started_at"].dt.epoch("us").to_numpy(), side="right"
    )
    return own.with_columns(starts.gather(place - 1), starts.gather(place).alias("window_end_at"))


def _reached(timed: pl.DataFrame, budget: Budget) -> pl.DataFrame:
    """The calls in order, with the share of the limit that was used when each had been made."""
    length = rolling_length(budget.window)
    used = pl.col("_used").fill_null(0)
    if length is None:
        reached = used.cum_sum().over(*budget.each, "window_start_at")
    else:
        reached = used.rolling_sum_by("started_at", length, closed="both")
        reached = reached.over(*budget.each) if budget.each else reached
    # Whole units are compared, so that eight times ten cents is 80% of a dollar.
    limit = budget.limit * (NANO_PER_USD if budget.limit_usd else 1)
    return timed.with_columns(
        _share=reached / limit,
        _is_warned=reached >= round(limit * budget.warn_share),
        _is_stopped=reached >= round(limit * budget.stop_share),
    )


def _amounts() -> list[pl.Expr]:
    """Counts, sums and moments of the calls of a window."""
    started_at, cost, tokens = pl.col("started_at"), pl.col("cost_usd"), pl.col("_tokens")
    is_known = pl.col("_used").is_not_null()
    stopped_at = started_at.filter(pl.col("_is_stopped")).min()
    return [
        pl.len().cast(pl.Int64).alias("call_count"),
        (~is_known).sum().cast(pl.Int64).alias("unknown_count"),
        pl.when(cost.count() > 0).then(cost.sum()).alias("spent_usd"),
        pl.when(tokens.count() > 0).then(tokens.sum()).alias("spent_tokens"),
        pl.when(is_known.any()).then(pl.col("_share").max()).alias("spent_share"),
        started_at.filter(pl.col("_is_warned")).min().alias("warned_at"),
        stopped_at.alias("stopped_at"),
        cost.filter((started_at > stopped_at).fill_null(value=False)).sum().alias("after_stop_usd"),
    ]


def _state() -> pl.Expr:
    return (
        pl.when(pl.col("spent_share").is_null())
        .then(pl.lit("unknown"))
        .when(pl.col("stopped_at").is_not_null())
        .then(pl.lit("stop"))
        .when(pl.col("warned_at").is_not_null())
        .then(pl.lit("warn"))
        .otherwise(pl.lit("ok"))
    )
