"""Samples, judges, live intervals and alarms at their edges and by their laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats import bounded_sequences
from llmops_lib.stats.allocation import neyman_allocation, shrunken_variances
from llmops_lib.stats.bounded_sequences import (
    bernoulli_sequence,
    betting_sequence,
    empirical_bernstein_sequence,
)
from llmops_lib.stats.cusum import cusum_chart, cusum_limit, cusum_run_length
from llmops_lib.stats.e_detectors import e_cusum, e_shiryaev_roberts, rises
from llmops_lib.stats.judge_error import Calibration, corrected_share
from llmops_lib.stats.moving_average import exponential_average
from llmops_lib.stats.prediction_powered import prediction_powered_mean
from llmops_lib.stats.quantiles import clustered_quantile, quantile_difference, quantile_interval
from llmops_lib.stats.results import Reason
from llmops_lib.stats.seasonal_trend import seasonal_trend
from llmops_lib.stats.self_normalised import self_normalised_doubly_robust
from llmops_lib.stats.survey import (
    Stratum,
    effective_sample_size,
    hajek_mean,
    stratified_mean,
)

UNIT = st.lists(st.floats(0, 1), min_size=1, max_size=40)
SEQUENCES = (empirical_bernstein_sequence, betting_sequence)


def test_weights_undo_the_over_sampling_of_failures():
    """Failures are drawn ten times as often: the raw mean says 50%, the truth is 91%."""
    values, chances = [1] * 100 + [0] * 100, [0.01] * 100 + [0.1] * 100
    found = hajek_mean(values, chances)
    assert found.value == pytest.approx(10_000 / 11_000)
    assert found.interval.lower < found.value < found.interval.upper


def test_a_complete_sample_has_no_sampling_error():
    """Everything drawn with chance one is known."""
    found = hajek_mean([0.0, 1.0] * 20, [1.0] * 40)
    assert (found.value, found.se, found.reasons) == (0.5, 0.0, (Reason.ZERO_VARIANCE,))


def test_calls_of_one_user_are_one_draw():
    """Clustering ten copies of each call gives the error of one copy."""
    generator = np.random.default_rng(1)
    values = generator.random(40)
    once = hajek_mean(values, [0.01] * 40, clusters=range(40))
    often = hajek_mean(np.repeat(values, 10), [0.01] * 400, clusters=np.repeat(range(40), 10))
    assert often.se == pytest.approx(once.se)
    assert (often.unit, often.n_units) == ("user", 40)


def test_samples_that_cannot_answer_say_so():
    """Few effective calls, no calls, chances that are none."""
    assert hajek_mean([], []).reasons == (Reason.N_TOO_SMALL,)
    assert hajek_mean([1, 0], [0.5, 0.5]).interval.lower is None
    assert effective_sample_size([]) == 0.0
    with pytest.raises(EstimateError, match="chances hold 0"):
        hajek_mean([1.0], [0.0])
    with pytest.raises(EstimateError, match="1 NaN"):
        hajek_mean([math.nan], [0.5])


def test_strata_without_a_sample_leave_the_mean_unknown():
    """An unseen stratum is not an average one; one draw leaves no error bar."""
    seen = Stratum(30, 300, 0.5, 0.25)
    assert stratified_mean([seen, Stratum(0, 100, 0.0, 0.0)]).mean.value is None
    lone = stratified_mean([seen, Stratum(1, 100, 1.0, 0.0)])
    assert (lone.mean.value, lone.mean.se, lone.total.value) == (0.625, None, 250.0)
    assert stratified_mean([Stratum(30, 30, 0.5, 0.25)]).mean.se == 0.0
    with pytest.raises(EstimateError, match="n above size in 1"):
        stratified_mean([Stratum(5, 4, 0.5, 0.1)])


def test_more_is_drawn_where_scores_vary_and_judging_is_cheap():
    """Neyman: twice the deviation, twice the sample; four times the cost, half of it."""
    assert neyman_allocation([100, 100], [0.2, 0.4], 30).tolist() == pytest.approx([10, 20])
    assert neyman_allocation([100, 100], [0.2, 0.2], 30, costs=[1, 4]).tolist() == pytest.approx([20, 10])
    assert shrunken_variances([0.0, 0.0], [0, 0]).tolist() == [0.0, 0.0]
    with pytest.raises(EstimateError, match="one stratum that varies"):
        neyman_allocation([100], [0.0], 10)


def test_a_perfect_judge_takes_over_and_a_useless_one_is_ignored():
    """Lambda goes to 1 minus what the split costs, or to 0."""
    generator = np.random.default_rng(2)
    y = generator.integers(0, 2, 200).astype(float)
    others = generator.integers(0, 2, 5_000).astype(float)
    perfect = prediction_powered_mean((y, y), others)
    assert perfect.tuning > 0.9
    assert perfect.se < 0.3 * 0.5 / math.sqrt(200)
    useless = prediction_powered_mean((y, np.zeros(200)), np.zeros(5_000))
    assert (useless.tuning, useless.value) == (0.0, pytest.approx(y.mean()))
    assert useless.interval.lower == pytest.approx(useless.labelled_only.lower)


def test_equal_weights_are_no_weights():
    """Weights that are all alike and large change nothing but lambda's last digits."""
    generator = np.random.default_rng(3)
    y, f, u = generator.random(150), generator.random(150), generator.random(900)
    plain = prediction_powered_mean((y, f), u, tuning=0.5)
    weighted = prediction_powered_mean((y, f), u, tuning=0.5, weights=([1e9] * 150, [1e9] * 900))
    assert weighted.value == pytest.approx(plain.value)
    assert weighted.se == pytest.approx(plain.se)


