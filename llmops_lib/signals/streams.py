"""Streams: a signal of all calls, or of those with one value of one column, by the hour."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.signals.counts import Signal, Signals

Floats = npt.NDArray[np.float64]

ALL = ""
"""Dimension of the stream of all calls."""

_LEAST_SEEN = 100
_MOST_VALUES = 40


@dataclass(frozen=True)
class Hours:
    """The hours that streams are counted in: whole days of UTC from the first call on.

    Attributes:
        start: Midnight that they begin with.
        as_of: Hour of the last call; what comes after it is not known.
        count: Number of hours, a multiple of 24.
    """

    start: datetime
    as_of: datetime
    count: int

    @classmethod
    def of(cls, calls: pl.DataFrame) -> "Hours | None":
        """The hours of a table of counts; None over no rows."""
        if calls.is_empty():
            return None
        first, last = calls.select(pl.col("hour_at").min(), pl.col("hour_at").max().alias("last")).row(0)
        start = first.replace(hour=0)
        return cls(start, last, 24 * ((last - start) // timedelta(days=1) + 1))

    def at(self, place: int) -> datetime:
        """Start of an hour."""
        return self.start + timedelta(hours=place)

    def place(self, moment: datetime) -> int:
        """The hour that a moment lies in."""
        return (moment - self.start) // timedelta(hours=1)

    def spread(self, rows: pl.DataFrame, *columns: str) -> list[Floats]:
        """Sums of columns by the hour, one array each."""
        # Microseconds since 1970, in UTC.
        hours = rows["hour_at"].to_physical().to_numpy() // 3_600_000_000
        places = hours - int(self.start.timestamp()) // 3600
        is_inside = (places >= 0) & (places < self.count)
        return [
            np.bincount(
                places[is_inside],
                weights=np.nan_to_num(rows[column].to_numpy()[is_inside]),
                minlength=self.count,
            ).astype(np.float64)
            for column in columns
        ]


@dataclass(frozen=True)
class Stream:
    """One stream.

    Attributes:
        signal: What is counted.
        dimension: Column; `ALL` for all calls.
        value: Its value.
        rows: Counts by hour.
    """

    signal: Signal
    dimension: str
    value: str
    rows: pl.DataFrame


def streams(signals: Signals, watched: Sequence[str]) -> Iterator[Stream]:
    """The streams with enough calls to be judged: of all, then of each value of each watched column.

    Args:
        signals: Counts by `hour_at` and `watched`.
        watched: Columns.
    """
    for signal in signals.signals():
        rows = signals.calls if signal.metric == "spend" else signals.counts(signal)
        yield from _of_signal(signal, rows, watched)


def _of_signal(signal: Signal, rows: pl.DataFrame, watched: Sequence[str]) -> Iterator[Stream]:
    seen = "call_count" if signal.metric == "spend" else "seen_count"
    if rows[seen].sum() < _LEAST_SEEN:
        return
    yield Stream(signal, ALL, "", rows)
    columns = ["tool_name"] if signal.metric == "tool failures" else list(watched)
    for column in columns:
        largest = rows.group_by(column).agg(pl.col(seen).sum()).filter(pl.col(seen) >= _LEAST_SEEN)
        values = largest.filter(pl.col(column).is_not_null()).sort(seen, column, descending=[True, False])
        # A column with one value says what the stream of all calls says.
        if rows[column].n_unique() > 1:
            parts = rows.partition_by(column, as_dict=True)
            for value in values[column].head(_MOST_VALUES):
                yield Stream(signal, column, value, parts[(value,)])
