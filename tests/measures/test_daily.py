"""Days without calls."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from llmops_lib.errors import MissingColumnError
from llmops_lib.frames import collected, with_day
from llmops_lib.measures.cost import spend_by
from llmops_lib.measures.daily import complete_days
from llmops_lib.measures.latency import latency_percentiles
from llmops_lib.periods import Period

PERIOD = Period.days(date(2026, 11, 9), date(2026, 11, 12))


@pytest.fixture
def spread(calls):
    """Calls on the first and the last day, one of them of unknown cost."""
    return calls(
        model=["a", "b", None],
        started_at=[datetime(2026, 11, day, 12, tzinfo=UTC) for day in (9, 11, 11)],
        cost_usd=[0.5, None, 0.25],
        input_tokens=[10, None, 3],
        latency_ms=[100.0, 300.0, 700.0],
    )


def test_days_without_calls_have_zero_spend(engine, spread):
    """No calls is a fact: a gap in a chart would say that it is not known."""
    daily = spend_by(with_day(engine(spread), PERIOD), "started_on")
    days = collected(complete_days(daily, PERIOD))
    assert days.select("started_on", "call_count", "unpriced_count", "spend_usd", "input_tokens").rows() == [
        ("2026-11-09", 1, 0, 0.5, 10),
        ("2026-11-10", 0, 0, 0.0, 0),
        ("2026-11-11", 2, 1, 0.25, 3),
    ]


def test_each_group_gets_every_day(engine, spread):
    """A stacked chart needs each colour on each day, the unknown group too."""
    daily = spend_by(with_day(engine(spread), PERIOD), ["started_on", "model"])
    days = collected(complete_days(daily, PERIOD, by="model"))
    assert days.select("started_on", "model", "call_count", "spend_usd").rows() == [
        ("2026-11-09", "a", 1, 0.5),
        ("2026-11-09", "b", 0, 0.0),
        ("2026-11-09", None, 0, 0.0),
        ("2026-11-10", "a", 0, 0.0),
        ("2026-11-10", "b", 0, 0.0),
        ("2026-11-10", None, 0, 0.0),
        ("2026-11-11", "a", 0, 0.0),
        ("2026-11-11", "b", 1, None),
        ("2026-11-11", None, 1, 0.25),
    ]


def test_days_without_calls_have_no_latency(engine, spread):
    """Nothing took no time."""
    daily = latency_percentiles(with_day(engine(spread), PERIOD), "started_on", percentiles=[50])
    days = collected(complete_days(daily, PERIOD))
    assert days.select("call_count", "latency_p50_ms").rows() == [(1, None), (0, None), (2, 500.0)]


def test_period_without_any_calls_is_all_zeros(engine, spread):
    """An empty week is drawn as an empty week."""
    daily = spend_by(with_day(engine(spread.clear()), PERIOD), "started_on")
    days = collected(complete_days(daily, PERIOD))
    assert days.select("started_on", "call_count", "spend_usd").rows() == [
        ("2026-11-09", 0, 0.0),
        ("2026-11-10", 0, 0.0),
        ("2026-11-11", 0, 0.0),
    ]


def test_completing_keeps_columns_and_dtypes(engine, spread):
    """The completed table goes where the table went."""
    daily = spend_by(with_day(engine(spread), PERIOD), ["started_on", "model"])
    before, after = collected(daily), collected(complete_days(daily, PERIOD, by="model"))
    assert dict(after.schema) == dict(before.schema)
    assert after["call_count"].dtype == pl.Int64


def test_completing_twice_changes_nothing(engine, spread):
    """A complete table has nothing to add."""
    once = complete_days(spend_by(with_day(engine(spread), PERIOD), ["started_on"]), PERIOD)
    assert collected(complete_days(once, PERIOD)).equals(collected(once))


def test_missing_day_column_is_named(engine, spread):
    """`with_day` comes first."""
    with pytest.raises(MissingColumnError, match="started_on"):
        complete_days(spend_by(engine(spread)), PERIOD)
