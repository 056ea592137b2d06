"""Strata of made traffic for panels."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from llmops_lib import (
    caching_strata,
    calls_as_if_cached,
    calls_as_if_written,
    calls_on_other_models,
    price_calls,
    routing_strata,
    spend_strata,
    with_text_lengths,
)
from llmops_lib.schema import SPANS, conform

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>"


def traffic(height: int, *, feature: str = "chat") -> pl.DataFrame:
    """Priced calls of three models of one provider, some judged; every feature but one is named as asked."""
    generator = np.random.default_rng(3)
    models = generator.choice(["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-5"], height)
    judged = np.where(generator.random(height) < 0.5, generator.integers(0, 2, height), np.nan)
    columns = {
        "trace_id": [f"t{row}" for row in range(height)],
        "span_id": [f"s{row}" for row in range(height)],
        "operation": ["chat"] * height,
        "is_model_call": [True] * height,
        "is_error": [False] * height,
        "source_format": ["table"] * height,
        "source_file": ["traces.csv"] * height,
        "provider": ["anthropic"] * height,
        "model": models,
        "request_model": models,
        "feature": [feature if row % 3 else "code" for row in range(height)],
        "prompt_name": ["answer"] * height,
        "prompt_hash": ["p1"] * height,
        "user_id": [f"u{row % 40}" for row in range(height)],
        "started_at": [MONDAY + timedelta(minutes=row) for row in range(height)],
        "input_tokens": generator.integers(2500, 20_000, height),
        "output_tokens": [100] * height,
        "cache_read_tokens": [0] * height,
        "cache_write_tokens": [0] * height,
        "feedback_score": judged,
        "system_instructions": ["s" * 300] * height,
        "input": ["i" * 200] * height,
    }
    schema = {name: SPANS.polars_schema[name] for name in columns}
    table = pl.DataFrame(columns, schema=schema).with_columns(pl.col("feedback_score").fill_nan(None))
    return with_text_lengths(price_calls(conform(table, SPANS)))


def routing_of(calls):
    """The routing strata of calls."""
    return routing_strata(
        calls, price_calls(calls_on_other_models(calls, ["feature", "model", "input_tokens"]))
    )


def caching_of(calls):
    """The caching strata of calls."""
    read = {kept: price_calls(calls_as_if_cached(calls, lifetime=kept)) for kept in ("5m", "1h")}
    written = {kept: price_calls(calls_as_if_written(calls, lifetime=kept)) for kept in ("5m", "1h")}
    return caching_strata(calls, read=read, written=written)


@pytest.fixture(scope="session")
def routing():
    """Routing strata of 400 calls."""
    return routing_of(traffic(400))


@pytest.fixture(scope="session")
def caching():
    """Caching strata of 400 calls."""
    return caching_of(traffic(400))


@pytest.fixture(scope="session")
def spend():
    """Spend of 400 calls in quarters of an hour."""
    return spend_strata(traffic(400))


@pytest.fixture(scope="session")
def calls():
    """The 400 calls themselves."""
    return traffic(400)


@pytest.fixture(scope="session")
def hostile():
    """The strata of calls whose feature is markup, and the calls."""
    calls = traffic(400, feature=HOSTILE)
    return routing_of(calls), caching_of(calls), calls
