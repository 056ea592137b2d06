"""The signal of an incident by the hour, for a picture of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from llmops_lib.calls import portable
from llmops_lib.frames import narwhal
from llmops_lib.signals import gathered
from llmops_lib.signals.affected import flagged_of
from llmops_lib.signals.findings import dated_findings
from llmops_lib.signals.windows import incident_of, known_time, windows_of, within

_EVERYWHERE: Mapping[str, str] = {}
_AROUND = timedelta(hours=24)
_MOST_HOURS = 240


@portable
def incident_hours(
    spans: Any,
    incident: Any,
    scores: Any = None,
    *,
    findings: Any = None,
    where: Mapping[str, str] = _EVERYWHERE,
) -> pl.DataFrame:
    """The hours around an incident: what was bad, and of how much.

    Args:
        spans: SPANS on any engine, as for `change_points`.
        incident: One row of `find_incidents`.
        scores: SCORES, as for `change_points`.
        findings: Findings, likewise.
        where: Columns and values to narrow it to.

    Returns:
        A polars DataFrame, one row per hour from a day before the onset to a day after the end, at most 240:
        `hour_at` (UTC), `value` (USD, or share of bad ones; null where nothing was seen), `seen_count`,
        `is_during`. An hour of spend without a call is zero.
    """
    one = incident_of(incident)
    first, as_of = known_time(spans)
    start, end = windows_of(one, first, as_of).during
    shown = (start - _AROUND, min(end + _AROUND, as_of, start - _AROUND + timedelta(hours=_MOST_HOURS)))
    frame = within(flagged_of(spans, where), [shown])
    own = [
        None if table is None else within(narwhal(table), [shown]).to_native()
        for table in (scores, dated_findings(findings, spans))
    ]
    signals = gathered(frame, ["hour_at", *where], scores=own[0], findings=own[1])
    is_spend = one.signal.metric == "spend"
    # A filter of no condition at all is an error of polars where there is no cause to narrow to.
    is_cause = [pl.lit(True), *(pl.col(name) == value for name, value in where.items())]
    counts = (
        signals.calls.select("hour_at", bad_count="spend_usd", seen_count="call_count")
        if is_spend
        else signals.counts(one.signal).filter(pl.all_horizontal(is_cause))
    )
    hourly = counts.group_by("hour_at").agg(pl.col("bad_count", "seen_count").sum())
    joined = _every_hour(*shown).join(hourly, on="hour_at", how="left").sort("hour_at")
    seen, bad = pl.col("seen_count").fill_null(0), pl.col("bad_count").fill_null(0)
    value = bad if is_spend else pl.when(seen > 0).then(bad / seen)
    return joined.select(
        "hour_at",
        value.cast(pl.Float64).alias("value"),
        seen.cast(pl.Int64).alias("seen_count"),
        ((pl.col("hour_at") >= start) & (pl.col("hour_at") < end)).alias("is_during"),
    )


def _every_hour(start: datetime, end: datetime) -> pl.DataFrame:
    first = start.replace(minute=0, second=0, microsecond=0)
    return pl.select(pl.datetime_range(first, end, "1h", time_zone="UTC", time_unit="us").alias("hour_at"))
