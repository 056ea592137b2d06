"""Agreement of raters: published values, symmetries and degenerate tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats.kappa import agreement, kappa_bootstrap, rating_table
from llmops_lib.stats.many_raters import fleiss_kappa, krippendorff_alpha
from llmops_lib.stats.repeats import flip_rate, intraclass_correlation
from llmops_lib.stats.results import Reason

TABLES = st.integers(2, 4).flatmap(
    lambda q: st.lists(st.lists(st.integers(0, 15), min_size=q, max_size=q), min_size=q, max_size=q)
)

KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
"""Four observers and twelve units with missing ratings: Krippendorff 2011, section E."""


@pytest.mark.parametrize(
    ("level", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_the_worked_example_is_as_printed(level, printed):
    """Missing ratings and every level of measurement in one table."""
    found = krippendorff_alpha(KRIPPENDORFF, level=level)
    assert round(found.value, 3) == printed
    assert (found.n_items, found.n_ratings) == (11, 40)


@settings(deadline=None)
@given(TABLES)
@pytest.mark.parametrize("weighting", ["none", "linear", "quadratic"])
def test_raters_and_the_direction_of_the_scale_may_be_swapped(weighting, table):
    """Agreement has no first rater and no upper end."""
    counts = np.array(table)
    found = agreement(counts, weighting=weighting)
    for other in (counts.T, counts[::-1, ::-1]):
        again = agreement(other, weighting=weighting)
        assert (again.kappa is None) == (found.kappa is None)
        if found.kappa is not None:
            assert again.kappa == pytest.approx(found.kappa, abs=1e-9)
            assert again.se == pytest.approx(found.se, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=3, max_size=40).filter(lambda labels: len(set(labels)) > 1))
def test_a_rater_against_itself_agrees_fully(labels):
    """Kappa one, no error, no flips."""
    found = agreement(rating_table(labels, labels))
    assert (found.observed, found.kappa) == (1.0, pytest.approx(1.0))
    assert found.se == pytest.approx(0.0, abs=1e-7)
    assert found.ac1 == pytest.approx(1.0)


def test_two_categories_weigh_like_none():
    """With two categories there is nothing in between to weigh."""
    table = [[20, 5], [10, 15]]
    assert agreement(table, weighting="quadratic").kappa == pytest.approx(agreement(table).kappa)


def test_raters_that_never_vary_have_no_kappa():
    """Agreement is one and says nothing: zero over zero."""
    found = agreement([[30, 0], [0, 0]])
    assert (found.kappa, found.observed, found.reasons) == (None, 1.0, (Reason.ZERO_DENOMINATOR,))
    assert kappa_bootstrap([[30, 0], [0, 0]]).lower is None
    assert agreement([[0, 0], [0, 0]]).observed is None
    assert agreement([[30]]).kappa is None
    with pytest.raises(EstimateError, match="square"):
        agreement([[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(("table", "kappa"), [([[200, 0], [100, 0]], 0.0), ([[200, 0], [0, 100]], 1.0)])
def test_a_kappa_without_spread_is_flagged(table, kappa):
    """A judge that passes everything has a kappa of exactly zero in any sample: no certainty."""
    found = agreement(table)
    assert (found.kappa, found.interval.lower, found.interval.upper) == pytest.approx((kappa, kappa, kappa))
    assert Reason.ZERO_VARIANCE in found.interval.reasons


def test_what_no_table_of_ratings_is_said():
    """A misspelt weighting was taken for the linear one, a misspelt level for the ordinal one."""
    with pytest.raises(EstimateError, match="found 'cubic', expected one of none, linear, quadratic"):
        agreement([[1, 2], [3, 4]], weighting="cubic")
    with pytest.raises(EstimateError, match="found 'ordered', expected one of nominal, ordinal"):
        krippendorff_alpha([[1, 2], [2, 1]], level="ordered")
    with pytest.raises(EstimateError, match="code labels as 0, 1, 2 first"):
        krippendorff_alpha([["yes", "no"], ["yes", "yes"]])
    with pytest.raises(EstimateError, match="expected counts"):
        agreement([["yes", 1], [2, 3]])


def test_the_bootstrap_is_repeatable_and_near_the_asymptotic_interval():
    """Same table, same limits; with many items both intervals meet."""
    table = [[400, 50], [60, 490]]
    boot, normal = kappa_bootstrap(table), agreement(table).interval
    assert boot == kappa_bootstrap(table)
    assert boot.lower == pytest.approx(normal.lower, abs=0.01)
    assert boot.upper == pytest.approx(normal.upper, abs=0.01)
    assert agreement([[4, 1], [1, 4]]).interval.reasons == (Reason.APPROXIMATE,)


def test_many_raters_at_their_edges():
    """One category, one rater, unequal raters, nothing but missing."""
    assert fleiss_kappa([[3, 0], [3, 0]]).value is None
    assert fleiss_kappa([[1, 0], [0, 1]]).reasons == (Reason.N_TOO_SMALL,)
    assert krippendorff_alpha([[1, None], [None, 2]]).reasons == (Reason.N_TOO_SMALL,)
    assert krippendorff_alpha([[1, 1], [1, 1]]).reasons == (Reason.ZERO_VARIANCE,)
    with pytest.raises(EstimateError, match=r"\[2\.0, 3\.0\] raters per item"):
        fleiss_kappa([[3, 0], [1, 1]])


def test_repeats_that_never_differ_and_items_that_do_not():
    """ICC is one and then below zero; flips are none and then half."""
    steady = intraclass_correlation([1, 1, 2, 2, 3, 3], list("aabbcc"))
    assert (steady.value, steady.reasons) == (pytest.approx(1.0), (Reason.ZERO_VARIANCE,))
    noisy = intraclass_correlation([0, 1, 0, 1, 0, 1], list("aabbcc"))
    assert noisy.value == pytest.approx(-1.0)
    assert intraclass_correlation([1, 2], ["a", "b"]).reasons == (Reason.N_TOO_SMALL,)
    assert flip_rate(["y", "y", "n", "n"], ["a", "a", "b", "b"]).value == 0.0
    assert flip_rate(["y", "n"], ["a", "b"]).value is None
    assert flip_rate(["y", "n", "y"], ["a", "a", "b"]).n_units == 1


def test_limits_of_the_icc_hold_the_truth():
    """Two hundred simulated judges of known reliability: about 95% of intervals hold it."""
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        scores = generator.normal(0, 1, 30)[:, None] + generator.normal(0, 1, (30, 3))
        interval = intraclass_correlation(scores.ravel(), np.repeat(range(30), 3)).interval
        held += interval.lower <= 0.5 <= interval.upper
    assert 180 <= held <= 199
