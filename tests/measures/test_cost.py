"""Spend by group."""

import polars as pl
import pytest

from llmops_lib.errors import EstimateError, MissingColumnError
from llmops_lib.frames import collected
from llmops_lib.measures.cost import spend_by, top_spenders


@pytest.fixture
def priced(calls):
    """Four calls of two models and an unnamed one, a span that is no call, and one call without a price."""
    return calls(
        model=["large", "small", "small", None, "large", "house"],
        tenant=["acme", "acme", None, "beta", "acme", "beta"],
        is_model_call=[True, True, True, True, False, True],
        cost_usd=[0.5, 0.25, 0.125, 2.0, 64.0, None],
        input_tokens=[100, 50, 7, 400, 9000, None],
        output_tokens=[10, 5, 1, None, 900, None],
    )


def test_spend_is_summed_by_group_and_sorted_downwards(engine, priced):
    """The reader looks for the largest bill first; a group of unknown cost comes last."""
    spend = collected(spend_by(engine(priced), "model"))
    assert spend.rows() == [
        (None, 1, 0, 2.0, 400, None),
        ("large", 1, 0, 0.5, 100, 10),
        ("small", 2, 0, 0.375, 57, 6),
        ("house", 1, 1, None, None, None),
    ]


def test_result_has_the_same_dtypes_on_every_engine(engine, priced):
    """Counts are signed whole numbers everywhere, so that differences of them cannot wrap."""
    assert dict(collected(spend_by(engine(priced), "model")).schema) == {
        "model": pl.String,
        "call_count": pl.Int64,
        "unpriced_count": pl.Int64,
        "spend_usd": pl.Float64,
        "input_tokens": pl.Int64,
        "output_tokens": pl.Int64,
    }


def test_unknown_cost_is_null_and_never_zero(engine, calls):
    """Zero would say that the calls were free."""
    unpriced = calls(cost_usd=[None, None], input_tokens=[3, 4])
    assert collected(spend_by(engine(unpriced))).select("unpriced_count", "spend_usd").rows() == [(2, None)]


def test_zero_cost_is_zero(engine, calls):
    """A free model costs nothing, which is known."""
    free = calls(cost_usd=[0.0, 0.0])
    assert collected(spend_by(engine(free))).select("unpriced_count", "spend_usd").rows() == [(0, 0.0)]


@pytest.mark.parametrize("by", ["model", ["tenant"], ["model", "tenant"], "is_model_call", "started_at"])
def test_groups_sum_to_the_total(engine, priced, by):
    """Money must not be lost or doubled by a breakdown, also where keys are unknown."""
    table = engine(priced)
    groups, total = collected(spend_by(table, by)), collected(spend_by(table))
    added = ["call_count", "unpriced_count", "spend_usd", "input_tokens", "output_tokens"]
    assert groups.select(pl.col(added).sum()).rows() == total.select(added).rows()


def test_total_of_no_calls_is_one_row(engine, priced):
    """A period without calls still has a total: none, of unknown cost."""
    empty = engine(priced.clear())
    assert collected(spend_by(empty)).rows() == [(0, 0, None, None, None)]
    assert collected(spend_by(empty, "model")).is_empty()


def test_by_is_accepted_by_position_and_by_name(priced):
    """Both read well in a notebook."""
    assert spend_by(priced, by=["model"]).equals(spend_by(priced, "model"))


def test_ties_are_broken_by_the_group(engine, calls):
    """The same table must give the same order each time."""
    tied = calls(model=["c", "a", "b"], cost_usd=[1.0, 1.0, 1.0])
    assert collected(spend_by(engine(tied), "model"))["model"].to_list() == ["a", "b", "c"]


def test_missing_cost_says_to_price_first(engine, priced):
    """The commonest mistake should name its cure."""
    with pytest.raises(MissingColumnError, match=r"cost_usd.*price_calls"):
        spend_by(engine(priced.drop("cost_usd")), "model")


def test_top_spenders_of_less_than_one_group_are_refused(priced):
    """Polars would take -1 for all but the last."""
    with pytest.raises(EstimateError, match="n is -1; expected how many groups to keep, at least 1"):
        top_spenders(priced, "model", n=-1)


def test_top_spenders_state_share_of_all_spend(engine, priced):
    """The share is of everything, so that a short list does not look like the whole bill."""
    top = collected(top_spenders(engine(priced), "model", n=2))
    assert top.rows() == [
        (None, 2.0, 2.0 / 2.875, 1, 0, 2.0, 400.0),
        ("large", 0.5, 0.5 / 2.875, 1, 0, 0.5, 110.0),
    ]


def test_cost_per_call_leaves_out_unpriced_calls(engine, calls):
    """An unpriced call in the denominator would make a group look cheap."""
    table = calls(user_id=["ann"] * 3, cost_usd=[0.5, 0.25, None], input_tokens=[6, None, None])
    row = collected(top_spenders(engine(table), "user_id")).row(0, named=True)
    assert (row["unpriced_count"], row["cost_per_call_usd"], row["tokens_per_call"]) == (1, 0.375, 6.0)


def test_spender_of_unknown_cost_has_no_share(engine, calls):
    """An unknown cost is no share of anything, and no zero."""
    table = calls(user_id=["ann", "bob"], cost_usd=[0.5, None])
    shares = collected(top_spenders(engine(table), "user_id")).select("user_id", "spend_share")
    assert shares.rows() == [("ann", 1.0), ("bob", None)]
