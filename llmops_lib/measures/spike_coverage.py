"""Which groups `spend_spikes` can judge, how, and why not."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from llmops_lib.calls import GroupHours, HourGrid, hour_grid, portable
from llmops_lib.frames import by_columns
from llmops_lib.periods import Period
from llmops_lib.stats.spike_scores import WEEKS_BACK, HourlySpend
from llmops_lib.stats.spikes import LEAST_DAYS, is_judged_hourly

_NOTABLE_UNPRICED_SHARE = 0.05

_COUNT = pl.Int64()
_COVERAGE = {
    "detector": pl.String(),
    "reason": pl.String(),
    "first_on": pl.Date(),
    "history_day_count": _COUNT,
    "call_count": _COUNT,
    "unpriced_count": _COUNT,
    "unknown_hour_count": _COUNT,
}


@portable
def spike_coverage(
    calls: Any, *, by: str | Sequence[str] = ("tenant", "feature"), period: Period | None = None
) -> pl.DataFrame:
    """How `spend_spikes` judges each group on the last day, or why it does not.

    Args:
        calls: As `spend_spikes` takes them.
        by: Grouping columns.
        period: As `spend_spikes` takes it.

    Returns:
        A polars DataFrame, one row per group, sorted by `by`: `by`, `detector` (`hourly`, `daily`; null where
        the group is not judged), `reason` (why not, or what makes the judgement weak; null otherwise),
        `first_on` (UTC day of the first call), `history_day_count` (days since), `call_count`,
        `unpriced_count`, `unknown_hour_count` (hours since the first day without a known spend).

    Example:
        >>> calls = pl.DataFrame({
        ...     "is_model_call": True, "tenant": ["acme"], "feature": ["chat"], "cost_usd": [0.5],
        ...     "input_tokens": 100, "output_tokens": 10,
        ... }).with_columns(started_at=pl.datetime(2026, 11, 9, time_zone="UTC"))
        >>> spike_coverage(calls).select("tenant", "detector", "reason").rows()
        [('acme', None, 'new: 0 days of history, 7 are needed')]
    """
    keys = by_columns(by)
    grid = hour_grid(calls, keys, until=period.end if period else None)
    rows = [_coverage(grid, group) for group in grid.groups()] if grid else []
    return pl.DataFrame(rows, schema=pl.Schema({**dict.fromkeys(keys, pl.String()), **_COVERAGE}))


def _coverage(grid: HourGrid, group: GroupHours) -> dict[str, Any]:
    last = grid.days - 1
    history = last - group.first_day
    hours = int((grid.as_of - grid.hour(24 * group.first_day)) / timedelta(hours=1)) + 1
    known = int((~np.isnan(group.spend)).sum())
    reason = _reason(group, history)
    is_hourly = is_judged_hourly(HourlySpend(group.spend, group.calls, group.squared, group.first_day), last)
    return {
        **dict(zip(grid.by, group.key, strict=True)),
        "detector": ("hourly" if is_hourly else "daily") if _is_judged(group, history) else None,
        "reason": reason,
        "first_on": grid.hour(24 * group.first_day).date(),
        "history_day_count": history,
        "call_count": int(group.calls.sum()),
        "unpriced_count": int(group.unpriced.sum()),
        "unknown_hour_count": hours - known,
    }


def _is_judged(group: GroupHours, history: int) -> bool:
    return history >= LEAST_DAYS and bool((group.unpriced < group.calls).any())


def _reason(group: GroupHours, history: int) -> str | None:
    if not (group.unpriced < group.calls).any():
        return "no call has a known cost"
    if history < LEAST_DAYS:
        return f"new: {history} days of history, {LEAST_DAYS} are needed"
    share = group.unpriced.sum() / group.calls.sum()
    reasons = []
    if share >= _NOTABLE_UNPRICED_SHARE:
        reasons.append(f"{share:.0%} of calls have no known cost: only the others are watched")
    if history < 7 * WEEKS_BACK:
        reasons.append(f"{history} days of history: large rises only, until there are {7 * WEEKS_BACK}")
    return "; ".join(reasons) or None
