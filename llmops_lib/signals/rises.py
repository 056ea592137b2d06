"""The rises of one stream, by the detector that fits it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from llmops_lib.signals.counts import Signal
from llmops_lib.signals.streams import Floats, Hours, Stream
from llmops_lib.stats.localise import high_stretch
from llmops_lib.stats.rate_shifts import LOOK_AHEAD, WEEK, rate_rises
from llmops_lib.stats.spike_scores import DAY, HourlySpend, Scores
from llmops_lib.stats.spike_thresholds import rate_at
from llmops_lib.stats.spikes import Alarm, alarms, calls_per_hour

_TOLERANCES = {
    "latency": 0.06,
    "cost per call": 0.06,
    "quality": 0.04,
    "tool failures": 0.02,
    "findings": 0.003,
}
_TOLERANCE = 0.01
_UNITS = {"quality": "answers", "tool failures": "runs"}


@dataclass(frozen=True)
class Rise:
    """A rise of a stream; hours are counted from the start of the grid.

    Attributes:
        first: First hour.
        end: Hour after the last.
        low: Earliest likely onset.
        high: Latest likely onset.
        detected: Hour at whose end the evidence was in.
        usual: USD per hour, or share of bad ones, before.
        during: The same during the rise.
        excess: USD or bad ones above what was usual.
        unit: What the excess counts.
        seen: Calls, answers or runs in the rise.
        log_false: Natural logarithm of the false alarms as strong to be expected over all hours.
        is_lasting: Whether it went on for as long as was looked.
    """

    first: int
    end: int
    low: int
    high: int
    detected: int
    usual: float
    during: float
    excess: float
    unit: str
    seen: int
    log_false: float
    is_lasting: bool


def rate_stream_rises(stream: Stream, hours: Hours, rate: float) -> Iterator[Rise]:
    """The rises of a share.

    Args:
        stream: Counts by the hour.
        hours: The grid.
        rate: False alarms per week granted to this stream.
    """
    bad, seen = (_cut(part, hours) for part in hours.spread(stream.rows, "bad_count", "seen_count"))
    bad = np.minimum(bad, seen)
    tolerance = tolerance_of(stream.signal)
    for shift in rate_rises(bad, seen, tolerance=tolerance, average_run_length=WEEK / rate):
        here = slice(shift.first, shift.end)
        count = float(seen[here].sum())
        # So many hours were looked at, and a wealth as large comes about once in as many.
        expected = math.log(len(seen)) - shift.log_evidence
        yield Rise(
            shift.first, shift.end, shift.low, shift.high, shift.detected, shift.usual,
            float(bad[here].sum()) / max(count, 1.0), float(bad[here].sum()) - count * shift.usual,
            unit_of(stream.signal), int(count), expected, shift.end - shift.first >= LOOK_AHEAD,
        )  # fmt: skip


def tolerance_of(signal: Signal) -> float:
    """Rise of the share of a signal that is still acceptable, 0 to 1."""
    return _TOLERANCES.get(signal.metric, _TOLERANCE)


def unit_of(signal: Signal) -> str:
    """What the excess of a share counts: `calls`, `answers` or `runs`."""
    return _UNITS.get(signal.metric, "calls")


def spend_stream_rises(stream: Stream, hours: Hours, rate: float, *, least_excess: float) -> Iterator[Rise]:
    """The rises of spend of at least so many USD; arguments as `rate_stream_rises`."""
    series = spend_series(stream.rows, hours)
    for alarm in alarms(
        series,
        range(hours.count // DAY),
        false_alarms_per_week=min(rate, 0.1),
        least_excess=least_excess,
    ):
        first, end, low, high, expected = _localised(series, alarm)
        here = slice(first, end)
        spent, usual = float(np.nansum(series.spend[here])), float(np.nansum(expected[here]))
        speed = calls_per_hour(series, alarm.first // DAY)
        weeks = len(series.spend) / WEEK
        yield Rise(
            first, end, low, high, alarm.detected - 1, usual / (end - first), spent / (end - first),
            spent - usual, "USD", int(series.calls[here].sum()),
            math.log(max(rate_at(alarm.z, alarm.detector, speed) * weeks, 1e-300)), False,
        )  # fmt: skip


def _cut(values: Floats, hours: Hours) -> Floats:
    return values[: hours.place(hours.as_of) + 1]


def spend_series(rows: pl.DataFrame, hours: Hours) -> HourlySpend:
    """Spend of a stream by the hour."""
    spend, calls, squared, unpriced = hours.spread(
        rows, "spend_usd", "call_count", "squared_cost", "unpriced_count"
    )
    first = hours.place(rows["hour_at"].min()) // DAY  # type: ignore[arg-type] # a column of times
    spend[(calls > 0) & (unpriced == calls)] = np.nan
    spend[: first * DAY] = np.nan
    spend[hours.place(hours.as_of) + 1 :] = np.nan
    return HourlySpend(spend, calls, squared, first)


def _localised(series: HourlySpend, alarm: Alarm) -> tuple[int, int, int, int, Floats]:
    """The hours of an alarm of spend, by where its distance from what was expected changes."""
    scores = Scores(series, DAY, np.zeros(len(series.spend), dtype=np.bool_))
    expected = scores.expected
    window = range(max(0, alarm.first - DAY) // DAY, min(-(-alarm.end // DAY) + 2, len(series.spend) // DAY))
    residuals = np.concatenate([scores.z(day) for day in window])
    start = window.start * DAY
    residuals = np.where(np.isnan(series.spend[start : window.stop * DAY]), np.nan, residuals)
    found = high_stretch(residuals, alarm.detected - 1 - start, alarm.first - start)
    first, end, low, high = (place + start for place in found)
    return first, end, low, high, expected
