"""Where spend left its weekly rhythm: two detectors by the hour, one by the day.

Busy series are judged by the hour: SPIKE looks at single hours, SUSTAINED at the mean of the last 24,
which finds a rise too small for any one hour. Series with few calls are judged by the day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from llmops_lib.stats.robust import Floats
from llmops_lib.stats.spike_scores import DAY, WEEKS_BACK, HourlySpend, Scores
from llmops_lib.stats.spike_thresholds import Thresholds, thresholds

LEAST_DAYS = 7
"""Days of history below which a series is not judged."""

_BUSY_CALLS_PER_HOUR = 2
_SPIKE_RATIO = 1.5
_LARGEST_Z = 6.0
_FLOOR_SHARE = 0.05


@dataclass(frozen=True)
class Alarm:
    """A stretch of hours in which spend was too high.

    Attributes:
        detector: `spike`, `sustained` or `daily`: the one that was surest.
        first: First hour of the evidence.
        end: Hour after its last.
        detected: Hour at whose end the alarm could first be raised.
        z: Largest z of that detector.
        expected: Spend expected in the hours whose spend is known, USD.
        known_weeks: Weeks of history behind what was expected, the fewest of any hour or day.
    """

    detector: str
    first: int
    end: int
    detected: int
    z: float
    expected: float
    known_weeks: int


def alarms(
    series: HourlySpend, days: range, *, false_alarms_per_week: float, least_excess: float
) -> list[Alarm]:
    """The alarms of one series, those less than a day apart joined.

    Args:
        series: Spend by the hour.
        days: Days to judge.
        false_alarms_per_week: False alarms to be expected per week at the most.
        least_excess: USD above what was expected below which there is no alarm; 5% of the median day of the
            last four weeks where that is more.
    """
    by_day = series.days
    is_wild = np.zeros(len(series.spend), dtype=np.bool_)
    hourly, daily = Scores(series, DAY, is_wild), Scores(by_day, 1, is_wild)
    found: list[Alarm] = []
    # What was wild in the weeks before is to be known when the first day is judged.
    for day in range(max(series.first_day + LEAST_DAYS, days.start - 7 * WEEKS_BACK), days.stop):
        rate = calls_per_hour(series, day)
        limits = thresholds(false_alarms_per_week, rate)
        floor = max(least_excess, _FLOOR_SHARE * _median_day(by_day, day))
        is_busy = rate >= _BUSY_CALLS_PER_HOUR
        judge = _hourly_alarms if is_busy else _daily_alarms
        today = list(judge(hourly if is_busy else daily, day, limits, floor))
        for alarm in today:
            is_wild[alarm.first : alarm.end] |= alarm.detector != "sustained"
        found += today if day in days else []
    return [_joined(parts, hourly, daily) for parts in _episodes(found)]


def is_judged_hourly(series: HourlySpend, day: int) -> bool:
    """Whether a series has calls enough, in the four weeks before a day, to be judged by the hour."""
    return calls_per_hour(series, day) >= _BUSY_CALLS_PER_HOUR


def calls_per_hour(series: HourlySpend, day: int) -> float:
    """Calls per known hour of the four weeks before a day, as far as the series goes back."""
    past = slice(DAY * max(series.first_day, day - 7 * WEEKS_BACK), DAY * day)
    known = int((~np.isnan(series.spend[past])).sum())
    return float(series.calls[past].sum()) / known if known else 0.0


def _hourly_alarms(scores: Scores, day: int, limits: Thresholds, floor: float) -> Iterator[Alarm]:
    if not _could_alarm(scores, day, limits):
        return
    here = scores.buckets(day)
    excess = scores.series.spend[here] - scores.expected[here]
    z = scores.z(day)
    is_large = scores.series.spend[here] > _SPIKE_RATIO * scores.expected[here]
    for hour in np.flatnonzero((z >= limits.spike) & (excess >= floor) & is_large):
        yield _alarm("spike", here.start + int(hour) + 1, 1, z[hour], scores)
    two_days = slice(here.start - DAY, here.stop)
    lasting = _mean_of_day(np.clip(np.r_[scores.z(day - 1), z], -_LARGEST_Z, _LARGEST_Z))
    summed = _sum_of_day(np.nan_to_num(scores.series.spend[two_days] - scores.expected[two_days]))
    for hour in np.flatnonzero((lasting >= limits.sustained) & (summed >= floor)):
        yield _alarm("sustained", here.start + int(hour) + 1, DAY, lasting[hour], scores)


def _could_alarm(scores: Scores, day: int, limits: Thresholds) -> bool:
    today = scores.highest_z(day)
    highest = np.clip(np.r_[scores.highest_z(day - 1), today], 0, _LARGEST_Z)
    return bool((today >= limits.spike).any() or (_mean_of_day(highest) >= limits.sustained).any())


def _daily_alarms(scores: Scores, day: int, limits: Thresholds, floor: float) -> Iterator[Alarm]:
    is_candidate = scores.highest_z(day)[0] >= limits.daily
    if is_candidate and scores.series.spend[day] - scores.expected[day] >= floor:
        z = scores.z(day)[0]
        if z >= limits.daily:
            known = int(scores.known_weeks[day])
            yield Alarm("daily", day * DAY, (day + 1) * DAY, (day + 1) * DAY, float(z), 0.0, known)


def _alarm(detector: str, end: int, length: int, z: float, scores: Scores) -> Alarm:
    known = int(scores.known_weeks[end - length : end].min())
    return Alarm(detector, end - length, end, end, float(z), 0.0, known)


def _mean_of_day(two_days: Floats) -> Floats:
    """The mean of the 24 values up to each hour of the second day; NaN where fewer than half are known."""
    known = _sum_of_day(~np.isnan(two_days))
    total = _sum_of_day(np.nan_to_num(two_days))
    return np.where(known >= DAY / 2, total / np.maximum(known, 1), np.nan)


def _sum_of_day(two_days: npt.NDArray[Any]) -> Floats:
    return np.convolve(two_days, np.ones(DAY))[DAY : 2 * DAY]


def _episodes(found: list[Alarm]) -> Iterator[list[Alarm]]:
    parts: list[Alarm] = []
    for alarm in sorted(found, key=lambda alarm: (alarm.first, alarm.end)):
        if parts and alarm.first - max(part.end for part in parts) >= DAY:
            yield parts
            parts = []
        parts.append(alarm)
    if parts:
        yield parts


def _joined(parts: list[Alarm], hourly: Scores, daily: Scores) -> Alarm:
    """One alarm of several, by its surest detector; hours and days say better than 24 hours when it was."""
    exact = [part for part in parts if part.detector != "sustained"] or parts
    surest = max(exact, key=lambda part: part.z)
    first, end = min(part.first for part in exact), max(part.end for part in exact)
    is_daily = surest.detector == "daily"
    scores = daily if is_daily else hourly
    here = slice(first // DAY, -(-end // DAY)) if is_daily else slice(first, end)
    is_known = ~np.isnan(scores.series.spend[here])
    return Alarm(
        surest.detector,
        first,
        end,
        min(part.detected for part in parts),
        surest.z,
        float(np.nansum(scores.expected[here][is_known])),
        min(part.known_weeks for part in exact),
    )


def _median_day(by_day: HourlySpend, day: int) -> float:
    past = by_day.spend[max(0, day - 7 * WEEKS_BACK) : day]
    known = past[~np.isnan(past)]
    return float(np.median(known)) if known.size else 0.0
