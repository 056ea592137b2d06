"""Differences of ratios where users are few or heavy: the test and the interval that keep their level."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmops_lib.errors import EstimateError
from llmops_lib.stats.cluster_permutation import cluster_permutation, permutation_interval
from llmops_lib.stats.distributions import t_quantile
from llmops_lib.stats.ratio_score import null_variance
from llmops_lib.stats.ratios import ratio_difference, ratio_of_sums
from llmops_lib.stats.results import Reason

USERS = st.lists(
    st.tuples(st.integers(0, 40).map(float), st.integers(1, 12).map(float)), min_size=4, max_size=7
)


def arms(generator, size=60):
    """Two arms of heavy-tailed users: sums and counts each."""
    counts = generator.integers(1, 6, (2, size)) ** 2
    return [(generator.gamma(1.0, 1.0, size) * one, one) for one in counts]


@settings(deadline=None, max_examples=40)
@given(USERS, USERS)
def test_the_interval_says_of_no_effect_what_the_p_value_says(b, a):
    """Zero is inside where the permutation test does not reject it."""
    sums, counts = zip(*b, *a, strict=True)
    arm = [1] * len(b) + [0] * len(a)
    p, found = (
        cluster_permutation(sums, counts, arm).p_two_sided,
        permutation_interval(sums, counts, arm)(0.1),
    )
    if found.reasons == ():
        is_inside = found.lower <= 0 <= found.upper
        near = min(abs(found.lower), abs(found.upper)) < 1e-6
        assert is_inside == (p > 0.1) or near


def test_an_effect_per_call_moves_the_interval_by_itself():
    """Ten more for each call of the candidate: the same users, ten further on; dollars or cents alike."""
    (b_sums, b_counts), (a_sums, a_counts) = arms(np.random.default_rng(1), 6)
    counts, arm = np.r_[b_counts, a_counts], np.r_[np.ones(6), np.zeros(6)]
    plain = permutation_interval(np.r_[b_sums, a_sums], counts, arm)(0.05)
    moved = permutation_interval(np.r_[b_sums + 10 * b_counts, a_sums], counts, arm)(0.05)
    assert (moved.lower, moved.upper) == pytest.approx((plain.lower + 10, plain.upper + 10), abs=1e-6)
    cents = permutation_interval(100 * np.r_[b_sums, a_sums], counts, arm)(0.05)
    assert (cents.lower, cents.upper) == pytest.approx((100 * plain.lower, 100 * plain.upper), rel=1e-6)


def test_drawn_assignments_give_nested_intervals_in_any_order_of_users():
    """The draws follow from the ids: less confidence lies inside of more, and the order does not matter."""
    (b_sums, b_counts), (a_sums, a_counts) = arms(np.random.default_rng(2), 15)
    sums, counts, arm = np.r_[b_sums, a_sums], np.r_[b_counts, a_counts], np.repeat([1, 0], 15)
    ids = [f"u{place}" for place in range(30)]
    at, back = (
        permutation_interval(sums[way], counts[way], arm[way], user_ids=ids[way])
        for way in (slice(None), slice(None, None, -1))
    )
    wide, narrow = at(0.05), at(0.2)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    assert (back(0.05).lower, back(0.05).upper) == pytest.approx((wide.lower, wide.upper))


def test_arms_that_cannot_be_told_apart_have_no_end():
    """Three users against three: no effect is rejected at 5%, as there are 20 assignments only."""
    found = permutation_interval([1, 2, 3, 4, 5, 6], [1] * 6, [0, 0, 0, 1, 1, 1])(0.05)
    assert (found.lower, found.upper, found.reasons) == (None, None, (Reason.UNBOUNDED,))
    assert permutation_interval([1, 2, 3], [1] * 3, [0, 0, 1])(0.05).reasons == (Reason.TOO_FEW_CLUSTERS,)
    assert permutation_interval([1.0] * 8, [1] * 8, [0, 1] * 4)(0.05).reasons == (Reason.ZERO_VARIANCE,)


def test_the_score_test_is_welchs_of_the_residuals_of_both():
    """Residuals around the ratio of all users, arm against arm, as SciPy says."""
    b, a = arms(np.random.default_rng(3))
    shared = (b[0].sum() + a[0].sum()) / (b[1].sum() + a[1].sum())
    expected = stats.ttest_ind(b[0] - shared * b[1], a[0] - shared * a[1], equal_var=False)
    diff = b[0].sum() / b[1].sum() - a[0].sum() / a[1].sum()
    found = null_variance(b, a)
    assert found.p_two_sided(diff) == pytest.approx(expected.pvalue)
    assert found.df == pytest.approx(expected.df)


def test_limits_of_the_score_test_are_what_it_does_not_reject():
    """At a limit, with that effect taken back from the candidate, the p value is alpha of the same t."""
    b, a = arms(np.random.default_rng(4))
    diff = b[0].sum() / b[1].sum() - a[0].sum() / a[1].sum()
    found = null_variance(b, a)
    critical = t_quantile(0.975, found.df)
    for limit in found.limits(diff, critical):
        back = null_variance((b[0] - limit * b[1], b[1]), a)
        assert abs(diff - limit) / back.constant**0.5 == pytest.approx(critical, rel=1e-9)


def test_heavy_users_raise_no_false_alarms():
    """600 pairs of arms alike, 30 heavy-tailed users each: above 5% by the delta method, not by this."""
    generator = np.random.default_rng(5)
    by_score = by_delta = 0
    for _ in range(600):
        b, a = arms(generator, 30)
        plain = ratio_difference(ratio_of_sums(*b), ratio_of_sums(*a))
        by_delta += plain.p_two_sided <= 0.05
        by_score += null_variance(b, a).p_two_sided(plain.value) <= 0.05
    assert by_score <= 38
    assert by_score < by_delta


def test_the_score_test_has_nothing_to_say_of_nobody():
    """One user, no calls, no variance; a negative count is refused."""
    assert null_variance(([1.0], [1]), ([1.0, 2.0], [1, 1])) is None
    assert null_variance(([0.0, 0.0], [0, 0]), ([1.0, 2.0], [1, 1])) is None
    assert null_variance(([2.0, 2.0], [1, 1]), ([2.0, 2.0], [1, 1])) is None
    with pytest.raises(EstimateError, match="counts hold -1"):
        null_variance(([1.0, 2.0], [-1, 1]), ([1.0, 2.0], [1, 1]))


def test_an_effect_without_an_end_has_no_limits():
    """A critical value that the heaviest users outweigh leaves every difference possible."""
    b, a = arms(np.random.default_rng(6), 6)
    assert null_variance(b, a).limits(0.5, 50.0) is None
