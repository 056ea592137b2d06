"""How much of the spend hangs on how few."""

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from llmops_lib.frames import collected
from llmops_lib.measures.concentration import spend_concentration


def test_shares_and_indices_agree_with_hand_counts(engine, calls):
    """Spend of 6, 3 and 1: shares .6 .3 .1, Herfindahl .46, Gini 2(1+6+18)/(3*10) - 4/3 = 1/3."""
    table = calls(tenant=["a", "b", "c", "a"], cost_usd=[4.0, 3.0, 1.0, 2.0])
    row = collected(spend_concentration(engine(table), ["tenant"])).row(0, named=True)
    assert (row["dimension"], row["group_count"]) == ("tenant", 3)
    assert (row["top_1_share"], row["top_5_share"], row["top_20_share"]) == pytest.approx((0.6, 1.0, 1.0))
    assert (row["herfindahl"], row["gini"]) == pytest.approx((0.46, 1 / 3))


def test_the_top_five_of_many_are_the_largest_five(engine, calls):
    """A share of the wrong five would reassure."""
    table = calls(user_id=[f"u{place}" for place in range(10)], cost_usd=[float(n) for n in range(1, 11)])
    row = collected(spend_concentration(engine(table), ["user_id"])).row(0, named=True)
    assert (row["top_1_share"], row["top_5_share"]) == pytest.approx((10 / 55, 40 / 55))


def test_spend_that_names_nobody_is_apart(engine, calls):
    """Many users may hide behind a null; as one of them it would be the largest."""
    table = calls(user_id=["ann", None, "bob"], cost_usd=[1.0, 6.0, 1.0])
    row = collected(spend_concentration(engine(table), ["user_id"])).row(0, named=True)
    assert (row["group_count"], row["top_1_share"], row["unnamed_share"]) == (2, 0.5, 0.75)


@pytest.mark.parametrize("cost", [None, 0.0])
def test_no_spend_has_no_concentration(engine, calls, cost):
    """A share of nothing is unknown."""
    row = collected(spend_concentration(engine(calls(tenant=["a"], cost_usd=[cost])), ["tenant"])).row(0)
    assert row[2:] == (None,) * 6


def test_each_dimension_has_a_row_in_the_order_given(engine, calls):
    """The report shows them side by side."""
    table = calls(tenant=["a", "b"], model=["m", "m"], cost_usd=[1.0, 1.0])
    rows = collected(spend_concentration(engine(table), ["tenant", "model"]))
    assert rows.select("dimension", "group_count").rows() == [("tenant", 2), ("model", 1)]


@given(costs=st.lists(st.floats(0.01, 1e6), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_indices_stay_within_their_bounds(calls, costs):
    """Gini is below 1 - 1/n, Herfindahl is between 1/n and 1."""
    table = calls(tenant=[f"t{place}" for place in range(len(costs))], cost_usd=costs)
    row = spend_concentration(table, ["tenant"]).row(0, named=True)
    n = len(costs)
    assert -1e-9 <= row["gini"] <= 1 - 1 / n + 1e-9
    assert 1 / n - 1e-9 <= row["herfindahl"] <= 1 + 1e-9
    assert row["top_1_share"] <= row["top_5_share"] <= row["top_20_share"] <= 1 + 1e-9
