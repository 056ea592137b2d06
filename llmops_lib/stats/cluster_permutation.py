"""Few users: the studentised permutation of users between arms."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from llmops_lib.stats.inputs import Floats, between_zero_and_one, numbers, same_length
from llmops_lib.stats.results import Interval, Reason, no_interval
from llmops_lib.stats.seeds import seeded_generator

N_RESAMPLES = 9_999
ENUMERATED_UP_TO = 20_000

_DOUBLINGS, _HALVINGS = 12, 30
"""How far out an interval looks for its end, in doublings of a standard error, and how closely."""

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
    found, divided, arm, ids = _users(sums, counts, is_candidate, user_ids)
    n, size = len(arm), int(arm.sum())
    if min(size, n - size) < 2 or divided.sum() == 0:
        return ClusterPermutation(None, None, 0, "enumeration", reasons=(Reason.TOO_FEW_CLUSTERS,))
    moments, _ = _moments(found, divided)
    observed = float(_statistics(moments[arm].sum(axis=0)[None, :], moments.sum(axis=0), (n, size))[0])
    sums, method = _assigned(moments, size, ids)
    drawn = _statistics(sums, moments.sum(axis=0), (n, size))
    p, error = _share_as_far(drawn, observed, method)
    return ClusterPermutation(observed, p, len(drawn), method, error)


def permutation_interval(
    sums: Any, counts: Any, is_candidate: Any, *, user_ids: Sequence[object] | None = None
) -> Callable[[float], Interval]:
    """The interval of a difference of ratios that the permutation test does not reject, at any alpha.

    An effect d is taken back from the candidate's users, `S - d N`, and users are re-assigned: the interval
    holds the d whose p value is above alpha. The assignments are those of `cluster_permutation`, so that both
    say the same of no effect; unlike a t interval it keeps its level with few users. A side is missing where
    no effect is far enough to be rejected.

    Args:
        sums: Sum of the metric per user, over both arms.
        counts: Calls per user.
        is_candidate: Whether the user is in the candidate's arm.
        user_ids: Ids that the seed follows from; positions where absent.

    Returns:
        The interval at an alpha.

    Raises:
        EstimateError: If a value is NaN or lengths differ.

    Source:
        Pitman, JRSS Supplement 4 (1937), for the inversion; Janssen 1997 and Phipson and Smyth 2010 for the
        test.

    Example:
        >>> at = permutation_interval([1, 2, 1, 3, 9, 8, 7, 9], [2] * 8, [0, 0, 0, 0, 1, 1, 1, 1])
        >>> found = at(0.05)
        >>> round(found.lower, 2), round(found.upper, 2)
        (2.0, 4.0)
    """
    found, divided, arm, ids = _users(sums, counts, is_candidate, user_ids)
    n, size = len(arm), int(arm.sum())
    if min(size, n - size) < 2 or min(divided[arm].sum(), divided[~arm].sum()) == 0:
        return lambda alpha: no_interval(alpha, "cluster_permutation", Reason.TOO_FEW_CLUSTERS)
    moments, unit = _moments(found, divided)
    of_candidate = np.where(arm[:, None], moments, 0.0)
    drawn, method = _assigned(np.hstack([moments, of_candidate]), size, ids)
    own, total = of_candidate.sum(axis=0), moments.sum(axis=0)
    gap = own[0] / own[1] - (total - own)[0] / (total - own)[1]
    first = (
        _ratio_and_variance(own[None, :], size)[1],
        _ratio_and_variance((total - own)[None, :], n - size)[1],
    )
    step = math.sqrt(float(first[0][0] + first[1][0]))

    def p_value(effect: float) -> float:
        whole = _shifted(total, own, effect)
        observed = float(_statistics(_shifted(own, own, effect)[None, :], whole, (n, size))[0])
        return _share_as_far(
            _statistics(_shifted(drawn[:, :5], drawn[:, 5:], effect), whole, (n, size)), observed, method
        )[0]

    def at(alpha: float) -> Interval:
        between_zero_and_one(alpha, "alpha")
        if step == 0:
            return no_interval(alpha, "cluster_permutation", Reason.ZERO_VARIANCE)
        ends = [_end(p_value, gap, side * step, alpha) for side in (-1, 1)]
        lower, upper = (None if end is None else float(end * unit) for end in ends)
        missing = (Reason.UNBOUNDED,) if None in ends else ()
        return Interval(lower, upper, alpha, "cluster_permutation", missing)

    return at


def _users(
    sums: Any, counts: Any, is_candidate: Any, user_ids: Sequence[object] | None
) -> tuple[Floats, Floats, npt.NDArray[np.bool_], list[object]]:
    """Sum, calls, arm and id of each user."""
    found, divided = numbers(sums, "sums"), numbers(counts, "counts")
    arm = numbers(is_candidate, "is_candidate") > 0
    n = same_length(sums=found, counts=divided, is_candidate=arm)
    return found, divided, arm, list(range(n) if user_ids is None else user_ids)


def _end(p_value: Callable[[float], float], gap: float, step: float, alpha: float) -> float | None:
    """Where the p value falls to alpha, going out from the estimate; None where it never does."""
    inside, outside = gap, gap + step
    for _ in range(_DOUBLINGS):
        if p_value(outside) <= alpha:
            break
        inside, outside = outside, gap + 2 * (outside - gap)
    else:
        return None
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_value(middle) > alpha else (inside, middle)
    return outside


def _shifted(sums: Matrix, of_candidate: Matrix, effect: float) -> Matrix:
    """Summed moments once an effect is taken back from those of the candidate's users: `S - d N` for S."""
    made = sums.copy()
    made[..., 0] -= effect * of_candidate[..., 1]
    made[..., 2] += effect**2 * of_candidate[..., 4] - 2 * effect * of_candidate[..., 3]
    made[..., 3] -= effect * of_candidate[..., 4]
    return made


