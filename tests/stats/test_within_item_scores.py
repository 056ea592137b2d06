"""The permutation test of numeric scores: enumeration, draws, normal, and their symmetries."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats import within_item_scores as module
from llmops_lib.stats.within_item import within_item_exact
from llmops_lib.stats.within_item_scores import sign_flip, within_item_scores

SCORE = st.integers(-8, 8).map(lambda eighth: eighth / 8)


@settings(max_examples=60, deadline=None)
@given(st.lists(SCORE, min_size=1, max_size=8))
def test_sign_flips_are_counted_one_by_one(differences):
    """Half sums and a sorted search must count what a plain loop counts."""
    signs = itertools.product((-1, 1), repeat=len(differences))
    sums = [sum(s * d for s, d in zip(sign, differences, strict=True)) for sign in signs]
    share = sum(total <= sum(differences) + 1e-12 for total in sums) / len(sums)
    assert sign_flip(differences).p_drop == pytest.approx(share, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(SCORE, min_size=1, max_size=12), st.sampled_from([0.125, 3.0, 1e6]))
def test_scale_and_sign_change_nothing_but_the_side(differences, scale):
    """Points or percent, drop or gain: the evidence is the same."""
    test = sign_flip(differences)
    mirrored = sign_flip([-scale * difference for difference in differences])
    assert mirrored.p_gain == pytest.approx(test.p_drop, rel=1e-12)
    assert mirrored.p_two_sided == pytest.approx(test.p_two_sided, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=6))
def test_pass_and_fail_as_scores_give_the_exact_test(items):
    """With equal trials the sum of means is the sum of passes, so both tests are one."""
    candidate = [[1.0] * a + [0.0] * (2 - a) for a, _ in items]
    baseline = [[1.0] * b + [0.0] * (3 - b) for _, b in items]
    exact = within_item_exact(
        [a for a, _ in items], [2] * len(items), [b for _, b in items], [3] * len(items)
    )
    assert within_item_scores(candidate, baseline).p_drop == pytest.approx(exact.p_drop, rel=1e-12)


def test_draws_follow_from_ids_and_come_near_the_exact_answer(monkeypatch):
    """The same items give the same p in any order; more items than can be counted are drawn."""
    differences = np.random.default_rng(3).normal(-0.15, 1.0, 24)
    exact = sign_flip(differences).p_drop
    monkeypatch.setattr(module, "_HALF", 16)
    ids = [f"item-{index}" for index in range(24)]
    drawn = sign_flip(differences, item_ids=ids)
    again = sign_flip(differences[::-1], item_ids=ids[::-1])
    assert drawn.method == "seeded_permutation"
    assert drawn.p_drop == again.p_drop
    assert abs(drawn.p_drop - exact) < 5 * drawn.monte_carlo_se


def test_several_trials_are_drawn_too(monkeypatch):
    """Unequal trials, one arm's item missing: draws agree with the count of all arrangements."""
    generator = np.random.default_rng(4)
    candidate = [generator.normal(0, 1, 2) for _ in range(5)] + [[]]
    baseline = [generator.normal(0.3, 1, 3) for _ in range(5)] + [[1.0]]
    exact = within_item_scores(candidate, baseline)
    monkeypatch.setattr(module, "_HALF", 2)
    drawn = within_item_scores(candidate, baseline)
    assert (exact.method, drawn.method, drawn.n_items_dropped) == ("enumeration", "seeded_permutation", 1)
    assert abs(drawn.p_drop - exact.p_drop) < 5 * drawn.monte_carlo_se


def test_many_items_take_the_normal_distribution():
    """Above 200 items the sum is as good as normal."""
    differences = np.random.default_rng(5).normal(0, 1, 400)
    test = sign_flip(differences)
    assert test.method == "normal"
    assert test.p_drop + test.p_gain == pytest.approx(1.0)


def test_no_difference_at_all_is_p_one():
    """Zero variance must not divide by zero."""
    assert sign_flip([0.0] * 5).p_two_sided == 1.0
    assert sign_flip([]).p_drop == 1.0


def test_a_nan_is_named():
    """A missing score that slips through must stop the gate and not vote in it."""
    with pytest.raises(EstimateError, match="candidate scores hold 1 NaN"):
        within_item_scores([[0.1], [float("nan")]], [[0.1], [0.2]])


def test_listed_arrangements_and_shuffled_trials_are_one_test(monkeypatch):
    """Items with too many arrangements to list are shuffled; the answer is the same up to drawing."""
    generator = np.random.default_rng(6)
    candidate, baseline = generator.random((30, 3)), generator.random((30, 4)) + 0.05
    listed = within_item_scores(candidate, baseline)
    monkeypatch.setattr(module, "_LISTED", 0)
    shuffled = within_item_scores(candidate, baseline)
    assert listed.method == shuffled.method == "seeded_permutation"
    assert listed.p_drop != shuffled.p_drop
    assert abs(listed.p_drop - shuffled.p_drop) < 5 * listed.monte_carlo_se


@pytest.mark.parametrize("shift", [0.3, -0.3])
def test_the_arms_may_trade_places_where_arrangements_are_drawn(shift):
    """Draws are the same whichever run is called the candidate, so no verdict hangs on the order."""
    generator = np.random.default_rng(4)
    a, b = generator.normal(shift, 1, (60, 4)), generator.normal(0, 1, (60, 3))
    there, back = within_item_scores(a, b), within_item_scores(b, a)
    assert there.method == "seeded_permutation"
    assert (there.p_drop, there.p_gain, there.total_diff) == (back.p_gain, back.p_drop, -back.total_diff)
