"""The exact test of the gate: against enumeration, McNemar and its own symmetries."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats import within_item
from llmops_lib.stats.mcnemar import mcnemar
from llmops_lib.stats.within_item import within_item_exact

ITEM = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)).map(
    lambda item: (min(item[0], item[1]), item[1], min(item[2], item[3]), item[3])
)
"""Passes and trials of the candidate, passes and trials of the baseline, on one item."""


def columns(items):
    """Four arrays from a list of items."""
    return [list(column) for column in zip(*items, strict=True)]


def enumerated(items):
    """P(sum <= observed) by giving the trials of each item to the candidate in every possible way."""
    used = [item for item in items if item[1] and item[3]]
    ways = []
    for passes_a, trials_a, passes_b, trials_b in used:
        pool = [1] * (passes_a + passes_b) + [0] * (trials_a + trials_b - passes_a - passes_b)
        ways.append([sum(chosen) for chosen in itertools.combinations(pool, trials_a)])
    sums = [sum(choice) for choice in itertools.product(*ways)]
    observed = sum(item[0] for item in used)
    return sum(total <= observed for total in sums) / len(sums)


@settings(max_examples=60, deadline=None)
@given(st.lists(ITEM, min_size=1, max_size=3))
def test_p_is_the_share_of_all_arrangements(items):
    """The convolution must be the test it claims to be."""
    assert within_item_exact(*columns(items)).p_drop == pytest.approx(enumerated(items), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_one_trial_a_side_is_mcnemar(pairs):
    """At K = 1 the gate's test has a name that reviewers know."""
    candidate, baseline = columns(pairs)
    ones = [1] * len(pairs)
    cells = [pairs.count(cell) for cell in [(True, True), (False, True), (True, False), (False, False)]]
    known = mcnemar(both_pass=cells[0], regressions=cells[1], improvements=cells[2], both_fail=cells[3])
    test = within_item_exact(candidate, ones, baseline, ones)
    assert test.p_drop == pytest.approx(known.p_drop, rel=1e-12)
    assert test.p_two_sided == pytest.approx(known.p_two_sided, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(ITEM, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_order_of_items_does_not_matter(items, random):
    """A gate must give the same verdict however the records are sorted."""
    shuffled = items.copy()
    random.shuffle(shuffled)
    assert within_item_exact(*columns(items)).p_drop == pytest.approx(
        within_item_exact(*columns(shuffled)).p_drop, rel=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(ITEM, min_size=1, max_size=12))
def test_swapping_pass_and_fail_swaps_drop_and_gain(items):
    """The test has no favourite direction."""
    test = within_item_exact(*columns(items))
    failed = within_item_exact(*columns([(k - a, k, m - b, m) for a, k, b, m in items]))
    assert test.p_drop == pytest.approx(failed.p_gain, rel=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.just(4)), min_size=1, max_size=20))
def test_an_arm_against_itself_finds_nothing(arm):
    """No change, no evidence."""
    test = within_item_exact(*columns(arm), *columns(arm))
    assert test.p_drop > 0.5
    assert test.p_two_sided == 1.0


def test_long_lattices_agree_with_short_ones(monkeypatch):
    """Two algorithms, one distribution: the transform to 1e-14 and the convolution."""
    passes = np.random.default_rng(7).integers(0, 5, size=(2, 120))
    trials = [4] * 120
    short = within_item_exact(passes[0], trials, passes[1], trials)
    monkeypatch.setattr(within_item, "_SHORT", 1)
    long = within_item_exact(passes[0], trials, passes[1], trials)
    assert long.p_drop == pytest.approx(short.p_drop, abs=1e-13)
    assert long.p_gain == pytest.approx(short.p_gain, abs=1e-13)


def test_a_tail_far_out_keeps_its_digits():
    """A thousand items that all turn from pass to fail have p = 2^-1000, not rounding error."""
    n = 1000
    assert within_item_exact([0] * n, [1] * n, [1] * n, [1] * n).p_drop == pytest.approx(2.0**-n, rel=1e-9)


def test_nothing_in_common_is_no_evidence():
    """Items that one arm lacks are counted and left out."""
    test = within_item_exact([0, 1], [0, 1], [1, 0], [1, 0])
    assert (test.p_drop, test.p_gain, test.n_items, test.n_items_dropped) == (1.0, 1.0, 0, 2)
    assert within_item_exact([], [], [], []).p_drop == 1.0


def test_more_passes_than_trials_are_refused():
    """A count that cannot be is a bug upstream."""
    with pytest.raises(EstimateError, match="3 passes in 2 trials at position 1"):
        within_item_exact([1, 3], [2, 2], [1, 1], [2, 2])
