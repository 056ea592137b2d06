"""Roll-ups: model-call spans that wrap the calls inside them and are no call themselves.

A wrapper repeats the usage of the calls inside it, summed, or states none. Only the nearest calls
inside are summed, because each of them in turn stands for those further in.
"""

import polars as pl

from llmops_lib.sources.ancestry import nearest_holders
from llmops_lib.sources.call_likeness import (
    call_facts,
    has_no_usage,
    is_inside,
    is_same_model,
    names_no_model,
    pairs,
)

# Each round folds one more layer of wrappers; nobody nests model calls deeper on purpose.
_ROUNDS = 8


def fold_rollups(
    rows: pl.DataFrame, parents: pl.Series, generations: list[pl.Series], targets: pl.Series
) -> pl.Series:
    """The targets with every roll-up folded into the earliest of the calls inside it.

    A span is a roll-up if its counts equal the sums over the nearest calls inside it; or if it states
    none while all of them ran within its time and one of them names its model, if it names one. A span
    with counts of its own that are not the sum is a call, whatever is inside it.

    Args:
        rows: SPANS columns.
        parents: What `parent_rows` returns.
        generations: `jumps(parents)`.
        targets: Row into which each row was folded, or null.
    """
    for _ in range(_ROUNDS):
        found = _rollups(call_facts(rows, targets), parents, generations)
        if found.is_empty():
            break
        targets = targets.clone().scatter(found["row_2"], found["first"])
    return targets


def _rollups(calls: pl.DataFrame, parents: pl.Series, generations: list[pl.Series]) -> pl.DataFrame:
    is_call = pl.int_range(parents.len(), eager=True).is_in(calls["row"].implode())
    wrappers = nearest_holders(is_call, generations).gather(parents.gather(calls["row"]))
    inside = calls.select("row", wrapper=wrappers).drop_nulls()
    repeats_sum = pl.all_horizontal(
        pl.col(name).sum() == pl.col(f"{name}_2").first().fill_null(0)
        for name in ("input_tokens", "output_tokens")
    )
    states_usage = pl.sum_horizontal(pl.col("input_tokens").sum(), pl.col("output_tokens").sum()) > 0
    # A span of the kind of a call that names no model either is nothing that could be billed.
    is_kin = is_same_model() | (names_no_model("_2") & (pl.col("kind") == pl.col("kind_2")))
    only_wraps = has_no_usage("_2").first() & is_inside().all() & is_kin.any()
    return (
        pairs(calls, inside["row"], inside["wrapper"])
        .sort("started_at", "span_id")
        .group_by("row_2", maintain_order=True)
        .agg(first=pl.col("row").first(), is_rollup=(repeats_sum & states_usage) | only_wraps)
        .filter("is_rollup")
    )
