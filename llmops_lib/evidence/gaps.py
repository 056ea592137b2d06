"""Stretches without any span that are improbable at the traffic of that hour on other days.

Quiet nights and weekends are no gaps, so a stretch is judged hour by hour. An hour is compared with the
same hour of the same weekday in a load of three weeks or more, else with the same hour of other weekdays,
or of other days of a weekend. If sessions start at the same rate there, the chance that all K of them fell
into the m other hours and none into the fraction f of this one is (m / (m + f)) ** K. The chance of a
stretch is the product over its hours; where hourly counts vary more than Poisson counts do, K is divided
by their dispersion, as if sessions came in bursts. A stretch is a gap if its chance is below `false_alarm`
divided by the number of sessions: of loads with Poisson traffic of any daily and weekly cycle, at most
that share shows a gap. Holidays and incidents elsewhere look alike: a gap is a question.
"""

from datetime import datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import known_rows, portable
from llmops_lib.frames import collected
from llmops_lib.schema import UTC_DATETIME

FALSE_ALARM = 0.01
"""Share of loads of steady traffic in which a gap is seen where there is none, at most."""

_WEEKLY_FROM = timedelta(days=21)
_COLUMNS: dict[str, Any] = {
    "last_before_at": UTC_DATETIME,
    "first_after_at": UTC_DATETIME,
    "duration_ms": pl.Float64,
    "expected_count": pl.Float64,
    "probability": pl.Float64,
}


@portable
def time_gaps(spans: Any, *, false_alarm: float = FALSE_ALARM) -> pl.DataFrame:
    """Stretches longer than a minute in which no span started, though some were to be expected.

    The engine reduces the spans to minutes and hours; these, and no spans, are collected.

    Args:
        spans: SPANS, on any engine, everything that was loaded; uses `started_at`, `trace_id`, and
            `session_id` where known, since the traces of a session come together.
        false_alarm: Chance of at least one gap in a load of Poisson traffic that has none.

    Returns:
        One row per gap, in order: `last_before_at`, `first_after_at` (UTC), `duration_ms`,
        `expected_count` (sessions that the other days would have led to expect), `probability` (of
        so long a stretch by chance). Loads of less than two days, or without spans on
        half of their days, show none.

    Source:
        Given the sum of two Poisson counts, one of them is binomial: Przyborowski and Wilenski,
        Biometrika 31 (1940).

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> start = datetime(2026, 11, 9, tzinfo=UTC)
        >>> hours = [hour / 10 for hour in range(24 * 10 * 4) if not 580 <= hour <= 620]
        >>> spans = pl.DataFrame({
        ...     "trace_id": [f"t{hour}" for hour in hours], "session_id": None,
        ...     "started_at": [start + timedelta(hours=hour) for hour in hours],
        ... }, schema_overrides={"session_id": pl.String})
        >>> time_gaps(spans).select("last_before_at", "expected_count").rows()
        [(datetime.datetime(2026, 11, 11, 9, 54, tzinfo=zoneinfo.ZoneInfo(key='UTC')), 42.0)]
    """
    frame = known_rows(spans, ["trace_id", "session_id", "started_at"])
    started_at = nw.col("started_at")
    by_minute = frame.group_by(started_at.dt.truncate("1m").alias("minute_at")).agg(
        started_at.min().alias("first_at"), started_at.max().alias("last_at")
    )
    session = nw.coalesce("session_id", "trace_id").alias("session")
    sessions = frame.group_by(session).agg(started_at.min().alias("started_at"))
    by_hour = sessions.group_by(started_at.dt.truncate("1h").alias("hour_at")).agg(nw.len().alias("count"))
    minutes = _in_utc(collected(by_minute.to_native())).sort("minute_at")
    hours = _in_utc(collected(by_hour.to_native()))
    if not _has_traffic(minutes["first_at"]):
        return pl.DataFrame(schema=_COLUMNS)
    traffic = _traffic(hours, minutes["first_at"][0], minutes["last_at"][-1])
    is_gap = pl.col("probability") < false_alarm / int(hours["count"].sum())
    judged = _judged(_stretches(minutes), traffic, _dispersion(traffic)).filter(is_gap)
    return judged.sort("last_before_at").select(list(_COLUMNS))


