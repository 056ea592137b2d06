"""The time of an incident and the time that it is held against."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import narwhals as nw
import polars as pl

from llmops_lib.calls import Frame
from llmops_lib.errors import IncidentError
from llmops_lib.frames import collected, narwhal
from llmops_lib.schema import UTC_DATETIME
from llmops_lib.signals.contrast import Sides, both_sides
from llmops_lib.signals.counting import flagged_calls
from llmops_lib.signals.counts import Signal, Signals, signal_named
from llmops_lib.signals.findings import dated_findings
from llmops_lib.signals.first_seen import first_seen, new_values
from llmops_lib.signals.gather import gathered
from llmops_lib.signals.regions import tells_region

WEEK = timedelta(weeks=1)
_WEEKS_BACK = 4
_LONGEST = timedelta(weeks=2)

Stretches = Sequence[tuple[datetime, datetime]]


class Incident(NamedTuple):
    """An incident as its row tells it.

    Attributes:
        signal: What moved most surely.
        start: Onset, UTC.
        end: End; None where it lasts.
        detected: When the evidence was in.
        row: The row.
    """

    signal: Signal
    start: datetime
    end: datetime | None
    detected: datetime
    row: Mapping[str, Any]


def incident_of(incident: Any) -> Incident:
    """The incident of a table of one row, or of such a row.

    Raises:
        IncidentError: If it is no single row, or lacks its onset or metric.
    """
    rows = [incident] if isinstance(incident, Mapping) else collected(incident).to_dicts()
    if len(rows) != 1 or not {"onset_at", "metric"} <= set(rows[0]):
        msg = f"found {len(rows)} rows, expected one row of find_incidents() with `onset_at` and `metric`"
        raise IncidentError(msg)
    (row,) = rows
    signal = signal_named(row["metric"])
    return Incident(
        signal, row["onset_at"], row.get("ended_at"), row.get("detected_at") or row["onset_at"], row
    )


class Windows(NamedTuple):
    """Stretches of time, half open.

    Attributes:
        during: Of the incident, up to what is known and for two weeks at most.
        before: What it is held against.
        scale: What amounts of before are multiplied by to be of the same length.
    """

    during: tuple[datetime, datetime]
    before: Stretches
    scale: float


def windows_of(incident: Incident, first: datetime, as_of: datetime) -> Windows:
    """The windows of an incident.

    Spend is held against the same hours of up to four weeks before, so that a weekday's morning is not held
    against a night; where there is no such week, and for shares, against the seven days before.

    Args:
        incident: The incident.
        first: First moment that is known.
        as_of: Last moment that is known.
    """
    end = min(incident.end or as_of, as_of) + timedelta(microseconds=0 if incident.end else 1)
    end = max(min(end, incident.start + _LONGEST), incident.start + timedelta(hours=1))
    length = end - incident.start
    if incident.signal.metric == "spend" and length <= WEEK:
        weeks = [back for back in range(1, _WEEKS_BACK + 1) if incident.start - back * WEEK >= first]
        if weeks:
            before = [(incident.start - back * WEEK, end - back * WEEK) for back in weeks]
            return Windows((incident.start, end), before, 1 / len(weeks))
    earliest = max(first, incident.start - WEEK)
    known = max(incident.start - earliest, timedelta(hours=1))
    return Windows((incident.start, end), [(earliest, incident.start)], length / known)


def known_time(spans: Any) -> tuple[datetime, datetime]:
    """First and last start of a span, UTC.

    Raises:
        IncidentError: If there is no span.
    """
    started_at = nw.col("started_at")
    frame = narwhal(spans, columns=["started_at"]).select(
        started_at.min().alias("first"), started_at.max().alias("last")
    )
    first, last = collected(frame.to_native()).select(pl.all().cast(UTC_DATETIME)).row(0)
    if first is None:
        msg = "found no spans; expected those of the incident and of the time before it"
        raise IncidentError(msg)
    return first, last


def within(frame: Frame, stretches: Stretches) -> Frame:
    """The rows that started in any of the stretches."""
    return frame.filter(started_in(stretches))


def started_in(stretches: Stretches) -> nw.Expr:
    """Whether a row started in any of the stretches."""
    started_at = nw.col("started_at")
    inside = [(started_at >= start) & (started_at < end) for start, end in stretches]
    return nw.any_horizontal(*inside, ignore_nulls=True)


class Held(NamedTuple):
    """An incident held against the time before it.

    Attributes:
        sides: The counts of its signal.
        columns: The columns that explain it, as far as the spans have them, with `tool_name` for tools.
        fresh: Columns and values that came up just before it, or with it.
        classes: Of failed calls as a whole, the counts of each error class; else nothing.
    """

    sides: Sides
    columns: list[str]
    fresh: set[tuple[str, str]]
    classes: Mapping[str, Sides]


def incident_sides(spans: Any, incident: Any, scores: Any, findings: Any, by: Sequence[str]) -> Held:
    """The signal of an incident during it and before it, by the columns that explain it."""
    one = incident_of(incident)
    first, as_of = known_time(spans)
    windows = windows_of(one, first, as_of)
    present = {*narwhal(spans).collect_schema().names(), *(["region"] if tells_region(spans) else [])}
    is_of_tools = one.signal.metric == "tool failures"
    columns = [name for name in by if name in present and not (is_of_tools and name == "tool_name")]
    flagged = flagged_calls(spans, columns)
    tables = []
    for stretches in (windows.before, [windows.during]):
        parts = [
            None if table is None else within(narwhal(table), stretches).to_native()
            for table in (scores, dated_findings(findings, spans))
        ]
        tables.append(gathered(within(flagged, stretches), columns, scores=parts[0], findings=parts[1]))
    explained = [*columns, "tool_name"] if is_of_tools else columns
    came = new_values(first_seen(flagged, columns), one.start, first)
    fresh = set(came.select("column", "value").iter_rows())
    if one.signal.metric == "spend":
        return Held(_spend_sides(tables[0], tables[1], columns, windows.scale), explained, fresh, {})
    classes = _classes(tables) if one.signal == Signal("errors") else []
    every = [
        Sides(both_sides(tables[0].counts(signal), tables[1].counts(signal), explained), is_amount=False)
        for signal in (one.signal, *classes)
    ]
    by_class = {signal.detail: sides for signal, sides in zip(classes, every[1:], strict=True)}
    return Held(every[0], explained, fresh, by_class)


def _classes(tables: Sequence[Signals]) -> list[Signal]:
    """The error classes seen on either side, the commonest first."""
    seen = pl.concat([table.classes.select("detail", "bad_count") for table in tables])
    counted = seen.group_by("detail").agg(pl.col("bad_count").sum())
    ordered = counted.sort("bad_count", "detail", descending=[True, False])
    return [Signal("errors", detail) for detail in ordered["detail"]]


def _spend_sides(before: Signals, during: Signals, columns: Sequence[str], scale: float) -> Sides:
    usual, now = (
        table.calls.with_columns(
            (pl.col("call_count") * factor).alias("seen_count"),
            (pl.col("spend_usd").fill_null(0) * factor).alias("bad_count"),
        )
        for table, factor in ((before, scale), (during, 1.0))
    )
    sums = [
        table.calls.select(pl.col("squared_cost", "spend_usd").sum()).row(0) for table in (before, during)
    ]
    squared, spent = next(((a, b) for a, b in sums if b), (1.0, 1.0))
    return Sides(both_sides(usual, now, columns), is_amount=True, unit_size=max(squared / spent, 1e-9))
