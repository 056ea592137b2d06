"""The figures that open a report."""

from typing import Any

import narwhals as nw

from llmops_lib.calls import (
    PRICE_HINT,
    model_calls,
    percentile_name,
    portable,
    quantile,
    resolved,
    share,
    tally,
)

_PERCENTILES = {percentile_name("latency", percentile, "ms"): percentile for percentile in (50, 95)}
_ENTITIES = ("trace", "user", "session")
_USED = (
    "cost_usd",
    "input_tokens",
    "output_tokens",
    "latency_ms",
    "is_error",
    "trace_id",
    "user_id",
    "session_id",
    "started_at",
)
_RETURNED = (
    "spend_usd",
    "call_count",
    "unpriced_count",
    "unpriced_share",
    "input_tokens",
    "output_tokens",
    *_PERCENTILES,
    "error_count",
    "error_share",
    "trace_count",
    "user_count",
    "session_count",
    "first_at",
    "last_at",
)


@portable
def headline(calls: Any) -> Any:
    """One row of figures over all calls; one row also where there are none.

    Args:
        calls: SPANS with the columns of `price_calls`.

    Returns:
        `spend_usd` (USD, null where no call has a cost), `call_count`, `unpriced_count` (calls without
        a cost), `unpriced_share`, `input_tokens`, `output_tokens` (known sums), `latency_p50_ms`,
        `latency_p95_ms` (ms, under the rules of `latency_percentiles`), `error_count`, `error_share`,
        `trace_count`, `user_count`, `session_count` (those known, of model calls), `first_at`,
        `last_at` (start of the first and the last call, UTC).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True, True], "is_error": [True, False], "cost_usd": [None, 0.5],
        ...     "input_tokens": [None, 30], "output_tokens": [None, 5], "latency_ms": [80.0, 120.0],
        ...     "trace_id": ["t1", "t2"], "user_id": ["ann", "ann"], "session_id": ["s1", None],
        ... }).with_columns(started_at=pl.datetime(2026, 11, 9, time_zone="UTC"))
        >>> row = headline(calls).row(0, named=True)
        >>> row["spend_usd"], row["unpriced_share"], row["latency_p50_ms"], row["latency_p95_ms"]
        (0.5, 0.5, 100.0, None)
        >>> row["trace_count"], row["user_count"], row["session_count"]
        (2, 1, 1)
    """
    frame = model_calls(calls, _USED, hint=PRICE_HINT).rename({"cost_usd": "spend_usd"})
    row = tally(
        frame,
        (),
        counts={
            "unpriced_count": nw.col("spend_usd").is_null(),
            "timed_count": ~nw.col("latency_ms").is_null(),
            "error_count": nw.col("is_error"),
        },
        sums=["spend_usd", "input_tokens", "output_tokens"],
        aggregates={
            **{name: quantile("latency_ms", percentile) for name, percentile in _PERCENTILES.items()},
            **_distinct_aggregates(),
            "first_at": nw.col("started_at").min(),
            "last_at": nw.col("started_at").max(),
        },
    )
    return (
        row.with_columns(
            share(nw.col("unpriced_count"), nw.col("call_count")).alias("unpriced_share"),
            share(nw.col("error_count"), nw.col("call_count")).alias("error_share"),
            *(resolved(name, percentile, "timed_count") for name, percentile in _PERCENTILES.items()),
            *map(_known_distinct, _ENTITIES),
        )
        .select(_RETURNED)
        .to_native()
    )


def _distinct_aggregates() -> dict[str, nw.Expr]:
    ids = {entity: nw.col(f"{entity}_id") for entity in _ENTITIES}
    return {f"{entity}_count": column.n_unique() for entity, column in ids.items()} | {
        f"known_{entity}_count": column.count() for entity, column in ids.items()
    }


def _known_distinct(entity: str) -> nw.Expr:
    # n_unique counts null as one more value.
    distinct = nw.col(f"{entity}_count")
    is_holed = nw.col(f"known_{entity}_count") < nw.col("call_count")
    return nw.when(is_holed).then(distinct - 1).otherwise(distinct).alias(f"{entity}_count")
