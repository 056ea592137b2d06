"""Reporting periods: half-open UTC intervals that start and end on local midnights of a named zone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from llmops_lib.errors import PeriodError

_WEEK = re.compile(r"(?P<year>\d{4})-W(?P<week>\d{2})")
_MONTH = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})")


@dataclass(frozen=True)
class Day:
    """One local day of a period, with its UTC bounds (23 to 25 hours long)."""

    on: date
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Period:
    """A half-open reporting period `[start, end)`, named and bounded by local midnights.

    Attributes:
        name: `2026-W46`, `2026-11` or `2026-11-09..2026-11-12`.
        first_on: First local day, included.
        end_on: Local day after the last.
        timezone: IANA zone whose midnights bound the period.
    """

    name: str
    first_on: date
    end_on: date
    timezone: str = "UTC"

    @classmethod
    def week(cls, name: str, timezone: str = "UTC") -> "Period":
        """The ISO 8601 week of that name.

        Args:
            name: Such as `2026-W46`; weeks start on Monday.
            timezone: IANA zone whose midnights bound the week.

        Raises:
            PeriodError: If the name is not an ISO week or the year has no such week.

        Example:
            >>> Period.week("2026-W46").start.isoformat()
            '2026-11-09T00:00:00+00:00'
        """
        match = _WEEK.fullmatch(_text(name))
        try:
            first_on = date.fromisocalendar(int(match["year"]), int(match["week"]), 1) if match else None
        except ValueError:
            first_on = None
        if first_on is None:
            msg = f"week {name!r} is not an ISO week; expected a name such as '2026-W46'"
            raise PeriodError(msg)
        return cls(name, first_on, first_on + timedelta(days=7), _checked_zone(timezone))

    @classmethod
    def month(cls, name: str, timezone: str = "UTC") -> "Period":
        """The calendar month of that name.

        Args:
            name: Such as `2026-11`.
            timezone: IANA zone whose midnights bound the month.

        Raises:
            PeriodError: If the name is not a month.

        Example:
            >>> Period.month("2026-12").end.isoformat()
            '2027-01-01T00:00:00+00:00'
        """
        match = _MONTH.fullmatch(_text(name))
        try:
            first_on = date(int(match["year"]), int(match["month"]), 1) if match else None
        except ValueError:
            first_on = None
        if first_on is None:
            msg = f"month {name!r} is not a calendar month; expected a name such as '2026-11'"
            raise PeriodError(msg)
        end_on = (first_on + timedelta(days=32)).replace(day=1)
        return cls(name, first_on, end_on, _checked_zone(timezone))

    @classmethod
    def days(cls, first_on: date, end_on: date, timezone: str = "UTC") -> "Period":
        """The days from `first_on` up to, and without, `end_on`.

        Raises:
            PeriodError: If the period would be empty.
        """
        if end_on <= first_on:
            msg = f"a period from {first_on} to {end_on} is empty; its end must be after its start"
            raise PeriodError(msg)
        name = f"{first_on}..{end_on - timedelta(days=1)}"
        return cls(name, first_on, end_on, _checked_zone(timezone))

    @classmethod
    def named(cls, name: str, timezone: str = "UTC") -> "Period":
        """The week, month or day of that name.

        Args:
            name: Such as `2026-W46`, `2026-11` or `2026-11-09`.
            timezone: IANA zone whose midnights bound the period.

        Raises:
            PeriodError: If the name is none of them.

        Example:
            >>> Period.named("2026-11-09").end.isoformat()
            '2026-11-10T00:00:00+00:00'
        """
        if _WEEK.fullmatch(_text(name)):
            return cls.week(name, timezone)
        if _MONTH.fullmatch(_text(name)):
            return cls.month(name, timezone)
        try:
            on = datetime.strptime(_text(name), "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError as error:
            msg = f"period {name!r} is no week, month or day; expected one such as '2026-W46' or '2026-11-09'"
            raise PeriodError(msg) from error
        return cls.days(on, on + timedelta(days=1), timezone)

    @classmethod
    def week_of(cls, moment: datetime, timezone: str = "UTC") -> "Period":
        """The ISO week that holds a moment, on the calendar of `timezone`."""
        local = moment.astimezone(ZoneInfo(_checked_zone(timezone)))
        year, week, _ = local.isocalendar()
        return cls.week(f"{year:04d}-W{week:02d}", timezone)

    @property
    def start(self) -> datetime:
        """First moment of the period, UTC."""
        return _midnight(self.first_on, self.timezone)

    @property
    def end(self) -> datetime:
        """First moment after the period, UTC."""
        return _midnight(self.end_on, self.timezone)

    @property
    def previous(self) -> "Period":
        """The period before this one: last week of a week, last month of a month, as many days of a range."""
        day_before = self.first_on - timedelta(days=1)
        if _WEEK.fullmatch(self.name):
            year, week, _ = day_before.isocalendar()
            return Period.week(f"{year:04d}-W{week:02d}", self.timezone)
        if _MONTH.fullmatch(self.name):
            return Period.month(f"{day_before:%Y-%m}", self.timezone)
        return Period.days(self.first_on - (self.end_on - self.first_on), self.first_on, self.timezone)

    def each_day(self) -> Iterator[Day]:
        """The local days of the period in order, with their UTC bounds."""
        on = self.first_on
        while on < self.end_on:
            following = on + timedelta(days=1)
            yield Day(on, _midnight(on, self.timezone), _midnight(following, self.timezone))
            on = following


def _midnight(on: date, timezone: str) -> datetime:
    # Where a zone skips midnight, fold=0 still maps to the first moment of that day.
    return datetime.combine(on, time(), ZoneInfo(timezone)).astimezone(UTC)


def _text(name: object) -> str:
    """A name as it is; nothing where it is none, so that the caller's message tells what was found."""
    return name if isinstance(name, str) else ""


def _checked_zone(timezone: str) -> str:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, TypeError, ValueError, OSError) as error:
        msg = f"timezone {timezone!r} is unknown; expected an IANA name such as 'UTC' or 'Europe/Berlin'"
        raise PeriodError(msg) from error
    return timezone
