"""Less variance from what was known before: CUPED."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.stats.exact_sum import exact_sum
from llmops_lib.stats.inputs import Floats, numbers, same_length
from llmops_lib.stats.ratios import MIN_USERS
from llmops_lib.stats.results import Estimate, Reason, no_interval
from llmops_lib.stats.welch import welch_estimate


@dataclass(frozen=True, slots=True)
class CupedDifference:
    """Candidate minus baseline, adjusted by a covariate from before the assignment.

    Attributes:
        theta: Slope of the outcome on the covariate over both arms; 0 where the covariate does not vary.
        adjusted: The difference after adjustment.
        unadjusted: The difference without.
        variance_removed_share: Share of the variance that the adjustment took away; None without variance.
        variances: Variance of the adjusted mean of candidate and baseline; None below two users in an arm.
    """

    theta: float
    adjusted: Estimate
    unadjusted: Estimate
    variance_removed_share: float | None
    variances: tuple[float, float] | None = None


def cuped_difference(
    candidate: tuple[Any, Any], baseline: tuple[Any, Any], *, alpha: float = 0.05, unit: str = "user"
) -> CupedDifference:
    """Difference of means per user with the part removed that the covariate explains.

    `theta = cov(Y, X) / var(X)` over both arms, `Y' = Y - theta (X - mean X)`, Welch's t on Y'. For ratio
    metrics give `linearised` values. The covariate must be from before the assignment: one from after
    takes away the effect itself.

    Args:
        candidate: Outcome and covariate per user of the candidate's arm. A covariate of NaN is a user not
            seen before; it takes the mean covariate and the user stays.
        baseline: The same of the baseline's arm.
        alpha: One minus the confidence level.
        unit: What is independent.

    Raises:
        EstimateError: If an outcome is NaN, a covariate infinite, or lengths differ.

    Source:
        Deng, Xu, Kohavi and Walker, Improving the Sensitivity of Online Controlled Experiments (WSDM 2013).

    Example:
        >>> b = ([1.0, 2.1, 3.0, 4.2, 5.0], [1, 2, 3, 4, 5])
        >>> a = ([0.9, 2.0, 3.1, 4.0, 4.8], [1, 2, 3, 4, 5])
        >>> found = cuped_difference(b, a)
        >>> round(found.adjusted.value, 3), found.adjusted.se < found.unadjusted.se / 10
        (0.1, True)
    """
    (y_b, x_b), (y_a, x_a) = _arm(*candidate, "candidate"), _arm(*baseline, "baseline")
    x = np.concatenate([x_b, x_a])
    seen = x[~np.isnan(x)]
    mean = float(seen.mean()) if len(seen) else 0.0
    x_b, x_a = np.where(np.isnan(x_b), mean, x_b), np.where(np.isnan(x_a), mean, x_a)
    theta = _slope(np.concatenate([y_b, y_a]), np.concatenate([x_b, x_a]))
    plain = _difference(y_b, y_a, alpha, "welch_t", unit)
    of_b, of_a = y_b - theta * (x_b - mean), y_a - theta * (x_a - mean)
    adjusted = _difference(of_b, of_a, alpha, "cuped", unit)
    removed = 1 - (adjusted.se / plain.se) ** 2 if plain.se and adjusted.se is not None else None
    few = min(len(of_b), len(of_a)) < 2
    variances = None if few else (float(of_b.var(ddof=1)) / len(of_b), float(of_a.var(ddof=1)) / len(of_a))
    return CupedDifference(theta, adjusted, plain, removed, variances)


def _arm(outcome: Any, covariate: Any, name: str) -> tuple[Floats, Floats]:
    """Outcome and covariate of one arm; NaN in the covariate is allowed."""
    y = numbers(outcome, f"outcome of the {name}")
    x = np.asarray(covariate, dtype=np.float64)
    numbers(np.where(np.isnan(x), 0.0, x), f"covariate of the {name}")
    same_length(outcome=y, covariate=x)
    return y, x


def _slope(y: Floats, x: Floats) -> float:
    """Least-squares slope, 0 where x does not vary."""
    if len(x) < 2 or np.ptp(x) == 0:
        return 0.0
    return float((x - x.mean()) @ (y - y.mean()) / ((x - x.mean()) @ (x - x.mean())))


def _difference(candidate: Floats, baseline: Floats, alpha: float, method: str, unit: str) -> Estimate:
    """Difference of two means with Welch's t."""
    sizes = len(candidate), len(baseline)
    if min(sizes) == 0:
        nothing = no_interval(alpha, method, Reason.N_TOO_SMALL)
        return Estimate(None, None, nothing, unit, sum(sizes), reasons=nothing.reasons)
    diff = exact_sum(candidate) / sizes[0] - exact_sum(baseline) / sizes[1]
    if min(sizes) < MIN_USERS:
        nothing = no_interval(alpha, method, Reason.TOO_FEW_CLUSTERS)
        return Estimate(diff, None, nothing, unit, sum(sizes), reasons=nothing.reasons)
    first = float(candidate.var(ddof=1)) / sizes[0], sizes[0]
    second = float(baseline.var(ddof=1)) / sizes[1], sizes[1]
    return welch_estimate(diff, (first, second), alpha=alpha, method=method, unit=unit)
