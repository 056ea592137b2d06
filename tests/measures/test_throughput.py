"""Traffic and speed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.throughput import throughput
from llmops_lib.periods import Period

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
DAY = Period.days(date(2026, 11, 9), date(2026, 11, 10))


def test_rates_are_over_the_whole_period(engine, calls):
    """Idle hours count: the rate of a busy hour is another question."""
    table = calls(
        model=["a", "a", "b"],
        input_tokens=[86_400, 43_200, None],
        output_tokens=[8_640, None, None],
    )
    rates = collected(throughput(engine(table), DAY, "model")).drop("generation_p50_tokens_per_second")
    assert rates.rows() == [
        ("a", 2, pytest.approx(1 / 12), 1.5, pytest.approx(0.1)),
        ("b", 1, pytest.approx(1 / 24), None, None),
    ]


def test_calls_outside_the_period_do_not_count(engine, calls):
    """The end of a half-open period belongs to the next one."""
    starts = [MONDAY - timedelta(seconds=1), MONDAY, MONDAY + timedelta(days=1)]
    assert collected(throughput(engine(calls(started_at=starts)), DAY))["call_count"].to_list() == [1]


def test_day_of_a_clock_change_has_its_own_length(engine, calls):
    """Berlin's 25 October 2026 has 25 hours."""
    day = Period.days(date(2026, 10, 25), date(2026, 10, 26), "Europe/Berlin")
    table = calls(started_at=[datetime(2026, 10, 25, 12, tzinfo=UTC)])
    assert collected(throughput(engine(table), day))["calls_per_hour"].to_list() == [pytest.approx(1 / 25)]


def test_speed_is_the_median_of_successful_calls_that_wrote(engine, calls):
    """A call that failed, wrote nothing or has no latency has no speed."""
    table = calls(
        latency_ms=[1000.0, 2000.0, 500.0, 0.0, None, 100.0],
        output_tokens=[80, 352, 0, 7, 9, 5000],
        is_error=[False, False, False, False, False, True],
    )
    speeds = collected(throughput(engine(table), DAY))["generation_p50_tokens_per_second"].to_list()
    assert speeds == [pytest.approx((80.0 + 176.0) / 2)]


def test_speed_of_one_call_is_no_median(engine, calls):
    """The rule of all percentiles holds here too."""
    table = calls(latency_ms=[1000.0], output_tokens=[80])
    assert collected(throughput(engine(table), DAY))["generation_p50_tokens_per_second"].to_list() == [None]
