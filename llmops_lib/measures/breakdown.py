"""Spend along several dimensions at once, in one long table."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import PRICE_HINT, flag, model_calls, ordered, portable, stacked, tally
from llmops_lib.frames import by_columns
from llmops_lib.schema import REST_NAME


@portable
def spend_breakdown(calls: Any, dimensions: Sequence[str], by: str | Sequence[str] = ()) -> Any:
    """Spend of each value of each dimension, one long table.

    The values of one dimension sum to the total; the dimensions repeat it, so they are never added up.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd` and the dimensions.
        dimensions: Text columns such as `["model", "tenant"]`.
        by: Further grouping columns, such as `started_on`.

    Returns:
        One row per dimension, value and group of `by`: `dimension` (column name), `value` (null where
        the export does not say), `by`, `call_count`, `unpriced_count`, `spend_usd` (USD, null where no
        call of the row has a cost); by dimension as given, spend downwards, then value.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "model": ["large", "small"], "tenant": ["acme", "acme"],
        ...     "is_model_call": [True, True], "cost_usd": [0.5, 0.25],
        ... })
        >>> spend_breakdown(calls, ["tenant", "model"]).select("dimension", "value", "spend_usd").rows()
        [('tenant', 'acme', 0.75), ('model', 'large', 0.5), ('model', 'small', 0.25)]
    """
    keys = by_columns(by)
    frame = model_calls(calls, ["cost_usd", *dimensions], by=keys, hint=PRICE_HINT)
    parts = [
        frame.select(
            nw.lit(place).alias("_place"),
            nw.lit(dimension).alias("dimension"),
            nw.col(dimension).alias("value"),
            *keys,
            nw.col("cost_usd").alias("spend_usd"),
            flag(nw.col("cost_usd").is_null()).alias("_unpriced"),
        )
        for place, dimension in enumerate(dimensions)
    ]
    groups = ["_place", "dimension", "value", *keys]
    unpriced = {"unpriced_count": nw.col("_unpriced").sum()}
    spend = tally(stacked(parts), groups, unpriced, sums=["spend_usd"])
    columns = ["dimension", "value", *keys, "call_count", "unpriced_count", "spend_usd"]
    sorting = ["_place", "spend_usd", "value", *keys]
    return ordered(spend, sorting, largest_first=["spend_usd"]).select(columns).to_native()


def largest_values(breakdown: pl.DataFrame, *, n: int = 6) -> pl.DataFrame:
    """A breakdown whose smaller values are put together, so that a chart of it can be read.

    Args:
        breakdown: What `spend_breakdown` returns, collected; with or without further grouping columns.
        n: How many values of each dimension stay, by spend and then by calls.

    Returns:
        The same columns, with the spend and counts of the other values summed under `(all others)`;
        the sums of each dimension are unchanged.

    Example:
        >>> rows = [("model", "a", 5, 0, 9.0), ("model", "b", 4, 0, 3.0), ("model", "c", 2, 1, 0.5)]
        >>> columns = ["dimension", "value", "call_count", "unpriced_count", "spend_usd"]
        >>> largest_values(pl.DataFrame(rows, schema=columns, orient="row"), n=1).rows()
        [('model', 'a', 5, 0, 9.0), ('model', '(all others)', 6, 1, 3.5)]
    """
    value = ["dimension", "value"]
    keys = [name for name in breakdown.columns if name not in {*value, *_COUNTED}]
    sizes = breakdown.group_by(value, maintain_order=True).agg(pl.col("spend_usd", "call_count").sum())
    largest = sizes.sort(["spend_usd", "call_count"], descending=True, maintain_order=True).with_columns(
        pl.int_range(pl.len()).over("dimension").clip(upper_bound=n).alias("_rank")
    )
    ranked = breakdown.join(
        largest.select(*value, "_rank"), on=value, nulls_equal=True, maintain_order="left"
    )
    named = ranked.with_columns(pl.when(pl.col("_rank") < n).then("value").otherwise(pl.lit(REST_NAME)))
    place = pl.col("_row").min().over("dimension")
    summed = (
        named.with_row_index("_row")
        .sort(place, "_rank", maintain_order=True)
        .group_by([*value, *keys], maintain_order=True)
    )
    return summed.agg(pl.col("call_count", "unpriced_count").sum(), _known_sum("spend_usd")).select(
        breakdown.columns
    )


def _known_sum(name: str) -> pl.Expr:
    # Polars sums nothing to 0, which would price what has no price.
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)


_COUNTED = ("call_count", "unpriced_count", "spend_usd")
