"""Change points of one incident, as one row."""

from typing import Any

import polars as pl

from llmops_lib.schema import UTC_DATETIME
from llmops_lib.signals.grouping import told_by

INCIDENTS = {
    "incident": pl.String(),
    "onset_at": UTC_DATETIME,
    "onset_low_at": UTC_DATETIME,
    "onset_high_at": UTC_DATETIME,
    "ended_at": UTC_DATETIME,
    "detected_at": UTC_DATETIME,
    "metric": pl.String(),
    "dimension": pl.String(),
    "value": pl.String(),
    "usual": pl.Float64(),
    "during": pl.Float64(),
    "excess": pl.Float64(),
    "unit": pl.String(),
    "call_count": pl.Int64(),
    "confidence": pl.Float64(),
    "metrics": pl.List(pl.String()),
    "change_count": pl.Int64(),
}


def episodes(changes: pl.DataFrame) -> pl.DataFrame:
    """One row per incident, of change points in any order.

    Args:
        changes: What `change_points` returns.

    Returns:
        Columns as `INCIDENTS`, by onset.
    """
    parts = changes.partition_by("incident", maintain_order=True) if changes.height else []
    return pl.DataFrame([_incident(part.to_dicts()) for part in parts], schema=pl.Schema(INCIDENTS)).sort(
        "onset_at", "metric"
    )


def _incident(changes: list[dict[str, Any]]) -> dict[str, Any]:
    lead = told_by(changes)
    return {
        **{name: lead[name] for name in INCIDENTS if name in lead},
        "detected_at": min(change["detected_at"] for change in changes),
        "confidence": max(change["confidence"] for change in changes),
        "metrics": list(
            dict.fromkeys(change["metric"] for change in sorted(changes, key=lambda one: -one["evidence"]))
        ),
        "change_count": len(changes),
    }
