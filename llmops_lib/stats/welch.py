"""The difference of two independent estimates of unequal variance: Welch's t."""

import math

from llmops_lib.stats.distributions import two_sided_interval, two_sided_p
from llmops_lib.stats.results import Estimate, Interval, Reason

Variance = tuple[float, int]
"""Variance of an estimate, and the number of independent units behind it."""

APPROXIMATE_BELOW = 50
"""Fewer users than this in an arm: prefer `cluster_permutation` for the p value."""


def welch_estimate(
    diff: float, arms: tuple[Variance, Variance], *, alpha: float, method: str, unit: str = "user"
) -> Estimate:
    """A difference of two independent estimates with Welch's t.

    Args:
        diff: The difference.
        arms: Variance of each of the two estimates, with the number of units behind it.
        alpha: One minus the confidence level.
        method: Name of the method.
        unit: What is independent.

    Source:
        Welch, Biometrika 34 (1947); Satterthwaite, Biometrics Bulletin 2 (1946).

    Example:
        >>> welch_estimate(0.0, ((1.0, 10), (1.0, 10)), alpha=0.05, method="demo").df
        18.0
    """
    first, second = arms
    n = first[1] + second[1]
    variance = first[0] + second[0]
    if variance == 0:
        zero = None if diff else 0.0
        interval = Interval(zero, zero, alpha, method, (Reason.ZERO_VARIANCE,))
        p = None if diff else 1.0
        return Estimate(diff, 0.0, interval, unit, n, p_two_sided=p, reasons=interval.reasons)
    df = welch_df(first, second)
    se = math.sqrt(variance)
    made = two_sided_interval(diff, se, alpha=alpha, method=method, df=df)
    few = (Reason.APPROXIMATE,) if min(first[1], second[1]) < APPROXIMATE_BELOW else ()
    interval = Interval(made.lower, made.upper, alpha, method, few)
    return Estimate(diff, se, interval, unit, n, df=df, p_two_sided=two_sided_p(diff / se, df), reasons=few)


def welch_df(first: Variance, second: Variance) -> float:
    """Welch's degrees of freedom from two variances of estimates and their numbers of units.

    Example:
        >>> welch_df((1.0, 11), (0.0, 50))
        10.0
    """
    variance = first[0] + second[0]
    return variance**2 / (first[0] ** 2 / (first[1] - 1) + second[0] ** 2 / (second[1] - 1))
