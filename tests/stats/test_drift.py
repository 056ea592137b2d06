"""Drift: nothing where nothing moved, and the same answer for the same question asked otherwise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats.classifier_drift import classifier_drift
from llmops_lib.stats.drift import binned_drift, category_drift, shape_drift
from llmops_lib.stats.embedding_drift import kernel_drift
from llmops_lib.stats.results import Reason
from llmops_lib.stats.suite_coverage import suite_coverage

LENGTHS = st.lists(st.integers(0, 500).map(float), min_size=2, max_size=60)


@settings(deadline=None)
@given(LENGTHS)
def test_a_sample_against_itself_has_not_moved(values):
    """A against A: every distance is zero."""
    binned, shape = binned_drift(values, values), shape_drift(values, values)
    assert binned.psi == pytest.approx(0.0, abs=1e-12)
    assert binned.js_divergence == pytest.approx(0.0, abs=1e-12)
    assert (shape.ks_distance, shape.wasserstein) == (0.0, 0.0)
    assert shape.auc == pytest.approx(0.5)


@settings(deadline=None)
@given(LENGTHS, LENGTHS)
def test_distances_follow_the_unit_or_have_none(old, new):
    """Characters or kilobytes: Wasserstein scales, the others stay."""
    there = shape_drift(old, new)
    scaled = shape_drift([value * 8 for value in old], [value * 8 for value in new])
    assert scaled.wasserstein == pytest.approx(8 * there.wasserstein)
    assert scaled.ks_distance == pytest.approx(there.ks_distance)
    assert scaled.auc == pytest.approx(1 - shape_drift(new, old).auc)


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdef"), min_size=1), st.lists(st.sampled_from("abcdef"), min_size=1))
def test_category_drift_is_bounded_and_symmetric_where_it_should_be(old, new):
    """Jensen-Shannon is a bounded, symmetric divergence; labels have no order."""
    there, back = category_drift(old, new), category_drift(new, old)
    assert 0 <= there.js_divergence <= 1 + 1e-12
    assert there.js_divergence == pytest.approx(back.js_divergence, abs=1e-12)


def test_disjoint_samples_differ_by_one_bit():
    """Nothing in common is the most there can be."""
    found = category_drift(["en"] * 50, ["de"] * 50)
    assert found.js_divergence == pytest.approx(1.0)
    assert found.cramers_v == pytest.approx(1.0)


def test_rare_labels_are_pooled_for_the_test():
    """Forty topics seen once each are one category and not forty."""
    rare = [f"topic-{index}" for index in range(40)]
    found = category_drift(["a"] * 100 + rare[:20], ["a"] * 100 + rare[20:])
    assert (found.n_bins, found.df) == (2, 1)
    assert found.p_value == pytest.approx(1.0)


def test_constant_and_empty_samples_answer_plainly():
    """A suite of one length has one bin; nothing has no drift."""
    flat = binned_drift([7.0] * 20, [7.0] * 20)
    assert flat.psi == pytest.approx(0.0)
    assert shape_drift([7.0], [7.0]).auc_p_value == 1.0
    assert binned_drift([], [1.0]).reasons == (Reason.N_TOO_SMALL,)
    assert shape_drift([1.0], []).ks_distance is None
    assert category_drift(["a"], ["a"]).reasons == (Reason.ZERO_VARIANCE,)
    with pytest.raises(EstimateError, match="1 NaN"):
        shape_drift([float("nan")], [1.0])
    with pytest.raises(EstimateError, match="1 bins"):
        binned_drift([1.0], [1.0], bins=1)


def clouds(shift, users=40, calls=5, seed=1):
    """Points of users with their own habits; the fresh ones moved by `shift`."""
    generator = np.random.default_rng(seed)
    habits = generator.normal(0, 1, (2 * users, 2))
    habits[users:] += shift
    found = np.repeat(habits, calls, axis=0) + generator.normal(0, 0.2, (2 * users * calls, 2))
    return found[: users * calls], found[users * calls :], np.repeat(range(2 * users), calls)


@pytest.mark.parametrize("test", [kernel_drift, classifier_drift])
def test_a_move_is_found_and_repeatable(test):
    """A shift of two habits is no chance, and the same data give the same p."""
    old, new, users = clouds(2.0)
    found = test(old, new, users=users)
    assert found.p_value == 1 / 1000
    assert found == test(old, new, users=users)


@pytest.mark.parametrize("test", [kernel_drift, classifier_drift])
def test_users_and_not_calls_are_what_is_permuted(test):
    """Without a shift, users of their own habits look like drift only if calls count as independent."""
    p_values = []
    for seed in range(20):
        old, new, users = clouds(0.0, users=15, calls=6, seed=seed)
        p_values.append(test(old, new, users=users).p_value)
    assert sum(p <= 0.05 for p in p_values) <= 4


def test_a_classifier_finds_a_shift_in_the_worse_direction_of_chance():
    """Half is alike; too few points are no answer."""
    old, new, users = clouds(2.0)
    assert classifier_drift(old, new, users=users).value > 0.85
    assert classifier_drift(old[:3], new).reasons == (Reason.N_TOO_SMALL,)
    assert kernel_drift(old[:1], new).value is None
    with pytest.raises(EstimateError, match="2 dimensions and fresh points 1"):
        kernel_drift(old, new[:, :1])
    with pytest.raises(EstimateError, match="at most 4000"):
        kernel_drift(np.zeros((4000, 1)), np.zeros((2, 1)))


def test_the_kernel_distance_has_no_bias():
    """Over many samples of the same source the unbiased estimate averages to zero."""
    generator = np.random.default_rng(3)
    values = [
        kernel_drift(generator.normal(size=(12, 2)), generator.normal(size=(9, 2)), gamma=0.5).value
        for _ in range(60)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(60)


def test_inputs_unlike_the_suite_are_listed():
    """What lies far from every case is a candidate for the next version."""
    generator = np.random.default_rng(4)
    suite, same = generator.normal(size=(400, 2)), generator.normal(size=(400, 2))
    assert suite_coverage(suite, same).uncovered_share == pytest.approx(0.05, abs=0.04)
    found = suite_coverage(suite, [[0.0, 0.0], [9.0, 9.0]])
    assert found.is_uncovered.tolist() == [False, True]
    assert suite_coverage(suite[:1], same).uncovered_share is None
    assert suite_coverage([[1.0]] * 5, [[1.0]]).uncovered_share == 0.0
