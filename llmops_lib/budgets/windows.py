"""Windows that a budget holds for: local calendar days, weeks and months, or a rolling stretch of time."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from llmops_lib.periods import Period

WINDOW_PATTERN = r"day|week|month|rolling [1-9]\d{0,3}[mhd]"
"""`day`, `week`, `month`, or `rolling` with minutes, hours or days: `rolling 24h`."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def rolling_length(window: str) -> timedelta | None:
    """How long a rolling window is; None for a calendar window, whose length varies.

    Args:
        window: A window that `WINDOW_PATTERN` matches.

    Example:
        >>> rolling_length("rolling 24h"), rolling_length("month")
        (datetime.timedelta(days=1), None)
    """
    match = re.fullmatch(r"rolling (\d+)([mhd])", window)
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def calendar_window(window: str, at: datetime, timezone: str) -> tuple[datetime, datetime]:
    """The half-open calendar window that holds a moment, as UTC bounds.

    Args:
        window: `day`, `week` (from Monday) or `month`.
        at: The moment, with its zone.
        timezone: IANA zone whose midnights bound the window.

    Example:
        >>> from datetime import UTC
        >>> start, end = calendar_window("month", datetime(2026, 11, 12, tzinfo=UTC), "Europe/Berlin")
        >>> start.isoformat(), end.isoformat()
        ('2026-10-31T23:00:00+00:00', '2026-11-30T23:00:00+00:00')
    """
    on = at.astimezone(ZoneInfo(timezone)).date()
    period = Period.days(*_days(window, on), timezone)
    return period.start, period.end


def window_start(window: str, at: datetime, timezone: str) -> datetime:
    """The first moment that counts against the budget at `at`."""
    length = rolling_length(window)
    return at - length if length else calendar_window(window, at, timezone)[0]


def calendar_starts(window: str, first: datetime, last: datetime, timezone: str) -> list[datetime]:
    """Starts of all calendar windows from the one that holds `first` to the end of that of `last`, UTC.

    The last element is the end of the last window, so that any two neighbours bound one.
    """
    start, end = calendar_window(window, first, timezone)
    starts = [start, end]
    while starts[-1] <= last:
        starts.append(calendar_window(window, starts[-1], timezone)[1])
    return starts


def _days(window: str, on: date) -> tuple[date, date]:
    """First day, and day after the last."""
    if window == "day":
        return on, on + timedelta(days=1)
    if window == "week":
        monday = on - timedelta(days=on.weekday())
        return monday, monday + timedelta(days=7)
    first = on.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)
