"""Days in slices of time, so that a day of any size is written without holding all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from llmops_lib.schema import UTC_DATETIME
from llmops_lib.sources.held import Pieces
from llmops_lib.store.layout import row_bytes, scan_batches

SLICE_BYTES = 24 << 20
"""Bytes of rows that a slice may hold, unless one minute has more."""

_COUNTS = pl.Schema({"minute": UTC_DATETIME, "size": pl.Float64()})


@dataclass(frozen=True)
class Slices:
    """Where slices begin: at every midnight of a day that may be written, and where one is full.

    Attributes:
        starts: Moments in order.
    """

    starts: pl.Series

    @classmethod
    def of(cls, counts: pl.DataFrame) -> "Slices":
        """The slices of rows.

        Args:
            counts: `minute`, `size`: bytes of the rows that start in a minute, about.
        """
        by_minute = counts.group_by("minute").agg(pl.col("size").sum()).sort("minute")
        on = pl.col("minute").dt.date().alias("on")
        filled = (pl.col("size").cum_sum().over(on) - pl.col("size")) // SLICE_BYTES
        begins = by_minute.with_columns(number=filled).group_by(on, "number").agg(pl.col("minute").min())
        is_first = pl.col("number") == 0
        midnight = pl.when(is_first).then(pl.col("minute").dt.truncate("1d")).otherwise("minute")
        return cls(begins.select(midnight).to_series().sort())

    def key(self) -> pl.Expr:
        """The number of the slice of a row."""
        return pl.lit(self.starts).search_sorted(pl.col("started_at"), side="right").cast(pl.Int64) - 1

    def on(self, day: date) -> Iterator[tuple[int, pl.Expr]]:
        """The slices of a day: the number of each, and whether a row is in it."""
        ends: list[datetime | None] = [*self.starts[1:], None]
        for number, (start, end) in enumerate(zip(self.starts, ends, strict=True)):
            if start.date() == day:
                within = pl.col("started_at") >= start
                yield number, within if end is None else within & (pl.col("started_at") < end)


def census(added: Pieces, days: Mapping[date, Path]) -> pl.DataFrame:
    """How much starts in each minute of the days that rows may go to.

    Args:
        added: Uses `started_at`; rows to add.
        days: Files of the stored days.

    Returns:
        `minute`, `size` in bytes.
    """
    size = sum(added.sizes().values()) / max(added.height, 1)
    found = [_sized(rows, size) for rows in added.frames(columns=["started_at"])]
    for path in days.values():
        stored_size = row_bytes(path)
        found += [_sized(rows, stored_size) for rows in scan_batches(path, columns=["started_at"])]
    return pl.concat([pl.DataFrame(schema=_COUNTS), *found])


def _sized(rows: pl.DataFrame, size: float) -> pl.DataFrame:
    minute = pl.col("started_at").dt.truncate("1m").alias("minute")
    return rows.group_by(minute).agg(size=pl.len() * pl.lit(size)).cast(_COUNTS)
