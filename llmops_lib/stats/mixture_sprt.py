"""The mixture sequential probability ratio test: p values that stay valid at every look."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, Integers, numbers


@dataclass(frozen=True, slots=True, eq=False)
class MixtureSprt:
    """Evidence against a mean after each observation.

    Attributes:
        n: Number of observations.
        log_e: Logarithm of the mixture likelihood ratio after n.
        p_value: Always-valid p value after n: one over the largest ratio so far, at most 1.
    """

    n: Integers
    log_e: Floats
    p_value: Floats


def mixture_sprt(values: Any, *, mean: float, sigma: float, tau: float) -> MixtureSprt:
    """Always-valid p values of a stream against a hypothetical mean, standard deviation known.

    `Lambda_n = sqrt(sigma^2 / v) exp(n^2 tau^2 (x_n - mean)^2 / (2 sigma^2 v))`, `v = sigma^2 + n tau^2`,
    with x_n the mean of the first n, and `p_n = min_{k <= n} 1 / Lambda_k`. Assumes normal observations, or
    their mean to be nearly so.

    Args:
        values: The stream, in its order.
        mean: Mean under no effect.
        sigma: Known standard deviation of one observation.
        tau: Standard deviation of the effects mixed over; about the size of effects that matter.

    Raises:
        EstimateError: If a value is NaN, or sigma or tau not positive.

    Source:
        Johari, Koomen, Pekelis and Walsh, Always Valid Inference, Operations Research 70 (2022).

    Example:
        >>> test = mixture_sprt([0.9, 1.1] * 50, mean=0.0, sigma=1.0, tau=0.5)
        >>> float(test.p_value[0]), bool(test.p_value[-1] < 1e-9)
        (1.0, True)
    """
    found = numbers(values, "values")
    if not (sigma > 0 and tau > 0):
        msg = f"sigma {sigma!r} and tau {tau!r}; expected two positive standard deviations"
        raise EstimateError(msg)
    n = np.arange(1, len(found) + 1)
    shift = np.cumsum(found - mean) / n
    spread = sigma**2 + n * tau**2
    log_e = 0.5 * (math.log(sigma**2) - np.log(spread)) + (n * tau * shift) ** 2 / (2 * sigma**2 * spread)
    p = np.minimum.accumulate(np.exp(-np.maximum(log_e, 0.0))) if len(found) else np.empty(0)
    return MixtureSprt(n, log_e, p)
