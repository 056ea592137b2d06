"""Tokens by group."""

import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.usage import top_tokens_per_call, usage_by


def test_known_tokens_are_summed_and_unknown_ones_counted(engine, calls):
    """A sum beside a count of unknown calls can be read as the lower bound it is."""
    table = calls(
        model=["a", "a", "b"],
        input_tokens=[100, None, None],
        output_tokens=[10, 3, None],
        cache_read_tokens=[80, None, None],
        cache_write_tokens=[7, None, None],
        reasoning_tokens=[None, 2, None],
    )
    assert collected(usage_by(engine(table), "model")).rows() == [
        ("a", 2, 0, 100, 13, 80, 7, 2, 0.8),
        ("b", 1, 1, None, None, None, None, None, None),
    ]


def test_cache_share_is_over_calls_that_state_their_cache(engine, calls):
    """A source that does not report cache reads must not dilute the share of one that does."""
    table = calls(input_tokens=[100, 900, None], cache_read_tokens=[40, None, 5], output_tokens=[1, 1, 1])
    row = collected(usage_by(engine(table))).row(0, named=True)
    assert (row["cache_read_share"], row["cache_read_tokens"], row["input_tokens"]) == (0.4, 45, 1000)


def test_cache_share_of_no_input_is_unknown(engine, calls):
    """Nothing of nothing is no share."""
    table = calls(input_tokens=[0], cache_read_tokens=[0])
    assert collected(usage_by(engine(table)))["cache_read_share"].to_list() == [None]


@pytest.mark.parametrize("by", ["model", ["model", "feature"]])
def test_groups_sum_to_the_total(engine, calls, by):
    """Tokens must not be lost where a key is unknown."""
    table = engine(
        calls(
            model=["a", None, "a"],
            feature=[None, None, "x"],
            input_tokens=[1, 20, 300],
            output_tokens=[4] * 3,
        )
    )
    assert collected(usage_by(table, by))["input_tokens"].sum() == 321
    assert collected(usage_by(table))["input_tokens"].to_list() == [321]


def test_spans_that_are_no_calls_use_nothing(engine, calls):
    """A parent repeats the tokens of its children."""
    table = calls(is_model_call=[True, False], input_tokens=[30, 5000], output_tokens=[2, 500])
    assert collected(usage_by(engine(table))).select("call_count", "input_tokens").rows() == [(1, 30)]


def test_largest_calls_lead_the_list(engine, calls):
    """A mean over few long calls is what a grown prompt looks like; missing parts are not zero."""
    table = calls(
        feature=["chat", "search", "search", "idle"],
        input_tokens=[100, 500, 300, None],
        output_tokens=[10, 20, None, None],
    )
    assert collected(top_tokens_per_call(engine(table), "feature")).rows() == [
        ("search", 410.0, 400.0, 20.0, 820, 2),
        ("chat", 110.0, 100.0, 10.0, 110, 1),
    ]


def test_groups_of_few_calls_can_be_left_out(engine, calls):
    """One giant call should not lead a list about habits."""
    table = calls(feature=["one", "two", "two"], input_tokens=[9000, 30, 50], output_tokens=[0, 0, 0])
    top = collected(top_tokens_per_call(engine(table), "feature", min_calls=2))
    assert top["feature"].to_list() == ["two"]


def test_list_is_no_longer_than_asked(engine, calls):
    """A report has room for so many rows."""
    table = calls(feature=["a", "b", "c"], input_tokens=[3, 2, 1], output_tokens=[0, 0, 0])
    assert collected(top_tokens_per_call(engine(table), "feature", n=2))["feature"].to_list() == ["a", "b"]
