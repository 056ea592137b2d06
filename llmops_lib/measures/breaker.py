"""What a circuit breaker would have done to the traffic of the past."""

from typing import Any

import numpy as np
import polars as pl

from llmops_lib.budgets.decision import Limits
from llmops_lib.budgets.declared import NANO_PER_USD, BreakerPolicy
from llmops_lib.budgets.replay import UNKNOWN, Decided, Ints, Replay, replayed
from llmops_lib.budgets.windows import calendar_starts, rolling_length
from llmops_lib.calls import PRICE_HINT, model_calls, portable
from llmops_lib.frames import collected
from llmops_lib.schema import UTC_DATETIME

_KEY = ("trace_id", "span_id")
_USED = (*_KEY, "started_at", "ended_at", "cost_usd", "is_error")


@portable
def breaker_decisions(calls: Any, policy: BreakerPolicy) -> pl.DataFrame:
    """The calls that a breaker watches, each with whether it would have been refused.

    A call that is refused costs nothing and leaves no trace in the breaker; nothing is known of what the
    application would have done instead, such as trying again.

    Args:
        calls: SPANS with the columns of `price_calls`, on any engine; uses `trace_id`, `span_id`,
            `started_at`, `ended_at`, `cost_usd`, `is_error` and the dimensions of the policy.
        policy: Limit, window and reservation. A call of unknown cost counts as its reservation, one of
            unknown end as ended at once.

    Returns:
        A polars DataFrame whatever came in, since a breaker decides in order: one row per watched call, by
        `policy.each`, then by start: `policy.each`, `trace_id`, `span_id`, `started_at` (UTC), `cost_usd`
        (USD), `is_error`, `is_blocked`.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> started_at = [datetime(2026, 11, 9, 8, minute, tzinfo=UTC) for minute in (0, 1, 2)]
        >>> calls = pl.DataFrame({
        ...     "trace_id": ["t1", "t2", "t3"], "span_id": ["a", "b", "c"], "is_model_call": [True] * 3,
        ...     "started_at": started_at, "ended_at": [at + timedelta(seconds=1) for at in started_at],
        ...     "cost_usd": [0.5, 0.25, 0.5], "is_error": [False] * 3,
        ... })
        >>> policy = BreakerPolicy(limit_usd=1, window="rolling 1h", reserve_usd=0.5)
        >>> breaker_decisions(calls, policy)["is_blocked"].to_list()
        [False, False, True]
    """
    table, _, _ = _decided(calls, policy, ())
    return table.drop("ended_at", "_scope")


@portable
def simulate_breaker(calls: Any, policy: BreakerPolicy, *, runaway: str | None = None) -> pl.DataFrame:
    """What a breaker would have saved and what it would have cost in good calls, per breaker.

    Args:
        calls: As for `breaker_decisions`.
        policy: As for `breaker_decisions`.
        runaway: A boolean column of `calls` that marks those which should have been stopped, such as the
            calls of a known incident. Without it, every call that did not fail is good.

    Returns:
        A polars DataFrame, one row per value of `policy.each`, by `saved_usd` downwards: `policy.each`,
        `call_count`, `unpriced_count`, `spend_usd` (USD of the calls let through; a lower bound beside
        unpriced ones), `blocked_count`, `blocked_good_count` (neither failed nor marked), `saved_usd` (USD
        known of the blocked calls), `blocked_unpriced_count` (blocked calls of unknown cost: what is saved is
        more), `opened_count`, `overshoot_usd` (the most that a window held beyond the limit; above zero only
        where a call cost more than `reserve_usd`), `first_blocked_at` (UTC), `runaway_count`,
        `blocked_runaway_count`, `detection_delay_s` (seconds from the start of the first marked call to the
        first call blocked since; null where none is marked or none was blocked).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> started_at = [datetime(2026, 11, 9, 8, minute, tzinfo=UTC) for minute in (0, 1, 2)]
        >>> calls = pl.DataFrame({
        ...     "trace_id": ["t1", "t2", "t3"], "span_id": ["a", "b", "c"], "is_model_call": [True] * 3,
        ...     "started_at": started_at, "ended_at": [at + timedelta(seconds=1) for at in started_at],
        ...     "cost_usd": [0.5, 0.25, 0.5], "is_error": [False] * 3, "loops": [False, True, True],
        ... })
        >>> policy = BreakerPolicy(limit_usd=1, window="rolling 1h", reserve_usd=0.5)
        >>> simulate_breaker(calls, policy, runaway="loops").select(
        ...     "saved_usd", "blocked_good_count", "detection_delay_s"
        ... ).rows()
        [(0.5, 0, 60.0)]
    """
    table, decided, scopes = _decided(calls, policy, (runaway,) if runaway else ())
    is_runaway = pl.col(runaway).fill_null(value=False) if runaway else pl.lit(value=False)
    runaway_at = pl.col("started_at").filter(pl.col("_is_runaway")).min()
    marked = table.with_columns(_is_runaway=is_runaway).with_columns(
        _is_detected=pl.col("is_blocked") & (pl.col("started_at") >= runaway_at.over("_scope"))
    )
    detected_at = pl.col("started_at").filter(pl.col("_is_detected")).min()
    tallied = marked.group_by("_scope").agg(
        *_amounts(),
        (detected_at - runaway_at).dt.total_microseconds().truediv(1e6).alias("detection_delay_s"),
    )
    outcome = scopes.with_columns(
        opened_count=pl.Series(decided.opened_count, dtype=pl.Int64),
        overshoot_usd=pl.Series(decided.overshoot_nano, dtype=pl.Int64) / NANO_PER_USD,
    ).join(tallied, on="_scope", maintain_order="left")
    return outcome.sort("saved_usd", *policy.each, descending=[True, *(False for _ in policy.each)]).select(
        *policy.each, *_RETURNED
    )


