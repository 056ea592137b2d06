"""The gate's rule on many suites at once says what it says of one; what it sees is what it blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats.gate_power import items_to_see, simulated_suites, smallest_drop_blocked
from llmops_lib.stats.gate_rule import GateRule, decide, drop_p_values, escalating, lower_limits
from llmops_lib.stats.power import PassRateSpread
from llmops_lib.stats.regression_rule import lower_limit
from llmops_lib.stats.suite import ArmTrials, suite_difference
from llmops_lib.stats.within_item import within_item_exact

AGENT = PassRateSpread(0.642, 0.858)
FOUR = GateRule(((4, 0.05),))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 8), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_many_suites_at_once_are_tested_as_one_by_one(items, trials, baseline_trials, seed):
    """A simulation of another rule than the gate's would plan another gate."""
    generator = np.random.default_rng(seed)
    rates = generator.beta(0.6, 0.8, items)
    a, b = (
        generator.binomial(trials, rates, (3, items)),
        generator.binomial(baseline_trials, rates, (3, items)),
    )
    p = drop_p_values(a, trials, b, baseline_trials)
    limits = lower_limits(a, trials, b, baseline_trials, 0.05)
    for row in range(3):
        counts = ([trials] * items, b[row], [baseline_trials] * items)
        assert p[row] == pytest.approx(within_item_exact(a[row], *counts).p_drop, abs=1e-11)
        arms = ArmTrials.from_counts(a[row], counts[0]), ArmTrials.from_counts(b[row], counts[2])
        one = lower_limit(suite_difference(*arms), 0.05)
        assert limits[row] == (-np.inf if one is None else pytest.approx(one, abs=1e-11))


def test_an_escalating_rule_stops_where_it_knows_and_spends_alpha_once():
    """Two trials are enough for what is plain; alpha over all looks is the alpha that was given."""
    assert sum(level for _, level in escalating(0.05)) == pytest.approx(0.05)
    rule = GateRule(escalating(0.05), margin=0.03)
    baseline = np.full((3, 60), 8)
    candidate = np.ones((3, 60, 8), dtype=int)
    candidate[1, :30] = 0
    candidate[2, :2, 0] = 0
    found = decide(candidate, baseline, 8, rule)
    assert found.blocked.tolist() == [False, True, False]
    assert found.passed.tolist() == [True, False, True]
    assert found.trials.tolist() == [2, 2, 4]


def test_a_gate_sees_the_drop_that_it_is_said_to_see():
    """Of suites of fifty tasks with four trials, ten points, as published simulations have it."""
    suites = simulated_suites(AGENT, 50, trials=4, baseline_trials=4, suite_count=400, seed=3)
    seen = {shape: smallest_drop_blocked(suites, FOUR, shape=shape) for shape in ("diffuse", "concentrated")}
    assert seen["diffuse"] == pytest.approx(0.099, abs=0.012)
    assert seen["concentrated"] == pytest.approx(0.115, abs=0.012)
    fresh = simulated_suites(AGENT, 50, trials=4, baseline_trials=4, suite_count=400, seed=4)
    share = seen["concentrated"] / float(fresh.rates.mean())
    assert fresh.decided(FOUR, "concentrated", share).blocked.mean() == pytest.approx(0.8, abs=0.09)
    assert fresh.decided(FOUR).blocked.mean() <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_more_items_are_needed_for_smaller_drops():
    """And none are enough for what cannot be."""
    settings_ = {"baseline_trials": 8, "shape": "concentrated", "suite_count": 120}
    few, many = (items_to_see(AGENT, drop, FOUR, **settings_) for drop in (0.1, 0.05))
    assert 25 < few < many < 300
    with pytest.raises(EstimateError, match="mean pass rate"):
        items_to_see(AGENT, 0.6, FOUR, **settings_)
    with pytest.raises(EstimateError, match="expected 1 or more"):
        simulated_suites(AGENT, 0, trials=1, baseline_trials=1)
    with pytest.raises(EstimateError, match="looks last"):
        decide(np.ones((1, 5, 2), dtype=int), np.ones((1, 5), dtype=int), 1, FOUR)
