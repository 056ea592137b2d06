"""Chance that all of k trials pass, and that at least one does, from more trials than k."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import two_sided_interval
from llmops_lib.stats.inputs import Floats, counts, same_length
from llmops_lib.stats.results import Interval, Reason, no_interval


@dataclass(frozen=True, slots=True)
class PassK:
    """Mean over items of an unbiased estimator of passing k trials.

    Attributes:
        value: Between 0 and 1; None where an item has fewer than k trials.
        se: Standard deviation over items divided by the root of their number.
        interval: t interval over items, cut to 0 and 1.
        per_item: The estimator of each item, for paired comparisons; empty where `value` is None.
        k: Trials asked about.
        n_items: Items.
        reasons: Why something is None.
    """

    value: float | None
    se: float | None
    interval: Interval
    per_item: tuple[float, ...]
    k: int
    n_items: int
    reasons: tuple[Reason, ...] = ()


def pass_hat_k(passes: Any, trials: Any, k: int, *, alpha: float = 0.05) -> PassK:
    """pass^k: the chance that k trials of an item all pass.

    `mean_i C(c_i, k) / C(K_i, k)`. An item with fewer than k trials makes it None: leaving it out
    would be another question. Compare two arms by a paired t test on `per_item`.

    Args:
        passes: Passes per item.
        trials: Trials per item.
        k: Number of trials that must all pass.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a count is no whole number, passes exceed trials, or k is below 1.

    Source:
        Yao et al., tau-bench (arXiv:2406.12045).

    Example:
        >>> pass_hat_k([4, 2], [4, 4], 2).value
        0.5833333333333334
    """
    return _mean(passes, trials, k, lambda c, n: math.comb(c, k) / math.comb(n, k), alpha)


def pass_at_k(passes: Any, trials: Any, k: int, *, alpha: float = 0.05) -> PassK:
    """pass@k: the chance that at least one of k trials of an item passes.

    `mean_i 1 - C(K_i - c_i, k) / C(K_i, k)`.

    Args:
        passes: Passes per item.
        trials: Trials per item.
        k: Number of trials of which one must pass.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a count is no whole number, passes exceed trials, or k is below 1.

    Source:
        Chen et al., Evaluating Large Language Models Trained on Code (arXiv:2107.03374).

    Example:
        >>> round(pass_at_k([13], [200], 10).value, 4)
        0.4976
    """
    return _mean(passes, trials, k, lambda c, n: 1 - math.comb(n - c, k) / math.comb(n, k), alpha)


def _mean(passes: Any, trials: Any, k: int, estimator: Callable[[int, int], float], alpha: float) -> PassK:
    """Mean of a per-item estimator; exact integers, and few distinct pairs, make a loop the right thing."""
    found, made = counts(passes, "passes"), counts(trials, "trials")
    n = same_length(passes=found, trials=made)
    if k < 1 or k != int(k):
        msg = f"k is {k}; expected 1 or more whole trials"
        raise EstimateError(msg)
    if (found > made).any():
        msg = (
            f"passes exceed trials on {int((found > made).sum())} items; expected no more passes than trials"
        )
        raise EstimateError(msg)
    if n == 0 or int(made.min()) < k:
        nothing = no_interval(alpha, "items_t", Reason.N_TOO_SMALL)
        return PassK(None, None, nothing, (), k, n, nothing.reasons)
    pairs = np.stack([found, made], axis=1)
    distinct, where = np.unique(pairs, axis=0, return_inverse=True)
    values = np.array([estimator(int(c), int(m)) for c, m in distinct])[where.reshape(-1)]
    se, interval = _spread(values, alpha)
    return PassK(float(values.mean()), se, interval, tuple(values.tolist()), k, n, interval.reasons)


def _spread(values: Floats, alpha: float) -> tuple[float | None, Interval]:
    """Standard error over items, and the t interval where there is one."""
    n = len(values)
    if n < 2:
        return None, no_interval(alpha, "items_t", Reason.N_TOO_SMALL)
    se = float(values.std(ddof=1)) / math.sqrt(n)
    if se == 0:
        return 0.0, no_interval(alpha, "items_t", Reason.ZERO_VARIANCE)
    made = two_sided_interval(float(values.mean()), se, alpha=alpha, method="items_t", df=n - 1)
    return se, Interval(max(0.0, made.lower or 0.0), min(1.0, made.upper or 0.0), alpha, "items_t")
