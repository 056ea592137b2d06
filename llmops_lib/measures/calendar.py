"""Which weeks and months there is anything to report on."""

from datetime import date, timedelta
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import model_calls, portable
from llmops_lib.errors import EmptyPeriodError, PeriodError
from llmops_lib.frames import collected
from llmops_lib.periods import Period


@portable
def weeks_with_calls(calls: Any, timezone: str = "UTC") -> pl.DataFrame:
    """The ISO weeks that hold calls, and how many.

    The engine counts calls per quarter of an hour; these counts, and no calls, are collected and put on
    the local calendar, since SQL engines cannot convert time zones alike. Quarters suffice: the
    offset of every zone in use is a multiple of one.

    Args:
        calls: SPANS, on any engine; uses `started_at`.
        timezone: IANA zone whose Mondays begin the weeks.

    Returns:
        A polars DataFrame whatever came in, earliest week first: `week` (such as `2026-W46`, a name
        that `Period.week` takes), `call_count`. Weeks without calls are absent.

    Raises:
        PeriodError: If the zone is unknown.

    Example:
        >>> from datetime import UTC, datetime
        >>> started_at = [datetime(2026, 11, 8, 23, 30, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC)]
        >>> calls = pl.DataFrame({"is_model_call": [True, True], "started_at": started_at})
        >>> weeks_with_calls(calls).rows(), weeks_with_calls(calls, "Europe/Berlin").rows()
        ([('2026-W45', 1), ('2026-W46', 1)], [('2026-W46', 2)])
    """
    return _counted(calls, timezone, "%G-W%V", "week")


@portable
def months_with_calls(calls: Any, timezone: str = "UTC") -> pl.DataFrame:
    """The calendar months that hold calls, how many, and until when; see `weeks_with_calls`.

    Args:
        calls: SPANS, on any engine; uses `started_at`.
        timezone: IANA zone whose midnights begin the months.

    Returns:
        A polars DataFrame whatever came in, earliest month first: `month` (such as `2026-11`, a name that
        `Period.month` takes), `call_count`, `last_on` (local day of the last call).

    Raises:
        PeriodError: If the zone is unknown.

    Example:
        >>> from datetime import UTC, datetime
        >>> started_at = [datetime(2026, 10, 31, 23, 30, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC)]
        >>> calls = pl.DataFrame({"is_model_call": [True, True], "started_at": started_at})
        >>> months_with_calls(calls).select("month", "call_count").rows()
        [('2026-10', 1), ('2026-11', 1)]
        >>> months_with_calls(calls, "Europe/Berlin").select("month", "call_count").rows()
        [('2026-11', 2)]
    """
    return _counted(calls, timezone, "%Y-%m", "month")


def _counted(calls: Any, timezone: str, written: str, name: str) -> pl.DataFrame:
    Period.week("2026-W01", timezone)  # Period is what knows which zones exist.
    started_at = nw.col("started_at")
    quarters = model_calls(calls, ["started_at"]).select(
        started_at.dt.truncate("1h").alias("hour_at"), (started_at.dt.minute() // 15).alias("quarter")
    )
    counted = quarters.group_by("hour_at", "quarter").agg(nw.len().alias("call_count"))
    quarter_at = pl.col("hour_at").dt.convert_time_zone("UTC") + pl.duration(minutes=15 * pl.col("quarter"))
    local = quarter_at.dt.convert_time_zone(timezone)
    last_on = [local.dt.date().max().alias("last_on")] if name == "month" else []
    return (
        collected(counted.to_native())
        .group_by(local.dt.to_string(written).alias(name))
        .agg(pl.col("call_count").cast(pl.Int64).sum(), *last_on)
        .sort(name)
    )


def chosen_week(calls: Any, name: str = "", *, timezone: str = "UTC") -> Period:
    """The ISO week to report on, known to hold calls.

    Args:
        calls: SPANS, on any engine; uses `started_at`.
        name: Such as `2026-W46`; empty takes the last week that has calls.
        timezone: IANA zone whose Mondays begin the weeks.

    Returns:
        The week as a period.

    Raises:
        PeriodError: If the name is no ISO week or the zone is unknown.
        EmptyPeriodError: If the week has no calls; the message lists the weeks that do.
    """
    weeks = weeks_with_calls(calls, timezone)["week"].to_list()
    _require_calls(weeks, "week")
    period = Period.week(name or weeks[-1], timezone)
    _require_listed(period, weeks, "week")
    return period


def chosen_days(calls: Any, first: str = "", last: str = "", *, timezone: str = "UTC") -> Period:
    """The days to report on, known to hold calls.

    Args:
        calls: SPANS, on any engine; uses `started_at`.
        first: First day such as `2026-11-02`; empty takes the first that has calls.
        last: Last day, included; empty takes the last that has calls.
        timezone: IANA zone whose midnights bound the days.

    Raises:
        PeriodError: If a name is no day, the last is before the first, or the zone is unknown.
        EmptyPeriodError: If no day between holds a call; the message names those that do.
    """
    found = _counted(calls, timezone, "%Y-%m-%d", "day")["day"].to_list()
    _require_calls(found, "day")
    days = [_day_named(name) for name in (first or found[0], last or found[-1])]
    period = Period.days(days[0], days[1] + timedelta(days=1), timezone)
    if not any(days[0].isoformat() <= name <= days[1].isoformat() for name in found):
        msg = f"{period.name} has no calls; they run from {found[0]} to {found[-1]}"
        raise EmptyPeriodError(msg)
    return period


def days_before(period: Period, count: int) -> Period:
    """The days before a period.

    Args:
        period: The period.
        count: Number of days, at least 1.
    """
    return Period.days(period.first_on - timedelta(days=count), period.first_on, period.timezone)


def _day_named(name: str) -> date:
    try:
        return date.fromisoformat(name)
    except ValueError as error:
        msg = f"day {name!r} is no day; expected a name such as '2026-11-02'"
        raise PeriodError(msg) from error


def chosen_month(calls: Any, name: str = "", *, timezone: str = "UTC") -> Period:
    """The calendar month to report on, known to hold calls.

    Args:
        calls: SPANS, on any engine; uses `started_at`.
        name: Such as `2026-11`; empty takes the last month whose last day, or a later month, has calls,
            and where there is none the last month with calls: on the third of a month, the month that ended
            is meant.
        timezone: IANA zone whose midnights begin the month.

    Returns:
        The month as a period.

    Raises:
        PeriodError: If the name is no month or the zone is unknown.
        EmptyPeriodError: If the month has no calls; the message lists the months that do.
    """
    found = months_with_calls(calls, timezone)
    months = found["month"].to_list()
    _require_calls(months, "month")
    last = Period.month(months[-1], timezone)
    is_whole = found["last_on"].last() == last.end_on - timedelta(days=1)
    usual = months[-1] if is_whole or len(months) == 1 else months[-2]
    period = Period.month(name or usual, timezone)
    _require_listed(period, months, "month")
    return period


def _require_calls(names: list[str], kind: str) -> None:
    if not names:
        msg = f"the data holds no model calls in any {kind}; expected spans with is_model_call = true"
        raise EmptyPeriodError(msg)


def _require_listed(period: Period, names: list[str], kind: str) -> None:
    if period.name not in names:
        msg = f"{kind} {period.name} has no calls; the data has calls in {_listed(names, kind)}"
        raise EmptyPeriodError(msg)


def _listed(names: list[str], kind: str, most: int = 20) -> str:
    earlier = f"{len(names) - most} earlier {kind}s, " if len(names) > most else ""
    return earlier + ", ".join(names[-most:])
