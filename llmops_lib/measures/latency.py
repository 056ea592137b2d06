"""How long users waited."""

from collections.abc import Sequence
from typing import Any

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
from llmops_lib.frames import by_columns


@portable
def latency_percentiles(
    calls: Any, by: str | Sequence[str] = (), *, percentiles: Sequence[float] = (50, 95, 99)
) -> Any:
    """Latency percentiles of each group, over calls that succeeded and calls that failed.

    Failed calls stay in: dropping the timeouts would make an outage look fast. `error_count`
    stands beside them, because many fast refusals make latency look better than users felt it.
    A percentile `p` is null where fewer than `100 / (100 - p)` calls have a latency (p50 needs 2,
    p95 20, p99 100): fewer calls say nothing about that tail. No interval is given, since calls
    of one user are not independent.

    Args:
        calls: SPANS; uses `latency_ms`, `is_error`.
        by: Grouping columns; none gives one total row.
        percentiles: Numbers between 0 and 100.

    Returns:
        One row per group that has a call with a latency, sorted by `by`: `by`, `call_count` (calls
        with a latency), `error_count` (those of them that failed), `latency_p50_ms` and so on (ms).

    Raises:
        LlmopsError: If a percentile is not between 0 and 100.

    Source:
        Hyndman and Fan (1996), Sample Quantiles in Statistical Packages, definition 7.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True, True, True], "is_error": [False, False, True],
        ...     "latency_ms": [100.0, 300.0, 900.0],
        ... })
        >>> latency_percentiles(calls, percentiles=(50, 95)).rows()
        [(3, 1, 300.0, None)]
    """
    return _percentiles(calls, "latency_ms", by_columns(by), percentiles)


@portable
def time_to_first_token(
    calls: Any, by: str | Sequence[str] = (), *, percentiles: Sequence[float] = (50, 95, 99)
) -> Any:
    """Percentiles of the wait for the first streamed token, under the rules of `latency_percentiles`.

    Args:
        calls: SPANS; uses `time_to_first_token_ms`, `is_error`.
        by: Grouping columns; none gives one total row.
        percentiles: Numbers between 0 and 100.

    Returns:
        One row per group that has a streamed call, sorted by `by`: `by`, `call_count` (calls with a
        first token), `error_count` (those of them that failed later),
        `time_to_first_token_p50_ms` and so on (ms).

    Raises:
        LlmopsError: If a percentile is not between 0 and 100.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "model": ["a", "a", "b"], "is_model_call": [True, True, True],
        ...     "is_error": [False, False, False], "time_to_first_token_ms": [200.0, 400.0, None],
        ... })
        >>> time_to_first_token(calls, "model", percentiles=[50]).rows()
        [('a', 2, 0, 300.0)]
    """
    return _percentiles(calls, "time_to_first_token_ms", by_columns(by), percentiles)


def _percentiles(calls: Any, column: str, keys: list[str], percentiles: Sequence[float]) -> Any:
    quantity = column.removesuffix("_ms")
    named = {percentile_name(quantity, percentile, "ms"): percentile for percentile in percentiles}
    for percentile in percentiles:
        calls_to_resolve(percentile)
    timed = model_calls(calls, [column, "is_error"], by=keys).filter(~nw.col(column).is_null())
    tallied = tally(
        timed,
        keys,
        counts={"error_count": nw.col("is_error")},
        aggregates={name: quantile(column, percentile) for name, percentile in named.items()},
    ).with_columns(*(resolved(name, percentile) for name, percentile in named.items()))
    return ordered(tallied, keys).to_native()
