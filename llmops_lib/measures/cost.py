"""Where the money went."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import PRICE_HINT, Frame, model_calls, ordered, portable, share, tally
from llmops_lib.errors import EstimateError
from llmops_lib.frames import by_columns


@portable
def spend_by(calls: Any, by: str | Sequence[str] = ()) -> Any:
    """Spend and tokens of each group, the most expensive first.

    A call of unknown cost adds nothing to the spend and one to `unpriced_count`: a sum beside an
    `unpriced_count` above zero is a lower bound. Where no call has a cost, spend is null and not 0.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd`, `input_tokens`, `output_tokens`.
        by: Grouping columns, such as `model` or `["tenant", "feature"]`; none gives one total row.

    Returns:
        One row per group, by spend downwards with null last, then by `by`: `by`, `call_count`,
        `unpriced_count` (calls without a cost), `spend_usd` (USD), `input_tokens`, `output_tokens`
        (sums of what is known, null where nothing is). Groups sum to the total.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "model": ["large", "small", "small"], "is_model_call": [True, True, True],
        ...     "cost_usd": [0.5, 0.25, None], "input_tokens": [100, 50, 7], "output_tokens": [10, 5, 1],
        ... })
        >>> spend_by(calls, "model").rows()
        [('large', 1, 0, 0.5, 100, 10), ('small', 2, 1, 0.25, 57, 6)]
    """
    keys = by_columns(by)
    spend = _spend(calls, keys).select([*keys, *_SPEND_COLUMNS])
    return ordered(spend, ["spend_usd", *keys], largest_first=["spend_usd"]).to_native()


@portable
def top_spenders(calls: Any, by: str | Sequence[str], *, n: int = 20) -> Any:
    """The groups that spent most, with their share of all spend and their cost per call.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd`, `input_tokens`, `output_tokens`.
        by: Grouping columns, such as `user_id`.
        n: How many groups to keep, at least 1.

    Returns:
        Up to `n` rows, by spend downwards with null last, then by `by`: `by`, `spend_usd` (USD),
        `spend_share` (of the spend of all groups, also those not listed), `call_count`,
        `unpriced_count`, `cost_per_call_usd` (USD, over priced calls), `tokens_per_call`
        (input and output, over calls with usage).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
        EstimateError: If `n` is below 1.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "user_id": ["ann", "bob", "bob"], "is_model_call": [True, True, True],
        ...     "cost_usd": [0.25, 0.5, 0.25], "input_tokens": [100, 50, 30], "output_tokens": [10, 5, 15],
        ... })
        >>> top_spenders(calls, "user_id", n=1).rows()
        [('bob', 0.75, 0.75, 2, 0, 0.375, 50.0)]
    """
    if n < 1:
        msg = f"n is {n}; expected how many groups to keep, at least 1"
        raise EstimateError(msg)
    keys = by_columns(by)
    spend = _spend(calls, keys).with_columns(
        share(nw.col("spend_usd"), nw.col("spend_usd").sum()).alias("spend_share"),
        share(nw.col("spend_usd"), nw.col("call_count") - nw.col("unpriced_count")).alias(
            "cost_per_call_usd"
        ),
        share(nw.col("total_tokens"), nw.col("counted_count")).alias("tokens_per_call"),
    )
    top = ordered(spend, ["spend_usd", *keys], largest_first=["spend_usd"]).head(n)
    return top.select([*keys, *_TOP_COLUMNS]).to_native()


_SPEND_COLUMNS = ("call_count", "unpriced_count", "spend_usd", "input_tokens", "output_tokens")
_TOP_COLUMNS = (
    "spend_usd",
    "spend_share",
    "call_count",
    "unpriced_count",
    "cost_per_call_usd",
    "tokens_per_call",
)


def _spend(calls: Any, keys: list[str]) -> Frame:
    frame = model_calls(calls, ["cost_usd", "input_tokens", "output_tokens"], by=keys, hint=PRICE_HINT)
    cost, inputs, outputs = nw.col("cost_usd"), nw.col("input_tokens"), nw.col("output_tokens")
    prepared = frame.with_columns(
        cost.alias("spend_usd"),
        nw.coalesce(inputs + outputs, inputs, outputs).alias("total_tokens"),
    )
    return tally(
        prepared,
        keys,
        counts={"unpriced_count": cost.is_null(), "counted_count": ~nw.col("total_tokens").is_null()},
        sums=["spend_usd", "input_tokens", "output_tokens", "total_tokens"],
    )
