"""Which calls have no price, and whether computed costs agree with those the export states."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import PRICE_HINT, model_calls, ordered, portable, share, tally
from llmops_lib.frames import by_columns


@portable
def unpriced_models(calls: Any) -> Any:
    """The models whose calls have no cost, those with most calls first: what the spend leaves out.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd`, `price_basis`, `provider`,
            `model`, `input_tokens`, `output_tokens`.

    Returns:
        One row per provider, model and price basis among calls without a cost, by `call_count`
        downwards, then by name: `provider`, `model`, `price_basis` (why there is no cost),
        `call_count`, `calls_without_usage_count` (neither input nor output tokens known: no price list
        helps there), `input_tokens`, `output_tokens` (known sums).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "provider": ["openai", "openai"], "model": ["priced", "house-model"],
        ...     "is_model_call": [True, True], "cost_usd": [0.5, None], "price_basis": ["list", "no price"],
        ...     "input_tokens": [100, 40], "output_tokens": [10, 4],
        ... })
        >>> unpriced_models(calls).rows()
        [('openai', 'house-model', 'no price', 1, 0, 40, 4)]
    """
    keys = ["provider", "model", "price_basis"]
    inputs, outputs = nw.col("input_tokens"), nw.col("output_tokens")
    unpriced = model_calls(
        calls, ["cost_usd", "input_tokens", "output_tokens"], by=keys, hint=PRICE_HINT
    ).filter(nw.col("cost_usd").is_null())
    counted = tally(
        unpriced,
        keys,
        counts={"calls_without_usage_count": inputs.is_null() & outputs.is_null()},
        sums=["input_tokens", "output_tokens"],
    ).select([*keys, "call_count", "calls_without_usage_count", "input_tokens", "output_tokens"])
    return ordered(counted, ["call_count", *keys], largest_first=["call_count"]).to_native()


@portable
def reported_against_computed(calls: Any, by: str | Sequence[str] = ("source_format", "provider")) -> Any:
    """Costs that the export states against costs computed here, over calls that have both.

    A difference is a question, not an error of either: another price list, another day's price,
    a discount, or token counts under another convention.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `reported_cost_usd`, `cost_usd`.
        by: Grouping columns; none gives one total row.

    Returns:
        One row per group, sorted by `by`: `by`, `call_count`, `compared_count` (calls with both),
        `only_reported_count`, `only_computed_count`, and over calls with both `reported_cost_usd`,
        `cost_usd`, `difference_usd` (computed - reported, USD), `difference_share` (of reported).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True, True, True],
        ...     "reported_cost_usd": [0.5, 0.25, None], "cost_usd": [0.75, None, 4.0],
        ... })
        >>> reported_against_computed(calls, by=()).rows()
        [(3, 1, 1, 1, 0.5, 0.75, 0.25, 0.5)]
    """
    keys = by_columns(by)
    reported, computed = nw.col("reported_cost_usd"), nw.col("cost_usd")
    has_reported, has_computed = ~reported.is_null(), ~computed.is_null()
    frame = model_calls(calls, ["reported_cost_usd", "cost_usd"], by=keys, hint=PRICE_HINT).with_columns(
        nw.when(has_computed).then(reported).alias("_reported_usd"),
        nw.when(has_reported).then(computed).alias("_computed_usd"),
    )
    compared = tally(
        frame,
        keys,
        counts={
            "compared_count": has_reported & has_computed,
            "only_reported_count": has_reported & ~has_computed,
            "only_computed_count": has_computed & ~has_reported,
        },
        sums=["_reported_usd", "_computed_usd"],
    ).rename({"_reported_usd": "reported_cost_usd", "_computed_usd": "cost_usd"})
    compared = compared.with_columns((computed - reported).alias("difference_usd"))
    compared = compared.with_columns(share(nw.col("difference_usd"), reported).alias("difference_share"))
    counts = ["call_count", "compared_count", "only_reported_count", "only_computed_count"]
    money = ["reported_cost_usd", "cost_usd", "difference_usd", "difference_share"]
    return ordered(compared.select([*keys, *counts, *money]), keys).to_native()
