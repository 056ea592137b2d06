"""Who descends from whom in a table of spans, without walking the tree row by row.

Every step is a table operation over all spans at once: a jump to the parent, then to the
grandparent, then four, eight ... generations up, so a tree of any depth takes a handful of steps.
"""

import polars as pl


def parent_rows(spans: pl.DataFrame) -> pl.Series:
    """Row number of each span's parent; null at a root, where the parent is absent, and where a cycle is cut.

    A cycle, which no honest tracer writes, is cut at its earliest span; that span becomes a root.

    Args:
        spans: Uses `trace_id`, `span_id` (unique in a trace), `parent_span_id`, `started_at`.
    """
    named = spans.select("trace_id", "span_id", pl.int_range(pl.len()).alias("parent_row"))
    found = spans.select("trace_id", "parent_span_id").join(
        named,
        how="left",
        left_on=["trace_id", "parent_span_id"],
        right_on=["trace_id", "span_id"],
        maintain_order="left",
    )
    return _without_cycles(found["parent_row"], spans)


def jumps(parents: pl.Series) -> list[pl.Series]:
    """The rows one, two, four, eight ... generations up, until nobody has such an ancestor.

    Args:
        parents: Row number of each row's parent, without cycles.
    """
    found: list[pl.Series] = []
    while parents.null_count() < parents.len():
        found.append(parents)
        parents = parents.gather(parents)
    return found


def nearest_holders(is_holder: pl.Series, generations: list[pl.Series]) -> pl.Series:
    """Row number of the nearest holder among each row itself and its ancestors, or null.

    Args:
        is_holder: Which rows hold what is looked for.
        generations: What `jumps` returns.
    """
    rows = pl.int_range(is_holder.len(), eager=True)
    holders = rows.zip_with(is_holder, pl.Series([None], dtype=rows.dtype).new_from_index(0, rows.len()))
    for ancestors in generations:
        holders = holders.zip_with(holders.is_not_null(), holders.gather(ancestors))
    return holders


def _without_cycles(parents: pl.Series, spans: pl.DataFrame) -> pl.Series:
    ancestors = parents
    for _ in range(parents.len().bit_length()):
        if ancestors.null_count() == ancestors.len():
            return parents
        ancestors = ancestors.gather(ancestors)
    # Whoever is left has more ancestors than there are spans; those ancestors are the members of cycles.
    members = ancestors.drop_nulls().unique()
    if members.is_empty():
        return parents
    order = spans.select(pl.struct("started_at", "span_id").rank("ordinal")).to_series().cast(pl.Int64)
    earliest, onward = order, parents
    for _ in range(members.len().bit_length()):
        following = earliest.gather(onward)
        earliest = earliest.zip_with((earliest <= following).fill_null(value=True), following)
        onward = onward.gather(onward)
    is_cut = pl.int_range(parents.len(), eager=True).is_in(members.implode()) & (earliest == order)
    return parents.set(is_cut, None)
