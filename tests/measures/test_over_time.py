"""Latency through a period is shown in buckets that can carry it."""

from datetime import timedelta

import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.over_time import latency_over_time, readable_bucket

from .conftest import MONDAY


def hours(counts):
    """Starts of calls: so many in each hour from Monday midnight."""
    return [
        MONDAY + timedelta(hours=hour, seconds=call)
        for hour, count in enumerate(counts)
        for call in range(count)
    ]


def test_each_hour_has_its_own_percentiles(calls, engine):
    """An incident of two hours drowns in a week."""
    table = calls(started_at=hours([20, 0, 21]), latency_ms=[100.0, 300.0] * 10 + [10.0, 20.0, 90.0] * 7)
    rows = collected(latency_over_time(engine(table), every="1h"))
    assert rows.select("call_count", "latency_p50_ms").rows() == [(20, 200.0), (21, 20.0)]
    assert rows["bucket_at"].dt.hour().to_list() == [0, 2]


def test_an_hour_of_few_calls_is_left_open(calls, engine):
    """The p95 of three calls is their maximum under another name, and their median is noise."""
    table = calls(started_at=hours([3]), latency_ms=[1.0, 2.0, 3.0])
    rows = collected(latency_over_time(engine(table)))
    assert rows.select("latency_p50_ms", "latency_p95_ms").rows() == [(None, None)]


@pytest.mark.parametrize(("counts", "bucket"), [([20, 25, 3], "1h"), ([20, 3, 3], "1d"), ([1], "1d")])
def test_dense_traffic_is_shown_by_the_hour(calls, engine, counts, bucket):
    """A line of gaps says nothing; neither does one point per day of a busy week."""
    starts = hours(counts)
    assert readable_bucket(engine(calls(started_at=starts, latency_ms=[5.0] * len(starts)))) == bucket
