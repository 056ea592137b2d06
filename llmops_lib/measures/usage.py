"""How many tokens were used, and how many came from the cache."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import model_calls, ordered, portable, share, tally
from llmops_lib.frames import by_columns

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


@portable
def usage_by(calls: Any, by: str | Sequence[str] = ()) -> Any:
    """Tokens of each group.

    Cache and reasoning tokens are parts of input and output: adding them up would count them twice.

    Args:
        calls: SPANS; uses the five token columns.
        by: Grouping columns; none gives one total row.

    Returns:
        One row per group, sorted by `by`: `by`, `call_count`, `calls_without_usage_count` (neither
        input nor output tokens known), `input_tokens`, `output_tokens`, `cache_read_tokens`,
        `cache_write_tokens`, `reasoning_tokens` (sums of what is known, null where nothing is),
        `cache_read_share` (part of the input read from the cache, over calls that state both).

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True, True, False], "input_tokens": [100, 60, 999],
        ...     "output_tokens": [10, 4, 999], "cache_read_tokens": [80, None, None],
        ...     "cache_write_tokens": [0, None, None], "reasoning_tokens": [None, 3, None],
        ... })
        >>> usage_by(calls).rows()
        [(2, 0, 160, 14, 80, 0, 3, 0.8)]
    """
    keys = by_columns(by)
    inputs, outputs, read = (nw.col(name) for name in ("input_tokens", "output_tokens", "cache_read_tokens"))
    frame = model_calls(calls, _TOKENS, by=keys).with_columns(
        nw.when(~inputs.is_null()).then(read).alias("_read_tokens"),
        nw.when(~read.is_null()).then(inputs).alias("_readable_tokens"),
    )
    used = tally(
        frame,
        keys,
        counts={"calls_without_usage_count": inputs.is_null() & outputs.is_null()},
        sums=[*_TOKENS, "_read_tokens", "_readable_tokens"],
    )
    shares = used.with_columns(
        share(nw.col("_read_tokens"), nw.col("_readable_tokens")).alias("cache_read_share")
    )
    columns = [*keys, "call_count", "calls_without_usage_count", *_TOKENS, "cache_read_share"]
    return ordered(shares.select(columns), keys).to_native()


@portable
def top_tokens_per_call(calls: Any, by: str | Sequence[str], *, n: int = 20, min_calls: int = 1) -> Any:
    """The groups whose calls are largest: where a prompt or a conversation grew too long.

    Args:
        calls: SPANS; uses `input_tokens`, `output_tokens`.
        by: Grouping columns, such as `feature` or `user_id`.
        n: How many groups to keep.
        min_calls: Groups with fewer calls with usage are left out; raise it where a single
            call should not lead the list.

    Returns:
        Up to `n` rows, by `tokens_per_call` downwards, then by `by`: `by`, `tokens_per_call`,
        `input_tokens_per_call`, `output_tokens_per_call` (means over calls that state them),
        `total_tokens`, `call_count` (calls with usage).

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "feature": ["chat", "search", "search"], "is_model_call": [True, True, True],
        ...     "input_tokens": [100, 500, 300], "output_tokens": [10, 20, None],
        ... })
        >>> top_tokens_per_call(calls, "feature").rows()
        [('search', 410.0, 400.0, 20.0, 820, 2), ('chat', 110.0, 100.0, 10.0, 110, 1)]
    """
    keys = by_columns(by)
    inputs, outputs = nw.col("input_tokens"), nw.col("output_tokens")
    total = nw.coalesce(inputs + outputs, inputs, outputs)
    frame = model_calls(calls, ["input_tokens", "output_tokens"], by=keys)
    counted = frame.with_columns(total.alias("total_tokens")).filter(~nw.col("total_tokens").is_null())
    means = tally(
        counted,
        keys,
        sums=["total_tokens"],
        aggregates={
            "tokens_per_call": nw.col("total_tokens").mean(),
            "input_tokens_per_call": inputs.mean(),
            "output_tokens_per_call": outputs.mean(),
        },
    ).filter(nw.col("call_count") >= min_calls)
    top = ordered(means, ["tokens_per_call", *keys], largest_first=["tokens_per_call"]).head(n)
    per_call = ["tokens_per_call", "input_tokens_per_call", "output_tokens_per_call"]
    return top.select([*keys, *per_call, "total_tokens", "call_count"]).to_native()
