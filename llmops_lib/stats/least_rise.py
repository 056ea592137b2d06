"""The smallest rise of a share that would have raised an alarm."""

import math
from typing import NamedTuple

import numpy as np

from llmops_lib.stats.inputs import Floats
from llmops_lib.stats.rate_shifts import LEAST_BAD, RISES, WEEK, History, gains_of

HOURS = 6
"""So long the rise lasts."""


class LeastRise(NamedTuple):
    """What is usual and what would have been noticed.

    Attributes:
        usual: Share of failures before.
        seen: How many are seen in six hours, on average of the week before.
        bad: Failures among them that raise an alarm; None where not even all of them do.
    """

    usual: float
    seen: int
    bad: int | None


def least_rise(bad: Floats, seen: Floats, *, at: int, tolerance: float, needed: float) -> LeastRise:
    """How many failures in the six hours after one would have raised an alarm.

    The bets of `rate_rises` on counts that are alike in all six hours, which win least.

    Args:
        bad: Failures of every hour.
        seen: How many were seen.
        at: Hour.
        tolerance: Rise of the share that is still acceptable, 0 to 1.
        needed: Natural logarithm of the average run length.

    Example:
        >>> hours = np.full(400, 10.0)
        >>> least_rise(0.1 * hours, hours, at=390, tolerance=0.01, needed=11.0).bad
        24
        >>> least_rise(0.1 * hours, hours / 20, at=390, tolerance=0.01, needed=11.0).bad is None
        True
    """
    usual = History(bad, seen, tolerance, first=int((seen > 0).argmax())).usual()
    count = round(float(seen[max(0, at - WEEK) : max(at, 1)].mean()) * HOURS)
    failed = np.arange(count + 1, dtype=np.float64)
    total, limit, spread = (
        np.full(count + 1, value) for value in (count, usual.acceptable[at], usual.spread[at])
    )
    gains = np.logaddexp.reduce(gains_of(failed, total, limit, spread), axis=1) - math.log(len(RISES))
    enough = np.flatnonzero((gains >= needed) & (failed >= LEAST_BAD))
    return LeastRise(float(usual.share[at]), count, int(enough[0]) if enough.size else None)
