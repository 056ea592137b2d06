"""Does a judge agree with itself? Repeats of the same item: ICC(1) and flip rate."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.stats.clustered_mean import clustered_mean
from llmops_lib.stats.distributions import two_sided_interval
from llmops_lib.stats.inputs import between_zero_and_one, group_codes, numbers, same_length
from llmops_lib.stats.results import Estimate, Interval, Reason, no_interval


@dataclass(frozen=True, slots=True)
class IntraclassCorrelation:
    """Share of the variance that lies between items.

    Attributes:
        value: ICC(1); None where it is undefined.
        interval: From the F distribution; `approximate` where items have unequal repeats.
        n_items: Items.
        repeats: Mean number of repeats, as the estimator weighs them.
        reasons: Why something is None.
    """

    value: float | None
    interval: Interval
    n_items: int
    repeats: float
    reasons: tuple[Reason, ...] = ()


def intraclass_correlation(scores: Any, items: Any, *, alpha: float = 0.05) -> IntraclassCorrelation:
    """ICC(1) of repeated scores of items: 1 where repeats never differ, 0 where items do not.

    `(MSB - MSW) / (MSB + (k - 1) MSW)`, k the mean number of repeats corrected for inequality; limits from
    `F = MSB / MSW`. Assumes repeats to be exchangeable and about normal for the interval.

    Args:
        scores: One score per repeat.
        items: Item of each.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a score is NaN, a label missing, or lengths differ.

    Source:
        Shrout and Fleiss, Psychological Bulletin 86 (1979).

    Example:
        >>> found = intraclass_correlation([1, 1, 3, 3, 5, 4], list("aabbcc"))
        >>> round(found.value, 3)
        0.947
    """
    from scipy.special import fdtri

    between_zero_and_one(alpha, "alpha")
    found = numbers(scores, "scores")
    codes, groups = group_codes(items, "items")
    n = same_length(scores=found, items=codes)
    sizes = np.bincount(codes, minlength=groups)
    repeats = (n - float(sizes @ sizes) / n) / (groups - 1) if groups > 1 else float(n)
    value = clustered_mean(found, codes).icc if groups > 1 else None
    if value is None:
        reason = Reason.N_TOO_SMALL if n <= groups or groups < 2 else Reason.ZERO_VARIANCE
        return IntraclassCorrelation(None, no_interval(alpha, "icc_f", reason), groups, repeats, (reason,))
    if value == 1:
        interval = no_interval(alpha, "icc_f", Reason.ZERO_VARIANCE)
        return IntraclassCorrelation(value, interval, groups, repeats, interval.reasons)
    ratio = (1 + (repeats - 1) * value) / (1 - value)
    df = (groups - 1, n - groups)
    low = ratio / float(fdtri(*df, 1 - alpha / 2))
    high = ratio * float(fdtri(df[1], df[0], 1 - alpha / 2))
    lower, upper = ((end - 1) / (end + repeats - 1) for end in (low, high))
    uneven = (Reason.APPROXIMATE,) if sizes.min() < sizes.max() else ()
    return IntraclassCorrelation(value, Interval(lower, upper, alpha, "icc_f", uneven), groups, repeats)


def flip_rate(labels: Any, items: Any, *, alpha: float = 0.05) -> Estimate:
    """Chance that two repeats of an item get different labels, over items.

    Mean over items of `1 - sum_k C(c_k, 2) / C(K, 2)`, with a t interval over items, cut to 0 and 1. Items
    with a single repeat say nothing and are left out; `n_units` counts the others.

    Args:
        labels: One label per repeat.
        items: Item of each.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a label is missing or lengths differ.

    Source:
        Gini, Variabilita e mutabilita (1912); Simpson, Nature 163 (1949).

    Example:
        >>> flip_rate(["yes", "yes", "no", "yes"], ["a", "a", "b", "b"]).value
        0.5
    """
    between_zero_and_one(alpha, "alpha")
    labelled, kinds = group_codes(labels, "labels")
    codes, groups = group_codes(items, "items")
    same_length(labels=labelled, items=codes)
    counts = np.bincount(codes * max(kinds, 1) + labelled, minlength=groups * kinds).reshape(groups, -1)
    sizes = counts.sum(axis=1)
    counts, sizes = counts[sizes > 1], sizes[sizes > 1]
    n = len(sizes)
    if not n:
        nothing = no_interval(alpha, "items_t", Reason.N_TOO_SMALL)
        return Estimate(None, None, nothing, "item", 0, reasons=nothing.reasons)
    flips = 1 - (counts * (counts - 1)).sum(axis=1) / (sizes * (sizes - 1))
    value, se = float(flips.mean()), float(flips.std(ddof=1)) / math.sqrt(n) if n > 1 else None
    if not se:
        reason = Reason.N_TOO_SMALL if se is None else Reason.ZERO_VARIANCE
        return Estimate(value, se, no_interval(alpha, "items_t", reason), "item", n, reasons=(reason,))
    made = two_sided_interval(value, se, alpha=alpha, method="items_t", df=n - 1)
    lower, upper = (min(1.0, max(0.0, end or 0.0)) for end in (made.lower, made.upper))
    return Estimate(value, se, Interval(lower, upper, alpha, "items_t"), "item", n, df=n - 1)
