"""What will be spent until a window ends, from what was spent per day, with an interval.

The Theta method in its form as simple exponential smoothing with half the slope of a straight line as drift
(Assimakopoulos & Nikolopoulos 2000; Hyndman & Billah 2003, "Unmasking the Theta method", International
Journal of Forecasting 19), on daily spend with the weekday taken out. The interval of the sum is that of
smoothing over a lead time (Snyder, Koehler, Hyndman & Ord 2004, "Exponential smoothing models: means and
variances for lead-time demand", European Journal of Operational Research 158), widened for the estimated
level, weekdays and slope, and for errors that last for days (the variance of a sum of first-order
autoregressive ones). It is written in arrays because a budget of each user has as many series as there are
users, and fitting a library's model to each takes milliseconds apiece.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

INTERVAL_SHARE = 0.8
"""Share of outcomes that an interval is meant to hold; docs/budgets.md says how many it held in trials."""

HISTORY_DAYS = 56
"""Days looked back on: eight of each weekday."""

_LEAST_DAYS = 7
"""Days of history without which nothing is forecast."""
_SEASONAL_DAYS = 21
"""Days of history from which weekdays are told apart and a slope is estimated."""
_SMOOTHING = (0.05, 0.1, 0.2, 0.35, 0.5)
"""Weights of the latest day that are tried; the one with the least squared error is taken."""


@dataclass(frozen=True)
class Outlook:
    """What is expected of each series; NaN where there is too little history.

    Attributes:
        daily: Expected spend of each coming day, the last one cut where the window ends; series x days.
        spread: Half the width of the interval of their sum, per series.
    """

    daily: Floats
    spread: Floats


@dataclass(frozen=True)
class _Past:
    """Daily spend by series and day, and which days count: those after the one of the first call."""

    spend: Floats
    is_known: Flags

    @classmethod
    def of(cls, spend: Floats) -> "_Past":
        has_spend = spend > 0
        first = np.where(has_spend.any(axis=1), np.argmax(has_spend, axis=1), spend.shape[1])
        return cls(spend, np.arange(spend.shape[1]) > first[:, None])

    @property
    def count(self) -> Counts:
        count: Counts = self.is_known.sum(axis=1)
        return count

    @property
    def is_seasonal(self) -> Flags:
        is_seasonal: Flags = self.count >= _SEASONAL_DAYS
        return is_seasonal

    @property
    def season(self) -> Counts:
        return np.arange(self.spend.shape[1]) % 7


@dataclass(frozen=True)
class _Fit:
    """Per series: level after the last day, daily drift, smoothing, deviation of a day and its degrees.

    `persistence` is the correlation of the errors of neighbouring days, from 0 to a half.
    """

    level: Floats
    drift: Floats
    smoothing: Floats
    deviation: Floats
    degrees: Counts
    persistence: Floats


def outlook(spend: Floats, head: Floats, days: int, *, has_part: bool) -> Outlook:
    """Expected spend of the coming days.

    Args:
        spend: Of each past stretch of 24 hours, oldest first, series x days; all end at the time of day at
            which the coming days start.
        head: Of each past stretch, the spend in a part as long as the one that the end of the window cuts off
            the last coming day.
        days: Whole coming days.
        has_part: Whether a part of a day follows them.
    """
    past = _Past.of(spend)
    weekly = _weekdays(past)
    fit = _fitted(past, weekly)
    ahead = np.arange(1, days + has_part + 1)
    seasons = (spend.shape[1] - 1 + ahead) % 7
    weights = weekly[:, seasons]
    own = weights.copy()
    if has_part:
        part = _ratio(np.where(past.is_known, head, 0).sum(axis=1), _known_sum(past))
        weights[:, -1] *= part
        own[:, -1] *= np.sqrt(part)
    daily = np.maximum(fit.level[:, None] + fit.drift[:, None] * ahead, 0) * weights
    lasting = _lasting(fit.persistence, max(len(ahead), 1))
    variance = _coming_variance(weights, own, fit.smoothing) * lasting + _fit_variance(weights, seasons, past)
    spread = _quantile(fit.degrees) * fit.deviation * np.sqrt(variance)
    is_too_short = past.count < _LEAST_DAYS
    daily[is_too_short], spread[is_too_short] = np.nan, np.nan
    return Outlook(daily, spread)


def _weekdays(past: _Past) -> Floats:
    """How each day of the week compares with the week around it; 1 where it cannot be told.

    The ratio to a moving average: the mean of all days would take growth for a difference of weekdays.
    """
    total = np.cumsum(past.spend, axis=1)
    before = np.concatenate([np.zeros((len(total), 1)), total[:, :-7]], axis=1)
    around = (total[:, 6:] - before) / 7
    middle = slice(3, -3)
    is_whole = past.is_known[:, :-6]
    spend = np.where(is_whole, past.spend[:, middle], 0)
    around = np.where(is_whole, around, 0)
    season = past.season[middle]
    weekly = np.stack(
        [
            _ratio(spend[:, season == one].sum(axis=1), around[:, season == one].sum(axis=1))
            for one in range(7)
        ],
        axis=1,
    )
    return np.where(past.is_seasonal[:, None], weekly, 1.0)


def _fitted(past: _Past, weekly: Floats) -> _Fit:
    factors = weekly[:, past.season]
    # A weekday on which nothing is ever spent says nothing about the level.
    is_used = past.is_known & (factors > 0)
    adjusted = _ratio(past.spend, factors)
    used_count = is_used.sum(axis=1)
    start = _ratio(np.where(is_used, adjusted, 0).sum(axis=1), used_count)
    runs = [_run(adjusted, is_used, start, weight) for weight in _SMOOTHING]
    levels, squares, products = (np.stack(part) for part in zip(*runs, strict=True))
    best, rows = np.argmin(squares, axis=0), np.arange(len(start))
    degrees = np.maximum(used_count - np.where(past.is_seasonal, 7, 1), 1)
    return _Fit(
        level=levels[best, rows],
        drift=np.where(past.is_seasonal, _slope(adjusted, is_used) / 2, 0),
        smoothing=np.asarray(_SMOOTHING)[best],
        deviation=np.sqrt(squares[best, rows] / degrees),
        degrees=degrees,
        persistence=np.clip(_ratio(products[best, rows], squares[best, rows]), 0, 0.5),
    )


def _run(adjusted: Floats, is_used: Flags, start: Floats, weight: float) -> tuple[Floats, Floats, Floats]:
    """Level after the last day; sums of squares and of products of neighbours of errors one day ahead."""
    level, squares, products, before = start.copy(), *(np.zeros(len(start)) for _ in range(3))
    for day in range(adjusted.shape[1]):
        error = np.where(is_used[:, day], adjusted[:, day] - level, 0)
        squares += error**2
        products += error * before
        level += weight * error
        before = np.where(is_used[:, day], error, before)
    return level, squares, products


def _slope(adjusted: Floats, is_used: Flags) -> Floats:
    age = np.arange(adjusted.shape[1])
    middle = _ratio((age * is_used).sum(axis=1), is_used.sum(axis=1))
    centred = np.where(is_used, age - middle[:, None], 0)
    return _ratio((centred * adjusted).sum(axis=1), (centred**2).sum(axis=1))


def _coming_variance(weights: Floats, own: Floats, smoothing: Floats) -> Floats:
    """Variance that the coming days add to their sum, each on its own and through the level it moves."""
    later = np.cumsum(weights[:, ::-1], axis=1)[:, ::-1] - weights
    variance: Floats = ((own + smoothing[:, None] * later) ** 2).sum(axis=1)
    return variance


def _lasting(persistence: Floats, days: int) -> Floats:
    """How many times the variance of independent errors the sum of errors that last has."""
    rest = 1 - persistence
    total: Floats = (1 + persistence) / rest - 2 * persistence * (1 - persistence**days) / (days * rest**2)
    return total


def _fit_variance(weights: Floats, seasons: Counts, past: _Past) -> Floats:
    """Variance of the sum because level, weekdays and slope are estimates."""
    count = np.maximum(past.count, 1).astype(np.float64)
    of_season = np.stack([weights[:, seasons == one].sum(axis=1) for one in range(7)], axis=1)
    estimated = np.where(past.is_seasonal, (of_season**2).sum(axis=1) * 7, weights.sum(axis=1) ** 2) / count
    reach = (weights * np.arange(1, weights.shape[1] + 1)).sum(axis=1)
    # The variance of a slope over n days is 12 / n^3; the drift is half of it.
    sloped = np.where(past.is_seasonal, 3 / count**3 * reach**2, 0)
    total: Floats = estimated + sloped
    return total


def _quantile(degrees: Counts) -> Floats:
    """Upper end of the interval in standard deviations: Student's t, by Abramowitz & Stegun 26.7.5."""
    normal = NormalDist().inv_cdf(0.5 + INTERVAL_SHARE / 2)
    quantile: Floats = normal + (normal**3 + normal) / (4 * degrees)
    return quantile


def _known_sum(past: _Past) -> Floats:
    total: Floats = np.where(past.is_known, past.spend, 0).sum(axis=1)
    return total


def _ratio(part: npt.NDArray[np.generic], whole: npt.NDArray[np.generic]) -> Floats:
    """`part / whole`; 0 where the whole is 0."""
    shape = np.broadcast(part, whole).shape
    ratio: Floats = np.divide(part, whole, out=np.zeros(shape), where=np.broadcast_to(whole, shape) > 0)
    return ratio
