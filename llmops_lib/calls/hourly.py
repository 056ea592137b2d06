"""Calls by the hour: for each group its spend in every hour of the data, and in which hours it is unknown."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.calls.engines import Frame
from llmops_lib.calls.groups import tally
from llmops_lib.calls.rows import PRICE_HINT, model_calls
from llmops_lib.frames import collected

Floats = npt.NDArray[np.float64]

HOURS_PER_WEEK = 168
_SILENT_CALLS = 10
"""Where so many calls are usual, an hour without any was not recorded: chance empties one in 22,000."""


@dataclass(frozen=True)
class GroupHours:
    """One group by the hour; all arrays are as long as the grid.

    Attributes:
        key: Values of the grouping columns.
        spend: USD; NaN where unknown: before the first day of the group, in hours that were not recorded,
            after the last call of all, and where no call of the hour has a cost. A part that is known counts.
        calls: Calls.
        unpriced: Calls without a cost.
        squared: Sum of squared costs.
        tokens: Input and output tokens of the calls that have a cost.
        first_day: Day of the first call, counted from the start of the grid.
    """

    key: tuple[str | None, ...]
    spend: Floats
    calls: Floats
    unpriced: Floats
    squared: Floats
    tokens: Floats
    first_day: int


@dataclass(frozen=True)
class HourGrid:
    """All groups by the hour.

    Attributes:
        start: Midnight (UTC) that the grid begins with.
        as_of: Start of the last call; what comes after it is not known yet.
        days: Whole days of the grid, the last of which may not be over.
        is_missing: Hours in which nothing was recorded though calls are usual.
        rows: One row per group and hour with calls.
        by: Grouping columns.
    """

    start: datetime
    as_of: datetime
    days: int
    is_missing: npt.NDArray[np.bool_]
    rows: pl.DataFrame
    by: tuple[str, ...]

    def hour(self, place: int) -> datetime:
        """Start of an hour of the grid."""
        return self.start + timedelta(hours=place)

    def groups(self) -> Iterator[GroupHours]:
        """The groups, in the order of their keys."""
        parts = self.rows.partition_by(self.by, maintain_order=True) if self.by else [self.rows]
        for part in parts:
            yield self._group(part)

    def _group(self, part: pl.DataFrame) -> GroupHours:
        place = part["_hour"].to_numpy()
        first_day = int(place.min()) // 24
        columns = {name: self._spread(place, part[name]) for name in _SUMS}
        calls, unpriced = columns["call_count"], columns["unpriced_count"]
        last = int((self.as_of - self.start) / timedelta(hours=1))
        spend = np.where((calls > 0) & (unpriced == calls), np.nan, columns["spend_usd"])
        spend[self.is_missing] = np.nan
        spend[: 24 * first_day] = np.nan
        spend[last + 1 :] = np.nan
        key = tuple(part.select(self.by).row(0)) if self.by else ()
        return GroupHours(
            key, spend, calls, unpriced, columns["squared_cost"], columns["total_tokens"], first_day
        )

    def _spread(self, place: npt.NDArray[np.int64], values: pl.Series) -> Floats:
        filled = np.zeros(24 * self.days)
        filled[place] = values.fill_null(0).to_numpy()
        return filled


_SUMS = ("spend_usd", "call_count", "unpriced_count", "squared_cost", "total_tokens")


def hour_grid(calls: Any, by: Sequence[str], *, until: datetime | None = None) -> HourGrid | None:
    """The calls by group and hour of UTC; the engine sums, only sums are collected.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `started_at`, `cost_usd`, `input_tokens`,
            `output_tokens`.
        by: Grouping columns.
        until: Moment (UTC) from which on calls are left out.

    Returns:
        The grid, or None where there are no calls.
    """
    frame = model_calls(calls, ["started_at", "cost_usd", *_TOKENS], by=by, hint=PRICE_HINT)
    if until is not None:
        frame = frame.filter(nw.col("started_at") < until)
    hourly = collected(_by_hour(frame, by).to_native()).with_columns(
        pl.col("hour_at", "last_at").dt.convert_time_zone("UTC")
    )
    if hourly.is_empty():
        return None
    first_at, as_of = hourly.select(pl.col("hour_at").min(), pl.col("last_at").max()).row(0)
    start = first_at.replace(hour=0)
    rows = hourly.with_columns((pl.col("hour_at") - start).dt.total_hours().alias("_hour"))
    days = (as_of - start) // timedelta(days=1) + 1
    return HourGrid(
        start, as_of, days, _missing(rows, days), rows.sort(*by, "_hour", nulls_last=True), tuple(by)
    )


_TOKENS = ("input_tokens", "output_tokens")


def _by_hour(frame: Frame, by: Sequence[str]) -> Frame:
    cost, inputs, outputs = nw.col("cost_usd"), nw.col("input_tokens"), nw.col("output_tokens")
    prepared = frame.with_columns(
        nw.col("started_at").dt.truncate("1h").alias("hour_at"),
        cost.alias("spend_usd"),
        (cost * cost).alias("squared_cost"),
        nw.when(~cost.is_null()).then(nw.coalesce(inputs + outputs, inputs, outputs)).alias("total_tokens"),
    )
    return tally(
        prepared,
        [*by, "hour_at"],
        {"last_at": nw.col("started_at").max()},
        counts={"unpriced_count": cost.is_null()},
        sums=["spend_usd", "squared_cost", "total_tokens"],
    )


def _missing(rows: pl.DataFrame, days: int) -> npt.NDArray[np.bool_]:
    """Hours and days without a call of any group where other weeks have many at that place of the week."""
    total = np.zeros(24 * days)
    np.add.at(total, rows["_hour"].to_numpy(), rows["call_count"].to_numpy())
    is_missing = _silent(total, HOURS_PER_WEEK)
    is_missing |= np.repeat(_silent(total.reshape(-1, 24).sum(axis=1), 7), 24)
    return is_missing


def _silent(total: Floats, season: int) -> npt.NDArray[np.bool_]:
    weeks = -(-len(total) // season)
    # What is not over yet says nothing of what is usual.
    places = np.full(weeks * season, np.nan)
    places[: len(total) - 1] = total[:-1]
    by_week = places.reshape(weeks, season)
    middle = np.nanmax if weeks < 3 else np.nanmedian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        usual = np.resize(middle(by_week, axis=0), len(total))
    is_silent: npt.NDArray[np.bool_] = (total == 0) & (usual >= _SILENT_CALLS)
    return is_silent
