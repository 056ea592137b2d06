"""Spend that left its weekly rhythm, at a stated rate of false alarms."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from llmops_lib.calls import HOURS_PER_WEEK, GroupHours, HourGrid, hour_grid, portable
from llmops_lib.errors import LlmopsError
from llmops_lib.frames import by_columns
from llmops_lib.periods import Period
from llmops_lib.schema import UTC_DATETIME
from llmops_lib.stats.factors import product_effects
from llmops_lib.stats.spike_scores import WEEKS_BACK, HourlySpend
from llmops_lib.stats.spike_thresholds import checked_rate
from llmops_lib.stats.spikes import Alarm, alarms

_USD, _COUNT = pl.Float64(), pl.Int64()
_EFFECTS = ("volume_effect_usd", "tokens_effect_usd", "price_effect_usd")
_SPIKES = {
    "detector": pl.String(),
    "started_at": UTC_DATETIME,
    "ended_at": UTC_DATETIME,
    "detected_at": UTC_DATETIME,
    "is_partial": pl.Boolean(),
    "spend_usd": _USD,
    "expected_usd": _USD,
    "excess_usd": _USD,
    "z": pl.Float64(),
    "call_count": _COUNT,
    **dict.fromkeys(_EFFECTS, _USD),
    "unpriced_count": _COUNT,
    "unpriced_share_before": pl.Float64(),
    "history_week_count": _COUNT,
}


@portable
def spend_spikes(
    calls: Any,
    *,
    by: str | Sequence[str] = ("tenant", "feature"),
    period: Period | None = None,
    false_alarms_per_week: float = 0.02,
    least_excess_usd: float = 1.0,
) -> pl.DataFrame:
    """Stretches in which a group spent far more than its own weeks before say, the costliest first.

    What is expected of an hour is the median of the same hour of the week in the four weeks before. How far
    above it is too far follows from how much single calls differ in cost and how much demand has varied in
    the last two weeks. Groups of at least two calls per hour are judged by the hour (`spike`: single hours;
    `sustained`: the last 24 together), the others by the day (`daily`); hours and days are those of UTC.

    What is not known is not taken for zero: a group's first week is not judged and its next three with
    caution, a time without a single call of anyone where many are usual is left out, and so is an hour in
    which no call has a cost. The last hour or day counts as far as it has come, so that a runaway shows
    before it is over. `spike_coverage` tells which groups are judged at all.

    Args:
        calls: SPANS with the columns of `price_calls`, with the weeks before the period; uses `started_at`,
            `cost_usd`, `input_tokens`, `output_tokens`.
        by: Grouping columns.
        period: Days to judge, and the end of what is known; all days when None.
        false_alarms_per_week: False alarms to be expected per group and week at the most, 0.01 to 0.1: at
            0.02, five in a month over 60 groups. Real ones are found later the fewer false ones there are.
        least_excess_usd: USD above what was expected below which there is no alarm; 5% of the median day of
            the group where that is more.

    Returns:
        A polars DataFrame whatever came in, one row per stretch, those of a group less than a day apart
        joined, by `excess_usd` downwards: `by`, `detector`, `started_at`, `ended_at`, `detected_at` (UTC;
        when the evidence was in), `is_partial` (the data ends in it), `spend_usd`, `expected_usd`,
        `excess_usd` (USD), `z`, `call_count`, three effects that add up to the excess: `volume_effect_usd`
        (more calls), `tokens_effect_usd` (more tokens per call), `price_effect_usd` (more per token), null
        where the weeks before hold no spend to compare with; `unpriced_count` (calls without a cost: spend is
        a lower bound) and `unpriced_share_before` (of the calls of the weeks before; where that is high and
        `unpriced_count` is low, spend may have risen because a price became known), `history_week_count`.

    Raises:
        LlmopsError: If the rate is out of range or the excess negative.
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Source:
        docs/alerts.md states the formulas, their origin and the measured rates.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> days = [datetime(2026, 10, 1, 12, tzinfo=UTC) + timedelta(days=day) for day in range(36)]
        >>> calls = pl.DataFrame({
        ...     "is_model_call": True, "started_at": days, "tenant": "acme", "feature": "chat",
        ...     "cost_usd": [0.9, 1.1] * 17 + [1.0, 30.0], "input_tokens": 100, "output_tokens": 10,
        ... })
        >>> spend_spikes(calls).select("tenant", "detector", "spend_usd", "expected_usd").rows()
        [('acme', 'daily', 30.0, 1.0)]
    """
    if not least_excess_usd >= 0:
        msg = f"least_excess_usd is {least_excess_usd!r}; expected US dollars, 0 or more"
        raise LlmopsError(msg)
    keys = by_columns(by)
    grid = hour_grid(calls, keys, until=period.end if period else None)
    rate = checked_rate(false_alarms_per_week)
    rows = list(_spikes(grid, _days(grid, period), rate, least_excess_usd)) if grid else []
    upwards = ["started_at", *keys]
    return pl.DataFrame(rows, schema=pl.Schema({**dict.fromkeys(keys, pl.String()), **_SPIKES})).sort(
        "excess_usd", *upwards, descending=[True, *[False] * len(upwards)], nulls_last=True
    )


def _spikes(grid: HourGrid, days: range, rate: float, least_excess: float) -> Iterator[dict[str, Any]]:
    # One step per group: what is expected of each, and its noise, are its own.
    for group in grid.groups():
        series = HourlySpend(group.spend, group.calls, group.squared, group.first_day)
        for alarm in alarms(series, days, false_alarms_per_week=rate, least_excess=least_excess):
            yield _spike(grid, group, alarm)


def _days(grid: HourGrid, period: Period | None) -> range:
    if period is None:
        return range(grid.days)
    first = (period.start - grid.start) // timedelta(days=1)
    last = -((grid.start - period.end) // timedelta(days=1))
    return range(max(0, first), min(grid.days, max(last, 0)))


def _spike(grid: HourGrid, group: GroupHours, alarm: Alarm) -> dict[str, Any]:
    here = slice(alarm.first, alarm.end)
    now = _Sums.of(group, [here])
    before = _Sums.of(group, _weeks_before(alarm))
    effects = _effects(now, alarm.expected, before)
    return {
        **dict(zip(grid.by, group.key, strict=True)),
        "detector": alarm.detector,
        "started_at": grid.hour(alarm.first),
        "ended_at": grid.hour(alarm.end),
        "detected_at": min(grid.hour(alarm.detected), grid.as_of),
        "is_partial": grid.hour(alarm.end) > grid.as_of,
        "spend_usd": now.spend,
        "expected_usd": alarm.expected,
        "excess_usd": now.spend - alarm.expected,
        "z": alarm.z,
        "call_count": int(now.calls),
        **dict(zip(_EFFECTS, effects, strict=True)),
        "unpriced_count": int(now.calls - now.priced),
        "unpriced_share_before": 1 - before.priced / before.calls if before.calls else None,
        "history_week_count": alarm.known_weeks,
    }


class _Sums(NamedTuple):
    """What a group spent in some hours: USD, calls, calls with a cost and the tokens of those."""

    spend: float
    calls: float
    priced: float
    tokens: float

    @classmethod
    def of(cls, group: GroupHours, stretches: list[slice]) -> "_Sums":
        spend, calls, unpriced, tokens = (
            float(sum(np.nansum(part[stretch]) for stretch in stretches))
            for part in (group.spend, group.calls, group.unpriced, group.tokens)
        )
        return cls(spend, calls, calls - unpriced, tokens)


def _weeks_before(alarm: Alarm) -> list[slice]:
    """The same hours in each of the four weeks before."""
    return [
        slice(max(0, alarm.first - back * HOURS_PER_WEEK), max(0, alarm.end - back * HOURS_PER_WEEK))
        for back in range(1, WEEKS_BACK + 1)
    ]


def _effects(now: _Sums, expected: float, before: _Sums) -> tuple[float | None, float | None, float | None]:
    """The excess as the work of three factors: calls, tokens per call, USD per token."""
    if not (min(before.spend, before.tokens, before.priced) > 0 and min(now.tokens, now.priced) > 0):
        return None, None, None
    usual = (before.tokens / before.priced, before.spend / before.tokens)
    old = (expected / usual[0] / usual[1], *usual)
    return product_effects(old, (now.priced, now.tokens / now.priced, now.spend / now.tokens))
