from datetime import UTC, datetime, timedelta

import pytest

from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import parse_time

MOMENT = datetime(2026, 3, 2, 10, 0, 0, 250_000, tzinfo=UTC)


def _reason(value, **keywords):
    with pytest.raises(Refused) as refusal:
        parse_time(value, **keywords)
    return refusal.value.reason


@pytest.mark.parametrize(
    "value",
    [
        1772445600.25,
        1772445600250,
        1772445600250000,
        1772445600250000000,
        "1772445600250000000",
        "2026-03-02T10:00:00.25Z",
        "2026-03-02T15:30:00.250+05:30",
        "2026-03-02 10:00:00.250000 UTC",
        "2026-03-02T10:00:00.250000123Z",
        datetime(2026, 3, 2, 11, 0, 0, 250_000, tzinfo=UTC) - timedelta(hours=1),
    ],
)
def test_the_same_moment_is_read_from_every_spelling(value):
    """Exports write seconds to nanoseconds, as numbers or text, with any zone."""
    assert parse_time(value) == MOMENT


def test_what_comes_back_is_in_utc():
    """Periods are compared in UTC; another zone would shift days silently."""
    assert parse_time("2026-03-02T15:30:00+05:30").tzinfo is UTC


def test_nanoseconds_do_not_pass_through_floats():
    """A double keeps 15 digits, a nanosecond time has 19."""
    assert parse_time("1772445600250001999").microsecond == 250_001


def test_absent_times_are_unknown():
    """Open spans have no end."""
    assert parse_time(None) is None
    assert parse_time("") is None


def test_a_stated_unit_is_believed():
    """A format that fixes its unit must not have it guessed: this number of ns is a moment of 1970."""
    assert _reason(1772445600250, unit="ns") == "time_range"


def test_text_without_a_zone_needs_one():
    """The same text is another moment in every office."""
    assert _reason("2026-03-02T10:00:00") == "naive_time"
    assert parse_time("2026-03-02T10:00:00", timezone="Europe/Berlin") == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_moment_a_few_hours_ahead_is_taken():
    """Clocks differ, and some are set to local time."""
    assert parse_time(datetime.now(UTC) + timedelta(hours=20))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("03/02/2026 10:00", "time"),
        ("2016-12-31T23:59:60Z", "time"),
        ("2026-02-30T10:00:00Z", "time"),
        ("2026-03-02", "time"),
        ("soon", "time"),
        (True, "time"),
        ([], "time"),
        ("0001-01-01T00:00:00Z", "time_range"),
        ("0001-01-01T00:00:00+05:00", "time_range"),
        ("2099-01-01T00:00:00Z", "time_range"),
        (0, "time_range"),
        (-1, "time_range"),
        (10**50, "time_range"),
        (1e300, "time_range"),
        ("9" * 5_000, "time_range"),
        (float("nan"), "nonfinite"),
    ],
)
def test_every_refusal_has_its_reason(value, reason):
    """The quarantine is only useful if it says what is wrong."""
    assert _reason(value) == reason
