"""What a rerun was drawn from, and what of it could not be made again."""

import polars as pl

_FIELDS = pl.Struct({"stratum": pl.String, "weight": pl.Float64})


def rerun_strata(scores: pl.DataFrame, skipped: pl.DataFrame) -> pl.DataFrame:
    """How many calls of each stratum were made again: one row per stratum, the largest first.

    Args:
        scores: SCORES of one version of a rerun; `metadata` holds `stratum` and `weight`.
        skipped: Drawn calls that were left out: `stratum`, `weight`.

    Returns:
        `stratum`, `call_count` (calls of production in it), `drawn_count`, `rerun_count`, `skipped_count`.

    Example:
        >>> scores = pl.DataFrame({"example_id": ["a"], "metadata": ['{"stratum": "faq", "weight": 3.0}']})
        >>> rerun_strata(scores, pl.DataFrame({"stratum": ["faq"], "weight": [3.0]})).rows()
        [('faq', 6, 2, 1, 1)]
    """
    one = scores.unique("example_id", keep="first").select(
        pl.col("metadata").str.json_decode(_FIELDS).alias("_facts")
    )
    made = one.unnest("_facts").with_columns(is_made=True)
    left = skipped.select("stratum", "weight", is_made=False)
    grouped = (
        pl.concat([made, left])
        .group_by("stratum")
        .agg(
            pl.sum("weight").round().cast(pl.Int64).alias("call_count"),
            pl.len().cast(pl.Int64).alias("drawn_count"),
            pl.sum("is_made").cast(pl.Int64).alias("rerun_count"),
            (~pl.col("is_made")).sum().cast(pl.Int64).alias("skipped_count"),
        )
    )
    return grouped.sort(["call_count", "stratum"], descending=[True, False])


def skipped_by_reason(skipped: pl.DataFrame) -> pl.DataFrame:
    """Why calls were left out: one row per reason, the most frequent first.

    Args:
        skipped: Drawn calls that were left out: `reason`, `weight`, `trace_id`.

    Returns:
        `reason`, `skipped_count`, `call_count` (calls of production that these stand for), `trace_id` of one.

    Example:
        >>> skipped_by_reason(pl.DataFrame({"reason": ["r"], "weight": [2.0], "trace_id": ["t"]})).rows()
        [('r', 1, 2, 't')]
    """
    grouped = skipped.group_by("reason").agg(
        pl.len().cast(pl.Int64).alias("skipped_count"),
        pl.sum("weight").round().cast(pl.Int64).alias("call_count"),
        pl.col("trace_id").sort().first(),
    )
    return grouped.sort(["skipped_count", "reason"], descending=[True, False])
