"""Which weeks there is anything to report on."""

from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import model_calls, portable
from llmops_lib.errors import EmptyPeriodError
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
    Period.week("2026-W01", timezone)  # Period is what knows which zones exist.
    started_at = nw.col("started_at")
    quarters = model_calls(calls, ["started_at"]).select(
        started_at.dt.truncate("1h").alias("hour_at"), (started_at.dt.minute() // 15).alias("quarter")
    )
    counted = quarters.group_by("hour_at", "quarter").agg(nw.len().alias("call_count"))
    quarter_at = pl.col("hour_at").dt.convert_time_zone("UTC") + pl.duration(minutes=15 * pl.col("quarter"))
    week = quarter_at.dt.convert_time_zone(timezone).dt.to_string("%G-W%V").alias("week")
    return (
        collected(counted.to_native())
        .group_by(week)
        .agg(pl.col("call_count").cast(pl.Int64).sum())
        .sort("week")
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
    period = Period.week(name, timezone) if name else None
    if not weeks:
        msg = "the data holds no model calls in any week; expected spans with is_model_call = true"
        raise EmptyPeriodError(msg)
    if period is not None and period.name not in weeks:
        msg = f"week {period.name} has no calls; the data has calls in {_listed(weeks)}"
        raise EmptyPeriodError(msg)
    return period or Period.week(weeks[-1], timezone)


def _listed(weeks: list[str], most: int = 20) -> str:
    earlier = f"{len(weeks) - most} earlier weeks, " if len(weeks) > most else ""
    return earlier + ", ".join(weeks[-most:])
