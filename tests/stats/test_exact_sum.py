"""Sums of many numbers: the same to the last bit as the sum that Python makes one by one."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llmops_lib.stats.exact_sum import exact_sum


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e290, max_value=1e290)))
def test_a_sum_is_that_of_exact_arithmetic(values):
    """Costs of micro-dollars beside totals of millions must not depend on the order in which they come."""
    assert exact_sum(np.array(values)) == math.fsum(values)


def test_what_cancels_leaves_the_small_part():
    """A plain sum loses the one between two that are sixteen orders larger."""
    assert exact_sum(np.array([1e16, 1.0, -1e16])) == 1.0


def test_the_largest_numbers_that_there_are_do_not_overflow_on_the_way():
    """Their leading bits cannot be lifted any further; the sum itself is an ordinary number."""
    assert exact_sum(np.array([1.5e308, -1.5e308, 1.0])) == 1.0


def test_a_hundred_thousand_costs_of_all_sizes_add_up():
    """Large enough that the leading bits take several rounds."""
    generator = np.random.default_rng(1)
    values = generator.lognormal(0, 1, 100_000) * 10.0 ** generator.integers(-20, 20, 100_000)
    assert exact_sum(values) == math.fsum(values)
