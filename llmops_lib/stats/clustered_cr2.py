"""The mean of rows in clusters that are few or of unequal size: bias-reduced errors, and honest freedom.

Where a few clusters hold many of the rows, their residuals are pulled to the mean that they make, and G - 1
overstates what the error rests on. Where large clusters score lower, their residuals are too large around a
mean that came out too high, and too small around one that is too low. So limits lean, as Fieller's do.
"""

import math
from typing import Any, Literal

import numpy as np

from llmops_lib.stats.bounded_mean import (
    bounded_difference_interval,
    bounded_difference_p,
    bounded_mean_interval,
)
from llmops_lib.stats.clustered_mean import MIN_CLUSTERS
from llmops_lib.stats.inputs import Floats, between_zero_and_one, group_codes, numbers, same_length
from llmops_lib.stats.results import Estimate, Interval, Reason, no_interval
from llmops_lib.stats.spread import Spread

Scale = Literal["numbers", "shares", "gaps"]
"""`numbers` of any size; `shares` from 0 to 1; `gaps` of two of those, from -1 to 1."""

_METHOD = "cluster_cr2_t"


def clustered_mean_cr2(
    values: Any, clusters: Any, *, scale: Scale = "numbers", alpha: float = 0.05, unit: str = "cluster"
) -> Estimate:
    """Mean over rows with the CR2 standard error by cluster and Satterthwaite's degrees of freedom.

    `CR2 = sqrt(sum_c (sum_{i in c} r_i)^2 / (1 - n_c / N)) / N`, unbiased where rows are independent; t with
    the freedom of `satterthwaite_freedom`; limits lean by `sum_c n_c (sum_{i in c} r_i) / (N^2 CR2)`, since
    the mean of clusters of random size is a ratio (`Spread.quantiles`). Shares get Wilson's interval and gaps
    Tango's, on as many passes as vary as much (`bounded_mean`); the p value is that of the interval, of the
    mean's error for shares. `clustered_mean` has CR0 and CR1, which are narrower where clusters are unequal.
    Assumes clusters to be independent draws. Fewer than 5: no interval; `few_clusters` where
    there are fewer than 20, or no more freedom than 20 alike ones have: it may be too narrow.

    Args:
        values: One number per row.
        clusters: One label per row.
        scale: What the numbers are.
        alpha: One minus the confidence level.
        unit: What the clusters are called.

    Raises:
        EstimateError: If a value is NaN, a label is missing, or lengths differ.

    Source:
        Bell and McCaffrey, Survey Methodology 28 (2002); Imbens and Kolesar, Review of Economics and
        Statistics 98 (2016), for the freedom; Cameron and Miller, Journal of Human Resources 50 (2015);
        Fieller, Journal of the Royal Statistical Society B 16 (1954), for the lean.

    Example:
        >>> rows = [1, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1]
        >>> found = clustered_mean_cr2(rows, list("aabbccddeeff"), scale="shares")
        >>> round(found.se, 4), round(found.df, 2), found.interval.method
        (0.1667, 5.0, 'wilson_bounded')
    """
    between_zero_and_one(alpha, "alpha")
    found = numbers(values, "values")
    codes, n_clusters = group_codes(clusters, "clusters")
    n = same_length(values=found, clusters=codes)
    if n < 2 or n_clusters < MIN_CLUSTERS:
        why = Reason.N_TOO_SMALL if n < 2 else Reason.TOO_FEW_CLUSTERS
        mean = math.fsum(found) / n if n else None
        return Estimate(mean, None, no_interval(alpha, _METHOD, why), unit, n_clusters, reasons=(why,))
    mean = math.fsum(found) / n
    sizes = np.bincount(codes, minlength=n_clusters).astype(np.float64)
    residuals = np.zeros(n) if np.ptp(found) == 0 else found - mean
    sums = np.bincount(codes, weights=residuals, minlength=n_clusters).astype(np.float64)
    se = math.sqrt(float((sums**2) @ (1 / (1 - sizes / n)))) / n
    df = satterthwaite_freedom(sizes, _correlation(residuals, sums, sizes))
    lean = float(sizes @ sums) / (n**2 * se) if se else 0.0
    spread = Spread(se, n**2 / float(sizes @ sizes), n, df, lean=lean)
    interval, p = _inference(found, mean, spread, scale, alpha)
    return Estimate(mean, se, interval, unit, n_clusters, df, p, interval.reasons)


def satterthwaite_freedom(sizes: Any, correlation: float) -> float:
    """Degrees of freedom of the CR2 variance of a mean, for normal rows that correlate within clusters.

    The variance is `y' B y` for sums y of clusters with `W = diag((1 - rho) n_c + rho n_c^2)`;
    `tr(B W)^2 / tr((B W)^2)`. Clusters of one size have G - 1, and one that holds most rows leaves about 1.

    Args:
        sizes: Rows of each cluster.
        correlation: Correlation rho of two rows of one cluster, 0 to 1.

    Source:
        Imbens and Kolesar, Robust Standard Errors in Small Samples (2016), section 4; Satterthwaite 1946.

    Example:
        >>> [round(satterthwaite_freedom(sizes, 0.1), 2) for sizes in ([5, 5, 5, 5], [50, 1, 1, 1])]
        [3.0, 1.06]
    """
    n = numbers(sizes, "sizes")
    total = float(n.sum())
    w, a = (1 - correlation) * n + correlation * n**2, 1 / (1 - n / total)
    first, second = -1 / total, float(w.sum()) / total**2
    # The covariances of residual sums are W_ii on the diagonal plus first (w n' + n w') + second n n'.
    own = 2 * first * w * n + second * n**2
    ww, nn, wn = (float(a @ (x * y)) for x, y in ((w, w), (n, n), (w, n)))
    trace = float(a @ (w + own))
    everywhere = first**2 * 2 * (ww * nn + wn**2) + second**2 * nn**2 + 4 * first * second * wn * nn
    return trace**2 / (everywhere + float((a**2) @ (2 * own * w + w**2)))


def _correlation(residuals: Floats, sums: Floats, sizes: Floats) -> float:
    """Moment estimate of the correlation of two rows of one cluster, between 0 and 1."""
    squares, pairs = float(residuals @ residuals), float(sizes @ (sizes - 1))
    if squares == 0 or pairs == 0:
        return 0.0
    between = (float(sums @ sums) - squares) / pairs
    return min(1.0, max(0.0, between / (squares / len(residuals))))


def _inference(
    values: Floats, mean: float, spread: Spread, scale: Scale, alpha: float
) -> tuple[Interval, float | None]:
    p = spread.two_sided_p(mean / spread.se) if spread.se else None
    if scale == "shares":
        made = bounded_mean_interval(mean, spread, alpha=alpha)
    elif scale == "gaps":
        gained = math.fsum(np.maximum(values, 0)) / len(values)
        made = bounded_difference_interval(gained, gained - mean, spread, alpha=alpha)
        p = bounded_difference_p(gained, gained - mean, spread)
    elif spread.se == 0:
        return no_interval(alpha, _METHOD, Reason.ZERO_VARIANCE), None
    else:
        lower, upper = spread.quantiles(alpha)
        made = Interval(mean - lower * spread.se, mean + upper * spread.se, alpha, _METHOD)
    few = (spread.df or 0) + 1 < 4 * MIN_CLUSTERS
    reasons = (Reason.FEW_CLUSTERS,) if few else ()
    return Interval(made.lower, made.upper, alpha, made.method, reasons), p