def test_weights_undo_uneven_chances_of_labels():
    """Labels drawn more often where the judge fails must not drag the estimate down."""
    generator = np.random.default_rng(4)
    truth = generator.random(60_000) < 0.8
    judge = np.where(generator.random(60_000) < 0.85, truth, ~truth)
    chance = np.where(judge, 0.01, 0.05)
    drawn = generator.random(60_000) < chance
    labelled = (truth[drawn].astype(float), judge[drawn].astype(float))
    weights = (1 / chance[drawn], np.ones(int((~drawn).sum())))
    found = prediction_powered_mean(labelled, judge[~drawn].astype(float), weights=weights)
    naive = prediction_powered_mean(labelled, judge[~drawn].astype(float))
    assert found.interval.lower < 0.8 < found.interval.upper
    assert not naive.interval.lower < 0.8 < naive.interval.upper


def test_labels_that_never_differ_prove_nothing():
    """An interval from 1 to 1 would say that no call ever fails."""
    found = prediction_powered_mean(([1.0] * 120, [1.0] * 120), [1.0] * 500)
    assert (found.interval.lower, found.interval.upper, found.reasons) == (1.0, 1.0, (Reason.ZERO_VARIANCE,))


def test_without_labels_there_is_no_estimate_of_quality():
    """The judge's mean alone is not one."""
    nothing = prediction_powered_mean(([], []), [1.0, 0.0])
    assert (nothing.value, nothing.reasons) == (None, (Reason.N_TOO_SMALL,))
    with pytest.raises(EstimateError, match="tuning"):
        prediction_powered_mean(([1.0], [1.0]), [1.0], tuning=1.5)


def test_a_judge_no_better_than_chance_identifies_nothing():
    """Dividing by J below zero would turn quality upside down."""
    coin = corrected_share(50, 100, Calibration(20, 20, 20, 20))
    assert (coin.value, coin.interval.lower, coin.reasons) == (None, None, (Reason.NOT_IDENTIFIABLE,))
    assert corrected_share(0, 0, Calibration(20, 20, 20, 20)).value is None
    assert corrected_share(5, 10, Calibration(0, 0, 20, 20)).reasons == (Reason.N_TOO_SMALL,)
    few = corrected_share(50, 100, Calibration(9, 1, 1, 9))
    assert Reason.N_TOO_SMALL in few.reasons
    assert few.value is not None
    with pytest.raises(EstimateError, match="11 of 10"):
        corrected_share(11, 10, Calibration(20, 20, 20, 20))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 400))
