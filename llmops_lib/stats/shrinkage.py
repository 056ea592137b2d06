"""Many small groups: each estimate drawn towards their mean by as much as its own noise deserves."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.stats.distributions import normal_above
from llmops_lib.stats.inputs import Floats, between_zero_and_one, numbers, same_length


@dataclass(frozen=True, slots=True, eq=False)
class Shrunken:
    """Estimates of groups after shrinkage, in the unit of the estimates.

    Attributes:
        values: Shrunken estimates.
        lower: Lower limits.
        upper: Upper limits.
        own_weights: Share that each group's own estimate keeps, 0 to 1.
        mean: Mean of the groups that they are drawn towards; None without groups.
        tau: Standard deviation of the true values between groups; 0 where their spread is all noise.
    """

    values: Floats
    lower: Floats
    upper: Floats
    own_weights: Floats
    mean: float | None
    tau: float


def shrunken(estimates: Any, standard_errors: Any, *, alpha: float = 0.05) -> Shrunken:
    """Empirical Bayes estimates of groups with known noise.

    `w = 1 / (se^2 + tau^2)`, `mean = sum w y / sum w`, `b = tau^2 / (tau^2 + se^2)`,
    `value = b y + (1 - b) mean`, variance `b se^2 + (1 - b)^2 / sum w`; tau^2 by DerSimonian and Laird:
    `max(0, (Q - (k - 1)) / (sum v - sum v^2 / sum v))`, v = 1 / se^2. Assumes the true values to be normal
    around their mean, and that which groups there are says nothing of them.

    Args:
        estimates: One estimate per group, such as a difference of two arms.
        standard_errors: Its standard error, above zero.
        alpha: One minus the level of the intervals.

    Raises:
        EstimateError: If a value is NaN, or lengths differ.

    Source:
        Efron and Morris, JASA 70 (1975); DerSimonian and Laird, Controlled Clinical Trials 7 (1986).

    Example:
        >>> found = shrunken([1.0, 5.0], [1.0, 1.0])
        >>> round(found.tau, 3), found.mean, found.values.round(3).tolist()
        (2.646, 3.0, [1.25, 4.75])
    """
    between_zero_and_one(alpha, "alpha")
    found, noise = numbers(estimates, "estimates"), numbers(standard_errors, "standard errors")
    k = same_length(estimates=found, standard_errors=noise)
    if not k:
        empty = np.empty(0)
        return Shrunken(empty, empty, empty, empty, None, 0.0)
    tau_squared = _between(found, noise**2)
    weights = 1 / (noise**2 + tau_squared)
    mean = float(weights @ found / weights.sum())
    own = tau_squared / (tau_squared + noise**2)
    values = own * found + (1 - own) * mean
    half = normal_above(alpha / 2) * np.sqrt(own * noise**2 + (1 - own) ** 2 / weights.sum())
    return Shrunken(values, values - half, values + half, own, mean, math.sqrt(tau_squared))


def _between(found: Floats, variances: Floats) -> float:
    """Variance between groups that their noise does not explain."""
    weights = 1 / variances
    mean = float(weights @ found / weights.sum())
    spread = float(weights @ (found - mean) ** 2) - (len(found) - 1)
    scale = float(weights.sum() - weights @ weights / weights.sum())
    return max(0.0, spread / scale) if scale > 0 else 0.0
