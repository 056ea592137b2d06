"""A gate that looks at 2, 4 and 8 trials, and one that holds a candidate against the last release too."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from llmops_lib import gate, gate_junit, gate_markdown, worst_verdict
from llmops_lib.errors import GateError
from llmops_lib.stats.gate_power import simulated_suites
from llmops_lib.stats.gate_rule import GateRule, escalating
from llmops_lib.stats.power import PassRateSpread
from tests.measures.test_gate import many, run


def flaky(count, trials, rate, seed):
    """Examples that pass by chance."""
    generator = np.random.default_rng(seed)
    return {f"e{n}": generator.binomial(1, rate, trials).tolist() for n in range(count)}


def test_what_is_plain_after_two_trials_is_not_asked_more():
    """Later trials do not change what was decided, whatever they hold."""
    before = run(many(60, 8))
    broken = {name: [0, 0, 1, 1, 1, 1, 1, 1] if n < 20 else [1] * 8 for n, name in enumerate(many(60, 8))}
    found = gate(before, run(broken), escalates=True)
    assert (found.verdict, found.looked_at_trials, found.next_trials) == ("block", 2, None)
    assert found.alpha == pytest.approx(0.01)
    assert found.metrics["candidate_trials"].item() == 2
    assert gate(before, run(many(60, 2)), escalates=True).looked_at_trials == 2


def test_what_is_open_names_the_trials_that_come_next():
    """Until eight, where it stays open."""
    before = run(flaky(20, 8, 0.8, 1))
    after = flaky(20, 8, 0.8, 3)
    looks = {}
    for trials in (2, 3, 4, 8):
        found = gate(before, run({name: scores[:trials] for name, scores in after.items()}), escalates=True)
        looks[trials] = (found.verdict, found.looked_at_trials, found.next_trials)
    assert looks == {
        2: ("inconclusive", 2, 4),
        3: ("inconclusive", 2, 4),
        4: ("inconclusive", 4, 8),
        8: ("inconclusive", 8, None),
    }
    assert gate(before, run(after)).looked_at_trials is None
    with pytest.raises(GateError, match="expected 2 or more"):
        gate(before, run(many(20, 1)), escalates=True)


def test_a_plan_simulates_the_very_looks_of_the_gate():
    """Thirty pairs of runs, some changed: the same verdict after the same trials, one by one."""
    suites = simulated_suites(PassRateSpread(2, 1), 25, trials=8, baseline_trials=8, suite_count=30, seed=5)
    planned = suites.decided(GateRule(escalating(0.05)), "concentrated", 0.12)
    verdicts = []
    outcomes = suites.uniforms < np.where(suites.ranks < 0.12, 0, suites.rates)[:, :, None]
    for passes, after in zip(suites.baseline_passes, outcomes, strict=True):
        before = {f"e{n}": [1] * count + [0] * (8 - count) for n, count in enumerate(passes)}
        found = gate(run(before), run({f"e{n}": row.tolist() for n, row in enumerate(after)}), escalates=True)
        verdicts.append((found.verdict == "block", found.verdict == "pass", found.looked_at_trials))
    assert verdicts == list(zip(*(column.tolist() for column in _columns(planned)), strict=True))
    assert 3 < sum(one[0] for one in verdicts) < 27


def _columns(planned):
    return planned.blocked, planned.passed, planned.trials


def test_three_looks_at_what_did_not_change_block_no_more_often_than_one():
    """Alpha is split over the looks."""
    suites = simulated_suites(PassRateSpread(2, 1), 50, trials=8, baseline_trials=8, suite_count=600, seed=6)
    blocked = suites.decided(GateRule(escalating(0.05))).blocked.mean()
    assert 0 < blocked <= 0.05


def test_the_worse_of_baseline_and_anchor_counts_and_each_is_named():
    """A slide: the change passes against the run before it, and not against the last release."""
    release, before = run(many(60, 4)), run(many(60, 4, failing=9))
    own, anchor = gate(before, before), gate(release, before)
    assert (own.verdict, anchor.verdict) == ("pass", "block")
    assert worst_verdict([own, anchor]) == "block"
    told = gate_markdown(own, anchor=anchor)
    assert told.startswith("### Eval gate: blocked\n")
    assert "#### Against the baseline: pass" in told
    assert "60 examples are few; `llmops gate plan`" in told
    assert "#### Against the anchor, the last release: block" in told
    suite = ET.fromstring(gate_junit(own, anchor=anchor))  # noqa: S314 - our own text
    failed = {case.get("classname") for case in suite.iter("testcase") if case.find("failure") is not None}
    assert failed == {"llmops.gate.anchor"}
    assert int(suite.get("tests")) == 4