def test_a_judge_without_errors_leaves_the_share_as_it_is(positive):
    """Sensitivity and specificity of one correct nothing."""
    found = corrected_share(positive, 400, Calibration(500, 0, 0, 500))
    assert found.value == pytest.approx(positive / 400)
    assert found.interval.lower <= found.value <= found.interval.upper


@settings(deadline=None, max_examples=40)
@given(UNIT)
@pytest.mark.parametrize("make", SEQUENCES)
def test_live_intervals_mirror_scores_and_stay_within_zero_and_one(make, scores):
    """Quality and failure are one stream seen from two sides."""
    found, mirrored = make(scores), make([1 - score for score in scores])
    assert np.allclose(found.lower, 1 - mirrored.upper, atol=1.01e-3)
    assert ((found.lower >= 0) & (found.upper <= 1) & (found.lower <= found.upper)).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_live_pass_rates_solve_their_equation(outcomes):
    """Limits are where the evidence against p is exactly one over alpha."""
    from scipy.special import betaln

    found = bernoulli_sequence(outcomes)
    n, passes = len(outcomes), sum(outcomes)
    limits = found.at(n)
    assert limits.lower <= passes / n <= limits.upper
    for p in {limits.lower, limits.upper} - {0.0, 1.0}:
        evidence = betaln(1 + passes, 1 + n - passes) - passes * math.log(p) - (n - passes) * math.log1p(-p)
        assert evidence == pytest.approx(math.log(20), rel=1e-6)


def test_batches_of_bets_do_not_show(monkeypatch):
    """A stream longer than a batch gives the same limits."""
    scores = np.random.default_rng(5).random(200)
    whole = betting_sequence(scores)
    monkeypatch.setattr(bounded_sequences, "_BATCH", 7)
    parts = betting_sequence(scores)
    assert np.array_equal(whole.lower, parts.lower)
    assert np.array_equal(whole.upper, parts.upper)


def test_live_intervals_rarely_exclude_the_truth_ever():
    """A hundred streams at 80% watched for 300 calls: at most the nominal share is ever wrong."""
    generator = np.random.default_rng(6)
    wrong = dict.fromkeys((bernoulli_sequence, *SEQUENCES), 0)
    for _ in range(100):
        outcomes = (generator.random(300) < 0.8).astype(float)
        for make in wrong:
            limits = make(outcomes)
            wrong[make] += bool(((limits.lower > 0.8) | (limits.upper < 0.8)).any())
    assert max(wrong.values()) <= 9


def test_streams_that_are_no_streams_are_refused():
    """Scores of 1.2, outcomes of 2, nothing at all."""
    assert len(betting_sequence([]).n) == len(bernoulli_sequence([]).n) == 0
    with pytest.raises(EstimateError, match=r"scores hold 1\.2"):
        empirical_bernstein_sequence([1.2])
    with pytest.raises(EstimateError, match="outcomes up to 2"):
        bernoulli_sequence([2])


@settings(deadline=None, max_examples=50)
@given(UNIT)
def test_detectors_are_their_recursions(scores):
    """The closed forms in logarithms give what the loop gives."""
    sr, cusum = np.zeros(3), np.zeros(3)
    rates = np.array([0.25, 0.5, 1.0])
    for at, score in enumerate(scores):
        step = 1 + rates * (score - 0.3)
        sr, cusum = (sr + 1) * step, np.maximum(cusum, 1) * step
        assert math.exp(e_shiryaev_roberts(scores, 0.3, rates=rates)[at]) == pytest.approx(sr.mean())
        assert math.exp(e_cusum(scores, 0.3, rates=rates)[at]) == pytest.approx(cusum.mean())


def test_false_alarms_are_as_rare_as_asked():
    """At the acceptable level the mean time to an alarm is at least the run length."""
    generator = np.random.default_rng(7)
    times = []
    for _ in range(60):
        found = rises((generator.random(4_000) < 0.2).astype(float), 0.2, average_run_length=500)
        times.append(found[0].at + 1 if found else 4_000)
    assert np.mean(times) > 500


