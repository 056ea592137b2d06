"""Which change points are of one incident: those that began together, or in the same calls."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from llmops_lib.signals.counts import Signals, signal_named

_TOGETHER = timedelta(hours=2)
"""Stretches that begin within this of each other, their bounds counted, are of one incident."""

_AFTER = timedelta(hours=12)
"""What the same calls do again within this after the end belongs to the same incident."""

_MOST_TIMES = 20.0
"""Beyond this a rise from little and a rise from nothing are alike."""

_NEARLY_ALL = 0.8
"""A stream that holds so much of the excess of another holds nearly all of it."""

_WEEK = timedelta(weeks=1)

Change = dict[str, Any]


class _Lead(NamedTuple):
    """The change point that tells an incident best, and when it was over."""

    change: Change
    end: datetime


def _concentration(change: Change) -> float:
    """How much a stream holds of a change, and how little else: its excess times how many times it rose."""
    times = min(change["during"] / max(change["usual"], 1e-9), _MOST_TIMES)
    return float(max(change["excess"], 0.0) * math.log(max(times, 1.0)))


def grouped(changes: Sequence[Change], signals: Signals, as_of: datetime) -> list[Change]:
    """The change points with `incident`, the onset of the one they belong to as text.

    The surest names a metric; of its streams the one that holds most of the excess and least else leads.
    What began together with the lead is of its incident. So is what began later, while it lasted, where most
    of its excess lies in the calls of the lead: more than halfway between their part of the calls and all of
    it. What rose again within twelve hours after the end is too, where it is the same metric. Everything else
    is an incident of its own, however near.

    Args:
        changes: As `change_points` lists them.
        signals: Counts by `hour_at` and the watched columns.
        as_of: Hour of the last call.
    """
    left, named = list(changes), []
    while left:
        told = told_by(left)
        lead = _Lead(told, told["ended_at"] or as_of + timedelta(hours=1))
        own = [one for one in left if one is lead.change or _belongs(one, lead, signals, as_of)]
        name = f"{lead.change['onset_at']:%Y-%m-%dT%H:%MZ}"
        named += [{**one, "incident": name} for one in own]
        left = [one for one in left if not any(one is other for other in own)]
    return named


def told_by(changes: Sequence[Change]) -> Change:
    """The change point that tells an incident best: of the surest metric, the most concentrated stream."""
    surest = max(changes, key=lambda one: (one["evidence"], one["dimension"] == ""))
    if surest["metric"] == "cost per call":
        # Dollars say what dear calls came to, where they are enough to say anything.
        spent = [one for one in changes if one["metric"] == "spend" and _is_same_rise(one, surest)]
        surest = max(spent, key=lambda one: one["evidence"], default=surest)
    near = [one for one in changes if one["metric"] == surest["metric"] and _began_together(one, surest)]
    most = max(near, key=_concentration)
    if most["dimension"]:
        return most
    # All calls hold a little more of the excess, which their noise adds, and know less when it began.
    holding = [one for one in near if one["excess"] >= _NEARLY_ALL * most["excess"]]
    return max(holding, key=lambda one: (one["evidence"], _concentration(one)))


def _is_same_rise(one: Change, other: Change) -> bool:
    """Whether two changes began together, or are of one stream and at the same time."""
    if _began_together(one, other):
        return True
    is_same_stream = all(one[name] == other[name] for name in ("dimension", "value"))
    first, second = sorted((one, other), key=lambda change: change["onset_at"])
    return is_same_stream and (first["ended_at"] is None or second["onset_at"] < first["ended_at"])


def _belongs(one: Change, lead: _Lead, signals: Signals, as_of: datetime) -> bool:
    if _began_together(one, lead.change):
        return True
    end = one["ended_at"] or as_of + timedelta(hours=1)
    pause = _AFTER if _family(one) == _family(lead.change) else timedelta(0)
    touches = one["onset_at"] < lead.end + pause and end > lead.change["onset_at"] - pause
    return touches and _is_of_calls(one, end, lead.change, signals)


def _family(change: Change) -> str:
    metric = signal_named(change["metric"]).metric
    return "spend" if metric == "cost per call" else metric


def _began_together(one: Change, other: Change) -> bool:
    first, second = sorted((one, other), key=lambda change: change["onset_at"])
    return bool(second["onset_low_at"] - first["onset_high_at"] <= _TOGETHER)


def _is_of_calls(one: Change, end: datetime, lead: Change, signals: Signals) -> bool:
    """Whether most of what rose in one stream rose in the calls of the lead."""
    signal = signal_named(one["metric"])
    rows = signals.calls if signal.metric == "spend" else signals.counts(signal)
    column = lead["dimension"]
    if column and column not in rows.columns:
        return False
    own = rows.filter(pl.col(one["dimension"]) == one["value"]) if one["dimension"] else rows
    inside = own.filter(pl.col(column) == lead["value"]) if column else own
    excess = _spend_excess if signal.metric == "spend" else _excess
    whole, seen = excess(own, one, end)
    part, seen_inside = excess(inside, one, end)
    share = seen_inside / seen if seen else 0.0
    return whole > 0 and part / whole >= (1 + share) / 2 - 1e-9


def _excess(rows: pl.DataFrame, change: Change, end: datetime) -> tuple[float, float]:
    during = rows.filter(pl.col("hour_at").is_between(change["onset_at"], end, closed="left"))
    bad, seen = during.select(pl.col("bad_count", "seen_count").sum()).row(0)
    return float(bad) - change["usual"] * float(seen), float(seen)


def _spend_excess(rows: pl.DataFrame, change: Change, end: datetime) -> tuple[float, float]:
    """Against the hours of the week before the onset, whatever their time of day."""
    start = change["onset_at"]
    during = rows.filter(pl.col("hour_at").is_between(start, end, closed="left"))
    before = rows.filter(pl.col("hour_at").is_between(start - _WEEK, start, closed="left"))
    usual = float(before["spend_usd"].sum()) * ((end - start) / _WEEK)
    return float(during["spend_usd"].sum()) - usual, float(during["call_count"].sum())
