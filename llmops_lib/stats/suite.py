"""The difference on these very items, with the noise of their trials only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, Integers, counts, numbers, same_length
from llmops_lib.stats.paired import paired_difference
from llmops_lib.stats.results import Reason


@dataclass(frozen=True, slots=True)
class ArmTrials:
    """Trials of one arm, summed up per item; build it with `from_counts` or `from_scores`.

    Attributes:
        means: Mean score per item; 0 where it has no trials.
        variances: Sample variance (ddof=1) per item; 0 below two trials.
        trials: Number of trials per item.
    """

    means: Floats
    variances: Floats
    trials: Integers

    @classmethod
    def from_counts(cls, passes: Any, trials: Any) -> "ArmTrials":
        """From passes and trials per item; the variance is `K / (K - 1) p (1 - p)`.

        Example:
            >>> ArmTrials.from_counts([1, 2], [2, 2]).variances.tolist()
            [0.5, 0.0]
        """
        found, made = counts(passes, "passes"), counts(trials, "trials")
        same_length(passes=found, trials=made)
        if (found > made).any():
            msg = f"passes exceed trials on {int((found > made).sum())} items; expected no more"
            raise EstimateError(msg)
        means = found / np.maximum(made, 1)
        factor = np.where(made > 1, made / np.maximum(made - 1, 1), 0.0)
        return cls(means, factor * means * (1 - means), made)

    @classmethod
    def from_scores(cls, scores: Sequence[Any]) -> "ArmTrials":
        """From the scores of the trials of each item; an item without trials is missing.

        Example:
            >>> ArmTrials.from_scores([[0.5, 1.0], []]).trials.tolist()
            [2, 0]
        """
        found = [numbers(item, "scores") for item in scores]
        means = [float(item.mean()) if len(item) else 0.0 for item in found]
        variances = [float(item.var(ddof=1)) if len(item) > 1 else 0.0 for item in found]
        return cls(
            np.array(means), np.array(variances), np.array([len(item) for item in found], dtype=np.int64)
        )


@dataclass(frozen=True, slots=True)
class SuiteDifference:
    """Candidate minus baseline over items with trials in both arms.

    Attributes:
        diff: Mean over items of the difference of means; None without items.
        se: Standard error of `diff`; None where it cannot be had.
        se_kind: `suite` (within-item variance) or `paired_t` (an item has a single trial).
        df: n - 1 for `paired_t`, None for `suite`.
        n_items: Items used.
        n_missing_candidate: Items without trials of the candidate only.
        n_missing_baseline: Items without trials of the baseline only.
        reasons: Why something is None, or a warning.
    """

    diff: float | None
    se: float | None
    se_kind: str
    df: int | None
    n_items: int
    n_missing_candidate: int
    n_missing_baseline: int
    reasons: tuple[Reason, ...] = ()


def suite_difference(candidate: ArmTrials, baseline: ArmTrials) -> SuiteDifference:
    """Mean difference on a suite, with the standard error from the trials within items.

    `SE = sqrt(sum_i (vA_i / K_Ai + vB_i / K_Bi)) / n`. The items are the population: the answer is about
    them and not about traffic. Where an item has a single trial the noise of trials cannot be told from
    the difference of items, and the (larger) paired t standard error is taken.

    Args:
        candidate: Trials of the candidate.
        baseline: Trials of the baseline, items in the same order.

    Raises:
        EstimateError: If the numbers of items differ.

    Source:
        Miller, Adding Error Bars to Evals (arXiv:2411.00640), conditional variance.

    Example:
        >>> arm = ArmTrials.from_counts([4, 2], [4, 4])
        >>> found = suite_difference(arm, ArmTrials.from_counts([4, 3], [4, 4]))
        >>> found.diff, round(found.se, 4), found.se_kind
        (-0.125, 0.1909, 'suite')
    """
    same_length(candidate=candidate.trials, baseline=baseline.trials)
    has_a, has_b = candidate.trials > 0, baseline.trials > 0
    used = has_a & has_b
    n = int(used.sum())
    missing = int((has_b & ~has_a).sum()), int((has_a & ~has_b).sum())
    told: tuple[Reason, ...] = (Reason.ONE_SIDED_MISSING,) if any(missing) else ()
    a, b = candidate.means[used], baseline.means[used]
    k_a, k_b = candidate.trials[used], baseline.trials[used]
    if n == 0:
        return SuiteDifference(None, None, "suite", None, 0, *missing, (Reason.N_TOO_SMALL, *told))
    if min(int(k_a.min()), int(k_b.min())) == 1:
        pair = paired_difference(a, b)
        reasons = (Reason.SINGLE_TRIAL, *pair.reasons, *told)
        return SuiteDifference(pair.diff, pair.se, "paired_t", pair.df, n, *missing, reasons)
    total = float((candidate.variances[used] / k_a + baseline.variances[used] / k_b).sum())
    told = ((Reason.ZERO_VARIANCE,) if total == 0 else ()) + told
    diff = math.fsum(a - b) / n
    return SuiteDifference(diff, math.sqrt(total) / n, "suite", None, n, *missing, told)
