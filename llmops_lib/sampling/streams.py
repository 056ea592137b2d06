"""Judged calls in order of time, drawn with equal chances, as live limits and alarms need them."""

import polars as pl


def equal_chances(calls: pl.DataFrame) -> pl.DataFrame:
    """The calls whose hash is below the smallest chance: a sample with that chance for every kind of call.

    Args:
        calls: Judged calls; uses `draw`, `chance`, `started_at`, `example_id`.

    Returns:
        They in order of time, without those that have no judgement.
    """
    base = calls.filter(pl.col("draw") < pl.col("chance").min())
    return base.drop_nulls(["judgement", "started_at"]).sort("started_at", "example_id")
