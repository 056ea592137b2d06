"""A mean over a suite, weighted to what traffic asks: post-stratification."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.stats.distributions import two_sided_interval
from llmops_lib.stats.inputs import Floats, Integers, group_codes, numbers, same_length
from llmops_lib.stats.ratios import MIN_USERS, ratio_of_sums
from llmops_lib.stats.results import Interval, Reason, no_interval
from llmops_lib.stats.survey import MIN_EFFECTIVE, effective_sample_size

_OWN_VARIANCE_FROM = 5


@dataclass(frozen=True, slots=True)
class PostStratified:
    """A mean over items, as they are and weighted to fresh traffic.

    Attributes:
        raw: Plain mean of the items; None without any.
        value: Mean weighted to the shares of the strata in traffic; None where no stratum has both.
        se: Its standard error: of items within strata, and of the shares, which are estimated too.
        interval: t interval; none below 30 items of equal weight or five users.
        uncovered_share: Share of fresh rows in strata without an item, which `value` says nothing about.
        effective_count: Items of equal weight that the weighted ones are worth (Kish).
    """

    raw: float | None
    value: float | None
    se: float | None
    interval: Interval
    uncovered_share: float | None
    effective_count: float


def post_stratified_mean(
    values: Any, strata: Any, fresh_strata: Any, fresh_units: Any, *, alpha: float = 0.05
) -> PostStratified:
    """The mean of items, each stratum weighing what it weighs among fresh rows.

    `sum W_h mean_h` over strata with items, `W_h` their share of fresh rows;
    `se^2 = sum W_h^2 s_h^2 / n_h + var(W)`, the latter by the delta method over units, since calls of one
    user are alike. Strata of fewer than five items take the variance pooled over all.

    Args:
        values: One value per item.
        strata: Stratum of each item.
        fresh_strata: Stratum of each fresh row.
        fresh_units: User of each fresh row.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a value is NaN, a label missing, or lengths differ.

    Source:
        Holt and Smith, JRSS A 142 (1979); Lohr, Sampling, section 4.4; Kish 1965.

    Example:
        >>> found = post_stratified_mean([1, 1, 0, 0], list("aabb"), list("aaabc"), list("uvwxy"))
        >>> found.raw, found.value, found.uncovered_share
        (0.5, 0.75, 0.2)
    """
    items, fresh_count = numbers(values, "values"), len(fresh_strata)
    codes, count = group_codes(np.array([*map(str, strata), *map(str, fresh_strata)], dtype=object), "strata")
    own, fresh = codes[: len(items)], codes[len(items) :]
    same_length(values=items, strata=own)
    sizes = np.bincount(own, minlength=count)
    is_covered = sizes[fresh] > 0 if fresh_count else np.empty(0, dtype=bool)
    raw = float(items.mean()) if len(items) else None
    uncovered = float((~is_covered).mean()) if fresh_count else None
    if not is_covered.any():
        nothing = no_interval(alpha, "post_stratified", Reason.N_TOO_SMALL)
        return PostStratified(raw, None, None, nothing, uncovered, 0.0)
    shares = np.bincount(fresh[is_covered], minlength=count) / is_covered.sum()
    means = np.bincount(own, items, count) / np.maximum(sizes, 1)
    value = float(shares @ means)
    units, unit_count = group_codes(np.asarray(fresh_units, dtype=object)[is_covered], "units")
    known = means[fresh[is_covered]]
    of_shares = ratio_of_sums(np.bincount(units, known, unit_count), np.bincount(units)).variance
    used = np.flatnonzero(shares)
    of_items = float((shares[used] ** 2 * _variances(items, own, means, sizes)[used] / sizes[used]).sum())
    se = math.sqrt(of_items + (of_shares or 0.0))
    effective = effective_sample_size((shares / np.maximum(sizes, 1))[own][shares[own] > 0])
    df = int(sizes[used].sum()) - len(used)
    if effective < MIN_EFFECTIVE or unit_count < MIN_USERS or df < 1:
        interval = no_interval(alpha, "post_stratified", Reason.N_TOO_SMALL)
    else:
        interval = two_sided_interval(value, se, alpha=alpha, method="post_stratified", df=df)
    return PostStratified(raw, value, se, interval, uncovered, effective)


def _variances(items: Floats, own: Integers, means: Floats, sizes: Integers) -> Floats:
    """Variance within each stratum, pooled where it has few items."""
    squares = np.bincount(own, (items - means[own]) ** 2, len(sizes))
    pooled = squares.sum() / max(len(items) - np.count_nonzero(sizes), 1)
    return np.where(sizes >= _OWN_VARIANCE_FROM, squares / np.maximum(sizes - 1, 1), pooled)
