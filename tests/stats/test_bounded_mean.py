"""Intervals of means of scores from 0 to 1: Wilson's and Tango's own where scores pass or fail."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats.bounded_mean import bounded_mean_interval, effective_passes, paired_interval
from llmops_lib.stats.bounded_sequences import labelled_sequence
from llmops_lib.stats.clustered_cr2 import clustered_mean_cr2, satterthwaite_freedom
from llmops_lib.stats.clustered_mean import clustered_mean
from llmops_lib.stats.distributions import normal_quantile, t_quantile
from llmops_lib.stats.paired_proportions import tango
from llmops_lib.stats.proportions import wilson
from llmops_lib.stats.results import Reason
from llmops_lib.stats.spread import Spread
from llmops_lib.stats.win_rate import win_rate

PASSES = st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=60)
SIZES = st.lists(st.integers(1, 30), min_size=5, max_size=12)


@settings(deadline=None)
@given(PASSES)
def test_passes_and_failures_have_wilsons_interval(passes):
    """A share is a mean of scores: one number for both."""
    found, of_counts = win_rate(passes).interval, wilson(sum(passes), len(passes))
    assert (found.lower, found.upper) == pytest.approx((of_counts.lower, of_counts.upper), abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1)]), min_size=2, max_size=60))
def test_paired_passes_have_tangos_interval(pairs):
    """The same of differences, where any differ at all."""
    counts = [pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0))]
    names = ("both_pass", "regressions", "improvements", "both_fail")
    candidate, baseline = [b for _, b in pairs], [a for a, _ in pairs]
    found = paired_interval(candidate, baseline)
    if found.method == "tango_bounded":
        of_counts = tango(**dict(zip(names, counts, strict=True)))
        assert (found.lower, found.upper) == pytest.approx((of_counts.lower, of_counts.upper), abs=1e-9)
    else:
        assert len({a - b for a, b in pairs}) == 1


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_limits_lie_around_the_mean_and_mirror(scores):
    """One minus every score turns the interval over; nothing leaves 0 to 1."""
    found, other = win_rate(scores).interval, win_rate([1 - score for score in scores]).interval
    mean = sum(scores) / len(scores)
    assert 0 <= found.lower <= mean + 1e-9
    assert mean - 1e-9 <= found.upper <= 1
    assert (found.lower, found.upper) == pytest.approx((1 - other.upper, 1 - other.lower), abs=1e-7)


def test_wins_that_were_not_drawn_yet_are_reckoned_with():
    """Fifty lost comparisons of 1e-5 each: a t interval ends at 0.00001, and 2% of wins are likely missed."""
    found = win_rate([1e-5] * 25 + [2e-5] * 25)
    assert found.interval.upper == pytest.approx(wilson(0, 50).upper, abs=0.002)


def test_few_wins_are_covered():
    """A win in fifty on average: t covers 64%, this at least 93% of 400 samples."""
    generator = np.random.default_rng(4)
    held = 0
    for scores in np.where(generator.random((400, 50)) < 0.02, 1.0, 1e-4):
        found = win_rate(scores).interval
        held += found.lower <= 0.02 + 0.98e-4 <= found.upper
    assert held >= 372


def test_weights_may_make_a_mean_vary_more_than_any_of_passes():
    """Heavy weights on the rare kind are no reason to cut the error."""
    assert effective_passes(Spread(0.1, 100, is_weighted=True), 0.25) < effective_passes(
        Spread(0.1, 100), 0.25
    )
    with pytest.raises(EstimateError, match="alpha"):
        bounded_mean_interval(0.5, Spread(0.1, 10), alpha=1.0)


def test_scores_on_another_scale_keep_the_t_interval():
    """Nothing bounds them."""
    assert paired_interval([10.0, 22.0, 33.0], [9.0, 20.0, 30.0]).method == "paired_t"


@settings(deadline=None)
@given(SIZES, st.floats(0, 1))
def test_the_freedom_is_that_of_the_matrices(sizes, correlation):
    """Sums in place of G by G matrices, by the definition tr(BW)^2 / tr((BW)^2)."""
    n = np.array(sizes, dtype=float)
    centre = np.eye(len(n)) - np.outer(n, np.ones(len(n))) / n.sum()
    middle = centre @ np.diag((1 - correlation) * n + correlation * n**2) @ centre.T
    scaled = np.diag(1 / (1 - n / n.sum())) @ middle
    expected = np.trace(scaled) ** 2 / np.trace(scaled @ scaled)
    assert satterthwaite_freedom(sizes, correlation) == pytest.approx(expected, rel=1e-9)


def test_clusters_of_one_size_keep_what_cr1_says():
    """Both corrections are G / (G - 1) then, and the freedom is G - 1."""
    values, clusters = np.random.default_rng(5).normal(size=60), np.repeat(np.arange(20), 3)
    found, plain = clustered_mean_cr2(values, clusters), clustered_mean(values, clusters)
    assert (found.se, found.df) == pytest.approx((plain.se_cr1, 19.0))
    assert found.interval.upper == pytest.approx(plain.interval.upper)


def test_one_large_cluster_widens_the_interval():
    """Thirty clusters of which one holds half of the rows: far fewer degrees of freedom, and it is said."""
    values = np.random.default_rng(6).normal(size=60)
    clusters = np.r_[np.zeros(30, dtype=int), np.arange(1, 31)]
    found, plain = clustered_mean_cr2(values, clusters), clustered_mean(values, clusters)
    assert found.df < 10
    assert found.interval.upper - found.interval.lower > plain.interval.upper - plain.interval.lower
    assert (found.reasons, plain.reasons) == ((Reason.FEW_CLUSTERS,), ())


def test_limits_lean_away_from_what_large_clusters_score():
    """They score lower, so a mean that is too low has too small an error: the interval reaches higher."""
    sizes = np.array([2, 2, 2, 2, 2, 2, 12, 12])
    scores = np.array([0.9, 0.8, 1.0, 0.9, 0.8, 1.0, 0.5, 0.6])
    values, clusters = np.repeat(scores, sizes), np.repeat(np.arange(8), sizes)
    found, mirrored = clustered_mean_cr2(values, clusters), clustered_mean_cr2(-values, clusters)
    below, above = found.value - found.interval.lower, found.interval.upper - found.value
    assert above > below
    assert (mirrored.interval.lower, mirrored.interval.upper) == pytest.approx(
        (-found.interval.upper, -found.interval.lower)
    )


@given(st.floats(-0.4, 0.4), st.floats(1, 40), st.floats(0.001, 0.5))
def test_both_limits_are_roots_of_fiellers_equation(lean, df, alpha):
    """Both lie on their own side of the mean, and multiply to the square of t."""
    lower, upper = Spread(1.0, 20, df=df, lean=lean).quantiles(alpha)
    assert min(lower, upper) > 0
    assert lower * upper == pytest.approx(t_quantile(1 - alpha / 2, df) ** 2, rel=1e-9)
    assert lower - upper == pytest.approx(2 * lean * normal_quantile(1 - alpha / 2) ** 2, abs=1e-9)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])), min_size=5, max_size=12
    ),
    st.sampled_from(["gaps", "numbers"]),
)
def test_the_p_value_of_clusters_says_what_their_interval_says(drawn, scale):
    """A verdict reads the one and a reader the other."""
    sizes, means = (np.array(column) for column in zip(*drawn, strict=True))
    values, clusters = np.repeat(means, sizes), np.repeat(np.arange(len(sizes)), sizes)
    found = clustered_mean_cr2(values, clusters, scale=scale)
    assume(found.se and found.p_two_sided and 1e-9 < found.p_two_sided < 1)
    interval = clustered_mean_cr2(values, clusters, scale=scale, alpha=found.p_two_sided).interval
    assert min(abs(interval.lower), abs(interval.upper)) == pytest.approx(0, abs=1e-6)


def test_clusters_that_answer_nothing_say_so():
    """Four clusters, no variance, one row."""
    assert clustered_mean_cr2([0, 1, 0, 1], list("abcd")).reasons == (Reason.TOO_FEW_CLUSTERS,)
    assert clustered_mean_cr2([2.0] * 6, list("abcdef")).reasons == (Reason.ZERO_VARIANCE,)
    assert clustered_mean_cr2([2.0], ["a"]).reasons == (Reason.N_TOO_SMALL,)
    never = clustered_mean_cr2([0.0] * 60, np.arange(60) // 3, scale="shares").interval
    assert (never.lower, never.upper > wilson(0, 20).upper) == (0.0, True)


def test_a_labelled_sequence_is_right_before_a_failure_was_seen():
    """Twenty passes in a row: no spread yet, and the truth of 95% is still inside."""
    sequence = labelled_sequence([1.0] * 20, [1.0, math.nan] * 10, label_share=0.5)
    assert sequence.at(20).lower < 0.95 <= sequence.at(20).upper
    assert sequence.at(1).lower == 0.0


@pytest.mark.parametrize(("share", "labels"), [(0.0, [1.0]), (1.5, [1.0]), (0.5, [2.0])])
def test_labels_that_cannot_be_are_refused(share, labels):
    """A chance above one, and a label outside of the scale."""
    with pytest.raises(EstimateError):
        labelled_sequence([1.0], labels, label_share=share)
