"""How far spend is from what was expected, given that calls come at random and differ in cost."""

import math

import numpy as np
from scipy.optimize import brentq

from llmops_lib.stats.robust import Floats, robust_sigma

_LARGEST_NOISE = 1e6


def spend_z(spend: Floats, expected: Floats, *, call_size: Floats | float, noise: Floats | float) -> Floats:
    """Spend as a number of standard deviations above what was expected.

    Args:
        spend: Spend per hour or day, USD.
        expected: Spend expected there, USD; taken as at least `call_size`.
        call_size: The sum of squared costs over the sum of costs of earlier calls, USD: what one more call
            adds to the variance per dollar, were calls independent.
        noise: Share by which demand itself varies beyond that, see `demand_noise`.

    Returns:
        `(spend - expected) / sqrt(call_size expected + noise² expected²)`.

    Source:
        The variance of a compound Poisson sum is the expected number of calls times the mean squared cost:
        Daley and Vere-Jones, An Introduction to the Theory of Point Processes.

    Example:
        >>> spend_z(np.array([10.0]), np.array([4.0]), call_size=1.0, noise=0.0).tolist()
        [3.0]
    """
    floored = np.maximum(expected, call_size)
    z: Floats = (spend - floored) / np.sqrt(call_size * floored + np.square(noise * floored))
    return z


def demand_noise(spend: Floats, expected: Floats, *, call_size: float) -> float | None:
    """The share by which demand varies beyond the chance of single calls.

    Args:
        spend: Spend of past hours or days, USD, none NaN.
        expected: What was expected in each of them, USD.
        call_size: As in `spend_z`.

    Returns:
        The number with which the z values of the past have a robust spread of 1; 0 where they have at most
        that without it; None where there is nothing to learn it from.

    Example:
        >>> spend = np.array([8.0, 12.0, 9.0, 11.0, 14.0, 6.0])
        >>> round(demand_noise(spend, np.full(6, 10.0), call_size=0.01), 2)
        0.29
    """

    def excess_spread(noise: float) -> float:
        spread = robust_sigma(spend_z(spend, expected, call_size=call_size, noise=noise))
        return -1.0 if spread is None else spread - 1.0

    if not spend.size or not math.isfinite(call_size) or call_size <= 0:
        return None
    if excess_spread(0.0) <= 0:
        return 0.0
    highest = 1.0
    while excess_spread(highest) > 0:
        highest *= 4
        if highest > _LARGEST_NOISE:
            return None
    return float(brentq(excess_spread, 0.0, highest, rtol=1e-9))
