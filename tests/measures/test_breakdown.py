"""Spend along several dimensions is one table whose dimensions each sum to the total."""

import polars as pl
import pytest

from llmops_lib.errors import MissingColumnError
from llmops_lib.frames import collected
from llmops_lib.measures.breakdown import largest_values, spend_breakdown

TRAFFIC = {
    "model": ["large", "small", "small", None],
    "tenant": ["acme", "acme", "globex", "globex"],
    "cost_usd": [4.0, 1.0, 0.5, None],
}


def test_each_dimension_sums_to_the_total(calls, engine):
    """A breakdown that loses a group hides money."""
    rows = collected(spend_breakdown(engine(calls(**TRAFFIC)), ["model", "tenant"]))
    totals = rows.group_by("dimension", maintain_order=True).agg(
        pl.col("spend_usd", "call_count", "unpriced_count").sum()
    )
    assert totals.rows() == [("model", 5.5, 4, 1), ("tenant", 5.5, 4, 1)]


def test_values_stand_by_spend_and_an_unknown_value_is_a_group(calls, engine):
    """Spend of an unknown tenant is still spend."""
    rows = collected(spend_breakdown(engine(calls(**TRAFFIC)), ["model"]))
    assert rows.select("value", "spend_usd", "unpriced_count").rows() == [
        ("large", 4.0, 0),
        ("small", 1.5, 0),
        (None, None, 1),
    ]


def test_a_breakdown_needs_prices(calls):
    """The message says which step is missing."""
    with pytest.raises(MissingColumnError, match="price_calls"):
        spend_breakdown(calls(**TRAFFIC).drop("cost_usd"), ["model"])


def test_small_values_are_put_together_without_losing_money(calls):
    """A chart of sixty tenants cannot be read; its sum must still be right."""
    breakdown = spend_breakdown(calls(**TRAFFIC), ["model", "tenant"])
    largest = largest_values(breakdown, n=1)
    assert largest.rows() == [
        ("model", "large", 1, 0, 4.0),
        ("model", "(all others)", 3, 1, 1.5),
        ("tenant", "acme", 2, 0, 5.0),
        ("tenant", "(all others)", 2, 1, 0.5),
    ]


def test_unpriced_values_are_ranked_by_their_calls(calls):
    """Where nothing has a price, traffic says what is large, and spend stays unknown."""
    breakdown = spend_breakdown(calls(tenant=["a", "b", "b", "c"], cost_usd=[None] * 4), ["tenant"])
    assert largest_values(breakdown, n=1).rows() == [
        ("tenant", "b", 2, 2, None),
        ("tenant", "(all others)", 2, 2, None),
    ]


def test_large_values_are_the_same_on_every_day():
    """A group must not move in and out of the rest from bar to bar."""
    daily = pl.DataFrame(
        {
            "dimension": ["model"] * 4,
            "value": ["a", "b", "a", "b"],
            "started_on": ["2026-11-09", "2026-11-09", "2026-11-10", "2026-11-10"],
            "call_count": [1, 1, 1, 1],
            "unpriced_count": [0, 0, 0, 0],
            "spend_usd": [1.0, 2.0, 9.0, 3.0],
        }
    )
    assert largest_values(daily, n=1)["value"].to_list() == ["a", "a", "(all others)", "(all others)"]
