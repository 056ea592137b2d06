"""All savings in one list."""

import polars as pl
import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.savings.retries import avoidable_retries
from llmops_lib.measures.savings.suggestions import saving_suggestions

PLACE = {"feature": ["chat"], "prompt_name": [None], "model": ["gpt-4o"]}
KINDS = {
    "caching": {"prefix_tokens": [1536], "call_count": [7], "spend_usd": [4.0], "saving_usd": [1.0]},
    "models": {"other_model": ["gpt-4o-mini"], "call_count": [9], "spend_usd": [8.0], "saving_usd": [6.0]},
    "contexts": {"usual_tokens": [140], "call_count": [1], "spend_usd": [0.5], "saving_usd": [0.25]},
    "retries": {"unknown_count": [3], "call_count": [3], "spend_usd": [None], "saving_usd": [None]},
}
TABLES = {kind: pl.DataFrame(PLACE | columns) for kind, columns in KINDS.items()}


def test_the_largest_saving_comes_first_and_the_unknown_last():
    """Unknown is not zero, and it is worth a line."""
    found = saving_suggestions(**TABLES)
    assert found.select("suggestion", "saving_usd", "saving_share").rows() == [
        ("cheaper model", 6.0, 0.75),
        ("prompt caching", 1.0, 0.25),
        ("shorter context", 0.25, 0.5),
        ("fewer retries", None, None),
    ]


def test_each_saving_says_what_it_rests_on():
    """A number without its assumption is a promise."""
    told = dict(saving_suggestions(**TABLES).select("suggestion", "how").rows())
    assert told["cheaper model"] == "the same tokens on gpt-4o-mini; equal quality is assumed, not known"
    assert "1536 tokens" in told["prompt caching"]
    assert "140 tokens" in told["shorter context"]
    assert "3 of them have no known cost" in told["fewer retries"]


@pytest.mark.parametrize(
    "convert", [lambda table: table, lambda table: table.to_pandas()], ids=["polars", "pandas"]
)
def test_nothing_to_save_is_an_empty_list(convert):
    """On any engine, with the columns that a view asks for."""
    empty = {kind: convert(table.clear()) for kind, table in TABLES.items()}
    found = saving_suggestions(**empty)
    assert found.is_empty()
    assert "how" in found.columns


def test_retries_cost_what_their_failed_attempts_cost(engine, calls):
    """The repeat is paid for either way; an attempt of unknown cost is counted."""
    flags = [
        pl.Series("is_retried", [True, True, False, None], pl.Boolean),
        pl.Series("is_retry", [False, True, True, None], pl.Boolean),
    ]
    table = calls(model=["a"] * 4, cost_usd=[0.25, None, 4.0, 9.0]).with_columns(flags)
    assert collected(avoidable_retries(engine(table), "model")).rows() == [("a", 2, 1, 0.25, 0.25)]
