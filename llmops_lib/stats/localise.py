"""When a rise began and ended, and how surely its beginning is known."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from llmops_lib.stats.inputs import Floats

_PENALTY = 2.0
"""Cost of one more change point, in multiples of the logarithm of the number of hours."""

_LARGEST = 8.0
_LEAST_Z = 2.5
_LEAST_PART = 0.3
"""A segment belongs to a rise where its mean is at least this part of that of the segment of the alarm."""

_LARGEST_GAP = 6
_SURE = 0.95


class Stretch(NamedTuple):
    """Hours of a rise.

    Attributes:
        first: First hour.
        end: Hour after the last.
        low: Earliest hour that it may well have begun at (95%).
        high: Latest.
    """

    first: int
    end: int
    low: int
    high: int


def high_stretch(residuals: Floats, at: int, began: int) -> Stretch:
    """The stretch around an alarm in which residuals are high, cut where their mean changes.

    Change points are those of the penalised least squares fit, at 2 ln n per change for residuals of variance
    one. Segments next to that of the alarm join it while they are high too.

    Args:
        residuals: Standardised, of variance one in quiet hours; NaN where an hour is unknown.
        at: Hour of the alarm.
        began: Hour at which the detector says that it began.

    Returns:
        The stretch, in hours of `residuals`; it ends at their end where it has not ended yet.

    Source:
        Killick, Fearnhead and Eckley (2012), Optimal Detection of Changepoints With a Linear Computational
        Cost; ruptures (Truong, Oudre and Vayatis, 2020) computes it.

    Example:
        >>> residuals = np.where((np.arange(60) >= 30) & (np.arange(60) < 40), 5.0, 0.0)
        >>> high_stretch(residuals, 32, 31)
        Stretch(first=30, end=40, low=30, high=30)
    """
    known = np.flatnonzero(~np.isnan(residuals))
    values = np.clip(residuals[known], -_LARGEST, _LARGEST)
    if len(known) < 3:
        return Stretch(began, at + 1, began, at)
    edges = [0, *_change_points(values)]
    means = np.array([values[low:high].mean() for low, high in pairwise(edges)])
    sizes = np.diff(edges)
    middle = int(np.searchsorted(edges, np.searchsorted(known, at, side="right") - 1, side="right")) - 1
    earlier = int(np.searchsorted(edges, np.searchsorted(known, began, side="right") - 1, side="right")) - 1
    middle = max(
        range(min(earlier, middle), middle + 1), key=lambda place: means[place] * np.sqrt(sizes[place])
    )
    is_high = (means * np.sqrt(sizes) >= _LEAST_Z) & (means >= _LEAST_PART * means[middle])
    low, high = _joined(is_high, sizes, middle)
    first = int(known[edges[low]])
    end = int(known[edges[high + 1] - 1]) + 1
    if edges[high + 1] == len(known):
        end = len(residuals)
    return _with_bounds(residuals, first, end, at, float(values[edges[low] : edges[high + 1]].mean()))


def _change_points(values: Floats) -> list[int]:
    from ruptures import KernelCPD

    penalty = _PENALTY * float(np.log(len(values)))
    # Its cost is that of least squares; min_size 1 lets a single hour stand alone.
    found = KernelCPD(kernel="linear", min_size=1).fit(values.reshape(-1, 1)).predict(pen=penalty)
    return [int(place) for place in found]


def _joined(is_high: np.ndarray, sizes: np.ndarray, middle: int) -> tuple[int, int]:
    low = high = middle
    for step, stop in ((-1, -1), (1, len(is_high))):
        place, gap = middle + step, 0
        while place != stop and gap <= _LARGEST_GAP:
            if is_high[place]:
                low, high, gap = min(low, place), max(high, place), 0
            else:
                gap += int(sizes[place])
            place += step
    return low, high


def _with_bounds(residuals: Floats, first: int, end: int, at: int, mean: float) -> Stretch:
    gains = np.clip(np.nan_to_num(residuals), -_LARGEST, _LARGEST) * mean - mean**2 / 2
    gains[np.isnan(residuals)] = 0.0
    earliest, latest = max(0, first - 48), min(end - 1, max(at, first) + 1)
    logs = np.cumsum(gains[earliest:end][::-1])[::-1][: latest - earliest + 1]
    weights = np.exp(logs - logs.max())
    ranked = np.argsort(-weights, kind="stable")
    count = int(np.searchsorted(np.cumsum(weights[ranked]) / weights.sum(), _SURE)) + 1
    likely = earliest + ranked[:count]
    return Stretch(first, end, min(first, int(likely.min())), max(first, int(likely.max())))
