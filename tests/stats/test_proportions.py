"""Intervals of proportions: nesting, mirror images, and the ends."""

import math
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import EstimateError
from llmops_lib.stats.paired_proportions import bonett_price, newcombe_paired, tango
from llmops_lib.stats.proportions import agresti_coull, clopper_pearson, jeffreys, korn_graubard, wilson
from llmops_lib.stats.results import Reason
from llmops_lib.stats.two_proportions import barnard_exact_p, fisher_exact_p, proportion_difference

COUNTS = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
CELLS = st.tuples(*[st.integers(0, 40)] * 4).filter(lambda cells: sum(cells) > 0)
PAIRED = (tango, bonett_price, newcombe_paired)


def paired(method, cells):
    """A paired interval from its four cells."""
    names = ("both_pass", "regressions", "improvements", "both_fail")
    return method(**dict(zip(names, cells, strict=True)))


@settings(deadline=None)
@given(COUNTS)
@pytest.mark.parametrize("method", [wilson, clopper_pearson, jeffreys, agresti_coull])
def test_success_and_failure_are_mirror_images(method, counted):
    """The interval of failures is one minus that of successes."""
    k, n = counted
    found, other = method(k, n), method(n - k, n)
    assert found.lower == pytest.approx(1 - other.upper, abs=1e-9)
    assert 0 <= found.lower <= found.upper <= 1


@settings(deadline=None)
@given(COUNTS)
def test_the_exact_interval_contains_the_estimate(counted):
    """0 of n starts at zero, n of n ends at one, and neither collapses."""
    k, n = counted
    for interval in (clopper_pearson(k, n), wilson(k, n)):
        assert interval.lower <= k / n + 1e-12
        assert interval.upper >= k / n - 1e-12
        assert interval.upper > interval.lower
    assert clopper_pearson(0, n).lower == 0.0
    assert clopper_pearson(n, n).upper == 1.0


@pytest.mark.parametrize("alpha", [1e-12, 1e-17, 1e-300])
def test_the_smallest_alpha_still_has_an_interval(alpha):
    """One less such a share is one, of which a quantile knows nothing; below 1e-16 it was an error."""
    wide, wider = wilson(3, 10, alpha=alpha), wilson(3, 10, alpha=alpha / 10)
    assert 0 < wider.lower < wide.lower < 0.3 < wide.upper < wider.upper < 1
    z = NormalDist().inv_cdf(alpha / 2)
    centre, half = 0.3 + z**2 / 20, -z * math.sqrt(0.3 * 0.7 / 10 + z**2 / 400)
    assert wide.upper == pytest.approx((centre + half) / (1 + z**2 / 10), rel=1e-12)


def test_no_trials_have_no_interval():
    """0 of 0 is unknown and not zero."""
    assert (wilson(0, 0).lower, wilson(0, 0).reasons) == (None, (Reason.N_TOO_SMALL,))
    with pytest.raises(EstimateError, match="3 successes of 2"):
        wilson(3, 2)


def test_clustering_widens_the_exact_interval():
    """Two hundred calls of fifty users are not two hundred trials; and no events is said so."""
    assert korn_graubard(0, 200, 4.0).upper > clopper_pearson(0, 200).upper
    assert korn_graubard(0, 200, 4.0).reasons == (Reason.NO_EVENTS,)
    assert korn_graubard(5, 100, 0.5).upper == clopper_pearson(5, 100).upper
    with pytest.raises(EstimateError, match="design effect"):
        korn_graubard(1, 10, 0.0)


@settings(deadline=None, max_examples=50)
@given(CELLS)
@pytest.mark.parametrize("method", PAIRED)
def test_swapping_the_arms_mirrors_the_paired_interval(method, cells):
    """Regressions of one direction are improvements of the other."""
    a, b, c, d = cells
    there, back = paired(method, (a, b, c, d)), paired(method, (a, c, b, d))
    assert there.lower == pytest.approx(-back.upper, abs=1e-7)
    assert -1 <= there.lower <= there.upper <= 1


@settings(deadline=None, max_examples=50)
@given(CELLS)
def test_the_score_interval_holds_the_estimate(cells):
    """It is made of the differences that the data do not reject, and theirs is one."""
    a, b, c, d = cells
    diff = (c - b) / (a + b + c + d)
    found = paired(tango, cells)
    assert found.lower <= diff + 1e-9
    assert found.upper >= diff - 1e-9


@settings(deadline=None, max_examples=50)
@given(COUNTS, COUNTS)
def test_swapping_the_samples_mirrors_the_difference(first, second):
    """The difference has a sign, and its intervals follow it."""
    there, back = proportion_difference(*first, *second), proportion_difference(*second, *first)
    assert there.newcombe.lower == pytest.approx(-back.newcombe.upper, abs=1e-9)
    assert there.miettinen_nurminen.lower == pytest.approx(-back.miettinen_nurminen.upper, abs=1e-6)
    assert there.miettinen_nurminen.lower <= there.diff + 1e-9
    assert there.miettinen_nurminen.upper >= there.diff - 1e-9


def test_miettinen_nurminen_rests_on_the_most_likely_proportions():
    """Newcombe 1998, Table II (a), prints .0528 and .3382 for 56/70 - 48/80 by this method."""
    found = proportion_difference(56, 70, 48, 80).miettinen_nurminen
    assert (round(found.lower, 4), round(found.upper, 4)) == (0.0528, 0.3382)


def test_empty_samples_and_equal_extremes():
    """No trials: unknown. Nothing but failures on both sides: p is 1."""
    assert proportion_difference(0, 0, 1, 2).diff is None
    assert fisher_exact_p(0, 50, 0, 50) == 1.0
    assert barnard_exact_p(0, 50, 0, 50) == 1.0
    assert barnard_exact_p(50, 50, 50, 50) == 1.0
    assert proportion_difference(1, 10, 2, 10).is_sparse
