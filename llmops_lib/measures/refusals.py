"""What was refused on the way in."""

from typing import Any

import polars as pl

from llmops_lib.frames import collected
from llmops_lib.schema import BENIGN_REASONS, REASONS


def quarantined_by_reason(quarantine: Any) -> pl.DataFrame:
    """Quarantined rows by reason, those that lost something first.

    Args:
        quarantine: QUARANTINE; uses `reason`, `source_file`, `source_line`.

    Returns:
        One row per reason code, lost rows first, then by `row_count` downwards: `reason`, `meaning`,
        `is_lost` (false where the content is in the table already or is no span), `row_count`,
        `first_line` (a place to look, `file:line`).

    Example:
        >>> reasons = ["json: cut off", "duplicate", "json"]
        >>> rows = {"reason": reasons, "source_file": ["a", "a", "b"], "source_line": [7, 9, 1]}
        >>> quarantined_by_reason(pl.DataFrame(rows)).drop("meaning").rows()
        [('json', True, 2, 'a:7'), ('duplicate', False, 1, 'a:9')]
    """
    code = pl.col("reason").str.extract(r"^([a-z_0-9]+)").alias("reason")
    line = pl.format("{}:{}", pl.col("source_file").str.extract(r"([^/\\]+)$"), pl.col("source_line"))
    return (
        collected(quarantine)
        .select(code, line.fill_null(pl.col("source_file")).alias("first_line"))
        .group_by("reason", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("row_count"), pl.col("first_line").first())
        .with_columns(
            pl.col("reason").replace_strict(REASONS, default="").alias("meaning"),
            (~pl.col("reason").is_in(BENIGN_REASONS)).alias("is_lost"),
        )
        .sort("is_lost", "row_count", "reason", descending=[True, True, False])
        .select("reason", "meaning", "is_lost", "row_count", "first_line")
    )
