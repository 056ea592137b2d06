"""Did a change lower a numeric score on these very items? Permutation of trials within items."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from llmops_lib.stats.distributions import normal_cdf
from llmops_lib.stats.inputs import Floats, numbers, same_length
from llmops_lib.stats.results import Reason
from llmops_lib.stats.seeds import seeded_generator

_HALF = 1 << 18
"""Arrangements that one half of the items may have for the test to be enumerated."""

N_RESAMPLES = 20_000
_SEEDED_UP_TO = 200
_BATCH = 500
_LISTED = 5_000_000
"""Arrangements of items of one shape that may be listed."""


@dataclass(frozen=True, slots=True)
class ScorePermutation:
    """p values of the sum over items of the mean score of the candidate minus the baseline.

    Attributes:
        total_diff: Sum over items of candidate mean minus baseline mean: the statistic.
        p_drop: P(as low or lower) under no change.
        p_gain: P(as high or higher).
        p_two_sided: Twice the smaller, at most 1.
        n_items: Items with trials in both arms.
        n_items_dropped: Items without trials in one arm.
        method: `enumeration`, `seeded_permutation` or `normal`.
        n_resamples: Draws, where the method draws.
        monte_carlo_se: Standard error of `p_drop` from drawing; None where nothing is drawn.
        reasons: Why something is None or trivial.
    """

    total_diff: float
    p_drop: float
    p_gain: float
    p_two_sided: float
    n_items: int
    n_items_dropped: int
    method: str
    n_resamples: int | None = None
    monte_carlo_se: float | None = None
    reasons: tuple[Reason, ...] = ()


def within_item_scores(
    candidate: Sequence[Any], baseline: Sequence[Any], *, item_ids: Sequence[object] | None = None
) -> ScorePermutation:
    """Permutation test of numeric scores over trials within items.

    `D = sum_i (mean A_i - mean B_i)`; under no change the pooled trials of an item are exchangeable. All
    arrangements are counted where each half of the items has at most 2^18; else 20,000 seeded
    permutations up to 200 items; else `Phi(D / sqrt V)` with
    `V = sum_i s_i^2 (1/K_A + 1/K_B)`, s_i^2 the variance (ddof=1) of the pooled trials.
    One trial a side is the sign-flip test.

    Args:
        candidate: Scores of the trials of each item; empty where the item is missing.
        baseline: The same for the baseline, items in the same order.
        item_ids: Ids that the seed follows from; positions where absent.

    Raises:
        EstimateError: If a score is NaN or the numbers of items differ.

    Source:
        Pitman, JRSS Supplement 4 (1937); counting by two halves is Horowitz and Sahni, JACM 21 (1974);
        p with one added to hits and draws is Phipson and Smyth, SAGMB 9 (2010).

    Example:
        >>> test = within_item_scores([[0.2], [0.1], [0.4]], [[0.5], [0.4], [0.9]])
        >>> test.p_drop, test.method
        (0.125, 'enumeration')
    """
    ids = list(item_ids) if item_ids is not None else list(range(len(candidate)))
    same_length(
        candidate=np.empty(len(candidate)), baseline=np.empty(len(baseline)), item_ids=np.empty(len(ids))
    )
    order = sorted(range(len(ids)), key=lambda index: str(ids[index]))
    pairs = [
        (numbers(candidate[i], "candidate scores"), numbers(baseline[i], "baseline scores")) for i in order
    ]
    used = [(a, b) for a, b in pairs if len(a) and len(b)]
    observed = math.fsum(float(a.mean() - b.mean()) for a, b in used)
    kept = [ids[index] for index in order]
    if _is_upside_down(used, observed):
        gain, drop, method, draws = _tails([(b, a) for a, b in used], -observed, kept)
    else:
        drop, gain, method, draws = _tails(used, observed, kept)
    return ScorePermutation(
        total_diff=observed,
        p_drop=drop,
        p_gain=gain,
        p_two_sided=min(1.0, 2 * min(drop, gain)),
        n_items=len(used),
        n_items_dropped=len(pairs) - len(used),
        method=method,
        n_resamples=draws,
        monte_carlo_se=math.sqrt(drop * (1 - drop) / draws) if draws else None,
        reasons=() if used else (Reason.N_TOO_SMALL,),
    )


def sign_flip(differences: Any, *, item_ids: Sequence[object] | None = None) -> ScorePermutation:
    """The within-item test for one trial a side: each difference is as likely as its negative.

    Args:
        differences: Candidate minus baseline per item.
        item_ids: Ids that the seed follows from; positions where absent.

    Raises:
        EstimateError: If a difference is NaN.

    Source:
        As `within_item_scores`.

    Example:
        >>> sign_flip([-1.0, -2.0, -3.0]).p_drop, sign_flip([0.0, 0.0]).p_drop
        (0.125, 1.0)
    """
    found = numbers(differences, "differences")
    return within_item_scores([[d] for d in found], [[0.0]] * len(found), item_ids=item_ids)


def _is_upside_down(used: list[tuple[Floats, Floats]], observed: float) -> bool:
    """Whether the arms trade places for the draws, so that either order of them draws the same."""
    return observed > 0 or (not observed and [(*a, *b) for a, b in used] > [(*b, *a) for a, b in used])


def _tails(
    used: list[tuple[Floats, Floats]], observed: float, ids: list[object]
) -> tuple[float, float, str, int | None]:
    """Tail shares of both sides, how they were had, and the number of draws."""
    varied = [(a, b) for a, b in used if np.ptp(np.concatenate([a, b])) > 0]
    if not varied:
        return 1.0, 1.0, "enumeration", None
    halves = _halves(varied)
    if halves is not None:
        return *_counted(halves, observed, _tolerance(varied)), "enumeration", None
    if len(used) <= _SEEDED_UP_TO:
        return *_drawn(varied, observed, ids), "seeded_permutation", N_RESAMPLES
    pooled = [(np.concatenate([a, b]), 1 / len(a) + 1 / len(b)) for a, b in varied]
    variance = math.fsum(float(scores.var(ddof=1)) * weight for scores, weight in pooled)
    z = observed / math.sqrt(variance)
    return normal_cdf(z), normal_cdf(-z), "normal", None


def _tolerance(items: list[tuple[Floats, Floats]]) -> float:
    """Sums that differ by less than this are ties; rounding must not break them."""
    return 1e-11 * math.fsum(float(np.ptp(np.concatenate(item))) for item in items)


def _arrangements(a: Floats, b: Floats) -> Floats:
    """The difference of means for every way to choose the candidate's trials of one item."""
    pooled = np.concatenate([a, b])
    chosen = np.array(list(combinations(range(len(pooled)), len(a))))
    sums = pooled[chosen].sum(axis=1)
    return np.asarray(sums / len(a) - (pooled.sum() - sums) / len(b))


