"""What moved most between two periods, in dollars, in proportion, and from or to nothing."""

from typing import Any

import narwhals as nw

from llmops_lib.calls import Frame, known_rows, ordered, portable
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
    before, after = nw.col("spend_usd_before").fill_null(0), nw.col("spend_usd_after").fill_null(0)
    moved = _spend_columns(change).with_columns((after - before).alias("spend_usd_change"))
    sized = moved.with_columns(nw.col("spend_usd_change").abs().alias("_size")).filter(nw.col("_size") > 0)
    return _largest(sized, change, n)


@portable
def fastest_changes(change: Any, *, n: int = 6, least_share: float = 0.01) -> Any:
    """The groups whose spend grew or shrank most in proportion.

    Args:
        change: What `change_between` returns for spend by `dimension` and `value`; uses `dimension`,
            `spend_usd_before`, `spend_usd_after`.
        n: How many groups to keep.
        least_share: Groups below this share of the spend of their dimension in both periods are left out:
            from a cent to ten is a thousand percent and no news.

    Returns:
        Up to `n` rows by the larger of after / before and before / after downwards, of the grouping columns
        and those of spend; groups that spent in one period only are in `new_and_gone`.

    Example:
        >>> import polars as pl
        >>> change = pl.DataFrame({
        ...     "dimension": ["tenant"] * 3, "value": ["big", "tiny", "down"],
        ...     "spend_usd_before": [90.0, 0.01, 10.0], "spend_usd_after": [99.0, 0.1, 2.0],
        ... })
        >>> fastest_changes(change)["value"].to_list()
        ['down', 'big']
    """
    before, after = nw.col("spend_usd_before"), nw.col("spend_usd_after")
    totals = [before.sum().over("dimension").alias("_before"), after.sum().over("dimension").alias("_after")]
    frame = _spend_columns(change).with_columns(totals)
    moved = frame.filter((before > 0) & (after > 0) & (before != after))
    is_large = (before >= least_share * nw.col("_before")) | (after >= least_share * nw.col("_after"))
    ratio = nw.max_horizontal(after / before, before / after).alias("_size")
    return _largest(moved.filter(is_large).with_columns(ratio), change, n)


@portable
def new_and_gone(change: Any, *, n: int = 10) -> Any:
    """The groups that made calls in one of two periods only.

    Where a period holds no call of any group, nothing is known of it, and no group is new or gone.

    Args:
        change: What `change_between` returns for spend and calls; uses `spend_usd_before`,
            `spend_usd_after`, `call_count_before`, `call_count_after`.
        n: How many groups to keep.

    Returns:
        Up to `n` rows by spend downwards, of the grouping columns, `state` (`new` or `gone`),
        `spend_usd_before`, `spend_usd_after` (USD, null where no cost is known).

    Example:
        >>> import polars as pl
        >>> change = pl.DataFrame({
        ...     "value": ["kept", "came", "left"], "spend_usd_before": [1.0, None, 2.0],
        ...     "spend_usd_after": [1.0, 0.5, None], "call_count_before": [1, None, 1],
        ...     "call_count_after": [1, 3, None],
        ... })
        >>> new_and_gone(change).select("value", "state").rows()
        [('left', 'gone'), ('came', 'new')]
    """
    counts = ["call_count_before", "call_count_after"]
    frame = _spend_columns(change, *counts)
    names = [name for name in frame.columns if not name.endswith(_COMPARED)]
    frame = frame.with_columns(nw.lit(1).alias("_all")).with_columns(
        nw.col(name).max().over("_all").alias(f"_any{name}") for name in counts
    )
    has_both = ~nw.any_horizontal((nw.col(f"_any{name}").is_null() for name in counts), ignore_nulls=False)
    is_new, is_gone = (nw.col(name).is_null() & has_both for name in counts)
    state = nw.when(is_new).then(nw.lit("new")).otherwise(nw.lit("gone")).alias("state")
    spend = nw.coalesce("spend_usd_before", "spend_usd_after").fill_null(0).alias("_size")
    one_sided = frame.filter(is_new | is_gone).with_columns(state, spend)
    sides = ["spend_usd_before", "spend_usd_after"]
    return _first(one_sided, n).select([*names, "state", *sides]).to_native()


def _spend_columns(change: Any, *more: str) -> Frame:
    present = narwhal(change, columns=["spend_usd_before", "spend_usd_after", *more]).collect_schema().names()
    names = [name for name in present if name.startswith("spend_usd_") or not name.endswith(_COMPARED)]
    return known_rows(change, [*names, *more])


def _largest(sized: Frame, change: Any, n: int) -> Any:
    return _first(sized, n).select(_spend_columns(change).columns).to_native()


def _first(sized: Frame, n: int) -> Frame:
    names = [name for name in ("dimension", "value") if name in sized.columns]
    return ordered(sized, ["_size", *names], largest_first=["_size"]).head(n)
