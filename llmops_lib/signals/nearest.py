"""The incident that a moment or a trace lies in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.errors import IncidentError, NoIncidentError
from llmops_lib.frames import collected, narwhal
from llmops_lib.schema import UTC_DATETIME

_NEAR = timedelta(hours=24)


def nearest_incident(incidents: pl.DataFrame, around: datetime) -> pl.DataFrame:
    """The incident that a moment lies in, the latest where several do, else the nearest within a day.

    Args:
        incidents: What `find_incidents` returns.
        around: A moment.

    Raises:
        NoIncidentError: If there is none within a day; the message lists those there are.
    """
    # One that has not ended is over, for this, a day after it was noticed: it must not claim every later day.
    end = pl.coalesce("ended_at", pl.col("detected_at") + _NEAR)
    early, late = pl.col("onset_at") - pl.lit(around), pl.lit(around) - end
    distance = pl.max_horizontal(early, late, pl.lit(timedelta(0)))
    near = incidents.with_columns(distance.alias("_distance")).filter(pl.col("_distance") <= _NEAR)
    if near.is_empty():
        known = ", ".join(f"{row['incident']} ({row['metric']})" for row in incidents.iter_rows(named=True))
        msg = f"no incident within a day of {around:%Y-%m-%d %H:%M} UTC; found {known or 'none at all'}"
        raise NoIncidentError(msg)
    return near.sort("_distance", "onset_at", descending=[False, True]).head(1).drop("_distance")


def moment_of(spans: Any, around: datetime | str) -> datetime:
    """A moment, a time as text, or the start of the trace of that id.

    Raises:
        IncidentError: If it is none of them.
    """
    if isinstance(around, datetime):
        return around if around.tzinfo else around.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(around)
    except ValueError:
        return _start_of_trace(spans, around)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _start_of_trace(spans: Any, trace_id: str) -> datetime:
    frame = narwhal(spans, columns=["trace_id", "started_at"])
    first = frame.filter(nw.col("trace_id") == trace_id).select(nw.col("started_at").min())
    moment = collected(first.to_native())["started_at"].cast(UTC_DATETIME).item()
    if moment is None:
        msg = f"around is {trace_id!r}; expected a time such as 2026-11-18T14:00Z or a trace id of the spans"
        raise IncidentError(msg)
    found: datetime = moment
    return found
