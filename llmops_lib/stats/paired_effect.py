"""What a change does to calls drawn with known weights, each compared with itself."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.stats.clustered_cr2 import clustered_mean_cr2
from llmops_lib.stats.clustered_mean import MIN_CLUSTERS
from llmops_lib.stats.inputs import Floats, group_codes, numbers, same_length
from llmops_lib.stats.mcnemar import mcnemar
from llmops_lib.stats.paired_proportions import tango
from llmops_lib.stats.results import Interval, Reason, no_interval


@dataclass(frozen=True, slots=True)
class PairedEffect:
    """Candidate against baseline on the same calls.

    Attributes:
        effect: Mean difference, or the relative change of the geometric mean (0.1: ten percent more). None
            without calls.
        interval: Its interval; the method is in it.
        p_two_sided: Of there being none.
        mean_candidate: Mean of the candidate.
        mean_baseline: Mean of the baseline.
        n: Calls.
        n_units: Units of independence.
    """

    effect: float | None
    interval: Interval
    p_two_sided: float | None
    mean_candidate: float | None
    mean_baseline: float | None
    n: int
    n_units: int


def paired_effect(  # noqa: PLR0913 - two arms, how they were drawn, and what is asked
    candidate: Any, baseline: Any, weights: Any, units: Any, *, is_ratio: bool = False, alpha: float = 0.05
) -> PairedEffect:
    """Mean change over all calls that the drawn ones stand for, with an interval by unit.

    `d = a - b`, or `log(a / b)` of a ratio; `m = sum w d / sum w`; its error is that of the mean of
    `m + w (d - m) / mean w`, CR2 by unit. Yes and no with one call per unit: McNemar's exact test and
    Tango's interval, every call counted once; evenly drawn scores from 0 to 1: Tango's on as many passes as
    vary as much. Without any difference, Tango's interval of that many units for scores and [0, 0], flagged,
    for ratios; fewer than 5 units give no interval.

    Args:
        candidate: Value per call; above 0 for a ratio.
        baseline: The same of the baseline, calls in the same order.
        weights: How many calls each stands for.
        units: Unit of independence per call, such as its user.
        is_ratio: Whether values are compared as ratios.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a value is NaN, a label is missing, or lengths differ.

    Source:
        Hajek's mean, linearised (Sarndal, Swensson and Wretman 1992, section 5.5); CR2: Bell and McCaffrey,
        Survey Methodology 28 (2002); Tango, Statistics in Medicine 17 (1998).

    Example:
        >>> found = paired_effect([2.0, 4.0, 1.0, 3.0, 6.0], [1.0, 2.0, 1.0, 2.0, 3.0], [1] * 5, "abcde",
        ...                       is_ratio=True)
        >>> round(found.effect, 3), found.interval.lower < found.effect < found.interval.upper
        (0.644, True)
    """
    a, b, w = numbers(candidate, "candidate"), numbers(baseline, "baseline"), numbers(weights, "weights")
    codes, n_units = group_codes(list(units), "units")
    n = same_length(candidate=a, baseline=b, weights=w, units=codes)
    if not n:
        return PairedEffect(None, no_interval(alpha, "none", Reason.N_TOO_SMALL), None, None, None, 0, 0)
    is_counted = not is_ratio and n_units == n and bool(np.isin(np.r_[a, b], (0.0, 1.0)).all())
    w = np.ones_like(w) if is_counted else w
    gaps = np.log(a / b) if is_ratio else a - b
    mean = float(np.average(gaps, weights=w))
    p: float | None
    if is_counted:
        interval, p = _of_shares(a, b, alpha)
    elif np.ptp(gaps) == 0:
        interval, p = _of_constant(mean, n_units, alpha, is_ratio=is_ratio)
    else:
        # The weighted mean as a plain one: its error is that of the mean of these.
        is_bounded = not is_ratio and np.ptp(w) == 0 and ((a >= 0) & (a <= 1) & (b >= 0) & (b <= 1)).all()
        even = gaps if is_bounded else mean + w * (gaps - mean) / w.mean()
        found = clustered_mean_cr2(even, codes, scale="gaps" if is_bounded else "numbers", alpha=alpha)
        interval, p = found.interval, found.p_two_sided
    return PairedEffect(
        effect=math.expm1(mean) if is_ratio else mean,
        interval=_written(interval, is_ratio=is_ratio),
        p_two_sided=p,
        mean_candidate=float(np.average(a, weights=w)),
        mean_baseline=float(np.average(b, weights=w)),
        n=n,
        n_units=n_units,
    )


def _of_shares(a: Floats, b: Floats, alpha: float) -> tuple[Interval, float]:
    cells = {
        "both_pass": int(np.sum((a == 1) & (b == 1))),
        "regressions": int(np.sum(a < b)),
        "improvements": int(np.sum(a > b)),
        "both_fail": int(np.sum((a == 0) & (b == 0))),
    }
    return tango(**cells, alpha=alpha), mcnemar(**cells).p_two_sided


def _of_constant(mean: float, n_units: int, alpha: float, *, is_ratio: bool) -> tuple[Interval, float]:
    if mean:
        # All signs alike: the exact sign-flip test is all that is left.
        nothing = no_interval(alpha, "sign_flip_exact", Reason.ZERO_VARIANCE)
        return nothing, min(1.0, 2.0 ** (1 - n_units))
    if n_units < MIN_CLUSTERS:
        return no_interval(alpha, "none", Reason.TOO_FEW_CLUSTERS), 1.0
    if is_ratio:
        return Interval(0.0, 0.0, alpha, "none", (Reason.ZERO_VARIANCE,)), 1.0
    # That no unit changed bounds the share of units that may.
    most = tango(both_pass=n_units, regressions=0, improvements=0, both_fail=0, alpha=alpha)
    return Interval(most.lower, most.upper, alpha, "tango", (Reason.ZERO_VARIANCE,)), 1.0


def _written(interval: Interval, *, is_ratio: bool) -> Interval:
    if not is_ratio:
        return interval
    lower, upper = (None if one is None else math.expm1(one) for one in (interval.lower, interval.upper))
    return Interval(lower, upper, interval.alpha, interval.method, interval.reasons)
