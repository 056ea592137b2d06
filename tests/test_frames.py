"""The bridge keeps the kind of table it was given."""

from datetime import UTC, date, datetime

import duckdb
import pandas as pd
import polars as pl
import pytest

from llmops_lib.errors import EngineError, MissingColumnError
from llmops_lib.frames import collected, in_period, narwhal, with_content, with_day
from llmops_lib.periods import Period

WEEK = Period.week("2026-W46", "Europe/Berlin")
STARTS = pl.DataFrame(
    {
        "started_at": [
            datetime(2026, 11, 8, 22, 59, 59, tzinfo=UTC),
            datetime(2026, 11, 8, 23, 0, tzinfo=UTC),
            datetime(2026, 11, 10, 22, 59, tzinfo=UTC),
            datetime(2026, 11, 15, 22, 59, tzinfo=UTC),
            datetime(2026, 11, 15, 23, 0, tzinfo=UTC),
        ]
    }
)
ENGINES = {
    "polars": lambda table: table,
    "polars lazy": lambda table: table.lazy(),
    "pandas": lambda table: table.to_pandas(),
    "duckdb": lambda table: duckdb.from_arrow(table.to_arrow()),
}


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
def test_a_period_keeps_its_start_and_leaves_its_end(engine):
    """Half-open periods count every call once, on local days, in every engine."""
    table = engine(STARTS)
    days = with_day(table, WEEK)
    assert isinstance(days, type(table))
    assert sorted(collected(days)["started_on"]) == ["2026-11-09", "2026-11-10", "2026-11-15"]


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
def test_rows_outside_the_period_are_dropped(engine):
    """The same bounds without the day column."""
    assert collected(in_period(engine(STARTS), WEEK)).height == 3


def test_a_missing_column_is_named_beside_those_there():
    """The reader of the message should not have to print the table."""
    with pytest.raises(MissingColumnError, match=r"\['cost_usd'\].*\['started_at'\].*price_calls"):
        narwhal(STARTS, columns=["cost_usd"], hint="Call price_calls() first")


def test_an_object_that_is_no_table_is_refused():
    """A path or a list is a mistake, not an empty table."""
    with pytest.raises(EngineError, match="list"):
        narwhal([1, 2])


def test_an_empty_pandas_table_is_still_a_table():
    """No rows is an answer too."""
    empty = pd.DataFrame({"started_at": pd.Series([], dtype="datetime64[us, UTC]")})
    assert collected(in_period(empty, WEEK)).height == 0


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
def test_content_is_fetched_for_the_calls_at_hand(engine):
    """Two spans of one trace have different texts, and order is the caller's."""
    spans = pl.DataFrame(
        {
            "trace_id": ["t1", "t1", "t2", "t3"],
            "span_id": ["a", "b", "a", "a"],
            "input": ["first", "second", "third", "fourth"],
            "output": ["1", "2", None, "4"],
        }
    )
    calls = pl.DataFrame(
        {"trace_id": ["t2", "t1", "t9"], "span_id": ["a", "b", "a"], "latency_ms": [9.0, 5.0, 1.0]}
    )
    rows = with_content(calls, engine(spans)).select("latency_ms", "input", "output").rows()
    assert rows == [(9.0, "third", None), (5.0, "second", "2"), (1.0, None, None)]


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
def test_a_year_of_days_is_no_harder_than_a_week(engine):
    """A condition per day, one inside the other, is too deep for an engine at a year."""
    year = Period.days(date(2026, 1, 1), date(2027, 1, 1))
    days = collected(with_day(engine(STARTS), year)).sort("started_at")["started_on"].to_list()
    assert days == ["2026-11-08", "2026-11-08", "2026-11-10", "2026-11-15", "2026-11-15"]
