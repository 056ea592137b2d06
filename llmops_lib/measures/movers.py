"""What moved most between two periods."""

from typing import Any

import narwhals as nw

from llmops_lib.calls import known_rows, ordered, portable
from llmops_lib.frames import narwhal

_COMPARED = ("_before", "_after", "_change", "_change_share")


@portable
def largest_changes(change: Any, *, n: int = 6) -> Any:
    """The groups whose spend moved most, up or down, new and gone groups included.

    Args:
        change: What `change_between` returns for spend; uses `spend_usd_before`, `spend_usd_after`.
        n: How many groups to keep.

    Returns:
        Up to `n` rows by the size of the move downwards, of the grouping columns and those of spend; a
        side without spend counts as nothing, and groups that did not move are left out.
        `spend_usd_change` is filled for groups that are new or gone.

    Example:
        >>> import polars as pl
        >>> change = pl.DataFrame({
        ...     "value": ["steady", "gone", "up"], "spend_usd_before": [5.0, 2.0, 1.0],
        ...     "spend_usd_after": [5.0, None, 4.0], "spend_usd_change": [0.0, None, 3.0],
        ... })
        >>> largest_changes(change).select("value", "spend_usd_change").rows()
        [('up', 3.0), ('gone', -2.0)]
    """
    found = narwhal(change, columns=["spend_usd_before", "spend_usd_after"]).collect_schema().names()
    columns = [name for name in found if name.startswith("spend_usd_") or not name.endswith(_COMPARED)]
    before, after = nw.col("spend_usd_before").fill_null(0), nw.col("spend_usd_after").fill_null(0)
    moved = known_rows(change, columns).with_columns((after - before).alias("spend_usd_change"))
    sized = moved.with_columns(nw.col("spend_usd_change").abs().alias("_size")).filter(nw.col("_size") > 0)
    names = [name for name in ("dimension", "value") if name in columns]
    return ordered(sized, ["_size", *names], largest_first=["_size"]).head(n).select(columns).to_native()
