"""What was watched around a moment, and how small a rise would have been noticed there."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from llmops_lib.signals.rises import spend_series, tolerance_of, unit_of
from llmops_lib.signals.streams import Stream
from llmops_lib.signals.watched import Watched, rate_of_one, watched_streams
from llmops_lib.stats.least_rise import least_rise
from llmops_lib.stats.least_spike import least_spike
from llmops_lib.stats.rate_shifts import WEEK

FLOORS = {
    "metric": pl.String(),
    "dimension": pl.String(),
    "value": pl.String(),
    "usual": pl.Float64(),
    "seen_count": pl.Int64(),
    "least_count": pl.Int64(),
    "least_usd": pl.Float64(),
    "unit": pl.String(),
}


def noticed_from(  # noqa: PLR0913 - what change_points takes, and the moment
    spans: Any,
    scores: Any,
    findings: Any,
    by: str | Sequence[str],
    *,
    at: datetime,
    false_alarms_per_week: float,
    least_excess_usd: float,
) -> pl.DataFrame:
    """One row per stream, as `FLOORS`; arguments as for `change_points`, and the moment.

    Returns:
        `usual` (share, or USD), `seen_count` (in six hours, on average of the week before; null for spend),
        `least_count` (bad ones among them that raise an alarm; null where not even all do), `least_usd`
        (above the usual), `unit` (`calls`, `answers`, `runs`, `USD in an hour` or `USD in a day`).
        No rows where the moment lies in the first week, of which nothing is said, or outside the data.
    """
    seen = watched_streams(spans, scores, findings, by)
    place = seen.hours.place(at) if seen else -1
    if seen is None or not WEEK <= place < seen.hours.count:
        return pl.DataFrame(schema=pl.Schema(FLOORS))
    rows = [
        *_of_spend(seen, place, rate_of_one(seen, false_alarms_per_week, is_spend=True), least_excess_usd),
        *_of_shares(seen, place, rate_of_one(seen, false_alarms_per_week, is_spend=False)),
    ]
    return pl.DataFrame(rows, schema=pl.Schema(FLOORS))


def _of_shares(seen: Watched, place: int, rate: float) -> Iterator[dict[str, Any]]:
    needed = math.log(WEEK / rate)
    for stream in seen.of_shares:
        bad, count = seen.hours.spread(stream.rows, "bad_count", "seen_count")
        tolerance = tolerance_of(stream.signal)
        least = least_rise(bad.clip(max=count), count, at=place, tolerance=tolerance, needed=needed)
        yield _row(stream, least.usual, least.seen, least.bad, None, unit_of(stream.signal))


def _of_spend(seen: Watched, place: int, rate: float, least_excess: float) -> Iterator[dict[str, Any]]:
    for stream in seen.of_spend:
        series = spend_series(stream.rows, seen.hours)
        least = least_spike(series, at=place, rate=min(rate, 0.1), least_excess=least_excess)
        unit = "USD in an hour" if least.is_hourly else "USD in a day"
        usual = None if math.isnan(least.usual) else least.usual
        yield _row(stream, usual, None, None, least.excess, unit)


def _row(stream: Stream, *values: Any) -> dict[str, Any]:
    named = (str(stream.signal), stream.dimension, stream.value)
    return dict(zip(FLOORS, (*named, *values), strict=True))
