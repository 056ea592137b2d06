"""Hours from which on a share of failures is higher than its own past, at a stated rate of false alarms."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats
from llmops_lib.stats.localise import high_stretch

Ints = npt.NDArray[np.int64]

DAY, WEEK = 24, 168
_REFERENCE_HOURS = 4 * WEEK
_GUARD_DAYS = 3
"""The last days say nothing of what is usual: a rise not seen at once must not become the usual."""

RISES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Bets: each that the failure rate rises by this part of what is left up to one."""
LEAST_BAD = 4
_LOOK_BACK, LOOK_AHEAD = 3 * DAY, 2 * WEEK
RELATIVE_TOLERANCE = 0.25
HIGHEST_ACCEPTABLE = 0.95


@dataclass(frozen=True, slots=True)
class RateShift:
    """A stretch of hours with too many failures.

    Attributes:
        first: First hour.
        end: Hour after the last; the number of hours where it has not ended.
        low: Earliest hour that it may well have begun at.
        high: Latest.
        detected: Hour at whose end the alarm is raised.
        usual: Share of failures before.
        log_evidence: Natural logarithm of the largest e-SR statistic from the alarm on.
    """

    first: int
    end: int
    low: int
    high: int
    detected: int
    usual: float
    log_evidence: float


def rate_rises(bad: Floats, seen: Floats, *, tolerance: float, average_run_length: float) -> list[RateShift]:
    """The stretches in which failures among what was seen rose above their own past; none in its first week.

    The e-SR detector on hourly counts. The wealth of an hour is `prod (1 + l (x - m0))` over what was seen
    in it, which counts alone tell: `(p/m0)^bad ((1-p)/(1-m0))^(seen-bad)` where p is the share that the bet
    l is best for, and a lower bound of it where scores lie between 0 and 1. m0 is the usual share of the
    four weeks before but the last three days, outside earlier stretches, plus the tolerance or a quarter of
    the share. Where days differed by more than chance in those weeks, the logarithm of the wealth is divided
    by that excess: a power below one of a wealth bets no more than the wealth. False alarms are on average at
    least `average_run_length` hours apart while the mean share is at most m0.

    Args:
        bad: Failures of every hour, or sums of scores of failure from 0 to 1.
        seen: How many were seen.
        tolerance: Rise of the share that is still acceptable, 0 to 1.
        average_run_length: Hours between false alarms, at least.

    Raises:
        EstimateError: If the lengths differ or an hour has more failures than were seen.

    Source:
        Shin, Ramdas and Rinaldo, E-detectors (arXiv:2203.03532).

    Example:
        >>> seen = np.full(400, 20.0)
        >>> bad = np.where((np.arange(400) >= 300) & (np.arange(400) < 310), 8.0, 0.0)
        >>> [(rise.first, rise.end) for rise in
        ...  rate_rises(bad, seen, tolerance=0.02, average_run_length=1e5)]
        [(300, 310)]
    """
    _checked(bad, seen)
    known = np.flatnonzero(seen > 0)
    if not known.size:
        return []
    found: list[RateShift] = []
    history = History(bad, seen, tolerance, first=int(known[0]))
    start = history.first + WEEK
    while start < len(seen):
        usual = history.usual()
        path = _path(bad[start:], seen[start:], usual.acceptable[start:], usual.spread[start:])
        over = path >= math.log(average_run_length)
        if not over.any():
            break
        at = start + int(over.argmax())
        shift = _shift(history, usual, path, start, at)
        # A few failures among many hours of nothing are chance, whatever the bet says of them.
        found += [shift] if bad[shift.first : shift.end].sum() >= LEAST_BAD else []
        start = max(at + 1, history.leave_out(shift.first, shift.end))
    return found


def _checked(bad: Floats, seen: Floats) -> None:
    if len(bad) != len(seen) or (bad > seen + 1e-9).any() or (bad < 0).any():
        found = f"{len(bad)} hours of failures for {len(seen)} hours seen, or more failures than were seen"
        msg = f"found {found}; expected counts of the same hours"
        raise EstimateError(msg)


class Usual(NamedTuple):
    """By hour: the usual share, the highest acceptable one, and by how much days differ beyond chance."""

    share: Floats
    acceptable: Floats
    spread: Floats


class History:
    """The counts, and which of their hours say what is usual."""

    def __init__(self, bad: Floats, seen: Floats, tolerance: float, first: int) -> None:
        self.bad, self.seen, self.first = bad, seen, first
        self._tolerance = tolerance
        self._is_usual = np.ones(len(seen), dtype=np.bool_)

    def leave_out(self, first: int, end: int) -> int:
        """Takes the hours of a rise out of what is usual; says from which hour on to judge again."""
        self._is_usual[first:end] = False
        if end - first < WEEK:
            return end
        # A level that lasted a week is the new usual one.
        self.first = first
        self._is_usual[first:] = True
        return first + WEEK

    def usual(self) -> Usual:
        """What is usual on each day, from the four weeks before it but the last three days."""
        is_known = self._is_usual & (np.arange(len(self.seen)) >= self.first)
        bad, seen = self.bad * is_known, self.seen * is_known
        first, last = _days_before(len(seen))
        share = (_between(bad, first, last, DAY) + 0.5) / (_between(seen, first, last, DAY) + 1.0)
        spread = np.maximum.reduce([_excess(bad, seen, share, block) for block in (6, DAY)])
        acceptable = share + np.maximum(self._tolerance, RELATIVE_TOLERANCE * share)
        by_day = (share, np.minimum(acceptable, HIGHEST_ACCEPTABLE), spread)
        return Usual(*(np.repeat(part, DAY)[: len(seen)] for part in by_day))


