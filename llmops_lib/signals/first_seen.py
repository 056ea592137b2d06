"""When each value of a column was seen for the first time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import narwhals as nw
import polars as pl

from llmops_lib.calls import Frame, tally
from llmops_lib.frames import collected
from llmops_lib.schema import UTC_DATETIME

JUST_BEFORE = timedelta(hours=48)
"""What came up within this before an onset, or within an hour after it, may have to do with it."""

_JUST_AFTER = timedelta(hours=1)
_LEAST_HISTORY = timedelta(days=3)
_FIRST_SEEN = {
    "column": pl.String(),
    "value": pl.String(),
    "first_at": UTC_DATETIME,
    "call_count": pl.Int64(),
}


def first_seen(frame: Frame, columns: Sequence[str]) -> pl.DataFrame:
    """One row per column and value: `column`, `value`, `first_at` (UTC), `call_count` (rows that have it)."""
    parts = [pl.DataFrame(schema=pl.Schema(_FIRST_SEEN))]
    for column in columns:
        known = frame.select(["started_at", column]).filter(~nw.col(column).is_null())
        table = collected(tally(known, [column], {"first_at": nw.col("started_at").min()}).to_native())
        parts.append(
            table.select(
                pl.lit(column).alias("column"),
                pl.col(column).cast(pl.String).alias("value"),
                pl.col("first_at").cast(UTC_DATETIME),
                "call_count",
            )
        )
    return pl.concat(parts)


def new_values(seen: pl.DataFrame, onset: datetime, first: datetime) -> pl.DataFrame:
    """The values that came up just before an onset, or with it.

    None where the data begins less than three days before: what is new cannot be told from what is not known.

    Args:
        seen: What `first_seen` returns.
        onset: Beginning of the incident.
        first: First moment that is known.
    """
    if onset - first < _LEAST_HISTORY:
        return seen.clear()
    return seen.filter(pl.col("first_at").is_between(onset - JUST_BEFORE, onset + _JUST_AFTER))
