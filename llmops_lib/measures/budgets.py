"""How far each budget is spent, and where it is heading."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from llmops_lib.budgets.declared import Budget
from llmops_lib.budgets.files import checked_budgets
from llmops_lib.budgets.history import Course, daily_outlook, hitting_times
from llmops_lib.budgets.rows import WINDOW_SCHEMA, declared_columns, names_its_value
from llmops_lib.budgets.windows import calendar_window, rolling_length
from llmops_lib.calls import PRICE_HINT, Frame, model_calls, portable, tally
from llmops_lib.frames import collected
from llmops_lib.schema import UTC_DATETIME

_USED = ("started_at", "cost_usd", "input_tokens", "output_tokens")


@portable
def budget_status(calls: Any, budgets: Sequence[Budget], *, at: datetime | None = None) -> pl.DataFrame:
    """How much of each budget is spent in its window, for each value it holds for, and what will be.

    A call of unknown cost adds nothing: beside an `unknown_count` above zero, what is spent is a lower bound.
    Calls that name no value of `each` are a row of their own, of state `unknown`, since nobody knows whose
    limit they count against.

    The forecast is the Theta method on spend per day of the 56 days before `at`, weekdays apart from three
    weeks of history on, none before one week; its interval is meant to hold 80% of outcomes. docs/budgets.md
    says how often it did in simulations and when it does not.

    Args:
        calls: SPANS with the columns of `price_calls`, on any engine; uses `started_at`, `cost_usd`,
            `input_tokens`, `output_tokens` and the dimensions of the budgets.
        budgets: Budgets, as `load_budgets` gives them.
        at: The moment to look from, with its zone; later calls are left out. None is the last call.

    Returns:
        A polars DataFrame whatever came in, in the order of the budgets, then by `spent_share` downwards with
        null last: `budget`, `tenant`, `feature`, `user_id`, `model` (what the budget holds for; null where
        it does not ask), `as_of_at` (`at`), `window`, `window_start_at`, `window_end_at` (UTC; a rolling
        window ends now), `call_count`, `unknown_count` (calls without a cost or, for a budget in tokens,
        without counts), `spent_usd`, `spent_tokens` (null where nothing is known), `limit_usd`,
        `limit_tokens` (one of them null), `spent_share` (of the limit), `state` (`ok`, `warn`, `stop`;
        `unknown` where no amount is known, or where the 56 days and the window hold no call to which the
        budget applies),
        `forecast_share`, `forecast_low_share`, `forecast_high_share` (of the limit, at the end of a calendar
        window; null for a rolling one), `limit_at` (UTC, when the limit is expected to be reached in it).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
        BudgetError: If `budgets` are no budgets, or `at` names no zone.

    Example:
        >>> from datetime import UTC
        >>> started_at = [datetime(2026, 11, 9, hour, tzinfo=UTC) for hour in (8, 9, 10)]
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True] * 3, "started_at": started_at, "cost_usd": [0.5, 0.25, None],
        ...     "input_tokens": [10, 20, 30], "output_tokens": [1, 2, 3], "tenant": ["acme", "glob", "glob"],
        ... })
        >>> budget = Budget(name="tenants", each="tenant", limit_usd=0.5, window="day")
        >>> status = budget_status(calls, [budget])
        >>> status.select("tenant", "spent_usd", "spent_share", "state", "unknown_count").rows()
        [('acme', 0.5, 1.0, 'stop', 0), ('glob', 0.25, 0.5, 'ok', 1)]
    """
    own = checked_budgets(budgets, at)
    dimensions = dict.fromkeys(name for budget in own for name in budget.dimensions)
    frame = model_calls(calls, [*_USED, *dimensions], hint=PRICE_HINT)
    moment = at or _last_start(frame)
    if moment is None:
        parts = [_nothing_known(budget) for budget in own]
    else:
        parts = [_status(_of(frame, budget), budget, moment) for budget in own]
    return pl.concat([_EMPTY, *parts], how="diagonal").with_columns(as_of_at=pl.lit(moment, UTC_DATETIME))


_FORECAST: dict[str, pl.DataType | type[pl.DataType]] = {
    "forecast_share": pl.Float64,
    "forecast_low_share": pl.Float64,
    "forecast_high_share": pl.Float64,
    "limit_at": UTC_DATETIME,
}
_COLUMNS = list(WINDOW_SCHEMA)
_COLUMNS.insert(_COLUMNS.index("window"), "as_of_at")
_EMPTY = pl.DataFrame(schema={**WINDOW_SCHEMA, "as_of_at": UTC_DATETIME, **_FORECAST}).select(
    *_COLUMNS, *_FORECAST
)


def _last_start(frame: Frame) -> datetime | None:
    last: datetime | None = collected(frame.select(nw.col("started_at").max()).to_native()).item()
    return last


def _of(frame: Frame, budget: Budget) -> Frame:
    """The calls that a budget is about, with what each used of it."""
    inputs, outputs = nw.col("input_tokens"), nw.col("output_tokens")
    total = nw.coalesce(inputs + outputs, inputs, outputs)
    amount = nw.col("cost_usd") if budget.limit_usd is not None else total
    own = [nw.col(name) == value for name, value in budget.where.items()]
    return (frame.filter(*own) if own else frame).select(
        *budget.each,
        "started_at",
        nw.col("cost_usd").alias("spent_usd"),
        total.alias("spent_tokens"),
        amount.is_null().alias("_is_unknown"),
        amount.alias("_amount"),
    )


def _status(frame: Frame, budget: Budget, at: datetime) -> pl.DataFrame:
    """The rows of one budget."""
    length = rolling_length(budget.window)
    start, end = (at - length, at) if length else calendar_window(budget.window, at, budget.timezone)
    course = Course.until(end, at)
    started_at = nw.col("started_at")
    seen = frame.filter((started_at >= min(start, course.first_at)) & (started_at <= at))
    quarters = _quarters(seen, budget)
    spent = _spent(seen.filter(started_at >= start), budget)
    scopes = _scopes(quarters, budget)
    rows = scopes.join(spent, on=[*budget.each, "_all"], how="left", nulls_equal=True, maintain_order="left")
    measured = _measured(rows, budget).with_columns(
        window_start_at=pl.lit(start, UTC_DATETIME), window_end_at=pl.lit(end, UTC_DATETIME)
    )
    if length is None:
        measured = _with_forecast(measured, quarters, budget, course)
    return measured.sort(
        "spent_share", *budget.each, descending=[True, *(False for _ in budget.each)], nulls_last=True
    ).select(name for name in _EMPTY.columns if name in measured.columns)


def _quarters(seen: Frame, budget: Budget) -> pl.DataFrame:
    """What each scope used per quarter of an hour."""
    started_at = nw.col("started_at")
    timed = seen.with_columns(
        started_at.dt.truncate("1h").alias("_hour_at"),
        (started_at.dt.minute() // 15).alias("_quarter"),
        nw.col("_amount").alias("amount"),
    )
    keys = [*budget.each, "_hour_at", "_quarter"]
    found = collected(tally(timed, keys, sums=["amount"]).to_native())
    quarter_at = pl.col("_hour_at").cast(UTC_DATETIME) + pl.duration(minutes=15 * pl.col("_quarter"))
    return found.select(*budget.each, quarter_at.alias("quarter_at"), "amount")


def _spent(in_window: Frame, budget: Budget) -> pl.DataFrame:
    counts = {"unknown_count": nw.col("_is_unknown")}
    spent = tally(in_window, list(budget.each), counts=counts, sums=["spent_usd", "spent_tokens"])
    return collected(spent.to_native()).with_columns(_all=0)


def _scopes(quarters: pl.DataFrame, budget: Budget) -> pl.DataFrame:
    """Values that the budget holds for; one row of nulls where there are no calls to tell."""
    found = quarters.select(*budget.each, _all=0).unique() if budget.each else pl.DataFrame({"_all": [0]})
    if len(found):
        return found.sort(pl.all()).with_columns(_is_seen=pl.lit(len(quarters) > 0))
    return _nothing_known(budget).select(*budget.each, _all=0, _is_seen=False)


def _nothing_known(budget: Budget) -> pl.DataFrame:
    """The row of a budget of which nothing can be said."""
    row: dict[str, Any] = {"budget": budget.name, "window": budget.window, "state": "unknown"}
    limits = {"limit_usd": budget.limit_usd, "limit_tokens": budget.limit_tokens}
    return pl.DataFrame(
        [{**row, **limits, **dict(budget.where), "call_count": 0, "unknown_count": 0}], schema=_EMPTY.schema
    )


def _measured(rows: pl.DataFrame, budget: Budget) -> pl.DataFrame:
    """Amounts, shares and states; no call in the window is nothing spent."""
    is_idle = pl.col("call_count").fill_null(0) == 0
    zeros = {"spent_usd": 0.0, "spent_tokens": 0, "call_count": 0, "unknown_count": 0}
    known = rows.with_columns(
        pl.when(is_idle).then(zero).otherwise(pl.col(name)).alias(name) for name, zero in zeros.items()
    )
    used = pl.col("spent_usd" if budget.limit_usd is not None else "spent_tokens")
    share = pl.col("spent_share")
    state = (
        pl.when(~pl.col("_is_seen") | share.is_null())
        .then(pl.lit("unknown"))
        .when(share >= budget.stop_share)
        .then(pl.lit("stop"))
        .when(share >= budget.warn_share)
        .then(pl.lit("warn"))
        .otherwise(pl.lit("ok"))
    )
    return known.with_columns(
        *declared_columns(budget),
        pl.when(names_its_value(budget)).then(used / budget.limit).alias("spent_share"),
    ).with_columns(state=state)


def _with_forecast(
    rows: pl.DataFrame, quarters: pl.DataFrame, budget: Budget, course: Course
) -> pl.DataFrame:
    expected = daily_outlook(quarters, budget.each, rows, course)
    spent = rows["spent_share"].fill_null(0).to_numpy()
    coming, spread = expected.daily.sum(axis=1) / budget.limit, expected.spread / budget.limit
    shares = {
        "forecast_share": spent + coming,
        # What is spent stays spent.
        "forecast_low_share": spent + np.maximum(coming - spread, 0),
        "forecast_high_share": spent + coming + spread,
    }
    room = (1 - spent) * budget.limit
    limit_at = pl.Series("limit_at", hitting_times(expected, room, course), UTC_DATETIME)
    is_known = pl.col("state") != "unknown"
    return rows.with_columns(
        *(pl.Series(name, values).fill_nan(None) for name, values in shares.items()), limit_at
    ).with_columns(pl.when(is_known).then(pl.col(name)).alias(name) for name in [*shares, "limit_at"])
