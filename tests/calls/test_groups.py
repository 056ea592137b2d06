"""Sums, counts and shares of groups."""

import math

import narwhals as nw
import polars as pl
import pytest

from llmops_lib.calls import flag, share, tally


def total(values):
    """The sum of costs as a measure states it."""
    frame = nw.from_native(pl.DataFrame({"cost_usd": values}, schema={"cost_usd": pl.Float64}))
    return tally(frame, (), sums=["cost_usd"]).to_native()["cost_usd"].item()


@pytest.mark.parametrize("cost", [0.1, 2.75e-8, 1 / 3, 123456.789, 1e-300, 0.0, -0.25])
def test_sum_of_one_cost_is_that_cost(cost):
    """Splitting a cost into units and a rest must lose nothing."""
    assert total([cost, None]) == cost


def test_money_sums_to_the_same_last_digit_in_any_order():
    """Threads add in whatever order they finish; a report must not depend on it."""
    costs = pl.Series([1e-7 * 1.001**step for step in range(20_000)])
    sums = {total(costs.sample(fraction=1, shuffle=True, seed=seed)) for seed in range(20)}
    assert sums == {math.fsum(costs)}


def test_condition_that_cannot_be_told_is_not_counted():
    """An unknown status is no failure."""
    frame = nw.from_native(pl.DataFrame({"http_status": [500, 200, None]}))
    row = tally(frame, (), counts={"error_count": nw.col("http_status") >= 400}).to_native()
    assert row.rows() == [(3, 1)]


def test_flag_of_an_unknown_condition_is_zero():
    """A flag is summed; a null in it would be one row less."""
    flags = pl.DataFrame({"is_error": [True, False, None]})
    flagged = nw.from_native(flags).select(flag(nw.col("is_error")).alias("failed"))
    assert flagged.to_native()["failed"].to_list() == [1, 0, 0]


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(1, 4, 0.25), (0, 4, 0.0), (1, 0, None), (0, 0, None)]
)
def test_share_of_nothing_is_unknown(part, whole, expected):
    """Neither zero, nor NaN, nor infinity."""
    frame = nw.from_native(pl.DataFrame({"part": [part], "whole": [whole]}))
    found = frame.select(share(nw.col("part"), nw.col("whole")).alias("share")).to_native()
    assert found["share"].to_list() == [expected]
