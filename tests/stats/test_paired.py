"""Paired and clustered differences at their edges."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats.clustered_mean import clustered_mean
from llmops_lib.stats.clustered_slope import clustered_slope
from llmops_lib.stats.paired import paired_difference
from llmops_lib.stats.results import Reason

SCORES = st.lists(st.integers(0, 100).map(lambda percent: percent / 100), min_size=5, max_size=30)


@settings(deadline=None)
@given(SCORES)
def test_an_arm_against_itself_differs_by_zero(scores):
    """A against A: zero, p = 1 and the interval [0, 0], flagged."""
    answer = paired_difference(scores, scores, clusters=range(len(scores)))
    assert (answer.diff, answer.se, answer.p_two_sided) == (0.0, 0.0, 1.0)
    assert (answer.interval.lower, answer.interval.upper) == (0.0, 0.0)
    assert answer.reasons == (Reason.ZERO_VARIANCE,)
    assert answer.clustered.p_two_sided == 1.0


@settings(deadline=None)
@given(SCORES, st.randoms(use_true_random=False))
def test_swapping_the_arms_mirrors_the_interval(scores, random):
    """Better and worse are one question."""
    other = [random.random() for _ in scores]
    there, back = paired_difference(scores, other), paired_difference(other, scores)
    assert there.diff == pytest.approx(-back.diff)
    assert there.interval.lower == pytest.approx(-back.interval.upper)
    assert there.p_two_sided == pytest.approx(back.p_two_sided)
    if there.diff:
        assert there.p_drop == pytest.approx(1 - back.p_drop)


def test_the_same_drop_everywhere_has_no_t_interval():
    """Without variance t is undefined: None with the reason, and no infinity."""
    answer = paired_difference([0.25] * 4, [0.5] * 4)
    assert (answer.diff, answer.t, answer.p_two_sided, answer.interval.lower) == (-0.25, None, None, None)
    assert answer.reasons == (Reason.ZERO_VARIANCE,)


def test_fewer_than_two_items_answer_nothing():
    """One item has no spread, no item has no mean."""
    assert paired_difference([], []).diff is None
    assert paired_difference([1.0], [0.0]).se is None
    assert paired_difference([1.0], [0.0]).reasons == (Reason.N_TOO_SMALL,)


def test_clusters_of_one_row_are_no_clusters():
    """CR1 over singletons is the plain standard error."""
    values = np.random.default_rng(1).normal(size=40)
    found = clustered_mean(values, range(40))
    assert found.se_cr1 == pytest.approx(found.se_naive)
    assert found.icc is None


def test_one_cluster_and_four_clusters_refuse_an_interval():
    """Between few clusters there is nothing to estimate a spread from."""
    one = clustered_mean([1.0, 0.0, 1.0], ["a", "a", "a"])
    assert (one.se_cr1, one.interval.lower, one.reasons) == (None, None, (Reason.TOO_FEW_CLUSTERS,))
    four = clustered_mean([1.0, 0.0, 1.0, 1.0], ["a", "b", "c", "d"])
    assert (four.interval.upper, four.p_two_sided) == (None, None)
    assert clustered_mean([1, 0, 1, 1, 0], list("abcde")).reasons == (Reason.FEW_CLUSTERS,)


def test_repeating_every_row_inflates_the_naive_error_only():
    """Copies carry no information: the clustered error must not shrink."""
    values = np.random.default_rng(2).normal(size=30)
    once, often = (
        clustered_mean(values, range(30)),
        clustered_mean(np.repeat(values, 9), np.repeat(range(30), 9)),
    )
    assert often.se_cr1 == pytest.approx(once.se_cr1)
    assert often.se_naive < once.se_naive / 2
    assert often.icc == pytest.approx(1.0)


def test_missing_labels_and_lengths_are_named():
    """A row without a user is not a user of its own, silently."""
    with pytest.raises(EstimateError, match="clusters lack 1 labels of 3, the first at position 1"):
        clustered_mean([1, 2, 3], ["a", None, "b"])
    with pytest.raises(EstimateError, match="candidate 2, baseline 1"):
        paired_difference([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(["a", None, "b"], dtype="string"),
        pd.Series([1, None, 2], dtype="Int64"),
        pd.Series([pd.Timestamp("2026-11-09"), pd.NaT, pd.Timestamp("2026-11-10")]),
        pl.Series(["a", None, "b"]),
        np.array([1.0, np.nan, 2.0]),
    ],
    ids=["pandas-text", "pandas-whole", "pandas-time", "polars", "numpy"],
)
def test_whatever_a_library_writes_for_missing_is_missing(labels):
    """NaT was a cluster of its own, and NA of pandas a bare TypeError."""
    with pytest.raises(EstimateError, match="clusters lack 1 labels of 3, the first at position 1"):
        clustered_mean([1.0, 2.0, 3.0], labels)


def test_a_label_is_one_value():
    """Pairs of tenant and user were taken for twice as many rows."""
    with pytest.raises(EstimateError, match="clusters have 2 dimensions; expected one label per row"):
        clustered_mean([1.0, 2.0], [("acme", "u1"), ("acme", "u2")])


def test_a_slope_of_copied_rows_keeps_its_error():
    """Repeats of an item are no new items, and a slope of ones is the line itself."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=40)
    y = 0.5 * x + generator.normal(size=40)
    once = clustered_slope(y, x, range(40))
    often = clustered_slope(np.repeat(y, 5), np.repeat(x, 5), np.repeat(range(40), 5))
    assert often.value == pytest.approx(once.value)
    assert often.se == pytest.approx(once.se)
    assert once.interval.lower < 0.5 < once.interval.upper


def test_a_slope_on_a_constant_is_unknown():
    """All answers of one length say nothing of a taste for length."""
    assert clustered_slope([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], list("abc")).reasons == (Reason.ZERO_VARIANCE,)
    assert clustered_slope([1.0, 2.0, 4.0], [1.0, 2.0, 3.0], list("abc")).reasons == (
        Reason.TOO_FEW_CLUSTERS,
    )
    assert clustered_slope([], [], []).value is None
