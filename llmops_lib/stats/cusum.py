"""CUSUM charts and how long they run before a false alarm."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, numbers
from llmops_lib.stats.roots import crossing

_STATES = 201


@dataclass(frozen=True, slots=True, eq=False)
class CusumChart:
    """Both sides of a CUSUM chart.

    Attributes:
        high: Upper sum after each value, in the unit of the values.
        low: Lower sum after each value.
        first_alarm: Position, from 0, where either first exceeds the limit; None where neither does.
    """

    high: Floats
    low: Floats
    first_alarm: int | None


def cusum_chart(values: Any, *, target: float, slack: float, limit: float) -> CusumChart:
    """Tabular CUSUM of a stream against a known level.

    `C+ = max(0, C+ + x - target - slack)`, `C- = max(0, C- + target - slack - x)`; alarm above the limit.

    Args:
        values: The stream, in order of time, such as daily standardised failures.
        target: Known level.
        slack: Half the shift to be found, in the unit of the values.
        limit: Height of the alarm; from `cusum_limit` times the standard deviation.

    Raises:
        EstimateError: If a value is NaN.

    Source:
        Page, Biometrika 41 (1954); Montgomery, Introduction to Statistical Quality Control, chapter 9.

    Example:
        >>> cusum_chart([0, 0, 2, 2, 2], target=0, slack=0.5, limit=4).first_alarm
        4
    """
    found = numbers(values, "values")
    high, low = _above_its_lowest(found - target - slack), _above_its_lowest(target - slack - found)
    over = np.maximum(high, low) > limit
    return CusumChart(high, low, int(over.argmax()) if over.any() else None)


def _above_its_lowest(steps: Floats) -> Floats:
    """A sum that restarts at zero: how far the plain sum stands above its lowest point, zero included."""
    walk = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray((walk - np.minimum.accumulate(walk))[1:])


def cusum_run_length(slack: float, limit: float, *, shift: float = 0.0, two_sided: bool = False) -> float:
    """Average number of observations until a CUSUM of standard normal values alarms.

    A Markov chain over the height of the sum; two-sided `1 / (1/high + 1/low)`. From a chart that starts at
    zero.

    Args:
        slack: k, in standard deviations.
        limit: h, in standard deviations.
        shift: Mean of the values, in standard deviations: 0 for false alarms.
        two_sided: Whether both sides are watched.

    Raises:
        EstimateError: If the limit is not positive or the slack negative.

    Source:
        Brook and Evans, Biometrika 59 (1972).

    Example:
        >>> round(cusum_run_length(0.5, 5)), round(cusum_run_length(0.5, 5, two_sided=True))
        (931, 465)
    """
    if not (limit > 0 and slack >= 0 and math.isfinite(limit + slack + shift)):
        msg = f"limit {limit!r}, slack {slack!r}; expected a positive limit and a slack from 0 up"
        raise EstimateError(msg)
    upper = _one_sided(slack - shift, limit)
    return 1 / (1 / upper + 1 / _one_sided(slack + shift, limit)) if two_sided else upper


def _one_sided(drift: float, limit: float) -> float:
    """Average run length of one side from zero."""
    from scipy.special import ndtr

    width = 2 * limit / (2 * _STATES - 1)
    places = np.arange(_STATES) * width
    gaps = places[None, :] - places[:, None] + drift
    moves = ndtr(gaps + width / 2) - ndtr(gaps - width / 2)
    moves[:, 0] = ndtr(gaps[:, 0] + width / 2)
    return float(np.linalg.solve(np.eye(_STATES) - moves, np.ones(_STATES))[0])


def cusum_limit(run_length: float, *, slack: float = 0.5, two_sided: bool = False) -> float:
    """The limit h at which false alarms are `run_length` observations apart on average.

    Args:
        run_length: Observations between false alarms, 5 to 1,000,000.
        slack: k, in standard deviations.
        two_sided: Whether both sides are watched.

    Raises:
        EstimateError: If the run length is outside.

    Source:
        `cusum_run_length`, inverted.

    Example:
        >>> round(cusum_limit(465.4, two_sided=True), 1)
        5.0
    """
    if not 5 <= run_length <= 1e6:
        msg = f"run length is {run_length!r}; expected 5 to 1,000,000 observations between false alarms"
        raise EstimateError(msg)

    def logarithm(limit: float) -> float:
        return math.log(cusum_run_length(slack, limit, two_sided=two_sided))

    return crossing(logarithm, math.log(run_length), 1e-3, 30.0)
