"""How to split a sample over strata before it is drawn."""

from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, numbers, same_length


def neyman_allocation(sizes: Any, deviations: Any, n: int, *, costs: Any = None) -> Floats:
    """How to split a sample over strata for the smallest variance at a given cost.

    `n_h ~ N_h S_h / sqrt(c_h)`, not rounded and without floors: apply the least chance and the least number
    per stratum after.

    Args:
        sizes: Calls per stratum.
        deviations: Standard deviation of the score per stratum, from the last period.
        n: Sample to split.
        costs: Cost of judging one call per stratum; equal where None.

    Raises:
        EstimateError: If a value is NaN, negative, or all products are zero.

    Source:
        Neyman, JRSS 97 (1934).

    Example:
        >>> neyman_allocation([900, 100], [0.1, 0.9], 100).round(1).tolist()
        [50.0, 50.0]
    """
    size, deviation = numbers(sizes, "sizes"), numbers(deviations, "deviations")
    cost = np.ones_like(size) if costs is None else numbers(costs, "costs")
    same_length(sizes=size, deviations=deviation, costs=cost)
    if (size < 0).any() or (deviation < 0).any() or (cost <= 0).any() or not (size @ deviation > 0):
        msg = "expected sizes and deviations from 0 up, positive costs, and one stratum that varies"
        raise EstimateError(msg)
    shares = size * deviation / np.sqrt(cost)
    return np.asarray(n * shares / shares.sum())


def shrunken_variances(variances: Any, counts: Any, *, prior: int = 20) -> Floats:
    """Variances of strata pulled towards their common one: `(n_h s_h^2 + 20 s^2) / (n_h + 20)`.

    A stratum with three judged calls that agree has a sample variance of 0 and not a variance of 0.

    Args:
        variances: Variance per stratum.
        counts: Observations behind each.
        prior: Observations that the common variance counts as.

    Raises:
        EstimateError: If a value is NaN or lengths differ.

    Source:
        Efron and Morris, JASA 70 (1975), the idea; the weight of 20 is a choice.

    Example:
        >>> shrunken_variances([0.0, 0.2], [5, 95]).round(3).tolist()
        [0.152, 0.198]
    """
    found, n = numbers(variances, "variances"), numbers(counts, "counts")
    same_length(variances=found, counts=n)
    common = float(n @ found) / float(n.sum()) if n.sum() else 0.0
    return np.asarray((n * found + prior * common) / (n + prior))
