"""Prices that are missing, and costs that disagree."""

import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.price_checks import reported_against_computed, unpriced_models


def test_unpriced_models_are_listed_with_what_they_used(engine, calls):
    """The tokens say how much a price for the model would add."""
    table = calls(
        provider=["openai", "openai", None, None, None],
        model=["gpt", "gpt", "house", "house", "solo"],
        cost_usd=[0.5, None, None, None, None],
        price_basis=["list 2026", "list 2026", None, None, None],
        input_tokens=[10, None, 40, 60, 7],
        output_tokens=[1, None, 4, 6, None],
    )
    assert collected(unpriced_models(engine(table))).rows() == [
        (None, "house", None, 2, 0, 100, 10),
        ("openai", "gpt", "list 2026", 1, 1, None, None),
        (None, "solo", None, 1, 0, 7, None),
    ]


def test_no_unpriced_models_give_no_rows(engine, calls):
    """Nothing is left out of the spend."""
    assert collected(unpriced_models(engine(calls(model=["a"], cost_usd=[0.0])))).is_empty()


def test_costs_are_compared_where_both_are_known(engine, calls):
    """A sum over calls with one of the two would compare different calls."""
    table = calls(
        source_format=["langfuse"] * 4 + ["otlp"],
        provider=["openai"] * 4 + [None],
        reported_cost_usd=[0.5, 0.25, None, 1.5, None],
        cost_usd=[0.75, None, 4.0, 1.75, 2.0],
    )
    assert collected(reported_against_computed(engine(table))).rows() == [
        ("langfuse", "openai", 4, 2, 1, 1, 2.0, 2.5, 0.5, 0.25),
        ("otlp", None, 1, 0, 0, 1, None, None, None, None),
    ]


def test_difference_from_a_reported_zero_has_no_share(engine, calls):
    """An export that reports zero for models it cannot price is the usual cause."""
    table = calls(reported_cost_usd=[0.0], cost_usd=[0.5])
    row = collected(reported_against_computed(engine(table), by=())).row(0, named=True)
    assert (row["difference_usd"], row["difference_share"]) == (pytest.approx(0.5), None)
