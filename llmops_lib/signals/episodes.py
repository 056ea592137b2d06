"""Change points that began together, as one incident."""

import math
from datetime import timedelta
from typing import Any

import polars as pl

from llmops_lib.schema import UTC_DATETIME

_TOGETHER = timedelta(hours=12)
"""Stretches that begin within this of the first of an incident belong to it."""

_MOST_TIMES = 20.0
"""Beyond this a rise from little and a rise from nothing are alike."""

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
    parts: list[list[dict[str, Any]]] = []
    for change in changes.sort("onset_at").iter_rows(named=True):
        is_new = not parts or change["onset_at"] - parts[-1][0]["onset_at"] > _TOGETHER
        parts += [[]] if is_new else []
        parts[-1].append(change)
    return pl.DataFrame([_incident(part) for part in parts], schema=pl.Schema(INCIDENTS)).sort("onset_at")


def _incident(changes: list[dict[str, Any]]) -> dict[str, Any]:
    # What is surest tells the metric, what is most concentrated tells the onset.
    surest = max(changes, key=lambda change: (change["evidence"], change["dimension"] == ""))
    same = [change for change in changes if change["metric"] == surest["metric"]]
    lead = max(same, key=concentration)
    return {
        **{name: lead[name] for name in INCIDENTS if name in lead},
        "incident": f"{lead['onset_at']:%Y-%m-%dT%H:%MZ}",
        "detected_at": min(change["detected_at"] for change in changes),
        "confidence": max(change["confidence"] for change in changes),
        "metrics": list(
            dict.fromkeys(change["metric"] for change in sorted(changes, key=lambda one: -one["evidence"]))
        ),
        "change_count": len(changes),
    }


def concentration(change: dict[str, Any]) -> float:
    """How much a stream holds of a change, and how little else: its excess times how many times it rose."""
    times = min(change["during"] / max(change["usual"], 1e-9), _MOST_TIMES)
    return float(max(change["excess"], 0.0) * math.log(max(times, 1.0)))
