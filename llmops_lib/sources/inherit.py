"""What a span inherits: session, user and the like usually stand on the root of a trace only."""

import polars as pl

from llmops_lib.sources.ancestry import jumps, nearest_holders

INHERITED = ("session_id", "user_id", "tenant", "feature", "environment", "service", "release")
"""Columns in which a span without a value of its own has that of its nearest ancestor."""


def inherit(rows: pl.DataFrame, parents: pl.Series) -> pl.DataFrame:
    """The same rows, each with what its nearest ancestor states where it states nothing itself.

    Where neither a span nor an ancestor states the feature, the nearest `feature_hint` is taken: an
    agent's name or a route is weaker evidence than any stated feature, however far up it stands.

    Args:
        rows: Uses the columns of `INHERITED` and `feature_hint`.
        parents: What `parent_rows` returns.
    """
    generations = jumps(parents)
    held = [_inherited(rows[name], generations) for name in (*INHERITED, "feature_hint")]
    rows = rows.with_columns(column for column in held if column.name != "feature_hint")
    return rows.with_columns(pl.coalesce("feature", held[-1].alias("hint")).alias("feature"))


def _inherited(values: pl.Series, generations: list[pl.Series]) -> pl.Series:
    if values.null_count() in (0, values.len()):
        return values
    return values.gather(nearest_holders(values.is_not_null(), generations))
