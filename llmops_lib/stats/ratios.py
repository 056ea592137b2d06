"""A ratio of sums over users, such as cost per call, and how it differs between two arms.

Calls of one user are alike, so the user is what varies: a call-level standard error calls one A/A test in
three significant. Everything here takes one sum and one count per user.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import t_above, t_quantile, two_sided_interval
from llmops_lib.stats.exact_sum import exact_sum
from llmops_lib.stats.inputs import Floats, between_zero_and_one, numbers, same_length
from llmops_lib.stats.results import Estimate, Reason, no_interval
from llmops_lib.stats.welch import welch_df, welch_estimate

MIN_USERS = 5
"""Fewer users than this in an arm: no interval."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of sums and its variance over users.

    Attributes:
        value: Sum over sum; None where the denominator is zero.
        variance: Variance of `value`, squared units; None below two users.
        n_users: Users; the unit of independence.
        reasons: Why something is None.
    """

    value: float | None
    variance: float | None
    n_users: int
    reasons: tuple[Reason, ...] = ()


def ratio_of_sums(sums: Any, counts: Any) -> Ratio:
    """A ratio of sums with its variance by the delta method over users.

    `R = sum S / sum N`, `e_u = S_u - R N_u`, `V = var(e, ddof=1) / (G mean(N)^2)`. Assumes users to be
    independent and not very few. For a mean per user give counts of one.

    Args:
        sums: Sum of the metric per user.
        counts: Calls per user, or whatever the metric is divided by.

    Raises:
        EstimateError: If a value is NaN, a count negative, or lengths differ.

    Source:
        Deng, Knoblich and Lu, Applying the Delta Method in Metric Analytics (KDD 2018).

    Example:
        >>> ratio = ratio_of_sums([2.0, 3.0, 1.0], [4, 4, 2])
        >>> ratio.value, round(ratio.variance, 4)
        (0.6, 0.0084)
    """
    found, divided = numbers(sums, "sums"), numbers(counts, "counts")
    n = same_length(sums=found, counts=divided)
    if divided.min(initial=0.0) < 0:
        msg = f"counts hold {divided.min():g}; expected 0 or more for each user"
        raise EstimateError(msg)
    total = exact_sum(divided)
    if total == 0:
        reason = Reason.ZERO_DENOMINATOR if n else Reason.N_TOO_SMALL
        return Ratio(None, None, n, (reason,))
    value = exact_sum(found) / total
    if n < 2:
        return Ratio(value, None, n, (Reason.N_TOO_SMALL,))
    # In place: of many users, each new array costs as much as the arithmetic.
    residuals = divided * -value
    residuals += found
    scale = max(_largest(found), abs(value) * _largest(divided))
    if _largest(residuals) <= 1e-14 * scale:
        residuals = np.zeros(n)
    return Ratio(value, float(residuals.var(ddof=1)) * n / total**2, n)


def _largest(values: Floats) -> float:
    """The largest size of a value."""
    return max(float(values.max()), -float(values.min()))


def linearised(sums: Any, counts: Any) -> Floats:
    """One value per user whose mean is the ratio and whose variance is that of the ratio times G.

    `R + e_u / mean(N)`: what turns a ratio into a plain mean, for `cuped_difference`.

    Args:
        sums: Sum of the metric per user.
        counts: Calls per user.

    Raises:
        EstimateError: If a value is NaN, lengths differ, or all counts are zero.

    Source:
        Budylin et al., Consistent Transformation of Ratio Metrics (WSDM 2018).

    Example:
        >>> linearised([2.0, 3.0, 1.0], [4, 4, 2]).round(2).tolist()
        [0.48, 0.78, 0.54]
    """
    found, divided = numbers(sums, "sums"), numbers(counts, "counts")
    same_length(sums=found, counts=divided)
    if divided.sum() == 0:
        msg = "counts are all zero; expected at least one call"
        raise EstimateError(msg)
    value = exact_sum(found) / exact_sum(divided)
    return value + (found - value * divided) / float(divided.mean())


def ratio_interval(ratio: Ratio, *, alpha: float = 0.05, unit: str = "user") -> Estimate:
    """The ratio of one arm with a t interval, G - 1 degrees of freedom.

    Args:
        ratio: From `ratio_of_sums`.
        alpha: One minus the confidence level.
        unit: What is independent.

    Source:
        As `ratio_of_sums`.

    Example:
        >>> ratio_interval(ratio_of_sums([1, 2], [2, 2])).interval.reasons[0].value
        'too_few_clusters'
    """
    between_zero_and_one(alpha, "alpha")
    refused = _refused(ratio)
    se = None if ratio.variance is None else math.sqrt(ratio.variance)
    if refused or ratio.value is None or se is None:
        return Estimate(ratio.value, se, no_interval(alpha, "ratio_delta", *refused), unit, ratio.n_users)
    interval = two_sided_interval(ratio.value, se, alpha=alpha, method="ratio_delta", df=ratio.n_users - 1)
    return Estimate(ratio.value, se, interval, unit, ratio.n_users, df=ratio.n_users - 1)


def ratio_difference(
    candidate: Ratio, baseline: Ratio, *, alpha: float = 0.05, unit: str = "user"
) -> Estimate:
    """Candidate minus baseline with Welch's t interval over users.

    `se = sqrt(V_A + V_B)`, Welch's degrees of freedom from V and G. Fewer than 5 users in an arm: refused;
    fewer than 50: flagged `approximate`, take the p value of `cluster_permutation`.

    Args:
        candidate: Ratio of the candidate's arm.
        baseline: Ratio of the baseline's arm.
        alpha: One minus the confidence level.
        unit: What is independent.

    Source:
        Deng, Knoblich and Lu (KDD 2018); Welch, Biometrika 34 (1947).

    Example:
        >>> a = ratio_of_sums([1.0, 2.0, 3.0, 2.5, 1.5], [2, 3, 4, 3, 2])
        >>> b = ratio_of_sums([2.0, 2.5, 3.5, 3.0, 1.0], [2, 3, 4, 3, 2])
        >>> difference = ratio_difference(b, a)
        >>> round(difference.value, 3), round(difference.p_two_sided, 3)
        (0.143, 0.138)
    """
    between_zero_and_one(alpha, "alpha")
    n = candidate.n_users + baseline.n_users
    refused = _refused(candidate, baseline)
    if candidate.value is None or baseline.value is None:
        return Estimate(None, None, no_interval(alpha, "ratio_delta", *refused), unit, n, reasons=refused)
    diff = candidate.value - baseline.value
    if refused or candidate.variance is None or baseline.variance is None:
        return Estimate(diff, None, no_interval(alpha, "ratio_delta", *refused), unit, n, reasons=refused)
    parts = (candidate.variance, candidate.n_users), (baseline.variance, baseline.n_users)
    return welch_estimate(diff, parts, alpha=alpha, method="ratio_delta", unit=unit)


def smallest_ratio_difference(
    candidate: Ratio, baseline: Ratio, *, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """The minimum detectable difference of two arms like these; None where they are too few.

    `(t_{1-alpha/2} + t_power) sqrt(V_A + V_B)`; users needed for another difference grow with the square
    of the ratio of differences. Take the variances from last week's traffic of the same slice.

    Args:
        candidate: Ratio with its variance.
        baseline: The same of the other arm.
        alpha: Two-sided level.
        power: Chance of seeing it.

    Source:
        Bloom, Evaluation Review 19 (1995).

    Example:
        >>> round(smallest_ratio_difference(Ratio(1.0, 0.01, 500), Ratio(1.0, 0.01, 500)), 3)
        0.397
    """
    between_zero_and_one(power, "power")
    if _refused(candidate, baseline) or candidate.variance is None or baseline.variance is None:
        return None
    first, second = (candidate.variance, candidate.n_users), (baseline.variance, baseline.n_users)
    if first[0] + second[0] == 0:
        return None
    df = welch_df(first, second)
    return (t_above(alpha / 2, df) + t_quantile(power, df)) * math.sqrt(first[0] + second[0])


def _refused(*ratios: Ratio) -> tuple[Reason, ...]:
    """Why no interval is given for these arms."""
    own = tuple(dict.fromkeys(reason for ratio in ratios for reason in ratio.reasons))
    few = (Reason.TOO_FEW_CLUSTERS,) if min(ratio.n_users for ratio in ratios) < MIN_USERS else ()
    return (*own, *few)
