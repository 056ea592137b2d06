"""How one number follows another over rows that come in clusters: verbosity bias of a judge, say."""

import math
from typing import Any

import numpy as np

from llmops_lib.stats.clustered_mean import MIN_CLUSTERS
from llmops_lib.stats.distributions import two_sided_interval, two_sided_p
from llmops_lib.stats.inputs import between_zero_and_one, group_codes, numbers, same_length
from llmops_lib.stats.results import Estimate, Interval, Reason, no_interval

_METHOD = "slope_cr1_t"


def clustered_slope(
    outcome: Any, covariate: Any, clusters: Any, *, alpha: float = 0.05, unit: str = "item"
) -> Estimate:
    """Least-squares slope of the outcome on the covariate, with a standard error by cluster.

    `b = sum (x - mean x) y / sum (x - mean x)^2`; `se^2 = G / (G - 1) sum_c (sum_{i in c} (x - mean x) e)^2 /
    (sum (x - mean x)^2)^2` with residuals e; t with G - 1. A slope of preference on the log of the length
    ratio above zero says that a judge favours long answers, quality being equal.

    Args:
        outcome: One number per row, such as the preference for the candidate.
        covariate: One number per row, such as the log of the ratio of lengths.
        clusters: Item, or user, of each row.
        alpha: One minus the confidence level.
        unit: What is independent.

    Raises:
        EstimateError: If a number is NaN, a label missing, or lengths differ.

    Source:
        Cameron and Miller, Journal of Human Resources 50 (2015), eq. 11, with the factor G / (G - 1).

    Example:
        >>> found = clustered_slope([0.0, 0.9, 2.1, 3.0, 4.0], [0, 1, 2, 3, 4], list("abcde"))
        >>> round(found.value, 2), round(found.se, 3)
        (1.01, 0.012)
    """
    between_zero_and_one(alpha, "alpha")
    y, x = numbers(outcome, "outcome"), numbers(covariate, "covariate")
    codes, groups = group_codes(clusters, "clusters")
    n = same_length(outcome=y, covariate=x, clusters=codes)
    if n < 3 or np.ptp(x) == 0:
        nothing = no_interval(alpha, _METHOD, Reason.N_TOO_SMALL if n < 3 else Reason.ZERO_VARIANCE)
        return Estimate(None, None, nothing, unit, groups, reasons=nothing.reasons)
    gaps = x - x.mean()
    spread = float(gaps @ gaps)
    slope = float(gaps @ y) / spread
    residuals = y - y.mean() - slope * gaps
    pulls = np.bincount(codes, weights=gaps * residuals, minlength=groups)
    se = math.sqrt(float(pulls @ pulls) * groups / max(groups - 1, 1)) / spread
    if groups < MIN_CLUSTERS:
        nothing = no_interval(alpha, _METHOD, Reason.TOO_FEW_CLUSTERS)
        return Estimate(slope, None, nothing, unit, groups, reasons=nothing.reasons)
    if se == 0:
        nothing = no_interval(alpha, _METHOD, Reason.ZERO_VARIANCE)
        return Estimate(slope, 0.0, nothing, unit, groups, reasons=nothing.reasons)
    made = two_sided_interval(slope, se, alpha=alpha, method=_METHOD, df=groups - 1)
    few = (Reason.FEW_CLUSTERS,) if groups < 4 * MIN_CLUSTERS else ()
    interval = Interval(made.lower, made.upper, alpha, _METHOD, few)
    return Estimate(slope, se, interval, unit, groups, groups - 1, two_sided_p(slope / se, groups - 1), few)
