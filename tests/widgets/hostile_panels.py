"""Every panel over traffic whose names are payloads, so few in each that it shows every one of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib import (
    BreakerPolicy,
    breaker_panel,
    budget_panel,
    caching_panel,
    collected,
    open_source,
    price_calls,
    routing_panel,
    spend_strata,
    with_text_lengths,
)
from llmops_lib.widgets.span_tree import span_tree_panel
from tests.reports.hostile import as_name
from tests.widgets.conftest import caching_of, routing_of
from tests.widgets.test_span_tree import trace

SHOWN = {"routing": 20, "caching": 12, "cap": 12, "breaker": 8, "span tree": 20}
"""How many names each panel can show beside one another: its list, table or chart has room for so many."""

ROOT = "the one span that did not fail"
"""Name of the root of the span tree, which is no part of any payload."""


def panels_of(texts: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Which panels there are, in their order on the page, and which payloads each of them names."""
    names = list(dict.fromkeys(as_name(text) for text in texts))
    listed = []
    for panel, most in SHOWN.items():
        few = -(-len(names) // -(-len(names) // most))
        listed += [(panel, names[first : first + few]) for first in range(0, len(names), few)]
    return listed


def hostile_panels(source: Path, texts: Sequence[str]) -> Iterator[Any]:
    """The panels themselves, over an export of `write_hostile`."""
    answered = open_source(source).spans.filter(is_model_call=True)
    calls = collected(price_calls(with_text_lengths(answered)))
    spend = spend_strata(calls)
    make = {
        "routing": lambda names: routing_panel(moving_to(names, often(of(calls, "feature", names)))),
        "caching": lambda names: caching_panel(caching_of(of(calls, "feature", names))),
        "cap": lambda names: budget_panel(spend.filter(is_one(names)), limit_usd=1e-4),
        "breaker": lambda names: breaker_panel(of(calls, "user_id", names), REFUSING),
        "span tree": span_tree,
    }
    for panel, names in panels_of(texts):
        yield make[panel](names)


REFUSING = BreakerPolicy(limit_usd=1e-6, reserve_usd=1e-6, window="rolling 1h", each="user_id")
"""A breaker names those whom it refuses, and so it refuses everybody."""


def of(calls: pl.DataFrame, column: str, names: Sequence[str]) -> pl.DataFrame:
    """Calls of these names."""
    return calls.filter(pl.col(column).is_in(names))


def is_one(names: Sequence[str]) -> pl.Expr:
    """Whether a row is of one of these names; models stay, since a model of a payload's name has no cost."""
    return pl.col("value").is_in(names) | (pl.col("dimension") == "model")


def often(calls: pl.DataFrame) -> pl.DataFrame:
    """The calls as they were and eight times more: a model that answered little is none to go to."""
    again = [calls.with_columns(trace_id=pl.lit(f"{turn} ") + pl.col("trace_id")) for turn in range(9)]
    return pl.concat(again)


def moving_to(names: Sequence[str], calls: pl.DataFrame) -> Any:
    """Strata of calls that might as well have gone to models of these names."""
    strata = routing_of(calls)
    first = strata.moves.filter(other_model=strata.models[0])
    others = [first.with_columns(other_model=pl.lit(name)) for name in names]
    return replace(strata, moves=pl.concat([strata.moves, *others]))


def span_tree(names: Sequence[str]) -> Any:
    """A trace of calls that have these names, models, texts and errors."""
    texts = [None, *names]
    failed = [False, *[True] * len(names)]
    said = dict.fromkeys(("model", "input", "output", "error_type", "error_message", "tool_name"), texts)
    return span_tree_panel(trace([ROOT, *names], is_error=failed, **said))
