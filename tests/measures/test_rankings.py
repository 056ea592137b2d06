"""The largest spenders, and a call of each."""

import pytest

from llmops_lib.errors import MissingColumnError
from llmops_lib.frames import collected
from llmops_lib.measures.rankings import example_calls, spender_rankings

SPENDERS = {
    "tenant": ["acme", "acme", "globex", "initech", None],
    "model": ["large", "small", "small", "small", "large"],
    "cost_usd": [3.0, 1.0, 2.0, None, 4.0],
    "input_tokens": [100, 50, 900, 10, None],
    "output_tokens": [10, 20, 100, 10, None],
}


def test_both_rankings_of_each_dimension_are_in_one_table(engine, calls):
    """The largest bill and the longest prompts are two questions about the same groups."""
    table = engine(calls(**SPENDERS))
    ranked = collected(spender_rankings(table, ["tenant", "model"], min_calls=1))
    columns = ["dimension", "value", "spend_rank", "tokens_rank", "spend_usd", "tokens_per_call"]
    assert ranked.select(columns).rows() == [
        ("tenant", "acme", 1, 2, 4.0, 90.0),
        ("tenant", None, 2, None, 4.0, None),
        ("tenant", "globex", 3, 1, 2.0, 1000.0),
        ("tenant", "initech", None, 3, None, 20.0),
        ("model", "large", 1, 2, 7.0, 110.0),
        ("model", "small", 2, 1, 3.0, 1090 / 3),
    ]


def test_a_ranking_keeps_its_first(engine, calls):
    """The first by spend and the first by tokens, and nobody else."""
    table = engine(calls(**SPENDERS))
    ranked = collected(spender_rankings(table, ["tenant"], n=1, min_calls=1))
    assert ranked["value"].to_list() == ["acme", "globex"]


def test_one_long_call_is_no_habit(engine, calls):
    """A group of few calls is not ranked by tokens per call, but by spend it is."""
    ranked = collected(spender_rankings(engine(calls(**SPENDERS)), ["tenant"], min_calls=2))
    assert ranked.select("value", "tokens_rank").rows()[0] == ("acme", 1)
    assert ranked["tokens_rank"].null_count() == ranked.height - 1


def test_shares_are_of_all_known_spend(engine, calls):
    """Also of the spend that names nobody."""
    ranked = collected(spender_rankings(engine(calls(**SPENDERS)), ["tenant"], min_calls=1))
    assert ranked["spend_share"].to_list() == [0.4, 0.4, 0.2, None]
    assert ranked["cost_per_call_usd"].to_list() == [2.0, 4.0, 2.0, None]


def test_the_most_expensive_call_stands_for_its_spender(engine, calls):
    """Who spends most comes first; a call of unknown cost stands for nobody."""
    found = collected(example_calls(engine(calls(**SPENDERS)), ["tenant", "model"]))
    assert found.select("dimension", "value", "spend_usd", "trace_id", "cost_usd").rows() == [
        ("tenant", "acme", 4.0, "t0", 3.0),
        ("tenant", "globex", 2.0, "t2", 2.0),
        ("model", "large", 7.0, "t4", 4.0),
        ("model", "small", 3.0, "t2", 2.0),
    ]


def test_no_more_examples_than_asked_for(engine, calls):
    """A page has room for so many."""
    found = collected(example_calls(engine(calls(**SPENDERS)), ["tenant", "model"], n=1))
    assert found["value"].to_list() == ["acme", "large"]


@pytest.mark.parametrize("measure", [spender_rankings, example_calls])
def test_prices_are_asked_for(calls, measure):
    """The message says which step is missing."""
    with pytest.raises(MissingColumnError, match="price_calls"):
        measure(calls(**SPENDERS).drop("cost_usd"), ["tenant"])
