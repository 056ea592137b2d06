"""The largest spenders of several dimensions, by spend and by tokens per call, with calls to look at."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import (
    CALL_COLUMNS,
    PRICE_HINT,
    Frame,
    model_calls,
    ordered,
    portable,
    share,
    stacked,
    tally,
    with_place,
)
from llmops_lib.frames import narwhal

_KEY = ["dimension", "value"]
_RETURNED = (
    *_KEY,
    "spend_rank",
    "tokens_rank",
    "spend_usd",
    "spend_share",
    "call_count",
    "unpriced_count",
    "cost_per_call_usd",
    "tokens_per_call",
    "input_tokens_per_call",
    "output_tokens_per_call",
)


@portable
def spender_rankings(calls: Any, dimensions: Sequence[str], *, n: int = 20, min_calls: int = 5) -> Any:
    """The values of each dimension that spent most and those whose calls are largest, in one long table.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd`, `input_tokens`, `output_tokens` and
            the dimensions.
        dimensions: Text columns such as `["tenant", "user_id"]`.
        n: How many values of each ranking to keep.
        min_calls: Values with fewer calls with usage have no `tokens_rank`: one long call is no habit.

    Returns:
        Up to `2 n` rows per dimension, in the order of the dimensions, then by `spend_rank`: `dimension`,
        `value` (null: calls that name none), `spend_rank` (1 spent most; null without a known cost),
        `tokens_rank` (1 has most tokens per call), `spend_usd` (USD), `spend_share` (of all known spend),
        `call_count`, `unpriced_count`, `cost_per_call_usd` (over priced calls), `tokens_per_call`,
        `input_tokens_per_call`, `output_tokens_per_call` (over calls that state them).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "tenant": ["acme", "globex", "globex"], "is_model_call": [True, True, True],
        ...     "cost_usd": [0.25, 0.5, 0.25], "input_tokens": [400, 50, 30], "output_tokens": [10, 5, 15],
        ... })
        >>> ranked = spender_rankings(calls, ["tenant"], min_calls=1)
        >>> ranked.select("value", "spend_rank", "tokens_rank", "spend_share", "tokens_per_call").rows()
        [('globex', 1, 2, 0.75, 50.0), ('acme', 2, 1, 0.25, 410.0)]
    """
    used = ["cost_usd", "input_tokens", "output_tokens"]
    frame = model_calls(calls, [*used, *dimensions], hint=PRICE_HINT)
    parts = [_ranked(frame, place, name, min_calls) for place, name in enumerate(dimensions)]
    is_top = (nw.col("spend_rank") <= n) | (nw.col("tokens_rank") <= n)
    top = stacked(parts).filter(is_top.fill_null(value=False))
    return ordered(top, ["_place", "spend_rank", "tokens_rank", "value"]).select(_RETURNED).to_native()


@portable
def example_calls(calls: Any, dimensions: Sequence[str], *, n: int = 20) -> Any:
    """The most expensive call of each of the largest spenders.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd`, `trace_id`, `span_id` and the
            dimensions.
        dimensions: Text columns such as `["tenant", "user_id"]`.
        n: How many spenders of each dimension.

    Returns:
        One row per dimension and spender, in the order of the dimensions, then by spend: `dimension`,
        `value`, `spend_usd` (USD of the spender), and of `trace_id`, `span_id`, `started_at` (UTC), `model`,
        `tenant`, `feature`, `user_id`, `latency_ms` (ms), `cost_usd` (USD of the call), `input_tokens` and
        `output_tokens` those that the table has. Calls that name no value are no spender.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "tenant": ["acme", "globex", "globex"], "is_model_call": [True] * 3,
        ...     "cost_usd": [0.25, 0.5, 0.125], "trace_id": ["t1", "t2", "t3"], "span_id": ["a", "b", "c"],
        ... })
        >>> example_calls(calls, ["tenant"]).select("value", "spend_usd", "trace_id").rows()
        [('globex', 0.625, 't2'), ('acme', 0.25, 't1')]
    """
    present = narwhal(calls).collect_schema().names()
    shown = [name for name in CALL_COLUMNS if name in present or name in {"trace_id", "span_id", "cost_usd"}]
    frame = model_calls(calls, [*shown, *dimensions], hint=PRICE_HINT).filter(~nw.col("cost_usd").is_null())
    parts = [_examples(frame, place, name, shown) for place, name in enumerate(dimensions)]
    ranked = with_place(stacked(parts), "_rank", by=["dimension"], order_by=["_down_usd", "value"])
    top = ordered(ranked.filter(nw.col("_rank") <= n), ["_place", "_rank"])
    return top.select([*_KEY, "spend_usd", *shown]).to_native()


def _examples(frame: Frame, place: int, dimension: str, shown: Sequence[str]) -> Frame:
    known = frame.filter(~nw.col(dimension).is_null()).with_columns(
        nw.lit(place).alias("_place"),
        nw.lit(dimension).alias("dimension"),
        nw.col(dimension).alias("value"),
        (0 - nw.col("cost_usd")).alias("_down_usd"),
        nw.col("cost_usd").sum().over(dimension).alias("spend_usd"),
    )
    order = ["_down_usd", "trace_id", "span_id"]
    first = with_place(known, "_nth", by=[dimension], order_by=order)
    return (
        first.filter(nw.col("_nth") == 1)
        .with_columns((0 - nw.col("spend_usd")).alias("_down_usd"))
        .select(["_place", *_KEY, "_down_usd", "spend_usd", *shown])
    )


def _ranked(frame: Frame, place: int, dimension: str, min_calls: int) -> Frame:
    """All values of one dimension with both ranks."""
    inputs, outputs = nw.col("input_tokens"), nw.col("output_tokens")
    total = nw.coalesce(inputs + outputs, inputs, outputs)
    prepared = frame.with_columns(
        nw.lit(place).alias("_place"),
        nw.lit(dimension).alias("dimension"),
        nw.col(dimension).alias("value"),
        nw.col("cost_usd").alias("spend_usd"),
        total.alias("total_tokens"),
    )
    tallied = tally(
        prepared,
        ["_place", *_KEY],
        aggregates={"input_tokens_per_call": inputs.mean(), "output_tokens_per_call": outputs.mean()},
        counts={
            "unpriced_count": nw.col("spend_usd").is_null(),
            "counted_count": ~nw.col("total_tokens").is_null(),
        },
        sums=["spend_usd", "total_tokens"],
    )
    calls, priced = nw.col("counted_count"), nw.col("call_count") - nw.col("unpriced_count")
    per_call = tallied.with_columns(
        share(nw.col("spend_usd"), nw.col("spend_usd").sum().over("_place")).alias("spend_share"),
        share(nw.col("spend_usd"), priced).alias("cost_per_call_usd"),
        share(nw.col("total_tokens"), calls).alias("tokens_per_call"),
    )
    habitual = nw.when(calls >= min_calls).then(0 - nw.col("tokens_per_call"))
    # Engines disagree on where null sorts; here it comes after every name.
    name = nw.col("value").fill_null("\U0010ffff").alias("_name")
    ranked = per_call.with_columns(
        (0 - nw.col("spend_usd")).alias("_spend_rank"), habitual.alias("_tokens_rank"), name
    )
    for rank in ("spend_rank", "tokens_rank"):
        placed = with_place(ranked, rank, by=["_place"], order_by=[f"_{rank}", "_name"])
        is_ranked = ~nw.col(f"_{rank}").is_null()
        ranked = placed.with_columns(nw.when(is_ranked).then(nw.col(rank)).alias(rank))
    return ranked