def _in_utc(table: pl.DataFrame) -> pl.DataFrame:
    times = [name for name in table.columns if name.endswith("_at")]
    return table.drop_nulls(times).with_columns(pl.col(times).cast(UTC_DATETIME))


def _has_traffic(first_at: pl.Series) -> bool:
    # Where most days are empty, there is no traffic to miss.
    days = first_at.dt.date().unique().sort()
    return days.len() > 0 and 2 * days.len() > (days[-1] - days[0]).days + 1


def _stretches(minutes: pl.DataFrame) -> pl.DataFrame:
    after = pl.col("first_at").shift(-1)
    return (
        minutes.select(last_before_at="last_at", first_after_at=after)
        .filter(pl.col("first_after_at") - pl.col("last_before_at") > pl.duration(minutes=1))
        .with_row_index("stretch")
    )


def _traffic(hours: pl.DataFrame, first_at: datetime, last_at: datetime) -> pl.DataFrame:
    """Each hour of the load, with the sessions and the exposure of the same hour on other days."""
    hour_at = pl.col("hour_at")
    floors = [moment.replace(minute=0, second=0, microsecond=0) for moment in (first_at, last_at)]
    every = pl.select(
        pl.datetime_range(floors[0], floors[1], "1h", time_unit="us", time_zone="UTC").alias("hour_at")
    )
    weekday = hour_at.dt.weekday()
    kind = weekday if last_at - first_at >= _WEEKLY_FROM else weekday >= 6
    until = pl.min_horizontal(hour_at + pl.duration(hours=1), pl.lit(last_at))
    known = every.join(hours, on="hour_at", how="left").with_columns(
        pl.col("count").fill_null(0).cast(pl.Float64),
        _hours(until - pl.max_horizontal(hour_at, pl.lit(first_at))).alias("exposure"),
        kind.alias("kind"),
        hour_at.dt.hour().alias("hour"),
    )
    return known.with_columns(
        (pl.col(name).sum().over("kind", "hour") - pl.col(name)).alias(f"other_{name}")
        for name in ("count", "exposure")
    )


def _dispersion(traffic: pl.DataFrame) -> float:
    """Pearson's chi-square of the hourly counts over its degrees of freedom; at least 1, as of Poisson."""
    count, mean = pl.col("count"), pl.col("count").mean().over("kind", "hour")
    whole = traffic.filter(pl.col("exposure") == 1).with_columns(((count - mean) ** 2 / mean).alias("excess"))
    whole = whole.filter(mean > 0)
    freedom = whole.height - whole.select("kind", "hour").n_unique()
    return max(1.0, float(whole["excess"].sum()) / freedom) if freedom else 1.0


def _judged(stretches: pl.DataFrame, traffic: pl.DataFrame, dispersion: float) -> pl.DataFrame:
    start, end = pl.col("last_before_at"), pl.col("first_after_at")
    hour_at = pl.col("hour_at")
    covered = pl.min_horizontal(end, hour_at + pl.duration(hours=1)) - pl.max_horizontal(start, hour_at)
    parts = (
        stretches.with_columns(pl.datetime_ranges(start.dt.truncate("1h"), end, "1h").alias("hour_at"))
        .explode("hour_at")
        .join(traffic, on="hour_at", how="left")
        .with_columns(_hours(covered).alias("fraction"))
    )
    count, others, fraction = (pl.col(name) for name in ("other_count", "other_exposure", "fraction"))
    parts = parts.filter(others > 0).with_columns(
        (count / others * fraction).alias("expected"),
        (count / dispersion * (others / (others + fraction)).log()).alias("log_chance"),
    )
    chances = parts.group_by("stretch").agg(
        pl.col("expected").sum().alias("expected_count"),
        pl.col("log_chance").sum().exp().alias("probability"),
    )
    return stretches.join(chances, on="stretch").with_columns(
        duration_ms=(end - start).dt.total_microseconds() / 1_000
    )


def _hours(duration: pl.Expr) -> pl.Expr:
    return duration.dt.total_microseconds() / 3_600_000_000