def _days_before(hours: int) -> tuple[Ints, Ints]:
    """For each day the first and the last, exclusively, of the days that say what is usual on it."""
    days = np.arange(-(-hours // DAY))
    return np.maximum(0, days - _REFERENCE_HOURS // DAY), np.maximum(0, days - _GUARD_DAYS)


def _between(values: Floats, first: Ints, last: Ints, per_day: int) -> Floats:
    """Sums from the start of the first day to the start of the last."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    sums: Floats = total[last * per_day] - total[first * per_day]
    return sums


def _excess(bad: Floats, seen: Floats, share: Floats, block: int) -> Floats:
    """Variance of counts by blocks of hours, as a multiple, of at least one, of what chance gives."""
    first, last = _days_before(len(seen))
    padding = -len(seen) % DAY
    failed, total = (np.pad(part, (0, padding)).reshape(-1, block).sum(axis=1) for part in (bad, seen))
    is_seen = total > 0
    squared = np.divide(np.square(failed), total, out=np.zeros_like(total), where=is_seen)
    f2, f, n, count = (
        _between(part, first, last, DAY // block)
        for part in (squared, failed, total, is_seen.astype(np.float64))
    )
    # Blocks in which less than one failure is usual say nothing of spread: one in a hundred would be wild.
    enough = np.minimum(np.maximum(count / np.maximum(n, 1.0), share), np.maximum(share, 0.5))
    chi2 = (f2 - 2 * share * f + np.square(share) * n) / (enough * (1 - enough))
    freedom = np.maximum(count - 1, 1)
    ratio = chi2 / freedom
    # The ratio of a quiet month is above one by chance half of the time; it counts from two deviations on.
    is_more = (count >= 4) & (ratio > 1 + 2 * np.sqrt(2 / freedom))
    return np.where(is_more, ratio, 1.0)


def spread_before(bad: Floats, seen: Floats, day: int) -> float:
    """Variance of counts in the four weeks before a day, as a multiple, of at least one, of chance.

    Args:
        bad: Failures of every hour.
        seen: How many were seen.
        day: Day, from 0.
    """
    first, last = _days_before(len(seen))
    share = (_between(bad, first, last, DAY) + 0.5) / (_between(seen, first, last, DAY) + 1.0)
    return float(max(_excess(bad, seen, share, block)[day] for block in (6, DAY)))


def log_wealth(bad: Floats, seen: Floats, acceptable: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Natural logarithm of the wealth after each hour, of all bets together and of each (hours x bets)."""
    walks = _walks(bad, seen, acceptable, spread)
    return np.asarray(np.logaddexp.reduce(walks, axis=1) - math.log(len(RISES))), walks


def _path(bad: Floats, seen: Floats, acceptable: Floats, spread: Floats) -> Floats:
    """Logarithm of the e-SR statistic after each hour."""
    walks = _walks(bad, seen, acceptable, spread)
    starts = np.logaddexp.accumulate(np.concatenate([np.zeros((1, len(RISES))), -walks[:-1]]), axis=0)
    return np.asarray(np.logaddexp.reduce(walks + starts, axis=1) - math.log(len(RISES)))


def _walks(bad: Floats, seen: Floats, acceptable: Floats, spread: Floats) -> Floats:
    return np.cumsum(gains_of(bad, seen, acceptable, spread), axis=0)


def gains_of(bad: Floats, seen: Floats, acceptable: Floats, spread: Floats) -> Floats:
    """Logarithm of what each bet gains in each hour (hours x bets)."""
    limit = acceptable[:, None]
    best = limit + (1 - limit) * np.array(RISES)[None, :]
    gains = bad[:, None] * np.log(best / limit) + (seen - bad)[:, None] * np.log((1 - best) / (1 - limit))
    scaled: Floats = gains / spread[:, None]
    return scaled


def _shift(history: History, usual: Usual, path: Floats, start: int, at: int) -> RateShift:
    here = slice(start, at + 1)
    counts = (history.bad[here], history.seen[here], usual.acceptable[here], usual.spread[here])
    walks = _walks(*counts)
    before = np.concatenate([np.zeros((1, len(RISES))), walks[:-1]])
    began = start + int(np.logaddexp.reduce(walks[-1] - before, axis=1).argmax())
    limit, share = usual.acceptable[at], usual.share[at]
    window = slice(max(history.first, began - _LOOK_BACK), min(len(history.seen), at + LOOK_AHEAD))
    seen = history.seen[window]
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = np.sqrt(seen * limit * (1 - limit) * usual.spread[at])
        residuals = np.where(seen > 0, (history.bad[window] - seen * share) / sigma, np.nan)
    found = high_stretch(residuals, at - window.start, began - window.start)
    first, end, low, high = (place + window.start for place in found)
    # The detector counts failures; least squares cuts a single one in a quiet hour too far off.
    first = min(max(first, min(began, high)), end - 1)
    evidence = float(path[at - start : max(at + 1, end) - start].max())
    return RateShift(first, max(end, first + 1), low, high, at, float(share), evidence)
