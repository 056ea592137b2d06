"""How long a comparison of two prompts takes over a million calls, beside the plain group means.

Run: python benchmarks/compare_prompts.py [--calls 1000000] [--users 20000] [--rounds 9]

The calls are simulated. Two readings of plain: what a notebook does, which is means of the same columns and
the two latency percentiles by prompt version; and, stricter, seven means and nothing else. The bound is 5
times. Each round runs all of them one after the other; of time by the clock and of processor time, all cores
together, the median counts. On a busy machine processor time is the steadier of both.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from llmops_lib import compare_prompts


def traffic(count: int, users: int) -> pl.DataFrame:
    """Calls of two prompt versions, assigned by user; users differ in how much they call, at what cost."""
    generator = np.random.default_rng(1)
    activity = generator.lognormal(0, 1, users)
    user = generator.choice(users, count, p=activity / activity.sum())
    is_b = user % 2 == 1
    taste = generator.lognormal(0, 0.4, users)[user]
    tokens = (generator.lognormal(6.5, 0.8, count) * taste).astype(np.int64) + 1
    seconds = np.sort(generator.integers(0, 14 * 86_400, count))
    rated = np.where(generator.random(count) < 0.05, generator.integers(0, 2, count), np.nan)
    return pl.DataFrame(
        {
            "trace_id": np.arange(count).astype(str),
            "session_id": np.char.add("session-", (np.arange(count) // 3).astype(str)),
            "user_id": np.char.add("user-", user.astype(str)),
            "is_model_call": np.ones(count, dtype=bool),
            "started_at": np.datetime64("2026-10-01T00:00:00.000000") + seconds.astype("timedelta64[s]"),
            "prompt_name": np.full(count, "support_answer"),
            "prompt_version": np.where(is_b, "4", "3"),
            "prompt_hash": np.where(is_b, "b" * 16, "a" * 16),
            "input_tokens": tokens,
            "output_tokens": tokens // 4,
            "cache_read_tokens": tokens // 2,
            "cost_usd": tokens * 2e-6,
            "latency_ms": generator.lognormal(6.8, 0.6, count) * taste,
            "is_error": generator.random(count) < 0.01,
            "is_refused": generator.random(count) < 0.02,
            "feedback_score": rated,
        }
    ).with_columns(pl.col("started_at").dt.replace_time_zone("UTC"), pl.col("feedback_score").fill_nan(None))


def plain_means(calls: pl.DataFrame) -> pl.DataFrame:
    """Means by prompt version, and two percentiles."""
    means = ["cost_usd", "input_tokens", "output_tokens", "is_error", "is_refused", "feedback_score"]
    two = calls.filter(pl.col("prompt_name") == "support_answer", pl.col("prompt_version").is_in(["3", "4"]))
    return two.group_by("prompt_version").agg(
        pl.len(),
        *(pl.col(name).mean() for name in means),
        pl.col("feedback_score").is_not_null().mean().alias("feedback_response_share"),
        (pl.col("cache_read_tokens").sum() / pl.col("input_tokens").sum()).alias("cached_token_share"),
        pl.col("latency_ms").quantile(0.5).alias("latency_p50_ms"),
        pl.col("latency_ms").quantile(0.95).alias("latency_p95_ms"),
    )


def bare_means(calls: pl.DataFrame) -> pl.DataFrame:
    """Nothing but the means."""
    means = ["cost_usd", "input_tokens", "output_tokens", "latency_ms", "is_error", "is_refused"]
    return calls.group_by("prompt_version").agg(pl.col(name).mean() for name in [*means, "feedback_score"])


def seconds_of(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds that a piece of work takes: by the clock, and of all processors together."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    """Prints seconds of each and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    calls = traffic(asked.calls, asked.users)
    arms = {"a": "support_answer@3", "b": "support_answer@4"}
    works: dict[str, Callable[[], Any]] = {
        "bare means of seven columns": lambda: bare_means(calls),
        "plain group means": lambda: plain_means(calls),
        "compare_prompts": lambda: compare_prompts(calls, **arms),
    }
    for work in works.values():
        work()
    taken = {name: [] for name in works}
    for _ in range(asked.rounds):
        for name, work in works.items():
            taken[name].append(seconds_of(work))
    compared = np.array(taken["compare_prompts"])
    for name, times in taken.items():
        clock, used = np.median(times, axis=0) * 1000
        print(f"{name}: {clock:.0f} ms by the clock, {used:.0f} ms of processors (medians of {asked.rounds})")
    for name in ("plain group means", "bare means of seven columns"):
        clock, used = np.median(compared / np.array(taken[name]), axis=0)
        print(f"compare_prompts takes {clock:.1f} times the {name} by the clock, {used:.1f} of processors")


if __name__ == "__main__":
    main()
