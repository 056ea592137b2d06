"""How much of the spend hangs on how few."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import (
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

_TOPS = (1, 5, 20)
_RANKED = ("dimension", "group_count", *(f"top_{n}_share" for n in _TOPS), "gini", "herfindahl")


@portable
def spend_concentration(calls: Any, dimensions: Sequence[str]) -> Any:
    """How concentrated spend is over the values of each dimension.

    Spend of calls that do not name a value is apart: nobody knows on how many it falls. With a handful of
    groups any share is large, so read every figure beside `group_count`.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd` and the dimensions.
        dimensions: Text columns such as `["tenant", "user_id"]`.

    Returns:
        One row per dimension, in the order given: `dimension`, `group_count` (n: named values that have a
        known cost), `top_1_share`, `top_5_share`, `top_20_share` (of the spend of named values), `gini` (0
        where all spend alike, towards 1 - 1/n where one spends all), `herfindahl` (sum of squared shares: 1/n
        where all spend alike, 1 where one spends all), `unnamed_share` (of all known spend, on calls that
        name no value). Shares, `gini` and `herfindahl` are null where nothing was spent.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Source:
        Gini, Variabilita e mutabilita, 1912; Herfindahl, Concentration in the steel industry, 1950, whose
        inverse is the number of equal spenders that would be as concentrated.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "tenant": ["acme", "acme", "globex", "initech", None], "is_model_call": [True] * 5,
        ...     "cost_usd": [3.0, 3.0, 1.0, 1.0, 2.0],
        ... })
        >>> row = spend_concentration(calls, ["tenant"]).row(0, named=True)
        >>> row["group_count"], row["top_1_share"], row["herfindahl"], row["unnamed_share"]
        (3, 0.75, 0.59375, 0.2)
        >>> round(row["gini"], 6)
        0.416667
    """
    frame = model_calls(calls, ["cost_usd", *dimensions], hint=PRICE_HINT).rename({"cost_usd": "spend_usd"})
    rows = [
        _concentration(frame, dimension).with_columns(
            nw.lit(place).alias("_place"), nw.lit(dimension).alias("dimension")
        )
        for place, dimension in enumerate(dimensions)
    ]
    return ordered(stacked(rows), ["_place"]).select([*_RANKED, "unnamed_share"]).to_native()


def _concentration(frame: Frame, dimension: str) -> Frame:
    """One row; by ranks, since the shares of the largest and the Gini coefficient are sums over ranks."""
    groups = tally(frame, [dimension], sums=["spend_usd"])
    is_named = ~nw.col(dimension).is_null() & ~nw.col("spend_usd").is_null()
    spend = nw.when(is_named).then(nw.col("spend_usd"))
    sized = groups.with_columns(spend.alias("_named_usd"), is_named.alias("_is_named"))
    order = ["_named_usd", dimension]
    ranked = with_place(sized, "_up", order_by=order).with_columns(nw.lit(1).alias("_all"))
    whole = ranked.with_columns(
        nw.col("_named_usd").count().over("_all").alias("_n"),
        nw.col("_named_usd").sum().over("_all").alias("_total"),
    )
    # Counted from the largest: 1 is the top spender.
    place = nw.col("_n") - nw.col("_up") + 1
    staged = whole.with_columns(
        (nw.col("_named_usd") * nw.col("_up")).alias("_weighted_usd"),
        share(nw.col("_named_usd"), nw.col("_total")).alias("_part"),
        *(nw.when(place <= n).then(nw.col("_named_usd")).alias(f"_top_{n}_usd") for n in _TOPS),
    ).with_columns((nw.col("_part") * nw.col("_part")).alias("herfindahl"))
    tops = [f"_top_{n}_usd" for n in _TOPS]
    summed = tally(
        staged,
        (),
        counts={"group_count": nw.col("_is_named")},
        sums=["spend_usd", "_named_usd", "_weighted_usd", "herfindahl", *tops],
    )
    n, total = nw.col("group_count"), nw.col("_named_usd")
    gini = 2 * nw.col("_weighted_usd") / (n * total) - (n + 1) / n
    return summed.with_columns(
        *(share(nw.col(f"_top_{n}_usd"), total).alias(f"top_{n}_share") for n in _TOPS),
        nw.when(total > 0).then(gini).alias("gini"),
        share(nw.col("spend_usd") - total.fill_null(0), nw.col("spend_usd")).alias("unnamed_share"),
    )
