"""Rows that were removed because another row holds the same span: between which files, and when."""

from typing import Any, TypeVar

import polars as pl

from llmops_lib.schema import UTC_DATETIME

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)

_DTYPES: dict[str, Any] = {
    "source_file": pl.String,
    "other_file": pl.String,
    "row_count": pl.Int64,
    "first_at": UTC_DATETIME,
    "last_at": UTC_DATETIME,
}
OVERLAPS = pl.Schema(_DTYPES)
"""One row per pair of files: `row_count` rows of `source_file` gave way to rows of `other_file`, which may
be the same file, for spans that started from `first_at` to `last_at`."""


def counted_overlaps(lost: Rows) -> Rows:
    """Removed rows by pair of files.

    Args:
        lost: One row per removed row: `source_file`, `other_file` (of the row that was kept), `started_at`.

    Returns:
        `OVERLAPS`, sorted by both files.

    Example:
        >>> from datetime import UTC, datetime
        >>> lost = {"source_file": ["a", "a"], "other_file": ["b", "b"], "started_at": datetime(2026, 11, 9)}
        >>> counted_overlaps(pl.DataFrame(lost)).select("source_file", "other_file", "row_count").rows()
        [('a', 'b', 2)]
    """
    at = pl.col("started_at")
    return (
        lost.group_by("source_file", "other_file")
        .agg(row_count=pl.len(), first_at=at.min(), last_at=at.max())
        .sort("source_file", "other_file")
        .cast(OVERLAPS)
    )
