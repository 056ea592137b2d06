"""What users thought, week by week."""

import polars as pl

from llmops_lib.stats.clustered_slope import clustered_slope
from llmops_lib.stats.results import Estimate


def weekly_feedback(calls: pl.DataFrame) -> pl.DataFrame:
    """Feedback by ISO week (UTC): `week`, `feedback_count`, `mean_feedback`.

    Args:
        calls: Uses `started_at` and, where it is there, `feedback_score`.
    """
    week = pl.col("started_at").dt.to_string("%G-W%V").alias("week")
    found = (
        _given(calls)
        .group_by(week)
        .agg(feedback_count=pl.len().cast(pl.Int64), mean_feedback=pl.col("feedback_score").mean())
    )
    return found.sort("week")


def feedback_trend(calls: pl.DataFrame) -> Estimate | None:
    """Change of feedback per week, its error by user; None with fewer than three scores.

    Args:
        calls: Uses `started_at`, `unit` and, where it is there, `feedback_score`.
    """
    given = _given(calls)
    if given.height < 3:
        return None
    weeks = (given["started_at"] - given["started_at"].min()).dt.total_seconds() / (7 * 86_400)
    return clustered_slope(given["feedback_score"], weeks, given["unit"].to_list(), unit="user")


def _given(calls: pl.DataFrame) -> pl.DataFrame:
    if "feedback_score" not in calls.columns:
        return calls.clear().with_columns(feedback_score=pl.lit(None, dtype=pl.Float64))
    return calls.filter(pl.col("feedback_score").is_not_null() & pl.col("feedback_score").is_not_nan())
