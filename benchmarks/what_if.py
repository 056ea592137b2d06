"""How long a what-if takes over a million calls: counting them once, then every move of a slider.

Run: python benchmarks/what_if.py [--calls 1000000]

The calls are synthetic and priced at list prices; a redraw is what a panel does when a slider moves: the
scenario computed, its chart drawn, its tables written. The bound is a tenth of a second.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from llmops_lib import (
    budget_panel,
    caching_panel,
    caching_strata,
    calls_as_if_cached,
    calls_as_if_written,
    calls_on_other_models,
    price_calls,
    routing_panel,
    routing_strata,
    spend_strata,
)

REDRAWS = 30
MODELS = {
    "gpt-4o": "openai",
    "gpt-4o-mini": "openai",
    "claude-sonnet-4-5": "anthropic",
    "gemini-2.5-flash": "gcp.gemini",
}


def traffic(count: int) -> pl.LazyFrame:
    """Calls of a month: four models, eight features, sixty tenants, 5,000 users, one in twenty judged."""
    generator = np.random.default_rng(1)
    models = generator.choice(list(MODELS), count)
    seconds = np.sort(generator.integers(0, 31 * 86_400, count))
    started = np.datetime64("2026-10-01") + seconds.astype("timedelta64[s]")
    opinions = generator.integers(0, 2, count).astype(float)
    judged = np.where(generator.random(count) < 0.05, opinions, np.nan)
    columns = {
        "trace_id": np.arange(count).astype(str),
        "span_id": np.arange(count).astype(str),
        "model": models,
        "provider": np.vectorize(MODELS.get)(models),
        "feature": np.char.add("feature-", generator.integers(0, 8, count).astype(str)),
        "tenant": np.char.add("tenant-", generator.integers(0, 60, count).astype(str)),
        "user_id": np.char.add("user-", generator.integers(0, 5000, count).astype(str)),
        "started_at": started.astype("datetime64[us]"),
        "input_tokens": generator.lognormal(7.5, 1, count).astype(np.int64),
        "output_tokens": generator.lognormal(5, 1, count).astype(np.int64),
        "system_chars": np.full(count, 6000),
        "input_chars": generator.integers(100, 4000, count),
        "feedback_score": judged,
    }
    return pl.LazyFrame(columns).with_columns(
        pl.col("started_at").dt.replace_time_zone("UTC"),
        pl.col("feedback_score").fill_nan(None),
        pl.col("feature").alias("prompt_name"),
        pl.col("feature").alias("prompt_hash"),
        pl.col("model").alias("request_model"),
        pl.lit(None, pl.String).alias("response_model"),
        pl.lit(None, pl.String).alias("session_id"),
        pl.lit("chat").alias("operation"),
        pl.lit(value=True).alias("is_model_call"),
        pl.lit(value=False).alias("is_error"),
        pl.lit(0).alias("cache_read_tokens"),
        pl.lit(0).alias("cache_write_tokens"),
        pl.lit(None, pl.Int64).alias("reasoning_tokens"),
    )


def timed(name: str, run: Callable[[], Any]) -> Any:
    """What a step gives; prints its seconds."""
    started = time.perf_counter()
    made = run()
    print(f"{name:<34}{time.perf_counter() - started:>9.2f} s")
    return made


def redraws(name: str, panel: Any, slider: str, values: Any) -> None:
    """Moves a slider and prints the median and the slowest redraw."""
    panel.redraw()
    taken = []
    for value in values:
        started, cpu = time.perf_counter(), time.process_time()
        panel.controls[slider].value = value
        taken.append(((time.perf_counter() - started) * 1000, (time.process_time() - cpu) * 1000))
    wall, used = zip(*taken, strict=True)
    print(
        f"{name:<34}{np.median(wall):>6.0f} ms median {max(wall):>6.0f} ms slowest "
        f"{np.median(used):>6.0f} ms CPU"
    )


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    count = parser.parse_args().calls
    calls = timed(f"{count:,} calls priced", lambda: price_calls(traffic(count)).collect())
    by = ["feature", "prompt_name", "model"]
    kept = ["feature", "model", "input_tokens"]
    moved = timed(
        "the same on every other model", lambda: price_calls(calls_on_other_models(calls.lazy(), kept))
    )
    routing = timed("routing strata", lambda: routing_strata(calls.lazy(), moved))
    read, written = (
        {name: price_calls(as_if(calls.lazy(), by, lifetime=name)) for name in ("5m", "1h")}
        for as_if in (calls_as_if_cached, calls_as_if_written)
    )
    caching = timed("caching strata", lambda: caching_strata(calls.lazy(), read=read, written=written, by=by))
    spend = timed("spend strata", lambda: spend_strata(calls))
    print(f"rows: {routing.cells.height} cells, {caching.height} prompts, {spend.height:,} steps of spend")
    shares = np.linspace(5, 95, REDRAWS).astype(int).tolist()
    redraws("routing redraw", routing_panel(routing), "share", shares)
    redraws("caching redraw", caching_panel(caching), "hit_share", shares)
    redraws("budget redraw, each tenant", budget_panel(spend, each="tenant"), "growth", shares)
    redraws("budget redraw, each user", budget_panel(spend, each="user_id"), "growth", shares)


if __name__ == "__main__":
    main()
