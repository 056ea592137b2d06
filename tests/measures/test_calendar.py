"""Weeks that hold calls."""

from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl
import pytest

from llmops_lib.errors import EmptyPeriodError, PeriodError
from llmops_lib.frames import in_period
from llmops_lib.measures.calendar import chosen_month, chosen_week, weeks_with_calls
from llmops_lib.periods import Period

# Sunday 8 November 2026, around the midnights of several zones, and the last days of a long year.
MOMENTS = [
    datetime(2026, 11, 8, 11, 14, 59, tzinfo=UTC),
    datetime(2026, 11, 8, 18, 14, tzinfo=UTC),
    datetime(2026, 11, 8, 18, 16, tzinfo=UTC),
    datetime(2026, 11, 8, 18, 31, tzinfo=UTC),
    datetime(2026, 11, 8, 23, 30, tzinfo=UTC),
    datetime(2026, 11, 9, tzinfo=UTC),
    datetime(2027, 1, 3, 12, tzinfo=UTC),
]
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati"]


def test_weeks_are_iso_weeks_in_order(engine, calls):
    """3 January 2027 is in the last week of 2026."""
    weeks = weeks_with_calls(engine(calls(started_at=MOMENTS)))
    assert weeks.rows() == [("2026-W45", 5), ("2026-W46", 1), ("2026-W53", 1)]


@pytest.mark.parametrize("zone", ZONES)
def test_counts_are_those_of_each_period(engine, calls, zone):
    """A week that is offered must hold what it says, on the calendar it is offered on."""
    table = calls(started_at=MOMENTS)
    weeks = weeks_with_calls(engine(table), zone)
    assert weeks["call_count"].sum() == len(MOMENTS)
    for name, count in weeks.rows():
        assert in_period(table, Period.week(name, zone)).height == count


def test_spans_that_are_no_calls_make_no_week(engine, calls):
    """A week of tool calls alone has nothing to report on."""
    table = calls(started_at=MOMENTS[-2:], is_model_call=[True, False])
    assert weeks_with_calls(engine(table))["week"].to_list() == ["2026-W46"]


def test_no_calls_have_no_weeks(engine, calls):
    """The dtypes stay, so that an empty list of weeks can be worked on."""
    weeks = weeks_with_calls(engine(calls(started_at=MOMENTS).clear()), "Asia/Kolkata")
    assert weeks.rows() == []
    assert dict(weeks.schema) == {"week": pl.String, "call_count": pl.Int64}


def test_session_zone_of_the_database_does_not_matter(calls):
    """DuckDB truncates hours on the calendar of its session, which may be off by half an hour."""
    table = calls(started_at=MOMENTS)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Kolkata'")
        weeks = weeks_with_calls(connection.from_arrow(table.to_arrow()), "Asia/Kathmandu")
    assert weeks.equals(weeks_with_calls(table, "Asia/Kathmandu"))


def test_unknown_zone_is_refused(engine, calls):
    """A guessed zone would move calls between weeks."""
    with pytest.raises(PeriodError, match="Mars/Olympus"):
        weeks_with_calls(engine(calls(started_at=MOMENTS)), "Mars/Olympus")


def test_without_a_name_the_last_week_with_calls_is_chosen(engine, calls):
    """Most readers want the newest report."""
    assert chosen_week(engine(calls(started_at=MOMENTS))) == Period.week("2026-W53")


def test_a_named_week_must_hold_calls(calls):
    """A mistyped week is the usual reason for an empty report, so the message lists the others."""
    with pytest.raises(EmptyPeriodError, match=r"2026-W44 .* 2026-W45, 2026-W46, 2026-W53"):
        chosen_week(calls(started_at=MOMENTS), "2026-W44")


def test_many_weeks_are_counted_not_listed(calls):
    """A year of weeks in an error message hides the message."""
    starts = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(weeks=week) for week in range(30)]
    with pytest.raises(EmptyPeriodError, match="10 earlier weeks, 2024-W11,"):
        chosen_week(calls(started_at=starts), "2026-W44")


def test_no_calls_at_all_is_said(calls):
    """There is no week to offer."""
    with pytest.raises(EmptyPeriodError, match="no model calls"):
        chosen_week(calls(is_model_call=[False]))


def on(calls, *days):
    """One call at noon of each day."""
    return calls(started_at=[datetime(2026, month, day, 12, tzinfo=UTC) for month, day in days])


def test_the_month_that_ended_is_the_usual_one(engine, calls):
    """On the third of November a review is about October."""
    assert chosen_month(engine(on(calls, (10, 2), (11, 3)))).name == "2026-10"


def test_a_month_with_calls_on_its_last_day_has_ended(engine, calls):
    """The export was made on the first, with the last day in it."""
    assert chosen_month(engine(on(calls, (10, 2), (11, 30)))).name == "2026-11"


def test_the_only_month_is_taken_as_it_is(engine, calls):
    """There is nothing else to report on."""
    assert chosen_month(engine(on(calls, (11, 3)))).name == "2026-11"


def test_a_month_without_calls_lists_those_that_have_some(engine, calls):
    """The usual reason is a typo."""
    with pytest.raises(EmptyPeriodError, match=r"month 2026-09 has no calls.*2026-10, 2026-11"):
        chosen_month(engine(on(calls, (10, 2), (11, 3))), "2026-09")


def test_no_calls_make_no_month(calls):
    """As with weeks."""
    with pytest.raises(EmptyPeriodError, match="no model calls in any month"):
        chosen_month(on(calls, (10, 2)).clear())
