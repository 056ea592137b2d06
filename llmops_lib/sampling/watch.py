"""One stream of judged calls watched for a rise of failures, with a bound on false alarms."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal

import numpy as np
import polars as pl

from llmops_lib.stats.cusum import cusum_chart, cusum_limit
from llmops_lib.stats.e_detectors import rises

Detector = Literal["e-sr", "cusum"]
"""`e-sr`: false alarms bounded whatever the scores look like. `cusum`: sooner, if the reference is right."""

LEAST_TOLERANCE = 0.02
MOST_ACCEPTABLE = 0.95
"""Share of failures from which on no rise can be told."""

_SURE = 1.645
_SLACK = 0.5
_LEAST_PER_DAY = 5


@dataclass(frozen=True)
class Watch:
    """What is watched for.

    Attributes:
        reference: Share of failures that is usual.
        tolerance: Rise above it that is still acceptable.
        days: Days between false alarms, of this stream alone.
        detector: How.
    """

    reference: float
    tolerance: float
    days: float
    detector: Detector

    @property
    def acceptable(self) -> float:
        """The highest share of failures that is still acceptable, inside of 0 and 1."""
        return max(0.005, self.reference + self.tolerance)


@dataclass(frozen=True)
class Alarm:
    """A rise of failures.

    Attributes:
        started_at: When it most likely began.
        detected_at: When it was certain enough.
        failure_share: Failures between the two.
        call_count: Judged calls between the two.
    """

    started_at: datetime
    detected_at: datetime
    failure_share: float
    call_count: int


def tolerance_of(failures: pl.Series) -> float:
    """The rise that is acceptable where none is given: two points, or what the reference may be too low by.

    That is 1.645 standard errors: one time in twenty the true level is beyond, and alarms are more frequent
    than stated. One standard error, as is often taken, would be exceeded one time in six.

    Args:
        failures: Failures of the days that the reference is from.
    """
    mean, n = float(failures.mean() or 0.0), len(failures)  # type: ignore[arg-type]
    return max(LEAST_TOLERANCE, _SURE * math.sqrt(mean * (1 - mean) / n) if n else 0.0)


def judged_per_day(calls: pl.DataFrame) -> float:
    """Judged calls per day that has any.

    Args:
        calls: Uses `day`.
    """
    return calls.height / max(calls["day"].n_unique(), 1)


def alarms(calls: pl.DataFrame, watch: Watch) -> list[Alarm]:
    """Alarms in order of time; the detector starts anew after each.

    Args:
        calls: Judged calls with equal chances, in order of time; uses `started_at`, `day`, `failure`.
        watch: What is watched for.
    """
    if calls.is_empty():
        return []
    spans = _FINDERS[watch.detector](calls, watch)
    return [_alarm(calls, start, at) for start, at in spans]


def _by_call(calls: pl.DataFrame, watch: Watch) -> list[tuple[int, int]]:
    length = max(2.0, judged_per_day(calls) * watch.days)
    found = rises(calls["failure"], watch.acceptable, average_run_length=length)
    return [(rise.started_at, rise.at) for rise in found]


def _by_day(calls: pl.DataFrame, watch: Watch) -> list[tuple[int, int]]:
    """A CUSUM of daily standardised failures; days with fewer than five judged calls say nothing."""
    level = max(0.005, watch.reference)
    daily = (
        calls.with_row_index("place")
        .group_by("day", maintain_order=True)
        .agg(
            pl.col("failure").mean(),
            pl.len().alias("n"),
            pl.col("place").min().alias("first"),
            pl.col("place").max().alias("last"),
        )
        .filter(pl.col("n") >= _LEAST_PER_DAY)
    )
    z = ((daily["failure"] - level) / (level * (1 - level) / daily["n"]).sqrt()).to_numpy()
    limit, found, start = _limit(min(1e6, max(5.0, watch.days))), [], 0
    while start < len(z):
        high = cusum_chart(z[start:], target=0, slack=_SLACK, limit=limit).high
        over = np.flatnonzero(high > limit)
        if not len(over):
            break
        at = start + int(over[0])
        zeros = np.flatnonzero(high[: int(over[0])] == 0)
        began = start + (int(zeros[-1]) + 1 if len(zeros) else 0)
        found.append((int(daily["first"][began]), int(daily["last"][at])))
        start = at + 1
    return found


@cache
def _limit(days: float) -> float:
    """The height of the alarm, which takes a second to find."""
    return cusum_limit(days, slack=_SLACK)


_FINDERS: Mapping[Detector, Callable[[pl.DataFrame, Watch], list[tuple[int, int]]]] = {
    "e-sr": _by_call,
    "cusum": _by_day,
}


def _alarm(calls: pl.DataFrame, start: int, at: int) -> Alarm:
    between = calls[start : at + 1]
    times, failures = between["started_at"], between["failure"]
    return Alarm(times[0], times[-1], float(failures.mean()), between.height)  # type: ignore[arg-type]