def _share_as_far(drawn: Floats, observed: float, method: str) -> tuple[float, float | None]:
    """The p value, and its Monte-Carlo error where assignments were drawn."""
    hits = int((np.abs(drawn) >= abs(observed) * (1 - 1e-9)).sum())
    if method == "enumeration":
        return hits / len(drawn), None
    p = (1 + hits) / (1 + N_RESAMPLES)
    return p, math.sqrt(p * (1 - p) / N_RESAMPLES)


def _assigned(moments: Matrix, size: int, ids: Sequence[object]) -> tuple[Matrix, str]:
    """Summed moments of the candidate arm, for all assignments or for seeded ones."""
    n = len(moments)
    if math.comb(n, size) <= ENUMERATED_UP_TO:
        chosen = np.array(list(combinations(range(n), size)))
        return moments[chosen].sum(axis=1), "enumeration"
    order = sorted(range(n), key=lambda index: str(ids[index]))
    return _drawn(moments[np.array(order)], size, [ids[index] for index in order]), "seeded_permutation"


def _moments(sums: Floats, counts: Floats) -> tuple[Matrix, float]:
    """Per user what sums and variances of any arm are made of, and the unit in which ratios then are.

    Sums are centred, so that nothing cancels.
    """
    centred = sums - counts * (sums.sum() / counts.sum())
    scale, most = float(np.abs(centred).max()) or 1.0, float(counts.max())
    centred, counted = centred / scale, counts / most
    made = np.stack([centred, counted, centred**2, centred * counted, counted**2], axis=1)
    return made, scale / most


def _statistics(of_candidate: Matrix, total: Matrix, sizes: tuple[int, int]) -> Floats:
    """The studentised difference for each assignment, from the summed moments of its candidate arm."""
    n, size = sizes
    r_b, v_b = _ratio_and_variance(of_candidate, size)
    r_a, v_a = _ratio_and_variance(total - of_candidate, n - size)
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


def _drawn(moments: Matrix, size: int, ids: list[object]) -> Matrix:
    """Sums of seeded assignments; one draw at a time, since the other arm may hold a million users."""
    generator = seeded_generator("cluster_permutation/1", ids)
    smaller = min(size, len(moments) - size)
    sums = np.empty((N_RESAMPLES, moments.shape[1]))
    for draw in range(N_RESAMPLES):
        sums[draw] = moments[generator.choice(len(moments), smaller, replace=False, shuffle=False)].sum(
            axis=0
        )
    return sums if smaller == size else moments.sum(axis=0) - sums
