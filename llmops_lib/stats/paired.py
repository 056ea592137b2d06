"""Is the candidate different on items like these? The paired difference, items being a sample."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from llmops_lib.stats.clustered_mean import ClusteredMean, clustered_mean
from llmops_lib.stats.distributions import t_cdf, two_sided_interval, two_sided_p
from llmops_lib.stats.inputs import Floats, numbers, same_length
from llmops_lib.stats.results import Interval, Reason, no_interval

_METHOD = "paired_t"


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Candidate minus baseline over items that both have, in the unit of the scores.

    Attributes:
        diff: Mean difference; negative is worse where higher is better. None without items.
        n: Items.
        interval: Paired t interval.
        mean_candidate: Mean of the candidate.
        mean_baseline: Mean of the baseline.
        se: Standard error of `diff`.
        t: Student's statistic; None where the standard error is zero.
        df: n - 1.
        p_two_sided: Two-sided p value.
        p_drop: One-sided p value of a drop.
        se_unpaired: What the standard error would be without pairing.
        correlation: Pearson's, of the two arms over items.
        clustered: The same difference clustered by group; None where no groups were given.
        reasons: Why something is None.
    """

    diff: float | None
    n: int
    interval: Interval
    mean_candidate: float | None = None
    mean_baseline: float | None = None
    se: float | None = None
    t: float | None = None
    df: int | None = None
    p_two_sided: float | None = None
    p_drop: float | None = None
    se_unpaired: float | None = None
    correlation: float | None = None
    clustered: ClusteredMean | None = None
    reasons: tuple[Reason, ...] = ()


def paired_difference(
    candidate: Any, baseline: Any, *, clusters: Any = None, alpha: float = 0.05
) -> PairedDifference:
    """Mean paired difference with a t interval, and the clustered one where items come in groups.

    `d_i = A_i - B_i`, `se = sd(d, ddof=1) / sqrt(n)`, t with n - 1 degrees of freedom; by group CR1 and
    t with G - 1. Assumes items (or groups) to be a random sample of those that matter. All differences
    zero: p = 1 and the interval [0, 0], flagged; all equal and not zero: no interval, use the exact test.

    Args:
        candidate: Score per item, a mean over trials where there are several.
        baseline: The same for the baseline, items in the same order.
        clusters: Group per item, such as the document that it asks about.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a score is NaN or lengths differ: pair on the item first, and count what is missing.

    Source:
        Student, Biometrika 6 (1908); Miller, Adding Error Bars to Evals (arXiv:2411.00640).

    Example:
        >>> answer = paired_difference([0.4, 0.9, 0.5, 0.7], [0.5, 1.0, 0.5, 0.9])
        >>> round(answer.diff, 3), round(answer.se, 4), round(answer.p_two_sided, 3)
        (-0.1, 0.0408, 0.092)
    """
    a, b = numbers(candidate, "candidate scores"), numbers(baseline, "baseline scores")
    n = same_length(candidate=a, baseline=b)
    if n < 2:
        nothing = no_interval(alpha, _METHOD, Reason.N_TOO_SMALL)
        return PairedDifference(float((a - b)[0]) if n else None, n, nothing, reasons=nothing.reasons)
    gaps = a - b
    diff, constant = math.fsum(gaps) / n, bool(np.ptp(gaps) == 0)
    se = 0.0 if constant else float(gaps.std(ddof=1)) / math.sqrt(n)
    t = diff / se if se else None
    interval = _interval(diff, se, n, alpha)
    return PairedDifference(
        diff=diff,
        n=n,
        interval=interval,
        mean_candidate=math.fsum(a) / n,
        mean_baseline=math.fsum(b) / n,
        se=se,
        t=t,
        df=n - 1,
        p_two_sided=two_sided_p(t, n - 1) if t is not None else _p_of_constant(diff),
        p_drop=t_cdf(t, n - 1) if t is not None else _p_of_constant(diff),
        se_unpaired=math.sqrt((float(a.var(ddof=1)) + float(b.var(ddof=1))) / n),
        correlation=_correlation(a, b),
        clustered=None if clusters is None else _clustered(gaps, clusters, alpha),
        reasons=interval.reasons,
    )


def _interval(diff: float, se: float, n: int, alpha: float) -> Interval:
    """The t interval, or what is left of it where the differences do not vary."""
    if se:
        return two_sided_interval(diff, se, alpha=alpha, method=_METHOD, df=n - 1)
    zero = None if diff else 0.0
    return Interval(zero, zero, alpha, _METHOD, (Reason.ZERO_VARIANCE,))


def _p_of_constant(diff: float) -> float | None:
    """1 where nothing differs at all; unknown where everything differs by the same."""
    return None if diff else 1.0


def _correlation(a: Floats, b: Floats) -> float | None:
    """Pearson's correlation; None where an arm does not vary."""
    first, second = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / scale if np.ptp(a) > 0 and np.ptp(b) > 0 and scale > 0 else None


def _clustered(gaps: Floats, clusters: Any, alpha: float) -> ClusteredMean:
    """The clustered mean of differences, with [0, 0] and p = 1 where there is no difference at all."""
    found = clustered_mean(gaps, clusters, alpha=alpha)
    if found.se_cr1 != 0 or found.mean != 0 or Reason.ZERO_VARIANCE not in found.reasons:
        return found
    zero = Interval(0.0, 0.0, alpha, found.interval.method, found.reasons)
    return replace(found, interval=zero, p_two_sided=1.0)
