"""Calls whose input is far longer than that of other calls like them."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import PRICE_HINT, model_calls, ordered, portable, quantile, share, tally, with_group
from llmops_lib.frames import by_columns

_FENCE = 3.0
_LEAST_CALLS = 20


@portable
def shorter_contexts(calls: Any, by: str | Sequence[str] = ("feature", "prompt_name", "model")) -> Any:
    """What would be saved if inputs far longer than usual were cut to the longest usual one.

    Usual ends at three times the interquartile range above the upper quartile of the group's input tokens.
    Assumption: the answer is as good without the excess, and each of its tokens costs what the call's input
    tokens cost on average. A group of fewer than 20 priced calls has no usual length and is left out.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd`, `input_cost_usd`, `input_tokens`.
        by: Grouping columns: calls that are alike.

    Returns:
        One row per group with such calls, by `saving_usd` downwards, then by `by`: `by`, `call_count` (calls
        that are too long), `usual_tokens` (input tokens that they would be cut to), `spend_usd` (USD that
        they cost), `saving_usd`.

    Raises:
        MissingColumnError: If a column is missing, such as `input_cost_usd` before `price_calls`.

    Source:
        Tukey, Exploratory Data Analysis, 1977: values beyond three hinge spreads are "far out".

    Example:
        >>> import polars as pl
        >>> tokens = [100] * 10 + [110] * 10 + [640]
        >>> calls = pl.DataFrame({
        ...     "feature": ["chat"] * 21, "is_model_call": [True] * 21, "input_tokens": tokens,
        ...     "cost_usd": [count / 1000 for count in tokens],
        ...     "input_cost_usd": [count / 1000 for count in tokens],
        ... })
        >>> shorter_contexts(calls, "feature").rows()
        [('chat', 1, 140, 0.64, 0.5)]
    """
    keys = by_columns(by)
    inputs = nw.col("input_tokens")
    columns = ["cost_usd", "input_cost_usd", "input_tokens"]
    frame = model_calls(calls, columns, by=keys, hint=PRICE_HINT)
    priced = frame.filter(~nw.col("input_cost_usd").is_null() & ~inputs.is_null())
    quartiles = {"low": quantile("input_tokens", 25), "high": quantile("input_tokens", 75)}
    limit = nw.col("high") + _FENCE * (nw.col("high") - nw.col("low"))
    fenced = with_group(priced, keys, quartiles).with_columns(limit.floor().alias("usual_tokens"))
    excess = share(inputs - nw.col("usual_tokens"), inputs) * nw.col("input_cost_usd")
    is_long = (inputs > nw.col("usual_tokens")) & (nw.col("group_call_count") >= _LEAST_CALLS)
    long = fenced.filter(is_long).with_columns(
        excess.alias("saving_usd"), nw.col("cost_usd").alias("spend_usd")
    )
    usual = {"usual_tokens": nw.col("usual_tokens").max()}
    tallied = tally(long, keys, aggregates=usual, sums=["spend_usd", "saving_usd"])
    returned = [*keys, "call_count", "usual_tokens", "spend_usd", "saving_usd"]
    return ordered(tallied, ["saving_usd", *keys], largest_first=["saving_usd"]).select(returned).to_native()
