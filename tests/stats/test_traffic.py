"""Ratios over users, lifts, CUPED, permutations and looks, at their edges and by their laws."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats import cluster_permutation as module
from llmops_lib.stats.anytime import anytime_difference, asymptotic_sequence
from llmops_lib.stats.cluster_permutation import cluster_permutation
from llmops_lib.stats.cuped import cuped_difference
from llmops_lib.stats.group_sequential import (
    crossing_probability,
    obrien_fleming,
    pocock,
    spending_limits,
)
from llmops_lib.stats.lift import lift, lift_linear
from llmops_lib.stats.mixture_sprt import mixture_sprt
from llmops_lib.stats.ratios import (
    Ratio,
    linearised,
    ratio_difference,
    ratio_of_sums,
    smallest_ratio_difference,
)
from llmops_lib.stats.results import Reason
from llmops_lib.stats.sample_ratio import sample_ratio

USERS = st.lists(
    st.tuples(st.integers(0, 50).map(float), st.integers(1, 20).map(float)), min_size=5, max_size=30
)


def arm(users):
    """A ratio from pairs of sum and count."""
    return ratio_of_sums(*zip(*users, strict=True))


@settings(deadline=None)
@given(USERS)
def test_an_arm_against_itself_has_no_difference_and_no_lift(users):
    """A against A, whatever the traffic."""
    ratio = arm(users)
    assert ratio_difference(ratio, ratio).value == 0.0
    assert ratio_difference(ratio, ratio).p_two_sided == pytest.approx(1.0)
    assert anytime_difference(ratio, ratio).p_value == 1.0
    assert lift(ratio, ratio).value in {0.0, None}


@settings(deadline=None)
@given(USERS, USERS, st.sampled_from([1e-6, 100.0]))
def test_units_of_money_do_not_change_the_evidence(first, second, scale):
    """Dollars or micro-dollars: same p value, scaled difference."""
    found = ratio_difference(arm(first), arm(second))
    scaled = ratio_difference(*(arm([(s * scale, n) for s, n in users]) for users in (first, second)))
    assert scaled.value == pytest.approx(found.value * scale, rel=1e-9, abs=1e-12 * scale)
    if found.se:
        assert scaled.p_two_sided == pytest.approx(found.p_two_sided, rel=1e-6)


@settings(deadline=None)
@given(USERS)
def test_linearised_values_carry_the_ratio_and_its_variance(users):
    """Their mean is the ratio, and their variance over G that of the ratio."""
    sums, counts = zip(*users, strict=True)
    values, ratio = linearised(sums, counts), ratio_of_sums(sums, counts)
    assert values.mean() == pytest.approx(ratio.value, abs=1e-12)
    assert values.var(ddof=1) / len(values) == pytest.approx(ratio.variance, rel=1e-9, abs=1e-15)


def test_calls_of_one_user_count_as_one_user():
    """Ten times the calls of the same users leave the standard error as it is."""
    once, often = ratio_of_sums([1, 5, 2, 8], [2, 4, 2, 5]), ratio_of_sums([10, 50, 20, 80], [20, 40, 20, 50])
    assert often.value == once.value
    assert often.variance == pytest.approx(once.variance)


def test_ratios_without_users_or_calls_are_unknown():
    """Nothing over nothing is no zero."""
    assert (ratio_of_sums([], []).value, ratio_of_sums([], []).reasons) == (None, (Reason.N_TOO_SMALL,))
    assert ratio_of_sums([0.0], [0]).reasons == (Reason.ZERO_DENOMINATOR,)
    assert ratio_of_sums([3.0], [2]).variance is None
    few = ratio_difference(Ratio(1.0, 0.1, 4), Ratio(1.0, 0.1, 400))
    assert (few.interval.lower, few.reasons) == (None, (Reason.TOO_FEW_CLUSTERS,))
    assert smallest_ratio_difference(Ratio(1.0, 0.1, 4), Ratio(1.0, 0.1, 400)) is None
    with pytest.raises(EstimateError, match="counts hold -1"):
        ratio_of_sums([1.0], [-1])


def test_arms_without_variance_are_equal_or_have_no_interval():
    """Every call costs the same: no error bar can be drawn, and none is made up."""
    same = ratio_difference(ratio_of_sums([2.0] * 6, [1] * 6), ratio_of_sums([2.0] * 6, [1] * 6))
    assert (same.interval.lower, same.interval.upper, same.p_two_sided) == (0.0, 0.0, 1.0)
    other = ratio_difference(ratio_of_sums([3.0] * 6, [1] * 6), ratio_of_sums([2.0] * 6, [1] * 6))
    assert (other.value, other.interval.lower, other.p_two_sided) == (1.0, None, None)
    assert other.reasons == (Reason.ZERO_VARIANCE,)


def test_a_lift_over_something_that_may_be_zero_says_so():
    """Plus 300% of nearly nothing is not a finding."""
    shaky = lift(Ratio(0.03, 0.0001, 100), Ratio(0.01, 0.0001, 100))
    assert Reason.ZERO_DENOMINATOR in shaky.interval.reasons
    none = lift(Ratio(0.03, 0.0001, 100), Ratio(0.0, 0.0, 100))
    assert (none.value, none.interval.upper) == (None, None)
    assert lift_linear(Ratio(0.03, 0.0001, 100), Ratio(0.0, 0.0, 100)).value is None
    assert lift(Ratio(-1.0, 0.01, 100), Ratio(1.0, 0.01, 100)).interval.lower is None


def test_a_covariate_that_explains_nothing_changes_nothing():
    """Theta is 0 without variance; new users keep their place."""
    generator = np.random.default_rng(1)
    y_b, y_a = generator.normal(1, 1, 40), generator.normal(1, 1, 50)
    flat = cuped_difference((y_b, np.ones(40)), (y_a, np.ones(50)))
    assert (flat.theta, flat.adjusted.value) == (0.0, flat.unadjusted.value)
    unseen = cuped_difference((y_b, np.full(40, np.nan)), (y_a, np.full(50, np.nan)))
    assert unseen.adjusted.value == flat.unadjusted.value
    x = np.concatenate([y_b[:30], np.full(10, np.nan)])
    assert cuped_difference((y_b, x), (y_a, y_a)).adjusted.n_units == 90


def test_small_permutations_are_all_counted():
    """The moments give what the plain formula gives for every assignment."""
    sums, counts, chosen = [1.0, 4.0, 2.0, 9.0, 3.0, 7.0], [2, 3, 2, 5, 1, 4], [0, 1, 0, 1, 1, 0]

    def statistic(candidate):
        b = [index for index in range(6) if index in candidate]
        a = [index for index in range(6) if index not in candidate]
        two = [ratio_of_sums([sums[i] for i in side], [counts[i] for i in side]) for side in (b, a)]
        return (two[0].value - two[1].value) / (two[0].variance + two[1].variance) ** 0.5

    observed = statistic({1, 3, 4})
    every = [statistic(set(candidate)) for candidate in itertools.combinations(range(6), 3)]
    test = cluster_permutation(sums, counts, chosen)
    assert test.statistic == pytest.approx(observed)
    assert test.p_two_sided == sum(abs(value) >= abs(observed) - 1e-12 for value in every) / len(every)


def test_drawn_permutations_follow_from_ids_and_agree_with_all_of_them(monkeypatch):
    """Same users in another order, same p; and near the count of all assignments."""
    generator = np.random.default_rng(2)
    sums, counts, chosen = generator.gamma(2, 1, 16), generator.integers(1, 9, 16), [0] * 9 + [1] * 7
    exact = cluster_permutation(sums, counts, chosen)
    monkeypatch.setattr(module, "ENUMERATED_UP_TO", 10)
    ids = [f"user-{index}" for index in range(16)]
    drawn = cluster_permutation(sums, counts, chosen, user_ids=ids)
    again = cluster_permutation(sums[::-1], counts[::-1], chosen[::-1], user_ids=ids[::-1])
    assert (exact.method, drawn.method) == ("enumeration", "seeded_permutation")
    assert drawn.p_two_sided == again.p_two_sided
    assert abs(drawn.p_two_sided - exact.p_two_sided) < 5 * drawn.monte_carlo_se


def test_permutations_of_next_to_nobody_are_refused():
    """One user in an arm has no variance to studentise with."""
    assert cluster_permutation([1, 2, 3], [1, 1, 1], [1, 0, 0]).reasons == (Reason.TOO_FEW_CLUSTERS,)
    assert cluster_permutation([1.0] * 8, [1] * 8, [0, 1] * 4).p_two_sided == 1.0


def test_a_split_far_from_plan_voids_the_experiment():
    """Exact for few users, chi-square for many, several arms too."""
    assert not sample_ratio([500, 500], [1, 1]).is_mismatch
    assert sample_ratio([6_000, 5_000], [1, 1]).is_mismatch
    assert sample_ratio([900, 50, 50], [0.9, 0.05, 0.05]).p_exact is None
    assert sample_ratio([0, 0], [1, 1]).p_value is None
    with pytest.raises(EstimateError, match="positive shares"):
        sample_ratio([1, 2], [1, 0])


def test_looking_early_is_flagged():
    """Asymptotic limits hold from fifty users an arm on."""
    early = anytime_difference(Ratio(1.0, 0.01, 40), Ratio(1.0, 0.01, 400))
    assert early.reasons == (Reason.N_TOO_SMALL,)
    assert anytime_difference(Ratio(1.0, 0.01, 50), Ratio(1.0, 0.01, 50)).reasons == ()


def test_peeking_at_every_observation_rarely_excludes_the_truth():
    """Two hundred simulated streams of no effect, each looked at 400 times: at most the nominal share."""
    generator = np.random.default_rng(3)
    wrong_limits = wrong_p = 0
    for _ in range(200):
        values = generator.normal(0, 1, 500)
        limits = asymptotic_sequence(values, tightest_at=250)
        late = limits.n >= 100
        wrong_limits += bool(((limits.lower > 0) | (limits.upper < 0))[late].any())
        wrong_p += bool((mixture_sprt(values, mean=0.0, sigma=1.0, tau=0.3).p_value <= 0.05).any())
    assert wrong_limits <= 16
    assert wrong_p <= 16


def test_sequences_start_where_limits_exist():
    """One observation has no spread."""
    assert len(asymptotic_sequence([1.0]).n) == 0
    with pytest.raises(EstimateError, match="no limits after 1"):
        asymptotic_sequence([1.0, 2.0]).at(1)
    with pytest.raises(EstimateError, match="2 NaN"):
        asymptotic_sequence([float("nan"), 1.0, float("nan")])


@pytest.mark.parametrize("looks", [1, 3])
def test_planned_looks_spend_alpha_once(looks):
    """Whatever the shape, the chance of ever crossing is alpha."""
    information = range(1, looks + 1)
    for limits in (obrien_fleming(looks), pocock(looks), spending_limits(information, planned=looks)):
        assert crossing_probability(limits, information) == pytest.approx(0.05, abs=1e-6)


def test_unplanned_times_of_looks_spend_no_more():
    """Two looks close together and an early one: the total stays alpha; no look, no limit."""
    information = [10, 40, 45, 100]
    limits = spending_limits(information, planned=100)
    assert crossing_probability(limits, information) == pytest.approx(0.05, abs=1e-6)
    assert limits[0] > 6
    with pytest.raises(EstimateError, match="rising"):
        spending_limits([2, 1], planned=2)