_RETURNED = (
    "call_count",
    "unpriced_count",
    "spend_usd",
    "blocked_count",
    "blocked_good_count",
    "saved_usd",
    "blocked_unpriced_count",
    "opened_count",
    "overshoot_usd",
    "first_blocked_at",
    "runaway_count",
    "blocked_runaway_count",
    "detection_delay_s",
)


def _amounts() -> list[pl.Expr]:
    """Counts and sums of the calls of a breaker."""
    cost, is_blocked, is_runaway = pl.col("cost_usd"), pl.col("is_blocked"), pl.col("_is_runaway")
    counts = {
        "unpriced_count": cost.is_null(),
        "blocked_count": is_blocked,
        "blocked_good_count": is_blocked & ~is_runaway & ~pl.col("is_error").fill_null(value=False),
        "blocked_unpriced_count": is_blocked & cost.is_null(),
        "runaway_count": is_runaway,
        "blocked_runaway_count": is_blocked & is_runaway,
    }
    return [
        pl.len().cast(pl.Int64).alias("call_count"),
        *(condition.cast(pl.Int64).sum().alias(name) for name, condition in counts.items()),
        cost.filter(~is_blocked).sum().alias("spend_usd"),
        cost.filter(is_blocked).sum().alias("saved_usd"),
        pl.col("started_at").filter(is_blocked).min().alias("first_blocked_at"),
    ]


def _decided(
    calls: Any, policy: BreakerPolicy, marks: tuple[str, ...]
) -> tuple[pl.DataFrame, Decided, pl.DataFrame]:
    """The watched calls in order with `is_blocked`, what the breakers did, and the breakers."""
    each = list(policy.each)
    frame = model_calls(calls, [*each, *policy.where, *_USED, *marks], hint=PRICE_HINT)
    watched = (
        collected(frame.to_native())
        .filter(*(pl.col(name) == value for name, value in policy.where.items()))
        .with_columns(pl.col("started_at", "ended_at").cast(UTC_DATETIME))
    )
    scopes = watched.select(each or pl.lit(0).alias("_all")).unique().sort(pl.all()).with_row_index("_scope")
    named = watched.with_columns(_all=0) if not each else watched
    table = (
        named.join(scopes, on=each or ["_all"], how="left", nulls_equal=True)
        .sort("_scope", "started_at", *_KEY)
        .select("_scope", *each, *_USED, *marks)
    )
    decided = replayed(_arrays(table, policy), _limits(policy), _nano(policy.reserve_usd))
    return table.with_columns(is_blocked=pl.Series(decided.is_blocked)), decided, scopes


def _arrays(table: pl.DataFrame, policy: BreakerPolicy) -> Replay:
    start_us = _us(table["started_at"])
    length = rolling_length(policy.window)
    if length is not None:
        length_us = int(length.total_seconds() * 1e6)
        bucket, from_us = start_us // length_us, start_us - length_us
    elif len(table):
        first, last = table["started_at"].min(), table["started_at"].max()
        starts = pl.Series(calendar_starts(policy.window, first, last, policy.timezone))  # type: ignore[arg-type] # of times, the least is a time
        starts_us = _us(starts)
        bucket = np.searchsorted(starts_us, start_us, side="right") - 1
        from_us = starts_us[bucket]
    else:
        bucket = from_us = start_us
    cost_nano = (table["cost_usd"] * NANO_PER_USD).round().cast(pl.Int64).fill_null(UNKNOWN).to_numpy()
    scope = table["_scope"].cast(pl.Int64).to_numpy()
    end_us = _us(table["ended_at"])
    return Replay(scope, bucket, start_us, end_us, cost_nano, from_us, is_rolling=length is not None)


def _us(times: pl.Series) -> Ints:
    return times.dt.epoch("us").fill_null(UNKNOWN).to_numpy()


def _nano(usd: float) -> int:
    return round(usd * NANO_PER_USD)


def _limits(policy: BreakerPolicy) -> Limits:
    return Limits(_nano(policy.limit_usd), round(policy.cooldown.total_seconds() * 1e6))
