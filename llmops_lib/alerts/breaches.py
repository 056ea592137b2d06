"""What breaks a rule: per group and stretch of time, with the figures that say so."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from llmops_lib.alerts.rules import Rule, duration_of
from llmops_lib.calls import calls_to_resolve
from llmops_lib.measures.spikes import spend_spikes
from llmops_lib.periods import Period
from llmops_lib.views.formats import count, duration, moment, share, usd

HISTORY = timedelta(weeks=6)
"""How far back a spend spike has to look: four weeks of the same hours, two of their noise; and how long a
model must not have been seen to be new."""


@dataclass(frozen=True)
class Breach:
    """A rule broken by a group for a while.

    Attributes:
        group: Values of the dimensions of the rule.
        started_at: First moment, UTC.
        ended_at: Moment after the last, at most the end of the data.
        weight: How bad; the worst breach of an episode is told of.
        said: The figures, in words of this library only.
    """

    group: tuple[str | None, ...]
    started_at: datetime
    ended_at: datetime
    weight: float
    said: str


def breaches(rule: Rule, calls: pl.DataFrame, since: datetime) -> list[Breach]:
    """All breaches of a rule that end after a moment, by group and start.

    Args:
        rule: The rule.
        calls: Priced model calls; for a spend spike or a new model those of `HISTORY` before, too.
        since: From when on breaches are wanted.
    """
    wanted = calls.filter(*[pl.col(name) == value for name, value in rule.where.items()])
    if wanted.is_empty():
        return []
    if rule.kind == "spend_spike":
        found = list(_spikes(rule, wanted, since))
    else:
        found = [breach for breach in _OF_KIND[rule.kind](rule, wanted) if breach.ended_at >= since]
    return sorted(found, key=lambda breach: ([value or "" for value in breach.group], breach.started_at))


def _spikes(rule: Rule, calls: pl.DataFrame, since: datetime) -> Iterator[Breach]:
    last = _last(calls)
    period = Period.days(since.date(), last.date() + timedelta(days=1))
    spikes = spend_spikes(
        calls,
        by=rule.groups,
        period=period,
        false_alarms_per_week=rule.false_alarms_per_week,
        least_excess_usd=rule.above_usd,
    )
    for spike in spikes.filter(pl.col("ended_at") > since).iter_rows(named=True):
        unpriced = f", {count(spike['unpriced_count'])} of unknown cost" if spike["unpriced_count"] else ""
        said = (
            f"{usd(spike['spend_usd'])} spent where {usd(spike['expected_usd'])} is usual "
            f"({count(spike['call_count'])} calls{unpriced})"
        )
        ended_at = max(min(spike["ended_at"], last), spike["started_at"])
        yield _breach(rule, spike, (spike["started_at"], ended_at), spike["excess_usd"], said)


def _slow(rule: Rule, calls: pl.DataFrame) -> Iterator[Breach]:
    percentile = pl.col("latency_ms").quantile(rule.percentile / 100, interpolation="linear")
    least = max(rule.min_calls, calls_to_resolve(rule.percentile))
    timed = calls.filter(pl.col("latency_ms").is_not_null())
    for window in _windows(rule, timed, least, percentile.alias("value"), above=rule.above_ms):
        said = (
            f"p{rule.percentile:g} of latency {duration(window['value'])}, above {duration(rule.above_ms)} "
            f"({count(window['call_count'])} calls)"
        )
        yield _window_breach(rule, calls, window, said)


def _failed(rule: Rule, calls: pl.DataFrame) -> Iterator[Breach]:
    failed = pl.col("is_error").mean().alias("value")
    for window in _windows(rule, calls, rule.min_calls, failed, above=rule.above_share):
        said = (
            f"{share(window['value'])} of {count(window['call_count'])} calls failed, "
            f"above {share(rule.above_share)}"
        )
        yield _window_breach(rule, calls, window, said)


def _expensive(rule: Rule, calls: pl.DataFrame) -> Iterator[Breach]:
    for call in calls.filter(pl.col("cost_usd") > rule.above_usd).iter_rows(named=True):
        said = f"a call cost {usd(call['cost_usd'])}, above {usd(rule.above_usd)}"
        yield _breach(rule, call, (call["started_at"],) * 2, call["cost_usd"], said)


def _new_models(rule: Rule, calls: pl.DataFrame) -> Iterator[Breach]:
    named = calls.filter(pl.col("model").is_not_null()).sort("started_at")
    others = [name for name in rule.groups if name != "model"]
    # A null is a group of its own, as everywhere else.
    before = pl.int_range(pl.len()).over(others) if others else pl.int_range(pl.len())
    firsts = (
        named.with_columns(before_count=before)
        .group_by(*rule.groups, maintain_order=True)
        .agg(pl.col("started_at", "before_count").first(), call_count=pl.len())
        .filter(pl.col("before_count") >= rule.min_calls)
    )
    for row in firsts.iter_rows(named=True):
        said = f"no call before was answered by this model, {count(row['call_count'])} since"
        yield _breach(rule, row, (row["started_at"],) * 2, row["call_count"], said)


_OF_KIND = {"slow": _slow, "failed": _failed, "expensive_call": _expensive, "new_model": _new_models}


def _windows(
    rule: Rule, calls: pl.DataFrame, least: int, value: pl.Expr, *, above: float
) -> Iterator[dict[str, Any]]:
    started_at = pl.col("started_at").dt.truncate(rule.window).alias("window_at")
    windows = calls.group_by(started_at, *rule.groups).agg(pl.len().alias("call_count"), value)
    return windows.filter(pl.col("call_count") >= least, pl.col("value") > above).iter_rows(named=True)


def _window_breach(rule: Rule, calls: pl.DataFrame, window: dict[str, Any], said: str) -> Breach:
    started_at: datetime = window["window_at"]
    ended_at = min(started_at + duration_of(rule.window), _last(calls))
    return _breach(rule, window, (started_at, max(ended_at, started_at)), window["value"], said)


def _breach(
    rule: Rule, row: dict[str, Any], stretch: tuple[datetime, datetime], weight: float, said: str
) -> Breach:
    started_at, ended_at = stretch
    when = f"{moment(started_at)[:16]} UTC" if started_at == ended_at else _from_to(started_at, ended_at)
    return Breach(tuple(row[name] for name in rule.groups), started_at, ended_at, weight, f"{said}, {when}")


def _from_to(started_at: datetime, ended_at: datetime) -> str:
    same_day = started_at.date() == ended_at.date()
    return f"{moment(started_at)[:16]} to {moment(ended_at)[11 if same_day else 0 : 16]} UTC"


def _last(calls: pl.DataFrame) -> datetime:
    last = calls.select(pl.col("started_at").max()).item()
    assert isinstance(last, datetime)  # noqa: S101 - an empty table has been left out before
    return last
