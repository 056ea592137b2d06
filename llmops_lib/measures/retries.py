"""What calls cost that failed and were made again."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import PRICE_HINT, flagged_retries, model_calls, ordered, portable, tally
from llmops_lib.frames import by_columns


@portable
def with_retries(calls: Any) -> Any:
    """The spans with which calls were made again after a failure, and which calls made them again.

    A failed call is made again where the next call of the same trace, the same parent, the same model asked
    for and the same input started after it had ended. Where the export records no input, or no end, and such
    a next call may be a retry or another step, both flags are null: unknown.

    Args:
        calls: SPANS, on any engine; uses `trace_id`, `span_id`, `parent_span_id`, `is_model_call`,
            `is_error`, `request_model`, `model`, `input`, `started_at`, `ended_at`.

    Returns:
        The same rows, in no promised order, with `is_retried` (failed and made again) and `is_retry` (made
        again what failed).

    Example:
        >>> import polars as pl
        >>> from datetime import UTC, datetime
        >>> at = [datetime(2026, 11, 9, 8, 0, second, tzinfo=UTC) for second in (0, 1, 2, 3)]
        >>> calls = pl.DataFrame({
        ...     "trace_id": ["t", "t"], "span_id": ["a", "b"], "parent_span_id": ["root", "root"],
        ...     "is_model_call": [True, True], "is_error": [True, False], "request_model": ["gpt-4o"] * 2,
        ...     "model": ["gpt-4o", "gpt-4o-2024-08-06"], "input": ["Hello"] * 2,
        ...     "started_at": [at[0], at[2]], "ended_at": [at[1], at[3]],
        ... })
        >>> with_retries(calls).select("span_id", "is_retried", "is_retry").sort("span_id").rows()
        [('a', True, False), ('b', False, True)]
    """
    return flagged_retries(calls).to_native()


@portable
def retry_costs(calls: Any, by: str | Sequence[str] = ()) -> Any:
    """What the failed attempts cost that were made again, and what the calls cost that made them again.

    Without the failure, the second call would have cost what the first should have: only the failed attempt
    is money lost. Providers seldom bill failed calls, and exports seldom count their tokens.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd` and what `with_retries` uses, or its
            columns.
        by: Grouping columns; none gives one total row.

    Returns:
        One row per group, by `retried_spend_usd` downwards with null last, then by `by`: `by`, `call_count`,
        `retried_count` (failed and made again), `retried_unpriced_count` (those of them without a cost),
        `retried_spend_usd` (USD that these failed attempts cost, null where no cost is known),
        `retry_count`, `retry_spend_usd` (of the calls that made them again), `unknown_count` (failed calls
        of which nobody can tell).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True, True, True], "is_error": [True, False, False],
        ...     "is_retried": [True, False, False], "is_retry": [False, True, False],
        ...     "cost_usd": [0.25, 0.5, 4.0],
        ... })
        >>> retry_costs(calls).select("retried_count", "retried_spend_usd", "retry_spend_usd").rows()
        [(1, 0.25, 0.5)]
    """
    keys = by_columns(by)
    flagged = flagged_retries(calls).to_native()
    cost, is_retried, is_retry = nw.col("cost_usd"), nw.col("is_retried"), nw.col("is_retry")
    columns = ["cost_usd", "is_error", "is_retried", "is_retry"]
    frame = model_calls(flagged, columns, by=keys, hint=PRICE_HINT).with_columns(
        nw.when(is_retried).then(cost).alias("retried_spend_usd"),
        nw.when(is_retry).then(cost).alias("retry_spend_usd"),
    )
    tallied = tally(
        frame,
        keys,
        counts={
            "retried_count": is_retried,
            "retried_unpriced_count": is_retried & cost.is_null(),
            "retry_count": is_retry,
            "unknown_count": nw.col("is_error") & is_retried.is_null(),
        },
        sums=["retried_spend_usd", "retry_spend_usd"],
    ).select([*keys, *_RETURNED])
    return ordered(tallied, ["retried_spend_usd", *keys], largest_first=["retried_spend_usd"]).to_native()


_RETURNED = (
    "call_count",
    "retried_count",
    "retried_unpriced_count",
    "retried_spend_usd",
    "retry_count",
    "retry_spend_usd",
    "unknown_count",
)
