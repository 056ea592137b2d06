"""The smallest rise of spend that would have raised an alarm."""

from typing import NamedTuple

import numpy as np

from llmops_lib.stats.spike_scores import DAY, HourlySpend, Scores
from llmops_lib.stats.spike_thresholds import thresholds
from llmops_lib.stats.spikes import calls_per_hour, is_judged_hourly

_STEPS = 1.15 ** np.arange(60)


class LeastSpike(NamedTuple):
    """What is usual and what would have been noticed.

    Attributes:
        usual: USD in an hour, or a day.
        excess: USD above it that raise an alarm; None where that is not known.
        is_hourly: Whether by the hour; a series with few calls is judged by the day.
    """

    usual: float
    excess: float | None
    is_hourly: bool


def least_spike(series: HourlySpend, *, at: int, rate: float, least_excess: float) -> LeastSpike:
    """How many USD above what was expected of one hour, or of one day, would have raised an alarm.

    Args:
        series: Spend by the hour.
        at: Hour.
        rate: False alarms per week granted to the series.
        least_excess: USD below which there is no alarm.
    """
    day, is_hourly = at // DAY, is_judged_hourly(series, at // DAY)
    limits = thresholds(rate, calls_per_hour(series, day))
    scores = Scores(
        series if is_hourly else series.days, DAY if is_hourly else 1, np.zeros(len(series.spend), bool)
    )
    here, place = scores.buckets(day), at % DAY if is_hourly else 0
    expected = scores.expected[here]
    limit, least = (limits.spike, expected[place] / 2) if is_hourly else (limits.daily, 0.0)
    for excess in least_excess * _STEPS:
        if excess > least and scores.z_of(day, expected + excess)[place] >= limit:
            return LeastSpike(float(expected[place]), float(excess), is_hourly)
    return LeastSpike(float(expected[place]), None, is_hourly)
