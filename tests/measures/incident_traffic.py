"""Three quiet weeks of an application, small enough to judge in a moment; tests break something in them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from llmops_lib.schema import SPANS, conform

FIRST = datetime(2026, 10, 5, tzinfo=UTC)
"""A Monday."""

ONSET = FIRST + timedelta(days=17, hours=10)
"""A Thursday in the third week, within its busy hours."""

DAYS = 20
_CALLS_PER_DAY = 480


def quiet_spans(seed: int = 1) -> pl.DataFrame:
    """Priced spans of two tenants, two features and two models in which nothing happens."""
    rng = np.random.default_rng(seed)
    n = DAYS * _CALLS_PER_DAY
    hours = np.sort(rng.random(n)) * DAYS * 24
    is_error = rng.random(n) < 0.005
    cost = rng.lognormal(-3, 0.5, n)
    started = pl.Series(hours * 3.6e9).cast(pl.Int64).cast(pl.Duration("us"))
    spans = pl.DataFrame(
        {
            "trace_id": [f"t{row}" for row in range(n)],
            "span_id": [f"s{row}" for row in range(n)],
            "operation": "chat",
            "is_model_call": True,
            "started_at": pl.select(pl.lit(FIRST) + started).to_series(),
            "latency_ms": rng.lognormal(6, 0.4, n),
            "request_model": rng.choice(["large", "small"], n),
            "tenant": rng.choice(["acme", "globex"], n, p=[0.7, 0.3]),
            "feature": rng.choice(["chat", "search"], n),
            "user_id": [f"u{user}" for user in rng.integers(40, size=n)],
            "prompt_name": "answer",
            "prompt_version": "1",
            "prompt_hash": "aa11",
            "release": "1.0",
            "is_error": is_error,
            "error_type": ["APITimeoutError" if fails else None for fails in is_error],
            "output": '[{"role":"assistant","content":"Room 12."}]',
            "source_format": "table",
            "source_file": "quiet.csv",
        }
    ).with_columns(model="request_model", response_model="request_model", session_id="user_id")
    return conform(spans, SPANS).with_columns(cost_usd=pl.Series(cost))


def in_incident(*conditions: pl.Expr, hours: float = 6) -> pl.Expr:
    """Whether a call started within so many hours of `ONSET` and meets the conditions."""
    end = ONSET + timedelta(hours=hours)
    return pl.all_horizontal(pl.col("started_at").is_between(ONSET, end, closed="left"), *conditions)


def failing(spans: pl.DataFrame, condition: pl.Expr, error_type: str = "BadRequestError") -> pl.DataFrame:
    """The spans, two in three of those that meet a condition failed."""
    fails = condition & (pl.int_range(pl.len()) % 3 > 0)
    return spans.with_columns(
        pl.when(fails).then(pl.lit(value=True)).otherwise("is_error").alias("is_error"),
        pl.when(fails).then(pl.lit(error_type)).otherwise("error_type").alias("error_type"),
    )
