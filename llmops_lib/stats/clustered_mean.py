"""The mean of rows that come in clusters: trials of an item, calls of a user, turns of a conversation."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.stats.distributions import two_sided_interval, two_sided_p
from llmops_lib.stats.inputs import Floats, Integers, group_codes, numbers, same_length
from llmops_lib.stats.results import Interval, Reason, no_interval

MIN_CLUSTERS = 5
"""Below this many clusters no interval is given; below four times as many it carries a warning."""

_METHOD = "cluster_cr1_t"


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """A mean with standard errors that allow for clusters, in the unit of the values.

    Attributes:
        mean: Mean over rows.
        n: Rows.
        n_clusters: Clusters G; the unit of independence.
        interval: From `se_cr1` and t with G - 1 degrees of freedom.
        se_naive: Standard error as if rows were independent.
        se_cr0: Cluster-robust standard error without a small-sample factor.
        se_cr1: The same times sqrt(G / (G - 1)); the default of this package.
        df: G - 1.
        p_two_sided: Of the mean being zero, from t with G - 1 degrees of freedom.
        icc: Intra-cluster correlation by analysis of variance.
        design_effect: (se_cr1 / se_naive) squared: how many rows count as one.
        reasons: Why something is None, or a warning.
    """

    mean: float | None
    n: int
    n_clusters: int
    interval: Interval
    se_naive: float | None = None
    se_cr0: float | None = None
    se_cr1: float | None = None
    df: int | None = None
    p_two_sided: float | None = None
    icc: float | None = None
    design_effect: float | None = None
    reasons: tuple[Reason, ...] = ()


def clustered_mean(values: Any, clusters: Any, *, alpha: float = 0.05) -> ClusteredMean:
    """Mean over rows with CR0 and CR1 standard errors by cluster and a t interval.

    `CR0 = sqrt(sum_c (sum_{i in c} r_i)^2) / N` with residuals `r = x - mean`, and
    `CR1 = CR0 * sqrt(G / (G - 1))`; t with G - 1 degrees of freedom. Assumes clusters to be
    independent draws and not too unequal. Fewer than 5 clusters: no interval; fewer than 20: a warning.

    Args:
        values: One number per row.
        clusters: One label per row.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a value is NaN, a label is missing, or lengths differ.

    Source:
        Miller, Adding Error Bars to Evals (arXiv:2411.00640) for CR0; Cameron and Miller, Journal of
        Human Resources 50 (2015) for CR1.

    Example:
        >>> mean = clustered_mean([1, 1, 0, 0, 1, 0], ["a", "a", "b", "b", "c", "c"])
        >>> mean.mean, round(mean.se_cr0, 4), round(mean.se_cr1, 4), mean.interval.reasons
        (0.5, 0.2357, 0.2887, (<Reason.TOO_FEW_CLUSTERS: 'too_few_clusters'>,))
    """
    found = numbers(values, "values")
    codes, n_clusters = group_codes(clusters, "clusters")
    n = same_length(values=found, clusters=codes)
    if n < 2:
        mean = float(found.mean()) if n else None
        nothing = no_interval(alpha, _METHOD, Reason.N_TOO_SMALL)
        return ClusteredMean(mean, n, n_clusters, nothing, reasons=nothing.reasons)
    mean = math.fsum(found) / n
    naive = float(found.std(ddof=1)) / math.sqrt(n)
    sums = np.bincount(codes, weights=found - mean, minlength=n_clusters)
    cr0 = 0.0 if naive == 0 else math.sqrt(float(sums @ sums)) / n
    cr1 = cr0 * math.sqrt(n_clusters / (n_clusters - 1)) if n_clusters > 1 else None
    interval, p = _inference(mean, cr1, n_clusters, alpha)
    return ClusteredMean(
        mean=mean,
        n=n,
        n_clusters=n_clusters,
        se_naive=naive,
        se_cr0=cr0,
        se_cr1=cr1,
        df=n_clusters - 1,
        p_two_sided=p,
        interval=interval,
        icc=_icc(found, codes, n_clusters),
        design_effect=(cr1 / naive) ** 2 if cr1 is not None and naive > 0 else None,
        reasons=interval.reasons,
    )


def _inference(mean: float, se: float | None, n_clusters: int, alpha: float) -> tuple[Interval, float | None]:
    """Interval and p value, or the reason why there is none."""
    if n_clusters < MIN_CLUSTERS or se is None:
        return no_interval(alpha, _METHOD, Reason.TOO_FEW_CLUSTERS), None
    if se == 0:
        return no_interval(alpha, _METHOD, Reason.ZERO_VARIANCE), None
    made = two_sided_interval(mean, se, alpha=alpha, method=_METHOD, df=n_clusters - 1)
    few = (Reason.FEW_CLUSTERS,) if n_clusters < 4 * MIN_CLUSTERS else ()
    interval = Interval(made.lower, made.upper, alpha, _METHOD, few)
    return interval, two_sided_p(mean / se, n_clusters - 1)


def _icc(values: Floats, codes: Integers, n_clusters: int) -> float | None:
    """Intra-cluster correlation from the mean squares between and within clusters."""
    n = len(values)
    if n_clusters < 2 or n == n_clusters:
        return None
    sizes = np.bincount(codes, minlength=n_clusters)
    means = np.bincount(codes, weights=values, minlength=n_clusters) / sizes
    between = float(sizes @ (means - values.mean()) ** 2) / (n_clusters - 1)
    within = float(((values - means[codes]) ** 2).sum()) / (n - n_clusters)
    size = (n - float(sizes @ sizes) / n) / (n_clusters - 1)
    total = between + (size - 1) * within
    return (between - within) / total if total > 0 else None
