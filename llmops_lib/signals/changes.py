"""The change points of every stream of a table of spans."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from llmops_lib.errors import LlmopsError
from llmops_lib.frames import by_columns
from llmops_lib.schema import UTC_DATETIME
from llmops_lib.signals.counting import flagged_calls
from llmops_lib.signals.findings import dated_findings
from llmops_lib.signals.gather import gathered
from llmops_lib.signals.grouping import grouped
from llmops_lib.signals.rises import Rise, rate_stream_rises, spend_stream_rises
from llmops_lib.signals.streams import Hours, Stream, streams

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
    watched = by_columns(by)
    keys = ["hour_at", *watched]
    signals = gathered(
        flagged_calls(spans, watched), keys, scores=scores, findings=dated_findings(findings, spans)
    )
    hours = Hours.of(signals.calls)
    if hours is None:
        return pl.DataFrame(schema=pl.Schema(CHANGE_POINTS))
    every = list(streams(signals, watched))
    rows = [
        _row(stream, rise, hours)
        for stream, rise in _rises(every, hours, false_alarms_per_week, least_excess_usd)
    ]
    found = pl.DataFrame(grouped(rows, signals, hours.as_of), schema=pl.Schema(CHANGE_POINTS))
    return found.sort("onset_at", "metric", "dimension", "value")


def _rises(
    every: list[Stream], hours: Hours, rate: float, least_excess: float
) -> Iterator[tuple[Stream, Rise]]:
    of_spend = [stream for stream in every if stream.signal.metric == "spend"]
    of_shares = [stream for stream in every if stream.signal.metric != "spend"]
    spend_stream = partial(spend_stream_rises, least_excess=least_excess)
    for kind, judge in ((of_spend, spend_stream), (of_shares, rate_stream_rises)):
        for stream in kind:
            for rise in judge(stream, hours, rate / 2 / len(kind)):
                yield stream, replace(rise, expected_false=rise.expected_false * len(kind))


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
        "confidence": max(0.0, 1.0 - rise.expected_false),
        "evidence": -math.log(max(rise.expected_false, 1e-300)),
    }
