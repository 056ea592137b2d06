"""What the export does not say, and what does not hang together."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import model_calls, ordered, portable, share, stacked, tally
from llmops_lib.frames import by_columns

_DIMENSIONS = (
    "provider",
    "model",
    "input_tokens",
    "output_tokens",
    "latency_ms",
    "tenant",
    "feature",
    "user_id",
    "session_id",
    "environment",
    "service",
    "release",
    "prompt_name",
)


@portable
def missing_share(calls: Any, columns: str | Sequence[str] = _DIMENSIONS) -> Any:
    """How often each column is unknown, the worst first: what a breakdown by it would leave out.

    Args:
        calls: SPANS.
        columns: Columns to look at.

    Returns:
        One row per column, by `missing_share` downwards, then by name: `column`, `call_count`,
        `missing_count`, `missing_share` (0 to 1, null over no calls).

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True, True], "model": ["a", "b"], "tenant": [None, "t"],
        ... })
        >>> missing_share(calls, ["model", "tenant"]).rows()
        [('tenant', 2, 1, 0.5), ('model', 2, 0, 0.0)]
    """
    names = by_columns(columns)
    missing = {f"{name}_count": nw.col(name).is_null() for name in names}
    row = tally(model_calls(calls, names), (), counts=missing)
    rows = [
        row.select(nw.lit(name).alias("column"), "call_count", nw.col(f"{name}_count").alias("missing_count"))
        for name in names
    ]
    shares = stacked(rows).with_columns(
        share(nw.col("missing_count"), nw.col("call_count")).alias("missing_share")
    )
    return ordered(shares, ["missing_share", "column"], largest_first=["missing_share"]).to_native()


@portable
def calls_without_usage(calls: Any, by: str | Sequence[str] = ("source_format", "provider")) -> Any:
    """Calls whose tokens are unknown, and so their cost: how much of the bill the export hides.

    Args:
        calls: SPANS; uses `input_tokens`, `output_tokens`, `is_error`.
        by: Grouping columns; none gives one total row.

    Returns:
        One row per group, sorted by `by`: `by`, `call_count`, `calls_without_usage_count` (neither
        input nor output tokens known), `calls_without_usage_share`, `failed_without_usage_count`
        (those of them that failed, which providers seldom bill).

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True, True, True, True], "is_error": [False, True, False, False],
        ...     "input_tokens": [9, None, None, 7], "output_tokens": [1, None, None, None],
        ... })
        >>> calls_without_usage(calls, by=()).rows()
        [(4, 2, 0.5, 1)]
    """
    keys = by_columns(by)
    is_without = nw.col("input_tokens").is_null() & nw.col("output_tokens").is_null()
    frame = model_calls(calls, ["input_tokens", "output_tokens", "is_error"], by=keys)
    counted = tally(
        frame,
        keys,
        counts={
            "calls_without_usage_count": is_without,
            "failed_without_usage_count": is_without & nw.col("is_error"),
        },
    )
    without = share(nw.col("calls_without_usage_count"), nw.col("call_count"))
    counts = ["call_count", "calls_without_usage_count"]
    columns = [*keys, *counts, "calls_without_usage_share", "failed_without_usage_count"]
    return ordered(
        counted.with_columns(without.alias("calls_without_usage_share")).select(columns), keys
    ).to_native()


@portable
def nested_calls(calls: Any) -> Any:
    """Model calls directly inside another model call, by provider and model: a likely double count.

    Where the counts of the outer span repeat those inside, loading has folded it already. What stays
    is a wrapper that states counts of its own; some instrumentations do so for the very same call.

    Args:
        calls: SPANS; uses `trace_id`, `span_id`, `parent_span_id`, `provider`, `model`, `input_tokens`,
            `output_tokens`.

    Returns:
        One row per provider and model of the outer calls, by `call_count` downwards: `provider`,
        `model`, `call_count` (outer calls), `input_tokens`, `output_tokens` (theirs).

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "trace_id": ["t1", "t1"], "span_id": ["outer", "inner"], "parent_span_id": [None, "outer"],
        ...     "is_model_call": [True, True], "provider": ["openai"] * 2, "model": ["gpt-5"] * 2,
        ...     "input_tokens": [14, 62], "output_tokens": [43, 85],
        ... })
        >>> nested_calls(calls).rows()
        [('openai', 'gpt-5', 1, 14, 43)]
    """
    ids = ["trace_id", "span_id", "parent_span_id"]
    frame = model_calls(calls, [*ids, "provider", "model", "input_tokens", "output_tokens"])
    inner = frame.filter(~nw.col("parent_span_id").is_null())
    holders: Any = inner.select("trace_id", nw.col("parent_span_id").alias("span_id")).unique()
    outer = frame.join(holders, on=["trace_id", "span_id"], how="semi")
    tallied = tally(outer, ["provider", "model"], sums=["input_tokens", "output_tokens"])
    return ordered(tallied, ["call_count", "provider", "model"], largest_first=["call_count"]).to_native()
