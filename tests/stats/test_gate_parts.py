"""Suite standard error, decision rule, pass^k, power and multiplicity at their edges."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, bonferroni, holm
from llmops_lib.stats.pass_k import pass_at_k, pass_hat_k
from llmops_lib.stats.power import (
    TrialNoise,
    fit_pass_rates,
    items_needed,
    smallest_difference,
    t_test_effect_size,
    t_test_power,
)
from llmops_lib.stats.regression_rule import Decision, regression_verdict
from llmops_lib.stats.results import Reason
from llmops_lib.stats.suite import ArmTrials, suite_difference

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_counts_and_scores_make_the_same_arm():
    """K / (K - 1) p (1 - p) is the sample variance of zeros and ones."""
    counted = ArmTrials.from_counts([1, 4, 0], [3, 4, 0])
    scored = ArmTrials.from_scores([[1, 0, 0], [1, 1, 1, 1], []])
    assert np.allclose(counted.means, scored.means)
    assert np.allclose(counted.variances, scored.variances)
    assert counted.trials.tolist() == scored.trials.tolist()


def test_items_missing_on_one_side_are_counted_by_side():
    """Crashes must not improve a score unseen."""
    found = suite_difference(
        ArmTrials.from_counts([2, 0, 1], [2, 0, 2]), ArmTrials.from_counts([2, 2, 0], [2, 2, 0])
    )
    assert (found.n_items, found.n_missing_candidate, found.n_missing_baseline) == (1, 1, 1)
    assert Reason.ONE_SIDED_MISSING in found.reasons


def test_a_single_trial_anywhere_falls_back_to_pairs():
    """The noise of one trial cannot be told from the difference of items."""
    candidate, baseline = (
        ArmTrials.from_counts([1, 0, 1], [1, 2, 2]),
        ArmTrials.from_counts([1, 2, 1], [2, 2, 2]),
    )
    found = suite_difference(candidate, baseline)
    assert (found.se_kind, found.df) == ("paired_t", 2)
    assert Reason.SINGLE_TRIAL in found.reasons


def test_no_items_are_inconclusive_and_never_a_pass():
    """Nothing measured, nothing proven."""
    nothing = suite_difference(ArmTrials.from_counts([], []), ArmTrials.from_counts([], []))
    assert nothing.diff is None
    assert regression_verdict(1.0, nothing).decision is Decision.INCONCLUSIVE


def test_one_item_with_one_trial_is_inconclusive():
    """A t quantile with no degrees of freedom is no limit."""
    one = suite_difference(ArmTrials.from_counts([1], [1]), ArmTrials.from_counts([1], [1]))
    assert regression_verdict(1.0, one).decision is Decision.INCONCLUSIVE


def test_evidence_of_harm_blocks_even_where_the_margin_holds():
    """A drop that is proven is a drop, however small the interval says it is."""
    arm = ArmTrials.from_counts([4] * 50, [4] * 50)
    assert regression_verdict(0.01, suite_difference(arm, arm)).decision is Decision.BLOCK
    unharmed = regression_verdict(0.5, suite_difference(arm, arm))
    assert (unharmed.decision, unharmed.reasons) == (Decision.PASS, (Reason.ZERO_VARIANCE,))


def test_pass_k_needs_k_trials_of_every_item():
    """Leaving short items out would answer another question."""
    assert pass_hat_k([1, 1], [4, 2], 3).value is None
    assert pass_hat_k([1, 1], [4, 2], 3).reasons == (Reason.N_TOO_SMALL,)
    assert pass_hat_k([], [], 1).value is None
    with pytest.raises(EstimateError, match="k is 0"):
        pass_hat_k([1], [1], 0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=20))
def test_all_of_k_is_never_likelier_than_any_of_k(passes):
    """And at k = 1 both are the pass rate."""
    trials = [6] * len(passes)
    assert pass_hat_k(passes, trials, 1).value == pytest.approx(sum(passes) / sum(trials))
    assert pass_at_k(passes, trials, 1).value == pytest.approx(sum(passes) / sum(trials))
    for k in (2, 6):
        assert pass_hat_k(passes, trials, k).value <= pass_at_k(passes, trials, k).value + 1e-12


def test_sample_size_and_detectable_difference_are_inverse():
    """What n items see is what takes n items."""
    noise = TrialNoise(0.1, 0.15, 0.12, 2, 8)
    n = items_needed(0.04, noise, two_sided=True)
    assert smallest_difference(n, noise, two_sided=True) == pytest.approx(0.04)
    with pytest.raises(EstimateError, match="other than zero"):
        items_needed(0.0, noise)


@pytest.mark.parametrize("n", [2, 5, 100, 805, 5_000])
def test_a_two_sided_test_sees_what_a_one_sided_one_of_half_the_level_sees(n):
    """Of an effect that is large the far tail is nothing; SciPy's own is NaN there, and once crashed this."""
    effect = t_test_effect_size(n, two_sided=True)
    assert t_test_power(effect, n, two_sided=True) == pytest.approx(0.8, abs=1e-9)
    assert t_test_power(effect, n, alpha=0.025) == pytest.approx(0.8, abs=1e-3)
    assert t_test_power(-3 * effect, n, two_sided=True) == t_test_power(3 * effect, n, two_sided=True)


def test_pilot_trials_give_back_the_spread_they_came_from():
    """Two thousand simulated items recover their beta distribution."""
    generator = np.random.default_rng(11)
    passes = generator.binomial(4, generator.beta(0.642, 0.858, 2000))
    fit = fit_pass_rates(passes, [4] * 2000)
    assert fit.mean == pytest.approx(0.428, abs=0.03)
    assert fit.correlation == pytest.approx(0.4, abs=0.04)
    with pytest.raises(EstimateError, match="expected passes and failures"):
        fit_pass_rates([4, 4], [4, 4])


@settings(deadline=None)
@given(P_VALUES)
def test_adjusted_p_values_are_ordered_like_the_methods(p_values):
    """Bonferroni bounds Holm, Holm bounds nothing below the raw value, BY bounds BH."""
    raw = np.array(p_values)
    assert (holm(raw) <= bonferroni(raw) + 1e-15).all()
    assert (holm(raw) >= raw - 1e-15).all()
    assert (benjamini_hochberg(raw) <= holm(raw) + 1e-12).all()
    assert (benjamini_yekutieli(raw) >= benjamini_hochberg(raw) - 1e-12).all()


@settings(deadline=None)
@given(P_VALUES, st.randoms(use_true_random=False))
def test_adjusted_p_values_stay_with_their_questions(p_values, random):
    """Shuffled questions get shuffled answers."""
    order = list(range(len(p_values)))
    random.shuffle(order)
    for adjust in (holm, benjamini_hochberg, benjamini_yekutieli):
        assert np.allclose(adjust(np.array(p_values)[order]), adjust(p_values)[order])


def test_no_questions_and_impossible_p_values():
    """An empty list stays empty; 1.2 is no probability and NaN is named."""
    assert holm([]).tolist() == benjamini_hochberg([]).tolist() == []
    with pytest.raises(EstimateError, match=r"1\.2 at position 0"):
        holm([1.2])
    with pytest.raises(EstimateError, match="1 NaN"):
        benjamini_hochberg([0.1, math.nan])
