"""Did a change lower pass or fail on these very items? The exact within-item permutation test.

Under no change the trials of an item could as well have been made by the other arm, so the passes of
the candidate on an item are hypergeometric given the item's passes in both arms. The statistic is the
candidate's total; its distribution is the convolution over items, a lattice with no random draws.
With one trial a side it is McNemar's exact test.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, Integers, counts, same_length

RESOLVED = 1e-12
"""p values below this are printed as `<1e-12`: beyond it the long lattice is rounding error."""

_SHORT = 4_096
"""Lattices up to this length are convolved directly, which keeps small tails exact."""


@dataclass(frozen=True, slots=True)
class WithinItemTest:
    """Exact one-sided and two-sided p values of the candidate's number of passes.

    Attributes:
        passes: Passes of the candidate over the items used: the statistic.
        expected_passes: Its mean under no change.
        variance: Its variance under no change.
        p_drop: P(as few passes or fewer): small where the candidate is worse.
        p_gain: P(as many passes or more).
        p_drop_midp: `p_drop` less half the probability of the statistic itself; more power, no guarantee.
        p_two_sided: Twice the smaller of the two tails, at most 1.
        n_items: Items with trials in both arms.
        n_items_dropped: Items that lack trials in one arm; they carry no information.
    """

    passes: int
    expected_passes: float
    variance: float
    p_drop: float
    p_gain: float
    p_drop_midp: float
    p_two_sided: float
    n_items: int
    n_items_dropped: int


def within_item_exact(
    candidate_passes: Any, candidate_trials: Any, baseline_passes: Any, baseline_trials: Any
) -> WithinItemTest:
    """Exact permutation test of pass or fail over trials within items.

    `X_i ~ Hypergeometric(K_A + K_B, t_i, K_A)` with t_i the item's passes in both arms;
    `p_drop = P(sum X_i <= observed)`. Items differ in any way they like; trials of one item are
    exchangeable under no change. Items weigh by their trials, so keep the candidate's trials equal.

    Args:
        candidate_passes: Passes per item.
        candidate_trials: Trials per item; 0 where the item is missing.
        baseline_passes: Passes per item of the baseline, in the same order.
        baseline_trials: Trials per item of the baseline.

    Raises:
        EstimateError: If lengths differ, a count is no whole number, or passes exceed trials.

    Source:
        Fisher's exact test stratified by item (Mantel and Haenszel, JNCI 22 (1959)); distribution by
        convolution, or by the product of characteristic functions where the lattice is long.

    Example:
        >>> test = within_item_exact([1, 0, 2, 0], [2, 2, 2, 2], [2, 3, 1, 1], [3, 3, 3, 3])
        >>> test.passes, round(test.p_drop, 4), round(test.p_two_sided, 4)
        (3, 0.3304, 0.6608)
    """
    passes_a, trials_a = _arm(candidate_passes, candidate_trials, "candidate")
    passes_b, trials_b = _arm(baseline_passes, baseline_trials, "baseline")
    same_length(candidate=passes_a, baseline=passes_b)
    used = (trials_a > 0) & (trials_b > 0)
    a, b, total = trials_a[used], trials_b[used], (passes_a + passes_b)[used]
    observed = int(passes_a[used].sum())
    share = total / np.maximum(a + b, 1)
    factor = a * b / np.maximum(a + b - 1, 1)
    offset, probabilities = _distribution(a, b, total)
    at = observed - offset
    drop = min(1.0, float(probabilities[: at + 1].sum()))
    gain = min(1.0, float(probabilities[at:].sum()))
    return WithinItemTest(
        passes=observed,
        expected_passes=float((a * share).sum()),
        variance=float((share * (1 - share) * factor).sum()),
        p_drop=drop,
        p_gain=gain,
        p_drop_midp=drop - 0.5 * float(probabilities[at]),
        p_two_sided=min(1.0, 2 * min(drop, gain)),
        n_items=int(used.sum()),
        n_items_dropped=int((~used).sum()),
    )


def _arm(passes: Any, trials: Any, name: str) -> tuple[Integers, Integers]:
    """Counts of one arm, checked."""
    found = counts(passes, f"passes of the {name}")
    made = counts(trials, f"trials of the {name}")
    same_length(passes=found, trials=made)
    above = found > made
    if above.any():
        first = int(above.argmax())
        told = f"{found[first]} passes in {made[first]} trials"
        msg = f"the {name} has {told} at position {first}; expected no more passes than trials"
        raise EstimateError(msg)
    return found, made


def _distribution(a: Integers, b: Integers, total: Integers) -> tuple[int, Floats]:
    """Smallest possible number of passes, and the probability of each number from there on."""
    lowest = np.maximum(0, total - b)
    open_items = np.minimum(a, total) > lowest
    offset = int(lowest.sum())
    kinds = np.stack([a, b, total], axis=1)[open_items]
    if not len(kinds):
        return offset, np.ones(1)
    types, counted = np.unique(kinds, axis=0, return_counts=True)
    parts = [
        (_hypergeometric(*map(int, kind)), int(times)) for kind, times in zip(types, counted, strict=True)
    ]
    length = 1 + sum((len(part) - 1) * times for part, times in parts)
    return offset, (_convolved(parts) if length <= _SHORT else _transformed(parts, length))


def _hypergeometric(a: int, b: int, total: int) -> Floats:
    """Probabilities of the candidate's passes on one item, from the smallest possible number on."""
    ways = [math.comb(a, x) * math.comb(b, total - x) for x in range(max(0, total - b), min(a, total) + 1)]
    return np.array(ways, dtype=np.float64) / math.comb(a + b, total)


def _convolved(parts: list[tuple[Floats, int]]) -> Floats:
    """Distribution of the sum by convolution: sums of positive terms, so small tails keep their digits."""
    made = np.ones(1)
    for part, times in parts:
        power, left = part, times
        while left:
            made = np.convolve(made, power) if left % 2 else made
            left //= 2
            power = np.convolve(power, power) if left else power
    return made


def _transformed(parts: list[tuple[Floats, int]], length: int) -> Floats:
    """Distribution of the sum by the product of characteristic functions; absolute error about 1e-15."""
    size = 1 << (length - 1).bit_length()
    spectrum = np.ones(size // 2 + 1, dtype=np.complex128)
    for part, times in parts:
        spectrum *= np.fft.rfft(part, size) ** times
    return np.clip(np.fft.irfft(spectrum, size)[:length], 0.0, 1.0)
