"""Latency through a period."""

from typing import Any, Literal

import narwhals as nw

from llmops_lib.calls import (
    calls_to_resolve,
    model_calls,
    ordered,
    percentile_name,
    portable,
    quantile,
    resolved,
    tally,
)
from llmops_lib.frames import collected

Bucket = Literal["1h", "1d"]

_PERCENTILES = {percentile_name("latency", percentile, "ms"): percentile for percentile in (50, 95, 99)}


@portable
def latency_over_time(calls: Any, *, every: Bucket = "1h") -> Any:
    """Latency percentiles of each hour or day, failed calls included.

    Args:
        calls: SPANS; uses `started_at`, `latency_ms`.
        every: `"1h"` or `"1d"`, of UTC.

    Returns:
        One row per hour or day that has a call with a latency, in order: `bucket_at` (UTC),
        `call_count` (calls with a latency), `latency_p50_ms`, `latency_p95_ms`, `latency_p99_ms` (ms);
        a percentile that so few calls cannot resolve is null, and so is the median of fewer calls than
        a p95 needs: through quiet nights it would jump about and hide what the day shows.

    Example:
        >>> import polars as pl
        >>> from datetime import UTC, datetime
        >>> started_at = [datetime(2026, 11, 9, 14, minute, tzinfo=UTC) for minute in (5, 50)]
        >>> calls = pl.DataFrame(
        ...     {"is_model_call": [True, True], "started_at": started_at, "latency_ms": [100.0, 300.0]}
        ... )
        >>> latency_over_time(pl.concat([calls] * 10)).select("call_count", "latency_p50_ms").rows()
        [(20, 200.0)]
    """
    timed = model_calls(calls, ["started_at", "latency_ms"]).filter(~nw.col("latency_ms").is_null())
    bucketed = timed.with_columns(nw.col("started_at").dt.truncate(every).alias("bucket_at"))
    quantiles = {name: quantile("latency_ms", percentile) for name, percentile in _PERCENTILES.items()}
    tallied = tally(bucketed, ["bucket_at"], quantiles)
    known = tallied.with_columns(
        *(resolved(name, max(percentile, 95)) for name, percentile in _PERCENTILES.items())
    )
    return ordered(known, ["bucket_at"]).to_native()


@portable
def readable_bucket(calls: Any) -> Bucket:
    """The finest bucket in which a p95 can mostly be known: hours where traffic is dense, else days.

    Only the number of calls per hour is collected.

    Args:
        calls: SPANS; uses `started_at`, `latency_ms`.

    Returns:
        `"1h"` where at least half of the hours with calls have enough of them for a p95, else `"1d"`.
    """
    timed = model_calls(calls, ["started_at", "latency_ms"]).filter(~nw.col("latency_ms").is_null())
    hours = timed.with_columns(nw.col("started_at").dt.truncate("1h").alias("hour_at"))
    counts = collected(tally(hours, ["hour_at"], {}).to_native())["call_count"]
    dense_count = (counts >= calls_to_resolve(95)).sum()
    return "1h" if counts.len() and 2 * dense_count >= counts.len() else "1d"
