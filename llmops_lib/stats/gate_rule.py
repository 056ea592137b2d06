"""The gate's rule on many suites at once, for simulation: the numbers are those of one suite at a time.

`within_item_exact` tests one pair of runs in about a millisecond; power takes ten thousands of pairs. Here
the characteristic functions of all pairs are multiplied in one matrix product.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import normal_above, t_above
from llmops_lib.stats.inputs import Floats

Passes = npt.NDArray[np.integer] | npt.NDArray[np.bool_]
Flags = npt.NDArray[np.bool_]

ESCALATION = ((2, 0.2), (4, 0.3), (8, 0.5))
"""Trials at which an escalating gate looks, and the share of alpha that it spends there."""

_LEAST_LOG = -690.0
_CELLS = 1 << 20
"""Complex numbers that are held at once."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """A gate as it is decided beforehand, for one metric of pass or fail.

    Attributes:
        looks: Trials of the candidate at which it looks, rising, and the alpha it spends there.
        margin: Largest drop that still passes.
        metric_count: Metrics that gate; the p value of one that drops alone counts as often (Holm).
    """

    looks: tuple[tuple[int, float], ...]
    margin: float = 0.05
    metric_count: int = 1


@dataclass(frozen=True, slots=True)
class Decided:
    """What the rule says of each suite.

    Attributes:
        blocked: Whether a drop was proven.
        passed: Whether a drop beyond the margin was ruled out.
        trials: Trials of the candidate that it took.
    """

    blocked: Flags
    passed: Flags
    trials: npt.NDArray[np.int64]


def escalating(alpha: float) -> tuple[tuple[int, float], ...]:
    """The looks of an escalating gate that spends alpha over all of them.

    Example:
        >>> [(trials, round(level, 4)) for trials, level in escalating(0.05)]
        [(2, 0.01), (4, 0.015), (8, 0.025)]
    """
    return tuple((trials, alpha * share) for trials, share in ESCALATION)


def decide(candidate: Passes, baseline_passes: Passes, baseline_trials: int, rule: GateRule) -> Decided:
    """What the rule says of many simulated pairs of runs.

    The union bound over looks needs no numerics: alpha is split, for blocking and for passing alike.

    Args:
        candidate: Outcomes 0 or 1 of shape suites x items x trials, at least as many trials as the last look.
        baseline_passes: Passes of shape suites x items.
        baseline_trials: Trials of each item of the baseline.
        rule: The rule.

    Raises:
        EstimateError: If there are fewer trials than the rule looks at.

    Source:
        As `within_item_exact` and `regression_verdict`.

    Example:
        >>> better = np.ones((1, 40, 4), dtype=int)
        >>> decide(1 - better, 4 * better[:, :, 0], 4, GateRule(((4, 0.05),))).blocked.tolist()
        [True]
    """
    if candidate.shape[2] < rule.looks[-1][0]:
        msg = f"found {candidate.shape[2]} trials, expected {rule.looks[-1][0]}, at which the rule looks last"
        raise EstimateError(msg)
    suites = len(candidate)
    blocked, passed = np.zeros(suites, dtype=bool), np.zeros(suites, dtype=bool)
    trials = np.full(suites, rule.looks[-1][0], dtype=np.int64)
    for look, alpha in rule.looks:
        still = np.flatnonzero(~blocked & ~passed)
        if not len(still):
            break
        found, before = candidate[still, :, :look].sum(axis=2), baseline_passes[still]
        p = np.minimum(1, drop_p_values(found, look, before, baseline_trials) * rule.metric_count)
        blocked[still] = p <= alpha
        limits = lower_limits(found, look, before, baseline_trials, alpha)
        passed[still] = (p > alpha) & (limits > -rule.margin)
        trials[still] = look
    return Decided(blocked, passed, trials)


def drop_p_values(
    candidate_passes: Passes, candidate_trials: int, baseline_passes: Passes, baseline_trials: int
) -> Floats:
    """`p_drop` of `within_item_exact` for many suites, each item with the same trials; error below 1e-12.

    Args:
        candidate_passes: Passes of shape suites x items.
        candidate_trials: Trials of each item of the candidate.
        baseline_passes: The same of the baseline.
        baseline_trials: Trials of each item of the baseline.

    Source:
        As `within_item_exact`.

    Example:
        >>> passes = np.array([[0, 0, 0, 0, 0]])
        >>> drop_p_values(passes, 1, passes + 1, 1).round(6).tolist()
        [0.03125]
    """
    suites, items = candidate_passes.shape
    size = 1 << (items * candidate_trials).bit_length()
    logs = _log_spectra(candidate_trials, baseline_trials, size)
    totals = candidate_passes + baseline_passes
    kinds = len(logs)
    cells = totals + kinds * np.arange(suites)[:, None]
    counted = np.bincount(cells.ravel(), minlength=suites * kinds).reshape(suites, kinds)
    observed, found = candidate_passes.sum(axis=1), np.empty(suites)
    step = max(1, _CELLS // size)
    for start in range(0, suites, step):
        some = slice(start, start + step)
        below = np.fft.irfft(np.exp(counted[some] @ logs), size, axis=1).cumsum(axis=1)
        found[some] = np.take_along_axis(below, observed[some, None], axis=1)[:, 0]
    return np.clip(found, 0.0, 1.0)


def lower_limits(
    candidate_passes: Passes,
    candidate_trials: int,
    baseline_passes: Passes,
    baseline_trials: int,
    alpha: float,
) -> Floats:
    """`lower_limit` of `suite_difference` for many suites; minus infinity where there is none.

    Args:
        candidate_passes: Passes of shape suites x items.
        candidate_trials: Trials of each item of the candidate.
        baseline_passes: The same of the baseline.
        baseline_trials: Trials of each item of the baseline.
        alpha: Level, one-sided.

    Source:
        As `suite_difference`.

    Example:
        >>> some = np.array([[4, 2]])
        >>> lower_limits(some, 4, some + [[0, 1]], 4, 0.05).round(4).tolist()
        [-0.4391]
    """
    items = candidate_passes.shape[1]
    a, b = candidate_passes / candidate_trials, baseline_passes / baseline_trials
    diff = (a - b).mean(axis=1)
    if min(candidate_trials, baseline_trials) == 1:
        if items < 2:
            return np.full(len(diff), -np.inf)
        se = (a - b).std(axis=1, ddof=1) / math.sqrt(items)
        limits = diff - t_above(alpha, items - 1) * se
        return np.where((se == 0) & (diff != 0), -np.inf, limits)
    noise = a * (1 - a) / (candidate_trials - 1) + b * (1 - b) / (baseline_trials - 1)
    return np.asarray(diff - normal_above(alpha) * np.sqrt(noise.sum(axis=1)) / items)


def _log_spectra(a: int, b: int, size: int) -> npt.NDArray[np.complex128]:
    """Logarithm of the characteristic function of each number of passes in both arms, by rows."""
    parts = np.zeros((a + b + 1, a + 1))
    for total in range(a + b + 1):
        for x in range(max(0, total - b), min(a, total) + 1):
            parts[total, x] = math.comb(a, x) * math.comb(b, total - x) / math.comb(a + b, total)
    spectra = np.fft.rfft(parts, size, axis=1)
    with np.errstate(divide="ignore"):
        moduli = np.maximum(np.log(np.abs(spectra)), _LEAST_LOG)
    return np.asarray(moduli + 1j * np.angle(spectra))