def test_a_detector_starts_anew_after_an_alarm_and_dates_the_rise():
    """Two incidents are two alarms, each with its beginning."""
    quiet, loud = [0.0] * 100, [1.0] * 30
    found = rises(quiet + loud[:14] + quiet + loud, 0.2, average_run_length=2_000)
    assert found[0].started_at == 100
    assert len(found) >= 2
    with pytest.raises(EstimateError, match="expected each above 0 and below 2"):
        e_cusum([0.5], 0.5, rates=[2.0])
    with pytest.raises(EstimateError, match="run length"):
        rises([0.5], 0.5, average_run_length=1)
    assert rises([], 0.5, average_run_length=10) == []


def test_run_lengths_and_limits_are_inverse():
    """A false alarm a year from daily points."""
    limit = cusum_limit(365)
    assert cusum_run_length(0.5, limit) == pytest.approx(365, rel=1e-6)
    assert cusum_run_length(0.5, 4, shift=1.0) < 10
    assert cusum_chart([], target=0, slack=0.5, limit=4).first_alarm is None
    with pytest.raises(EstimateError, match="5 to 1,000,000"):
        cusum_limit(1)


def test_averages_and_seasons_answer_plainly():
    """The newest value alone, a constant series, and input that is no series."""
    assert exponential_average([3.0, 1.0, 2.0], 1.0).tolist() == [3.0, 1.0, 2.0]
    assert exponential_average([], 0.5).tolist() == []
    with pytest.raises(EstimateError, match="weight is 0"):
        exponential_average([1.0], 0)
    parts = seasonal_trend([5.0] * 60, period=12)
    assert np.allclose(parts.trend + parts.season + parts.rest, 5.0)
    with pytest.raises(EstimateError, match="two periods or more"):
        seasonal_trend([1.0] * 10, period=12)


def test_weights_that_are_all_zero_value_no_policy():
    """A log that never did what the policy does says nothing of it."""
    assert self_normalised_doubly_robust([1.0], [0.0], [0.5], [0.5]) is None
    with pytest.raises(EstimateError, match="weights hold 1 NaN or infinite"):
        self_normalised_doubly_robust([1.0], [math.inf], [0.5], [0.5])


def test_a_quantile_of_equal_values_is_flagged():
    """All calls that timed out took the same time: the next one need not."""
    found = clustered_quantile([5.0] * 60, [place % 20 for place in range(60)], 0.5)
    assert (found.interval.lower, found.interval.upper) == (5.0, 5.0)
    assert Reason.ZERO_VARIANCE in found.reasons


def test_quantiles_of_few_calls_have_no_upper_limit():
    """Forty calls say nothing about how slow the slowest percent may be."""
    found = quantile_interval(range(40), 0.99)
    assert (found.interval.upper, found.reasons) == (None, (Reason.UNBOUNDED,))
    assert quantile_interval([], 0.5).value is None
    with pytest.raises(EstimateError, match="quantile is 95"):
        quantile_interval([1.0], 95)


def test_a_quantile_over_users_is_wider_than_over_calls():
    """Slow users are slow in all of their calls."""
    generator = np.random.default_rng(8)
    users = np.repeat(range(60), 20)
    latency = generator.gamma(4, 200, 60)[users] + generator.random(1_200)
    found = clustered_quantile(latency, users, 0.9)
    independent = clustered_quantile(latency, range(1_200), 0.9)
    assert found.se > 2 * independent.se
    assert found.interval.upper - found.interval.lower > 2 * (
        independent.interval.upper - independent.interval.lower
    )
    assert quantile_difference(found, found).value == 0.0
    assert quantile_difference(found, found).p_two_sided == 1.0


def test_few_users_refuse_a_quantile_interval():
    """Three users are three points, whatever the number of calls."""
    found = clustered_quantile(range(90), [n % 3 for n in range(90)], 0.5)
    assert (found.interval.lower, found.reasons) == (None, (Reason.TOO_FEW_CLUSTERS,))
    assert quantile_difference(found, found).se is None
    assert clustered_quantile([], [], 0.5).value is None
    assert clustered_quantile([5.0, 6.0], ["a", "a"], 0.5).value == 5.5
    flat = clustered_quantile([7.0] * 40, range(40), 0.5)
    assert (flat.se, quantile_difference(flat, flat).p_two_sided) == (0.0, 1.0)
