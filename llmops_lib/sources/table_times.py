"""Times of a plain table: text columns to UTC, exactly to the microsecond."""

import re
import time
from datetime import UTC, datetime, timedelta

import polars as pl

from llmops_lib.schema import UTC_DATETIME
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.table_mapping import ColumnRule
from llmops_lib.sources.times import parse_time

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_ISO = (
    r"^(?P<on>\d{4}-\d{2}-\d{2})[T ](?P<at>\d{2}:\d{2}:[0-5]\d)(?:\.(?P<fraction>\d+))?"
    r"(?P<zone>Z|[+-]\d{2}:\d{2})?$"
)
_OFFSET = re.compile(r"-?\d{1,9}(?:\.\d*)?")
_NO_ORIGIN = " is no date; if it counts from a start, the mapping needs its `unit` and `origin`"
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)


def clean_times(text: pl.Series, rule: ColumnRule, timezone: str | None) -> pl.Series:
    """The moments that a column names without doubt; null for every other cell.

    Args:
        text: ISO times or numbers.
        rule: Unit of numbers, and the origin from which they count.
        timezone: IANA zone of times that name none.
    """
    cells = text.alias("text").to_frame()
    moment = (
        pl.coalesce(_from_iso(timezone), _from_number(rule)) if rule.origin is None else _from_number(rule)
    )
    latest = datetime.fromtimestamp(time.time(), UTC) + timedelta(days=1)
    return cells.select(pl.when(moment.is_between(_EARLIEST, latest)).then(moment)).to_series()


def slow_time(text: str, rule: ColumnRule, timezone: str | None) -> datetime | None:
    """The moment that one cell names, whatever its form.

    Raises:
        Refused: If it is none.
    """
    if rule.origin is None or rule.unit is None:
        return _moment(text, rule, timezone)
    try:
        offset = timedelta(microseconds=round(float(text) * 1_000_000 / _PER_SECOND[rule.unit]))
        return parse_time(rule.origin + offset)
    except (ValueError, OverflowError) as error:
        raise Refused(reason="time", detail=f"{text[:40]!r} is no offset in {rule.unit}") from error


def _moment(text: str, rule: ColumnRule, timezone: str | None) -> datetime | None:
    try:
        return parse_time(text, unit=rule.unit, timezone=timezone)
    except Refused as refused:
        if refused.reason == "time_range" and _OFFSET.fullmatch(text.strip()):
            raise Refused(reason="time_range", detail=f"{refused.detail}{_NO_ORIGIN}") from refused
        raise


def _from_iso(timezone: str | None) -> pl.Expr:
    parts = pl.col("text").str.strip_chars().str.extract_groups(_ISO).struct
    clock = pl.concat_str(parts.field("on"), pl.lit(" "), parts.field("at"))
    second = clock.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    # Digits beyond the microsecond are cut off, as the standard library does.
    micros = (
        parts.field("fraction")
        .fill_null("0")
        .str.slice(0, 6)
        .str.pad_end(6, "0")
        .cast(pl.Int64, strict=False)
    )
    local = second + pl.duration(microseconds=micros)
    zone = parts.field("zone")
    hours = zone.str.slice(0, 3).cast(pl.Int64, strict=False)
    minutes = zone.str.slice(0, 1).add(zone.str.slice(4, 2)).cast(pl.Int64, strict=False)
    shift = pl.when(zone == "Z").then(pl.duration()).otherwise(pl.duration(hours=hours, minutes=minutes))
    absolute = (local - shift).dt.replace_time_zone("UTC")
    if timezone is None:
        return absolute
    # A time that the zone skips is left to the slow path; one that it repeats is the first of the two.
    zoned = local.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return pl.when(zone.is_null()).then(zoned.dt.convert_time_zone("UTC")).otherwise(absolute)


def _from_number(rule: ColumnRule) -> pl.Expr:
    cell = pl.col("text").str.strip_chars()
    whole = pl.when(cell.str.contains(r"^\d{1,18}$|^[1-9]\d{18}$")).then(cell.cast(pl.Int64, strict=False))
    number = pl.when(cell.str.contains(r"^\d{1,17}\.\d+$")).then(cell.cast(pl.Float64, strict=False))
    micros = pl.coalesce(_micros(whole, rule.unit), _micros(number, rule.unit))
    if rule.origin is None:
        return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.lit(rule.origin, dtype=UTC_DATETIME) + pl.duration(microseconds=micros)


def _micros(number: pl.Expr, unit: str | None) -> pl.Expr:
    if unit is not None:
        return _scaled(number, unit)
    # The thresholds of `times`: each unit's numbers have their own length.
    return (
        pl.when(number < 10**11)
        .then(_scaled(number, "s"))
        .when(number < 10**14)
        .then(_scaled(number, "ms"))
        .when(number < 10**17)
        .then(_scaled(number, "us"))
        .otherwise(_scaled(number, "ns"))
    )


def _scaled(number: pl.Expr, unit: str) -> pl.Expr:
    per_second = _PER_SECOND[unit]
    if per_second > 10**6:
        return (number // (per_second // 10**6)).cast(pl.Int64, strict=False)
    factor = 10**6 // per_second
    # A number too large to scale is no time; the slow path says so.
    scaled = pl.when(number < 10**18 // factor).then(number * factor)
    return scaled.round(mode="half_to_even").cast(pl.Int64, strict=False)
