"""The change points of every stream of a table of spans."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import polars as pl

from llmops_lib.errors import LlmopsError
from llmops_lib.schema import UTC_DATETIME
from llmops_lib.signals.arrival_rises import arrival_rises
from llmops_lib.signals.grouping import grouped
from llmops_lib.signals.rises import Rise, rate_stream_rises, spend_stream_rises
from llmops_lib.signals.streams import Hours, Stream
from llmops_lib.signals.watched import OF_ARRIVALS, Watched, rate_of_one, watched_streams
from llmops_lib.stats.rate_shifts import WEEK

CHANGE_POINTS = {
    "metric": pl.String(),
    "dimension": pl.String(),
    "value": pl.String(),
    "onset_at": UTC_DATETIME,
    "onset_low_at": UTC_DATETIME,
    "onset_high_at": UTC_DATETIME,
    "ended_at": UTC_DATETIME,
    "detected_at": UTC_DATETIME,
    "usual": pl.Float64(),
    "during": pl.Float64(),
    "excess": pl.Float64(),
    "unit": pl.String(),
    "call_count": pl.Int64(),
    "confidence": pl.Float64(),
    "evidence": pl.Float64(),
    "incident": pl.String(),
}


def found_changes(  # noqa: PLR0913 - what change_points takes
    spans: Any,
    scores: Any,
    findings: Any,
    by: str | Sequence[str],
    *,
    false_alarms_per_week: float,
    least_excess_usd: float,
) -> pl.DataFrame:
    """The change points, by onset; arguments and columns as in `change_points`."""
    if not least_excess_usd >= 0:
        msg = f"least_excess_usd is {least_excess_usd!r}; expected US dollars, 0 or more"
        raise LlmopsError(msg)
    if not false_alarms_per_week > 0:
        msg = f"false_alarms_per_week is {false_alarms_per_week!r}; expected a rate above 0, such as 0.25"
        raise LlmopsError(msg)
    seen = watched_streams(spans, scores, findings, by)
    if seen is None:
        return pl.DataFrame(schema=pl.Schema(CHANGE_POINTS))
    hours, signals = seen.hours, seen.signals
    granted = false_alarms_per_week * OF_ARRIVALS * max(hours.count / WEEK - 1, 0.0)
    rises = chain(
        _rises(seen, false_alarms_per_week, least_excess_usd),
        arrival_rises(seen.arrivals, signals, hours, granted),
    )
    rows = [_row(stream, rise, hours) for stream, rise in rises]
    found = pl.DataFrame(grouped(rows, signals, hours.as_of), schema=pl.Schema(CHANGE_POINTS))
    return found.sort("onset_at", "metric", "dimension", "value")


def _rises(seen: Watched, rate: float, least_excess: float) -> Iterator[tuple[Stream, Rise]]:
    spend_stream = partial(spend_stream_rises, least_excess=least_excess)
    for is_spend, judge in ((True, spend_stream), (False, rate_stream_rises)):
        kind = seen.of_spend if is_spend else seen.of_shares
        for stream in kind:
            for rise in judge(stream, seen.hours, rate_of_one(seen, rate, is_spend=is_spend)):
                yield stream, replace(rise, log_false=rise.log_false + math.log(len(kind)))


def _row(stream: Stream, rise: Rise, hours: Hours) -> dict[str, Any]:
    is_over = rise.end < hours.count and not rise.is_lasting
    return {
        "metric": str(stream.signal),
        "dimension": stream.dimension,
        "value": stream.value,
        "onset_at": hours.at(rise.first),
        "onset_low_at": hours.at(rise.low),
        "onset_high_at": hours.at(rise.high),
        "ended_at": hours.at(rise.end) if is_over and hours.at(rise.end) <= hours.as_of else None,
        "detected_at": hours.at(rise.detected + 1),
        "usual": rise.usual,
        "during": rise.during,
        "excess": rise.excess,
        "unit": rise.unit,
        "call_count": rise.seen,
        "confidence": max(0.0, 1.0 - math.exp(min(rise.log_false, 0.0))),
        "evidence": -rise.log_false,
    }
