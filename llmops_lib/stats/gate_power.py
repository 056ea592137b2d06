"""Which drops a gate sees, by simulation of suites like the pilot and of the gate's own rule.

Up to about 100 items the normal formula is optimistic by 5 to 40%, most where few items fail and the drop
sits in few of them.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.gate_rule import Decided, GateRule, decide
from llmops_lib.stats.inputs import Floats
from llmops_lib.stats.power import PassRateSpread

Shape = Literal["diffuse", "concentrated"]

_LARGEST_SHIFT = 16.0
"""Shift of the logit that leaves next to nothing of any pass rate."""

_HALVINGS = 9
_MOST_TRIES = 4
_MOST_ITEMS = 20_000
_MOST_CELLS = 20_000_000
"""Trials that are drawn at once; above it fewer suites are simulated."""


@dataclass(frozen=True, slots=True)
class SimulatedSuites:
    """Suites whose pass rates are drawn from a fit, with the same random numbers for every drop.

    Attributes:
        rates: Pass rates of shape suites x items.
        baseline_passes: Passes of the baseline of the same shape.
        baseline_trials: Trials of each item of the baseline.
        uniforms: One number per trial of the candidate; it passes where that is below the pass rate.
        ranks: One number per item; it breaks where that is below the share of broken items.
    """

    rates: Floats
    baseline_passes: np.ndarray
    baseline_trials: int
    uniforms: np.ndarray
    ranks: Floats

    def decided(self, rule: GateRule, shape: Shape = "diffuse", strength: float = 0.0) -> Decided:
        """What a rule says of each suite after a change.

        Args:
            rule: The rule.
            shape: `diffuse`, all items a bit, or `concentrated`, some items to 0.
            strength: Shift of the logit, or share of broken items; 0 for no change.
        """
        rates = self._after(shape, strength)
        return decide(self.uniforms < rates[:, :, None], self.baseline_passes, self.baseline_trials, rule)

    def drop(self, shape: Shape, strength: float) -> float:
        """How far the mean pass rate falls, over all suites."""
        if shape == "concentrated":
            return strength * float(self.rates.mean())
        return float((self.rates - self._after(shape, strength)).mean())

    def _after(self, shape: Shape, strength: float) -> Floats:
        if shape == "concentrated":
            return np.where(self.ranks < strength, 0.0, self.rates)
        keep = math.exp(-strength)
        return np.asarray(self.rates * keep / (1 - self.rates * (1 - keep)))


def simulated_suites(  # noqa: PLR0913 - a suite, its trials, and how often
    fit: PassRateSpread,
    items: int,
    *,
    trials: int,
    baseline_trials: int,
    suite_count: int = 500,
    seed: int = 0,
) -> SimulatedSuites:
    """Suites like the pilot, with a baseline run each.

    Args:
        fit: How pass rates spread over items.
        items: Items of a suite.
        trials: Trials of the candidate, at most.
        baseline_trials: Trials of the baseline.
        suite_count: Suites; fewer where they are very large.
        seed: Of all that is drawn.

    Raises:
        EstimateError: If a number of items, trials or suites is below 1.

    Example:
        >>> suites = simulated_suites(PassRateSpread(2, 1), 50, trials=2, baseline_trials=4, suite_count=20)
        >>> suites.uniforms.shape, suites.drop("concentrated", 1.0) > 0.5
        ((20, 50, 2), True)
    """
    if min(items, trials, baseline_trials, suite_count) < 1:
        told = f"{items} items, {trials} and {baseline_trials} trials, {suite_count} simulations"
        msg = f"found {told}; expected 1 or more of each"
        raise EstimateError(msg)
    generator = np.random.default_rng(seed)
    suites = max(100, min(suite_count, _MOST_CELLS // (items * trials))) if suite_count > 100 else suite_count
    rates = generator.beta(fit.a, fit.b, (suites, items))
    before = generator.binomial(baseline_trials, rates)
    uniforms = generator.random((suites, items, trials), dtype=np.float32)
    return SimulatedSuites(rates, before, baseline_trials, uniforms, generator.random((suites, items)))


def smallest_drop_blocked(
    suites: SimulatedSuites, rule: GateRule, *, shape: Shape, power: float = 0.8
) -> float | None:
    """The smallest drop of the mean pass rate that a rule blocks with a given chance; None where none is.

    Args:
        suites: From `simulated_suites`.
        rule: The rule.
        shape: `diffuse` (logits of all items fall alike) or `concentrated` (a share of items breaks).
        power: The chance.

    Source:
        Halving over the strength of the drop with the same random numbers throughout.

    Example:
        >>> fit = PassRateSpread(0.642, 0.858)
        >>> suites = simulated_suites(fit, 50, trials=4, baseline_trials=4, suite_count=200)
        >>> 0.08 < smallest_drop_blocked(suites, GateRule(((4, 0.05),)), shape="diffuse") < 0.12
        True
    """
    low, high = 0.0, 1.0 if shape == "concentrated" else _LARGEST_SHIFT
    if suites.decided(rule, shape, high).blocked.mean() < power:
        return None
    if shape == "diffuse":
        high = _doubled(suites, rule, power)
        low = high / 2 if high > 0.25 else 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if suites.decided(rule, shape, middle).blocked.mean() < power:
            low = middle
        else:
            high = middle
    return suites.drop(shape, high)


def _doubled(suites: SimulatedSuites, rule: GateRule, power: float) -> float:
    shift = 0.25
    while suites.decided(rule, "diffuse", shift).blocked.mean() < power and shift < _LARGEST_SHIFT:
        shift *= 2
    return shift


def items_to_see(  # noqa: PLR0913 - as `simulated_suites`, and the drop
    fit: PassRateSpread,
    drop: float,
    rule: GateRule,
    *,
    baseline_trials: int,
    shape: Shape,
    start: int = 100,
    suite_count: int = 500,
    seed: int = 0,
) -> int | None:
    """Items that it takes for a rule to block a drop with 80% chance; None where 20,000 are too few.

    The smallest drop is found for the items to begin with, and for those that its fall with the square root
    of the items leads to; the answer is on the line through both, in logarithms.

    Args:
        fit: How pass rates spread over items.
        drop: Drop of the mean pass rate.
        rule: The rule.
        baseline_trials: Trials of the baseline.
        shape: As `smallest_drop_blocked`.
        start: Items to begin with.
        suite_count: Suites to simulate.
        seed: Of all that is drawn.

    Raises:
        EstimateError: If the drop is not between 0 and the mean pass rate.

    Source:
        `smallest_drop_blocked`, solved for the number of items.

    Example:
        >>> rule = GateRule(((4, 0.05),))
        >>> fit = PassRateSpread(0.642, 0.858)
        >>> found = items_to_see(fit, 0.05, rule, baseline_trials=4, shape="diffuse", suite_count=200)
        >>> 140 < found < 260
        True
    """
    if not 0 < drop < fit.mean:
        msg = f"found a drop of {drop:g}, expected one between 0 and the mean pass rate, {fit.mean:.3f}"
        raise EstimateError(msg)
    items, trials = max(start, 20), rule.looks[-1][0]
    known: list[tuple[int, float]] = []
    for _ in range(_MOST_TRIES):
        suites = simulated_suites(
            fit, items, trials=trials, baseline_trials=baseline_trials, suite_count=suite_count, seed=seed
        )
        seen = smallest_drop_blocked(suites, rule, shape=shape)
        if seen is not None:
            known.append((items, seen))
        if len(known) == 2:
            return _between(known[0], known[1], drop)
        items = 4 * items if seen is None else max(5, math.ceil(items * (seen / drop) ** 2))
        if items > _MOST_ITEMS:
            return None
    return None


def _between(first: tuple[int, float], second: tuple[int, float], drop: float) -> int:
    """Items where the line through both points, in logarithms, takes the drop."""
    slope = 0.5
    if first[0] != second[0]:
        slope = math.log(first[1] / second[1]) / math.log(second[0] / first[0])
    # Between the square root of noise and the fixed number of items that a drop without noise takes.
    times: float = (second[1] / drop) ** (1 / min(max(slope, 0.4), 1.0))
    return max(1, math.ceil(second[0] * times))