def _halves(items: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats] | None:
    """All sums of two halves of the items, None where they are too many to count."""
    sizes = [math.comb(len(a) + len(b), len(a)) for a, b in items]
    if max(sizes) > _HALF or math.prod(sizes) > _HALF**2:
        return None
    sums = [np.zeros(1), np.zeros(1)]
    for (a, b), size in sorted(zip(items, sizes, strict=True), key=lambda pair: -pair[1]):
        smaller = 0 if len(sums[0]) <= len(sums[1]) else 1
        if len(sums[smaller]) * size > 4 * _HALF:
            return None
        sums[smaller] = np.add.outer(sums[smaller], _arrangements(a, b)).ravel()
    return sums[0], sums[1]


def _counted(halves: tuple[Floats, Floats], observed: float, tolerance: float) -> tuple[float, float]:
    """Shares of all arrangements at or below, and at or above, the observed sum."""
    first, second = halves[0], np.sort(halves[1])
    every = len(first) * len(second)
    below = int(np.searchsorted(second, observed + tolerance - first, side="right").sum())
    under = int(np.searchsorted(second, observed - tolerance - first, side="left").sum())
    return below / every, (every - under) / every


def _drawn(items: list[tuple[Floats, Floats]], observed: float, ids: list[object]) -> tuple[float, float]:
    """Shares of seeded permutations at or below, and at or above, with one added to hits and draws."""
    generator = seeded_generator("within_item_scores/1", ids)
    shapes: dict[tuple[int, int], list[tuple[Floats, Floats]]] = {}
    for a, b in items:
        shapes.setdefault((len(a), len(b)), []).append((a, b))
    draws = [_drawer(alike, generator) for alike in shapes.values()]
    tolerance = _tolerance(items)
    low = high = 0
    for _ in range(N_RESAMPLES // _BATCH):
        drawn = sum((draw() for draw in draws), np.zeros(_BATCH))
        low += int((drawn <= observed + tolerance).sum())
        high += int((drawn >= observed - tolerance).sum())
    return (1 + low) / (1 + N_RESAMPLES), (1 + high) / (1 + N_RESAMPLES)


def _drawer(items: list[tuple[Floats, Floats]], generator: np.random.Generator) -> Callable[[], Floats]:
    """What draws summed differences of items with equal numbers of trials, one batch at a time.

    Where an item has few arrangements they are listed once and drawn from, which is far cheaper than to
    shuffle trials.
    """
    k_a, k_b = len(items[0][0]), len(items[0][1])
    ways = math.comb(k_a + k_b, k_a)
    if ways * len(items) <= _LISTED:
        listed = np.concatenate([_arrangements(a, b) for a, b in items])
        starts = ways * np.arange(len(items))

        def pick() -> Floats:
            return np.asarray(listed[generator.integers(0, ways, (_BATCH, len(items))) + starts].sum(axis=1))

        return pick
    pooled = np.stack([np.concatenate(item) for item in items])

    def shuffle() -> Floats:
        mixed = generator.permuted(np.broadcast_to(pooled, (_BATCH, *pooled.shape)), axis=2)
        return np.asarray((mixed[..., :k_a].mean(axis=2) - mixed[..., k_a:].mean(axis=2)).sum(axis=1))

    return shuffle
