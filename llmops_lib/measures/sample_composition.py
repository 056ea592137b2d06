"""What a judged sample is made of, and what it stands for."""

import polars as pl

from llmops_lib.sampling.scores import sample_scores


def sample_composition(scores: pl.DataFrame, *, scorer: str = "") -> pl.DataFrame:
    """Strata of a judged sample, those that stand for most calls first.

    Args:
        scores: SCORES of `llmops eval judge`.
        scorer: Scorer whose scores count; may be left out where there is one only.

    Returns:
        One row per stratum and chance: `stratum`, `risk_flag`, `call_count` (drawn), `chance`, `weight`,
        `represented_count` (calls that they stand for), `represented_share` (of all), `judge_score` (mean),
        `unjudged_count`.

    Raises:
        SchemaError: As `sample_scores`.
    """
    keys = ["stratum", "risk_flag", "chance"]
    rows = (
        sample_scores(scores, scorer=scorer)
        .group_by(keys)
        .agg(
            pl.len().cast(pl.Int64).alias("call_count"),
            pl.col("score").mean().alias("judge_score"),
            pl.col("score").null_count().cast(pl.Int64).alias("unjudged_count"),
        )
    )
    stands_for = pl.col("call_count") / pl.col("chance")
    return (
        rows.with_columns(
            weight=1 / pl.col("chance"),
            represented_count=stands_for,
            represented_share=stands_for / stands_for.sum(),
        )
        .select(
            "stratum",
            "risk_flag",
            "call_count",
            "chance",
            "weight",
            "represented_count",
            "represented_share",
            "judge_score",
            "unjudged_count",
        )
        .sort("represented_count", "stratum", descending=[True, False])
    )
