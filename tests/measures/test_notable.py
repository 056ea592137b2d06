"""Single calls worth a look."""

from datetime import UTC, datetime, timedelta

import pytest

from llmops_lib.errors import MissingColumnError
from llmops_lib.frames import collected
from llmops_lib.measures.notable import failed_calls, most_expensive_calls, slowest_calls

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
SHOWN = [
    "trace_id",
    "span_id",
    "started_at",
    "model",
    "tenant",
    "feature",
    "user_id",
    "latency_ms",
    "cost_usd",
    "input_tokens",
    "output_tokens",
    "error_type",
    "error_message",
    "http_status",
    "input",
    "output",
]


@pytest.fixture
def five(calls):
    """Four calls, two of them tied, and a longer span that is no call."""
    return calls(
        trace_id=["t2", "t1", "t1", "t3", "t4"],
        span_id=["a", "b", "a", "a", "a"],
        is_model_call=[True, True, True, True, False],
        is_error=[True, True, True, False, True],
        latency_ms=[90.0, 90.0, 500.0, None, 9000.0],
        cost_usd=[0.25, 0.25, 0.5, None, 64.0],
        started_at=[MONDAY + timedelta(hours=hour) for hour in (3, 3, 1, 4, 5)],
        error_message=["<script>", "b", "c", None, "e"],
        http_status=[429, 500, None, 200, None],
    )


def ids(table):
    """Trace and span of each row."""
    return collected(table).select("trace_id", "span_id").rows()


def test_slowest_calls_come_first_and_ties_by_id(engine, five):
    """The same table must show the same calls each time."""
    assert ids(slowest_calls(engine(five))) == [("t1", "a"), ("t1", "b"), ("t2", "a")]


def test_latest_failures_come_first(engine, five):
    """What failed last is what may still be failing."""
    assert ids(failed_calls(engine(five))) == [("t1", "b"), ("t2", "a"), ("t1", "a")]


def test_most_expensive_calls_leave_out_unknown_costs(engine, five):
    """An unknown cost cannot be ranked."""
    assert ids(most_expensive_calls(engine(five))) == [("t1", "a"), ("t1", "b"), ("t2", "a")]


@pytest.mark.parametrize("measure", [slowest_calls, failed_calls, most_expensive_calls])
def test_list_is_no_longer_than_asked(engine, five, measure):
    """A report has room for so many rows."""
    assert len(ids(measure(engine(five), n=1))) == 1


@pytest.mark.parametrize("measure", [slowest_calls, failed_calls, most_expensive_calls])
def test_columns_are_those_a_reader_needs(engine, five, measure):
    """Provenance and ids come first, text comes last, nothing else comes along."""
    assert collected(measure(engine(five))).columns == SHOWN


def test_values_are_shown_as_they_are(engine, five):
    """Escaping belongs to the view; a measure that changes text would hide what was sent."""
    row = collected(failed_calls(engine(five))).row(1, named=True)
    assert (row["error_message"], row["http_status"], row["started_at"]) == (
        "<script>",
        429,
        MONDAY + timedelta(hours=3),
    )


def test_absent_columns_are_left_out(engine, five):
    """A table without text can still be ranked."""
    lean = five.select("trace_id", "span_id", "is_model_call", "latency_ms")
    assert collected(slowest_calls(engine(lean))).columns == ["trace_id", "span_id", "latency_ms"]


def test_missing_rank_is_named(engine, five):
    """Pricing comes before the most expensive calls."""
    with pytest.raises(MissingColumnError, match=r"cost_usd.*price_calls"):
        most_expensive_calls(engine(five.drop("cost_usd")))
