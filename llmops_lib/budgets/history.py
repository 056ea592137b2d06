"""Spend per past day of each scope of a budget, as arrays, and what is expected until its window ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from llmops_lib.budgets.forecast import HISTORY_DAYS, Floats, Outlook, outlook

DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
"""Spend is looked back on by the quarter of an hour: the offset of every zone in use is a multiple of one."""


@dataclass(frozen=True)
class Course:
    """Where the past is cut into days, and the days that come until the window ends.

    Attributes:
        at: The next full quarter of an hour, at which the past days end.
        days: Whole coming days.
        rest: What is left of the window after them.
    """

    at: datetime
    days: int
    rest: timedelta

    @classmethod
    def until(cls, end: datetime, at: datetime) -> "Course":
        """The course from a moment to the end of a window."""
        cut = _next_quarter(at)
        left = max(end - cut, timedelta(0))
        return cls(cut, left // DAY, left % DAY)

    @property
    def first_at(self) -> datetime:
        """Where the oldest past day starts."""
        return self.at - HISTORY_DAYS * DAY


def daily_outlook(
    quarters: pl.DataFrame, each: Sequence[str], scopes: pl.DataFrame, course: Course
) -> Outlook:
    """What is expected of each scope until the window ends.

    Args:
        quarters: `each`, `quarter_at` (UTC), `amount`.
        each: Columns that name a scope.
        scopes: Scopes in the order of the result, with `each`.
        course: Past and coming days.
    """
    shape = (len(scopes), HISTORY_DAYS)
    before_us = pl.lit(course.at).dt.epoch("us") - pl.col("quarter_at").dt.epoch("us") - 15 * 60 * 1_000_000
    day_us = 24 * 3600 * 1_000_000
    placed = (
        quarters.join(scopes.select(each).with_row_index("_row"), on=each, nulls_equal=True)
        if each
        else quarters.with_columns(_row=0)
    ).select(
        "_row",
        pl.col("amount").fill_null(0),
        _day=HISTORY_DAYS - 1 - before_us // day_us,
        _into_us=day_us - 1 - before_us % day_us,
    )
    held = placed.filter(pl.col("_day").is_between(0, HISTORY_DAYS - 1))
    is_head = (held["_into_us"] < course.rest // timedelta(microseconds=1)).to_numpy()
    place = (held["_row"].cast(pl.Int64) * HISTORY_DAYS + held["_day"]).to_numpy()
    amount = held["amount"].cast(pl.Float64).to_numpy()
    size = len(scopes) * HISTORY_DAYS
    spend, head = (
        np.bincount(place, used, size).astype(np.float64).reshape(shape)
        for used in (amount, np.where(is_head, amount, 0))
    )
    return outlook(spend, head, course.days, has_part=course.rest > timedelta(0))


def hitting_times(expected: Outlook, room: Floats, course: Course) -> list[datetime | None]:
    """When the expected spend reaches what is left of each limit; None where it does not in the window.

    Args:
        expected: Of each scope.
        room: What is left of the limit of each scope.
        course: Past and coming days.
    """
    lengths = [DAY] * course.days + ([course.rest] if course.rest else [])
    reached = np.cumsum(np.nan_to_num(expected.daily), axis=1)
    return [
        _moment(of_scope, left, lengths, course.at)
        for of_scope, left in zip(reached, room.tolist(), strict=True)
    ]


def _moment(reached: Floats, room: float, lengths: list[timedelta], start: datetime) -> datetime | None:
    if room <= 0 or not len(reached) or reached[-1] < room:
        return None
    day = int(np.argmax(reached >= room))
    before = float(reached[day - 1]) if day else 0.0
    share = (room - before) / (float(reached[day]) - before)
    moment = start + sum(lengths[:day], timedelta(0)) + share * lengths[day]
    return moment.replace(microsecond=0)


def _next_quarter(at: datetime) -> datetime:
    past = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at - past + QUARTER if past else at
