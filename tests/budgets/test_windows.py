"""Calendar windows start on local midnights."""

from datetime import UTC, datetime, timedelta

import pytest

from llmops_lib.budgets.windows import calendar_starts, calendar_window, rolling_length, window_start

AT = datetime(2026, 11, 12, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("day", "2026-11-11T23:00", "2026-11-12T23:00"),
        ("week", "2026-11-08T23:00", "2026-11-15T23:00"),
        ("month", "2026-10-31T23:00", "2026-11-30T23:00"),
    ],
)
def test_a_calendar_window_is_bounded_by_local_midnights(window, start, end):
    """A Berlin day starts an hour before the UTC one."""
    found = calendar_window(window, AT, "Europe/Berlin")
    assert [bound.isoformat()[:16] for bound in found] == [start, end]


def test_a_day_with_a_clock_change_is_longer():
    """On 2026-10-25 a Berlin day has 25 hours."""
    start, end = calendar_window("day", datetime(2026, 10, 25, 12, tzinfo=UTC), "Europe/Berlin")
    assert end - start == timedelta(hours=25)


def test_a_rolling_window_reaches_back_from_now():
    """It has no calendar."""
    assert rolling_length("rolling 90m") == timedelta(minutes=90)
    assert window_start("rolling 7d", AT, "UTC") == AT - timedelta(days=7)


def test_windows_follow_each_other_without_gaps():
    """Replays find the window of a call between two neighbours."""
    starts = calendar_starts("week", AT, AT + timedelta(days=20), "UTC")
    assert [start.day for start in starts] == [9, 16, 23, 30, 7]
