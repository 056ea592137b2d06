"""Few users: the studentised permutation of users between arms."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from llmops_lib.stats.inputs import Floats, numbers, same_length
from llmops_lib.stats.results import Reason
from llmops_lib.stats.seeds import seeded_generator

N_RESAMPLES = 9_999
ENUMERATED_UP_TO = 20_000

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClusterPermutation:
    """Two-sided p value of a difference of ratios, by re-assigning users.

    Attributes:
        statistic: `(R_B - R_A) / sqrt(V_A + V_B)`; None where it is undefined.
        p_two_sided: Share of assignments with a statistic as far from zero; None with fewer than 2 users
            in an arm.
        n_assignments: Assignments looked at.
        method: `enumeration` or `seeded_permutation`.
        monte_carlo_se: Standard error of p from drawing; None where nothing is drawn.
        reasons: Why something is None.
    """

    statistic: float | None
    p_two_sided: float | None
    n_assignments: int
    method: str
    monte_carlo_se: float | None = None
    reasons: tuple[Reason, ...] = ()


def cluster_permutation(
    sums: Any, counts: Any, is_candidate: Any, *, user_ids: Sequence[object] | None = None
) -> ClusterPermutation:
    """Permutation test of a difference of ratios over users, arm sizes kept.

    The statistic is studentised, which keeps the test valid for unequal variances when users are many. All
    assignments where there are at most 20,000; else 9,999 seeded draws and `p = (1 + hits) / (1 + draws)`.
    With fewer than 50 users in an arm this holds its level where the t test does not.

    Args:
        sums: Sum of the metric per user, over both arms.
        counts: Calls per user.
        is_candidate: Whether the user is in the candidate's arm.
        user_ids: Ids that the seed follows from; positions where absent.

    Raises:
        EstimateError: If a value is NaN or lengths differ.

    Source:
        Janssen, Statistics and Probability Letters 36 (1997); Phipson and Smyth, SAGMB 9 (2010).

    Example:
        >>> test = cluster_permutation([1, 2, 1, 3, 9, 8, 7, 9], [2] * 8, [0, 0, 0, 0, 1, 1, 1, 1])
        >>> test.n_assignments, round(test.p_two_sided, 4)
        (70, 0.0286)
    """
    found, divided = numbers(sums, "sums"), numbers(counts, "counts")
    arm = numbers(is_candidate, "is_candidate") > 0
    n = same_length(sums=found, counts=divided, is_candidate=arm)
    ids = list(user_ids) if user_ids is not None else list(range(n))
    size = int(arm.sum())
    if min(size, n - size) < 2 or divided.sum() == 0:
        return ClusterPermutation(None, None, 0, "enumeration", reasons=(Reason.TOO_FEW_CLUSTERS,))
    moments = _moments(found, divided)
    observed = float(_statistics(moments[arm].sum(axis=0)[None, :], moments, size)[0])
    order = np.array(sorted(range(n), key=lambda index: str(ids[index])))
    every = math.comb(n, size)
    if every <= ENUMERATED_UP_TO:
        chosen = np.array(list(combinations(range(n), size)))
        drawn = _statistics(moments[chosen].sum(axis=1), moments, size)
        hits = int((np.abs(drawn) >= abs(observed) * (1 - 1e-9)).sum())
        return ClusterPermutation(observed, hits / every, every, "enumeration")
    drawn = _drawn(moments[order], size, [ids[index] for index in order])
    hits = int((np.abs(drawn) >= abs(observed) * (1 - 1e-9)).sum())
    p = (1 + hits) / (1 + N_RESAMPLES)
    error = math.sqrt(p * (1 - p) / N_RESAMPLES)
    return ClusterPermutation(observed, p, N_RESAMPLES, "seeded_permutation", error)


def _moments(sums: Floats, counts: Floats) -> Matrix:
    """Per user what sums and variances of any arm are made of; centred, so that nothing cancels."""
    centred = sums - counts * (sums.sum() / counts.sum())
    scale = float(np.abs(centred).max()) or 1.0
    centred, counted = centred / scale, counts / float(counts.max())
    return np.stack([centred, counted, centred**2, centred * counted, counted**2], axis=1)


def _statistics(of_candidate: Matrix, moments: Matrix, size: int) -> Floats:
    """The studentised difference for each assignment, from the summed moments of its candidate arm."""
    r_b, v_b = _ratio_and_variance(of_candidate, size)
    r_a, v_a = _ratio_and_variance(moments.sum(axis=0) - of_candidate, len(moments) - size)
    gap, scale = r_b - r_a, np.sqrt(np.maximum(v_a + v_b, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        made = gap / scale
    return np.where(np.abs(gap) < 1e-13, 0.0, made)


def _ratio_and_variance(sums: Matrix, size: int) -> tuple[Floats, Floats]:
    """Ratio and delta-method variance of an arm, one per assignment."""
    total, counted, squares, products, count_squares = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = total / counted
        spread = squares - 2 * ratio * products + ratio**2 * count_squares
        return ratio, spread / (size - 1) * size / counted**2


def _drawn(moments: Matrix, size: int, ids: list[object]) -> Floats:
    """Statistics of seeded assignments; one draw at a time, since the other arm may hold a million users."""
    generator = seeded_generator("cluster_permutation/1", ids)
    smaller = min(size, len(moments) - size)
    sums = np.empty((N_RESAMPLES, moments.shape[1]))
    for draw in range(N_RESAMPLES):
        sums[draw] = moments[generator.choice(len(moments), smaller, replace=False, shuffle=False)].sum(
            axis=0
        )
    of_candidate = sums if smaller == size else moments.sum(axis=0) - sums
    return _statistics(of_candidate, moments, size)
