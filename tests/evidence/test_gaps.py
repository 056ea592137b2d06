"""Stretches without spans: found where traffic was to be expected, and nowhere else."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from llmops_lib.evidence.gaps import time_gaps

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def traffic(seed, *, days, per_hour, sessions=False):
    """Poisson traffic with a daily cycle, a night that is almost still, and quieter weekends."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.uniform(0, 24 * days, rng.poisson(24 * days * per_hour)))
    cycle = (1 + np.cos((hours % 24 - 14) / 12 * np.pi)) / 2
    quiet = np.where(hours // 24 % 7 >= 5, 0.3, 1.0)
    hours = hours[rng.uniform(size=hours.size) < cycle * quiet]
    names = [f"s{number}" for number in range(hours.size)]
    if sessions:
        burst = rng.integers(1, 8, hours.size)
        hours, names = np.repeat(hours, burst), np.repeat(names, burst)
        hours = hours + rng.uniform(0, 0.05, hours.size)
    return spans(hours, names)


def spans(hours, names=None):
    """Spans that start so many hours after Monday."""
    return pl.DataFrame(
        {
            "trace_id": [f"t{number}" for number in range(len(hours))],
            "session_id": [None] * len(hours) if names is None else list(names),
            "started_at": [MONDAY + timedelta(hours=float(hour)) for hour in hours],
        },
        schema={"trace_id": pl.String, "session_id": pl.String, "started_at": pl.Datetime("us", "UTC")},
    )


def without(table, first, last):
    """The table with an outage between two times, in hours after Monday."""
    outage = [MONDAY + timedelta(hours=hour) for hour in (first, last)]
    return table.filter(~pl.col("started_at").is_between(*outage))


@pytest.mark.parametrize("sessions", [False, True])
def test_steady_traffic_shows_a_gap_in_at_most_one_load_of_a_hundred(sessions):
    """An alarm at every quiet night would soon be ignored; bursts of one session are no outage either."""
    loads = [traffic(seed, days=10, per_hour=8, sessions=sessions) for seed in range(200)]
    assert sum(not time_gaps(load).is_empty() for load in loads) <= 2


@pytest.mark.parametrize(("days", "first"), [(10, 24 * 3 + 12), (28, 24 * 15 + 12)])
def test_an_outage_at_noon_is_found_where_it_was(days, first):
    """Three hours without a span in the middle of a working day are not chance."""
    (gap,) = time_gaps(without(traffic(5, days=days, per_hour=20), first, first + 3)).iter_rows(named=True)
    assert gap["last_before_at"] < MONDAY + timedelta(hours=first)
    assert gap["first_after_at"] > MONDAY + timedelta(hours=first + 3)
    assert gap["expected_count"] > 30


def test_the_same_stretch_at_night_is_none():
    """Nobody asked then on the other days."""
    assert time_gaps(without(traffic(5, days=10, per_hour=20), 24 * 3 + 1, 24 * 3 + 4)).is_empty()


def test_an_hour_is_judged_by_the_same_hour_of_other_days():
    """By hand: four sessions an hour on two days, and none from 5 to 8 on the third: 12 were expected."""
    hours = [day * 24 + hour / 4 for day in range(3) for hour in range(96)]
    cut = [hour for hour in hours if not 24 * 2 + 5 <= hour < 24 * 2 + 8]
    (gap,) = time_gaps(spans(cut), false_alarm=0.9).iter_rows(named=True)
    # From 4:45 to 8:00, with four an hour on the other two days: (2/3) ** 8 for each whole hour.
    assert gap["duration_ms"] == 3.25 * 3_600_000
    assert gap["expected_count"] == pytest.approx(13)
    assert gap["probability"] == pytest.approx((2 / 3) ** 24 * (2 / 2.25) ** 8)


@pytest.mark.parametrize("hours", [[], [1.0], [1.0, 1.1, 20.0], [0.0, 0.1, 0.2, 24.0 * 300]])
def test_loads_without_traffic_to_compare_have_no_gaps(hours):
    """Two test runs a year apart are not an outage of a year."""
    assert time_gaps(spans(hours)).is_empty()


def test_spans_of_long_traces_fill_a_stretch():
    """A gap is a stretch without any span, also where no trace started."""
    load = without(traffic(5, days=10, per_hour=20), 84, 87)
    agent = spans([hour / 100 for hour in range(8350, 8750)]).with_columns(pl.lit("agent").alias("trace_id"))
    assert time_gaps(pl.concat([load, agent])).is_empty()
