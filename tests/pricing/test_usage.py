"""Calls whose usage is missing or impossible, and rows that are no calls."""

import pytest

from llmops_lib.pricing import price_calls

ONE_HOUR = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"


def test_rows_that_are_no_model_calls_are_neither_priced_nor_explained(calls):
    """An agent span that repeats its children's usage must not be added to them."""
    priced = price_calls(calls({"is_model_call": False, "operation": "invoke_agent"}))
    assert priced.select("cost_usd", "is_priced", "price_basis").row(0) == (None, False, None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"input_tokens": None, "output_tokens": None}, "usage unknown: the call states no token counts"),
        (
            {"input_tokens": None, "output_tokens": None, "is_error": True},
            "usage unknown: the call states no token counts",
        ),
        ({"input_tokens": None}, "usage unknown: the call states no input_tokens"),
        ({"output_tokens": None}, "usage unknown: the call states no output_tokens"),
        (
            {"operation": "embeddings", "input_tokens": None},
            "usage unknown: the call states no input_tokens",
        ),
    ],
)
def test_a_missing_count_leaves_the_cost_unknown_never_zero(calls, row, reason):
    """A failed call may have been billed all the same; zero would hide it."""
    priced = price_calls(calls(row))
    assert priced.select("cost_usd", "is_priced", "price_basis").row(0) == (None, False, reason)


def test_embeddings_and_reranking_bill_no_output(calls):
    """Their output is no text, so a missing output count costs nothing."""
    row = {"request_model": "text-embedding-3-small", "input_tokens": 1_000_000, "output_tokens": None}
    spans = calls(
        row | {"operation": "embeddings"}, row | {"operation": "rerank"}, row | {"operation": "chat"}
    )
    assert price_calls(spans)["cost_usd"].to_list() == [0.02, 0.02, None]


def test_zero_tokens_cost_zero(calls):
    """Zero is known; only null is unknown."""
    priced = price_calls(calls({"input_tokens": 0, "output_tokens": 0}))
    assert priced.select("cost_usd", "is_priced").row(0) == (0.0, True)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"input_tokens": 100, "cache_read_tokens": 120},
            "cache_read_tokens (120) + cache_write_tokens (0) > input_tokens (100)",
        ),
        (
            {"input_tokens": 100, "cache_read_tokens": 60, "cache_write_tokens": 41},
            "cache_read_tokens (60) + cache_write_tokens (41) > input_tokens (100)",
        ),
        ({"output_tokens": 30, "reasoning_tokens": 31}, "reasoning_tokens (31) > output_tokens (30)"),
        ({"input_tokens": -1}, "input_tokens (-1) < 0"),
        ({"output_tokens": -5, "input_tokens": None}, "output_tokens (-5) < 0"),
        (
            {"cache_write_tokens": 40, "attributes": {ONE_HOUR: 41}},
            "1-hour cache writes (41) > cache_write_tokens (40)",
        ),
        ({"cache_write_tokens": 40, "attributes": {ONE_HOUR: -2}}, "1-hour cache writes (-2) < 0"),
        (
            {"cache_read_tokens": 2**62, "cache_write_tokens": 2**62 + 2**61},
            f"cache_read_tokens ({2**62}) + cache_write_tokens ({2**62 + 2**61}) > input_tokens (1000)",
        ),
    ],
)
def test_impossible_counts_are_named_never_clamped(calls, row, reason):
    """A clamped count is a made-up price; the two counts lead to the wrong convention of a reader."""
    priced = price_calls(calls(row))
    assert priced.select("cost_usd", "is_priced", "price_basis").row(0) == (
        None,
        False,
        f"impossible usage: {reason}",
    )
