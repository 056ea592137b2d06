"""Reporting periods are half-open, and their days may last 23 to 25 hours."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from llmops_lib.errors import PeriodError
from llmops_lib.periods import Period


def test_weeks_of_many_zones_match_an_independent_calendar(shared):
    """Year ends, summer time and half-hour zones are where week arithmetic breaks."""
    lines = (shared / "corpora" / "iso_weeks.jsonl").read_text(encoding="utf-8").splitlines()
    for case in map(json.loads, lines):
        period = Period.week_of(datetime.fromisoformat(case["ts"]), case["tz"])
        bounds = (period.name, period.start, period.end, (period.end - period.start) / timedelta(hours=1))
        assert bounds == (
            case["iso_week"],
            datetime.fromisoformat(case["week_start_utc"]),
            datetime.fromisoformat(case["week_end_utc"]),
            case["week_hours"],
        )


def test_periods_meet_without_gap_or_overlap():
    """A call at midnight is counted once."""
    for period in (
        Period.week("2027-W01"),
        Period.month("2026-03"),
        Period.days(date(2026, 1, 3), date(2026, 1, 9)),
    ):
        assert period.previous.end == period.start


@pytest.mark.parametrize("name", ["2026-W46", "2020-W53", "2026-W01"])
def test_a_week_is_found_again_from_its_moments(name):
    """Name to bounds to name is a round trip."""
    week = Period.week(name)
    assert Period.week_of(week.start) == Period.week_of(week.end - timedelta(microseconds=1)) == week


def test_the_days_of_a_period_tile_it():
    """In Berlin the last Sunday of October has 25 hours."""
    week = Period.week("2026-W43", "Europe/Berlin")
    days = list(week.each_day())
    assert [day.start for day in days[1:]] == [day.end for day in days[:-1]]
    assert (days[0].start, days[-1].end) == (week.start, week.end)
    assert days[-1].end - days[-1].start == timedelta(hours=25)


@pytest.mark.parametrize(
    "name", ["2026-46", "2026-W54", "2025-W53", "2026-W00", "", "2026-W46 ", "W46", None, 46]
)
def test_names_that_are_no_week_are_refused(name):
    """A wrong week must not quietly become another one."""
    with pytest.raises(PeriodError, match="2026-W46"):
        Period.week(name)


@pytest.mark.parametrize("name", ["2026-13", "2026-00", "2026-W46", "November", None, 11])
def test_names_that_are_no_month_are_refused(name):
    """As with weeks."""
    with pytest.raises(PeriodError, match="2026-11"):
        Period.month(name)


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "", "../etc/passwd", None])
def test_unknown_zones_are_refused(timezone):
    """A zone is never guessed."""
    with pytest.raises(PeriodError, match="IANA"):
        Period.week("2026-W46", timezone)


def test_a_month_in_utc_has_utc_bounds():
    """The default zone is UTC."""
    november = Period.month("2026-11")
    assert (november.start, november.end) == (
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
    )


def test_no_name_is_no_period():
    """A variable that holds nothing gets the same words as a wrong name."""
    with pytest.raises(PeriodError, match="period None is no week, month or day"):
        Period.named(None)
