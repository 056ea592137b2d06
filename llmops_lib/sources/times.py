"""Times of exports: ISO text, or numbers whose unit is found by their size, as UTC datetimes."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from llmops_lib.sources.refusals import Refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
# Nearly every moment lies before this module was imported, which spares a look at the clock.
_IMPORTED = datetime.now(UTC)
_IMPORTED_US = (_IMPORTED - _EPOCH) // _MICROSECOND
_EARLIEST_US = (_EARLIEST - _EPOCH) // _MICROSECOND
KNOWN_PAST_US = (_EARLIEST_US, _IMPORTED_US)
"""Microseconds since 1970 between which every moment is in range, without a look at the clock."""

_DAY_US = 86_400_000_000
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# A time between 1973 and 5138 has its own number of digits in each unit, so size alone tells the unit.
_LARGEST = ((10**11, "s"), (10**14, "ms"), (10**17, "us"))
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
# fromisoformat also takes week dates, compact dates and dates alone, none of which a trace export writes.
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?",
    re.IGNORECASE,
)


def parse_time(value: Any, *, unit: str | None = None, timezone: str | None = None) -> datetime | None:
    """The moment that a value of an export names, in UTC.

    Args:
        value: ISO text, an epoch number or digit text, a datetime, or None.
        unit: Unit of an epoch number (`s`, `ms`, `us` or `ns`); found by its size when None.
        timezone: IANA zone of text that names none.

    Returns:
        An aware datetime in UTC; None for None and for empty text.

    Raises:
        Refused: `time` if it is none, `naive_time` if it lacks a zone and none was given,
            `nonfinite` for NaN or infinity, `time_range` before 2015 or more than a day from now.

    Example:
        >>> parse_time("1772445600000").isoformat()
        '2026-03-02T10:00:00+00:00'
    """
    if isinstance(value, datetime):
        return _checked(_aware(value, timezone))
    if value is None or value == "":
        return None
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return _from_number(_number(text), unit)
        return _checked(_from_iso(text, timezone))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(reason="time", detail=f"found {type(value).__name__}")
    return _from_number(value, unit)


def _number(text: str) -> int | float:
    # Seventeen digits of a double are too few for nanoseconds, so whole numbers never pass through float.
    return float(text) if "." in text else int(text[:40])


def _from_number(number: float, unit: str | None) -> datetime:
    if isinstance(number, float) and number - number != 0:
        raise Refused(reason="nonfinite", detail="time")
    per_second = _PER_SECOND[unit or _unit_of(number)]
    if isinstance(number, int):
        micros = number * 1_000_000 // per_second
    else:
        micros = round(number * 1_000_000 / per_second) if abs(number) < 1e30 else _DAY_US * 10**9
    _check_range(micros, number)
    return _EPOCH + timedelta(microseconds=micros)


def _unit_of(number: float) -> str:
    size = abs(number)
    return next((name for largest, name in _LARGEST if size < largest), "ns")


def _from_iso(text: str, timezone: str | None) -> datetime:
    if not _ISO.fullmatch(text):
        raise Refused(reason="time", detail=text[:40])
    normal = text.upper().replace(" UTC", "Z").replace("UTC", "Z").replace(",", ".")
    head, tail = normal[:19], normal[19:].replace(" ", "")
    try:
        return _aware(datetime.fromisoformat(head + tail), timezone)
    except ValueError as error:
        raise Refused(reason="time", detail=text[:40]) from error


def _aware(moment: datetime, timezone: str | None) -> datetime:
    if moment.tzinfo is not None:
        return moment
    if timezone is None:
        raise Refused(reason="naive_time", detail=moment.isoformat())
    return moment.replace(tzinfo=ZoneInfo(timezone))


def _checked(moment: datetime) -> datetime:
    try:
        utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except OverflowError as error:
        raise Refused(reason="time_range", detail=moment.isoformat()) from error
    if not _EARLIEST <= utc <= _IMPORTED:
        _check_range((utc - _EPOCH) // _MICROSECOND, utc.isoformat())
    return utc


def _check_range(micros: int, found: object) -> None:
    if _EARLIEST_US <= micros <= _IMPORTED_US:
        return
    if not _EARLIEST_US <= micros <= time.time_ns() // 1_000 + _DAY_US:
        raise Refused(reason="time_range", detail=str(found)[:40])
