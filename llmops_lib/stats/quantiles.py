"""Latency quantiles: their intervals for independent calls and for calls of users, and their difference."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.stats.distributions import normal_above, t_above, two_sided_interval, two_sided_p
from llmops_lib.stats.inputs import Floats, Integers, between_zero_and_one, group_codes, numbers, same_length
from llmops_lib.stats.ratios import MIN_USERS, ratio_of_sums
from llmops_lib.stats.results import Estimate, Interval, Reason, no_interval
from llmops_lib.stats.welch import welch_df


def quantile_interval(values: Any, quantile: float, *, alpha: float = 0.05) -> Estimate:
    """A quantile of independent values with its exact order-statistic interval.

    Point by linear interpolation (type 7); limits are the order statistics whose ranks the binomial
    distribution gives. A side for which there is no such order statistic is None, `unbounded`: 40 calls
    have no upper limit of the 99th percentile. For calls of users take `clustered_quantile`.

    Args:
        values: Independent values, such as one latency per user.
        quantile: Between 0 and 1: 0.95 for the 95th percentile.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a value is NaN or the quantile not between 0 and 1.

    Source:
        Conover, Practical Nonparametric Statistics, 3.2; `scipy.stats.quantile_test`.

    Example:
        >>> found = quantile_interval(range(40), 0.95)
        >>> found.interval.lower, found.interval.upper
        (34.0, None)
    """
    from scipy.stats import quantile_test

    between_zero_and_one(quantile, "quantile")
    found = numbers(values, "values")
    n = len(found)
    if not n:
        nothing = no_interval(alpha, "order_statistic", Reason.N_TOO_SMALL)
        return Estimate(None, None, nothing, "call", 0, reasons=nothing.reasons)
    value = float(np.quantile(found, quantile))
    limits = quantile_test(found, q=value, p=quantile).confidence_interval(1 - alpha)
    ends = [float(end) if math.isfinite(end) else None for end in (limits.low, limits.high)]
    reasons = (Reason.UNBOUNDED,) if None in ends else ()
    interval = Interval(ends[0], ends[1], alpha, "order_statistic", reasons)
    return Estimate(value, None, interval, "call", n, reasons=reasons)


@dataclass(frozen=True, slots=True)
class ClusteredQuantile:
    """A quantile of calls that come from users.

    Attributes:
        value: The quantile, type 7; None without calls.
        interval: Woodruff's interval.
        n: Calls.
        n_clusters: Users.
        se_share: Standard error, over users, of the share of calls at or below the quantile.
        se_independent: Standard error of the quantile as if calls were independent.
        se: The same inflated by what clustering adds; for differences of arms.
        se_woodruff: Half the width between the quantiles at plus and minus one normal interval; the
            alternative to `se` where the density is uneven.
        reasons: Why something is None.
    """

    value: float | None
    interval: Interval
    n: int
    n_clusters: int
    se_share: float | None = None
    se_independent: float | None = None
    se: float | None = None
    se_woodruff: float | None = None
    reasons: tuple[Reason, ...] = ()


def clustered_quantile(
    values: Any, clusters: Any, quantile: float, *, alpha: float = 0.05, reference: str = "t"
) -> ClusteredQuantile:
    """A quantile over calls with Woodruff's interval over users.

    `R` is the share of calls at or below the quantile, `se_R` its standard error by the delta method over
    users, and the limits are the quantiles at `q -/+ t se_R`, G - 1 degrees of freedom; a side beyond 0 or 1
    is unbounded. `se = se_iid se_R / sqrt(q (1 - q) / n)` with se_iid from the quantiles at
    `q -/+ z sqrt(q (1 - q) / n)`. Fewer than 5 users: no interval. Calls that timed out enter at the timeout.

    Args:
        values: One value per call, such as latency in milliseconds.
        clusters: User of each call.
        quantile: Between 0 and 1.
        alpha: One minus the confidence level.
        reference: `t`, or `normal`, which is too narrow for few users.

    Raises:
        EstimateError: If a value is NaN, a label missing, lengths differ, or the quantile not in 0 to 1.

    Source:
        Woodruff, JASA 47 (1952); Deng, Knoblich and Lu (KDD 2018), section 4.3.

    Example:
        >>> found = clustered_quantile([10, 20, 30, 40, 50, 60] * 5, list("aabbcc") * 5, 0.5)
        >>> found.value, found.n_clusters, found.interval.reasons[0].value
        (35.0, 3, 'too_few_clusters')
    """
    between_zero_and_one(quantile, "quantile")
    found = numbers(values, "values")
    codes, groups = group_codes(clusters, "clusters")
    same_length(values=found, clusters=codes)
    totals = np.bincount(codes, minlength=groups)

    def counted_below(value: float) -> Integers:
        return np.bincount(codes[found <= value], minlength=groups)

    return quantile_over_clusters(
        np.sort(found), totals, counted_below, quantile, alpha=alpha, reference=reference
    )


def quantile_over_clusters(  # noqa: PLR0913 - sorted values, their clusters, what is asked of them
    ordered: Floats,
    totals: Floats | Integers,
    counted_below: Callable[[float], Floats | Integers],
    quantile: float,
    *,
    alpha: float = 0.05,
    reference: str = "t",
) -> ClusteredQuantile:
    """`clustered_quantile` where values are sorted and clusters counted already, for a million calls.

    Args:
        ordered: Values, sorted upwards.
        totals: Values of each cluster, none of them zero.
        counted_below: Gives how many values of each cluster lie at or below a value.
        quantile: Between 0 and 1.
        alpha: One minus the confidence level.
        reference: As in `clustered_quantile`.

    Source:
        As `clustered_quantile`.
    """
    n, groups = len(ordered), len(totals)
    if n < 2 or groups < 2:
        reason = Reason.N_TOO_SMALL if n < 2 else Reason.TOO_FEW_CLUSTERS
        nothing = no_interval(alpha, "woodruff", reason)
        value = sorted_quantile(ordered, quantile) if n else None
        return ClusteredQuantile(value, nothing, n, groups, reasons=nothing.reasons)
    value = sorted_quantile(ordered, quantile)
    se_share = math.sqrt(ratio_of_sums(counted_below(value), totals).variance or 0.0)
    z, sampling = normal_above(alpha / 2), math.sqrt(quantile * (1 - quantile) / n)
    independent = _half_width(ordered, quantile, z * sampling) / z * math.sqrt((n - 1) / n)
    step = (t_above(alpha / 2, groups - 1) if reference == "t" else z) * se_share
    interval = _woodruff(ordered, quantile, step, alpha, groups)
    return ClusteredQuantile(
        value=value,
        interval=interval,
        n=n,
        n_clusters=groups,
        se_share=se_share,
        se_independent=independent,
        se=independent * se_share / sampling,
        se_woodruff=_half_width(ordered, quantile, z * se_share) / z,
        reasons=interval.reasons,
    )


def sorted_quantile(ordered: Floats, quantile: float) -> float:
    """A quantile of sorted values by linear interpolation (type 7), without sorting them again.

    Example:
        >>> sorted_quantile(np.array([1.0, 2.0, 4.0]), 0.75)
        3.0
    """
    place = (len(ordered) - 1) * quantile
    low = min(math.floor(place), len(ordered) - 1)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def _half_width(ordered: Floats, quantile: float, step: float) -> float:
    """Half the distance between the quantiles a step below and a step above."""
    low = sorted_quantile(ordered, max(0.0, quantile - step))
    return (sorted_quantile(ordered, min(1.0, quantile + step)) - low) / 2


def _woodruff(ordered: Floats, quantile: float, step: float, alpha: float, groups: int) -> Interval:
    """Quantiles a step below and above, where they exist."""
    if groups < MIN_USERS:
        return no_interval(alpha, "woodruff", Reason.TOO_FEW_CLUSTERS)
    low, high = quantile - step, quantile + step
    lower = sorted_quantile(ordered, low) if low > 0 else None
    upper = sorted_quantile(ordered, high) if high < 1 else None
    reasons: tuple[Reason, ...] = (Reason.UNBOUNDED,) if lower is None or upper is None else ()
    if groups < 4 * MIN_USERS:
        reasons = (*reasons, Reason.FEW_CLUSTERS)
    if step == 0:
        reasons = (*reasons, Reason.ZERO_VARIANCE)
    return Interval(lower, upper, alpha, "woodruff", reasons)


def quantile_difference(
    candidate: ClusteredQuantile, baseline: ClusteredQuantile, *, alpha: float = 0.05, unit: str = "user"
) -> Estimate:
    """Difference of a quantile between two arms, clustered by user.

    `se = sqrt(se_B^2 + se_A^2)`, Welch's t on the numbers of calls. Fewer than 20 users in an arm: flagged,
    take `cluster_permutation` on per-user quantiles instead.

    Args:
        candidate: Quantile of the candidate's arm.
        baseline: The same quantile of the baseline's.
        alpha: One minus the confidence level.
        unit: What is independent.

    Source:
        Deng, Knoblich and Lu (KDD 2018); GrowthBook's quantile test.

    Example:
        >>> arm = clustered_quantile(list(range(60)) * 2, [n % 20 for n in range(120)], 0.5)
        >>> quantile_difference(arm, arm).value
        0.0
    """
    between_zero_and_one(alpha, "alpha")
    method, n = "quantile_delta", candidate.n_clusters + baseline.n_clusters
    own = tuple(dict.fromkeys((*candidate.reasons, *baseline.reasons)))
    if candidate.value is None or baseline.value is None:
        return Estimate(None, None, no_interval(alpha, method, *own), unit, n, reasons=own)
    diff = candidate.value - baseline.value
    if candidate.se is None or baseline.se is None or Reason.TOO_FEW_CLUSTERS in own:
        return Estimate(diff, None, no_interval(alpha, method, *own), unit, n, reasons=own)
    se = math.hypot(candidate.se, baseline.se)
    if se == 0:
        zero = None if diff else 0.0
        flat = Interval(zero, zero, alpha, method, (Reason.ZERO_VARIANCE,))
        return Estimate(diff, 0.0, flat, unit, n, None, None if diff else 1.0, flat.reasons)
    df = welch_df((candidate.se**2, candidate.n), (baseline.se**2, baseline.n))
    made = two_sided_interval(diff, se, alpha=alpha, method=method, df=df)
    few = (Reason.FEW_CLUSTERS,) if Reason.FEW_CLUSTERS in own else ()
    interval = Interval(made.lower, made.upper, alpha, method, few)
    return Estimate(diff, se, interval, unit, n, df, two_sided_p(diff / se, df), few)
