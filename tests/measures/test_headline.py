"""The figures that open a report."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmops_lib.errors import MissingColumnError
from llmops_lib.frames import collected
from llmops_lib.measures.cost import spend_by
from llmops_lib.measures.headline import headline

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


@pytest.fixture
def week(calls):
    """Four calls in two traces, and a parent span that is no call."""
    return calls(
        trace_id=["t1", "t1", "t1", "t2", "t3"],
        is_model_call=[True, True, True, True, False],
        is_error=[False, True, False, False, True],
        cost_usd=[0.5, None, 0.25, 0.0, 64.0],
        input_tokens=[100, None, 30, 7, 9000],
        output_tokens=[10, None, 3, None, 900],
        latency_ms=[100.0, 900.0, 300.0, None, 7000.0],
        user_id=["ann", None, "bob", "ann", "eve"],
        session_id=[None, None, None, None, "s9"],
        started_at=[MONDAY + timedelta(hours=hour) for hour in (2, 1, 3, 4, 0)],
    )


def test_headline_figures(engine, week):
    """Every figure is of model calls only, and unknown users are no user."""
    assert collected(headline(engine(week))).row(0, named=True) == {
        "spend_usd": 0.75,
        "call_count": 4,
        "unpriced_count": 1,
        "unpriced_share": 0.25,
        "input_tokens": 137,
        "output_tokens": 13,
        "latency_p50_ms": 300.0,
        "latency_p95_ms": None,
        "error_count": 1,
        "error_share": 0.25,
        "trace_count": 2,
        "user_count": 2,
        "session_count": 0,
        "first_at": MONDAY + timedelta(hours=1),
        "last_at": MONDAY + timedelta(hours=4),
    }


def test_headline_of_no_calls_is_one_row_of_nothing(engine, week):
    """A report compares with the period before, which may be empty."""
    row = collected(headline(engine(week.clear()))).row(0, named=True)
    counts = {name for name in row if name.endswith("_count")}
    assert {row[name] for name in counts} == {0}
    assert {row[name] for name in set(row) - counts} == {None}


def test_headline_keeps_its_dtypes_over_no_calls(engine, week):
    """Two headlines are put side by side; their columns must fit."""
    full, empty = (collected(headline(engine(table))) for table in (week, week.clear()))
    instants = ["first_at", "last_at"]
    assert full.drop(instants).schema == empty.drop(instants).schema
    assert [full.schema[name].base_type() for name in instants] == [pl.Datetime, pl.Datetime]
    assert [empty.schema[name].base_type() for name in instants] == [pl.Datetime, pl.Datetime]


def test_headline_agrees_with_the_breakdown(engine, week):
    """The first figure of a report and the sum of its table are the same money."""
    spend = collected(spend_by(engine(week), "user_id"))
    row = collected(headline(engine(week)))
    assert row["spend_usd"].to_list() == [spend["spend_usd"].sum()]


def test_unpriced_table_is_refused(engine, week):
    """Without prices there is no headline, and the message says what to do."""
    with pytest.raises(MissingColumnError, match=r"cost_usd.*price_calls"):
        headline(engine(week.drop("cost_usd")))
