"""Empirical Bayes: by hand, and at both ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_lib.stats.shrinkage import shrunken


def test_two_groups_by_hand():
    """Groups 0 and 4, se = 1: Q = 8, tau^2 = (8 - 1) / (2 - 1) = 7, each keeps 7/8 of its distance to 2."""
    found = shrunken([0.0, 4.0], [1.0, 1.0])
    assert (found.mean, found.tau**2) == (2.0, pytest.approx(7.0))
    assert found.values.tolist() == pytest.approx([0.25, 3.75])
    assert found.own_weights.tolist() == pytest.approx([7 / 8, 7 / 8])


def test_spread_that_noise_explains_is_taken_away():
    """Q below its expectation: all groups are the same, at the weighted mean."""
    found = shrunken([1.0, 2.0], [1.0, 2.0])
    assert found.tau == 0.0
    assert found.values.tolist() == pytest.approx([1.2, 1.2])


def test_no_group_and_one_group():
    """Nothing is drawn towards nothing; a single group is its own mean."""
    assert shrunken([], []).mean is None
    assert shrunken([3.0], [1.0]).values.tolist() == [3.0]


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 10)), min_size=1, max_size=12))
def test_no_estimate_is_pushed_beyond_the_mean_or_outwards(groups):
    """Each lies between its own value and the mean of all."""
    estimates, noise = np.array(groups).T
    found = shrunken(estimates, noise)
    low, high = np.minimum(estimates, found.mean), np.maximum(estimates, found.mean)
    assert ((found.values >= low - 1e-9) & (found.values <= high + 1e-9)).all()
    assert (found.lower <= found.upper).all()
