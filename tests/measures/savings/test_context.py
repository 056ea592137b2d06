"""Inputs far longer than those of calls like them."""

import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.savings.context import shorter_contexts


def priced(calls, tokens, **columns):
    """Calls at a tenth of a cent per input token and a dollar for the output."""
    return calls(
        input_tokens=tokens,
        input_cost_usd=[None if count is None else count / 1000 for count in tokens],
        cost_usd=[None if count is None else 1 + count / 1000 for count in tokens],
        **{"feature": ["chat"] * len(tokens), **columns},
    )


def test_the_excess_is_priced_at_the_call_s_own_price(engine, calls):
    """Quartiles 100 and 110 end the usual at 140; of 640 tokens 500 are too many."""
    table = priced(calls, [100] * 10 + [110] * 10 + [640])
    row = collected(shorter_contexts(engine(table), "feature")).row(0, named=True)
    assert (row["call_count"], row["usual_tokens"]) == (1, 140)
    assert (row["spend_usd"], row["saving_usd"]) == pytest.approx((1.64, 0.5))


def test_few_calls_have_no_usual_length(engine, calls):
    """Quartiles of a handful say nothing about the next call."""
    assert collected(shorter_contexts(engine(priced(calls, [100] * 18 + [9000])), "feature")).is_empty()


def test_groups_are_judged_by_their_own_kind(engine, calls):
    """Long documents are usual where all documents are long; a null feature is a kind of its own."""
    features = ["short"] * 20 + [None] * 20
    table = priced(calls, [100] * 19 + [9000] + [9000] * 20, feature=features)
    found = collected(shorter_contexts(engine(table), "feature"))
    assert found.select("feature", "call_count", "usual_tokens").rows() == [("short", 1, 100)]


def test_unpriced_calls_are_not_judged(engine, calls):
    """What they would save is unknown."""
    table = priced(calls, [100] * 20 + [None])
    assert collected(shorter_contexts(engine(table), "feature")).is_empty()
