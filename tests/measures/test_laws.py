"""Laws that hold for any table of calls."""

import math

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from llmops_lib.frames import collected
from llmops_lib.measures.change import change_between
from llmops_lib.measures.cost import spend_by, top_spenders
from llmops_lib.measures.errors import error_rates, errors_by_class
from llmops_lib.measures.headline import headline
from llmops_lib.measures.latency import latency_percentiles

LAWFUL = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

ROW = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["a", "b", None]),
        "tenant": st.sampled_from(["acme", None]),
        "is_model_call": st.booleans(),
        "is_error": st.booleans(),
        "error_type": st.sampled_from(["Timeout", None]),
        "cost_usd": st.none() | st.floats(0, 100, allow_subnormal=False),
        "latency_ms": st.none() | st.floats(0, 1e6, allow_subnormal=False),
        "input_tokens": st.none() | st.integers(0, 10**6),
        "output_tokens": st.none() | st.integers(0, 10**6),
    }
)
ROWS = st.lists(ROW, min_size=1, max_size=40)
BY = st.sampled_from(["model", "tenant", ["tenant", "model"]])


def build(calls, rows):
    """The rows as a table of calls."""
    return calls(**{name: [row[name] for row in rows] for name in rows[0]})


@given(rows=ROWS, by=BY)
@LAWFUL
def test_spend_of_groups_is_all_known_cost(engine, calls, rows, by):
    """No group may lose or double a cent, whatever is unknown."""
    spend = collected(spend_by(engine(build(calls, rows)), by))
    costs = [row["cost_usd"] for row in rows if row["is_model_call"]]
    known = [cost for cost in costs if cost is not None]
    assert spend["spend_usd"].sum() == pytest.approx(math.fsum(known))
    assert spend["call_count"].sum() == len(costs)
    assert spend["unpriced_count"].sum() == len(costs) - len(known)


@given(rows=ROWS, by=BY)
@LAWFUL
def test_money_is_the_same_to_the_last_digit_on_every_engine(engine, calls, rows, by):
    """Two people with two libraries must not argue about a cent, nor about less."""
    table = build(calls, rows)
    assert collected(spend_by(engine(table), by)).rows() == spend_by(table, by).rows()


@given(rows=ROWS, by=BY)
@LAWFUL
def test_shares_of_all_spenders_sum_to_one(engine, calls, rows, by):
    """Where anything was spent, somebody spent it."""
    top = collected(top_spenders(engine(build(calls, rows)), by, n=100))
    total = top["spend_usd"].sum()
    assert top["spend_share"].sum() == pytest.approx(1.0 if total > 0 else 0.0)


@given(rows=ROWS, by=BY)
@LAWFUL
def test_errors_are_the_same_however_they_are_counted(engine, calls, rows, by):
    """Rates, classes and headline count the same failures."""
    table = engine(build(calls, rows))
    failed = sum(row["is_error"] for row in rows if row["is_model_call"])
    counts = [
        collected(measure(table, by))["error_count"].sum() for measure in (error_rates, errors_by_class)
    ]
    assert [*counts, collected(headline(table))["error_count"].sum()] == [failed] * 3


@given(rows=ROWS)
@LAWFUL
def test_percentiles_rise_and_stay_within_the_range(engine, calls, rows):
    """A percentile is between the fastest and the slowest call."""
    row = collected(latency_percentiles(engine(build(calls, rows)), percentiles=(25, 50, 75))).row(0)
    values = [row["latency_ms"] for row in rows if row["is_model_call"] and row["latency_ms"] is not None]
    known = [value for value in row[2:] if value is not None]
    assert row[0] == len(values)
    assert all(min(values) <= value * (1 + 1e-12) and value <= max(values) * (1 + 1e-12) for value in known)
    assert known == pytest.approx(sorted(known))


@given(before=ROWS, after=ROWS, by=BY)
@LAWFUL
def test_changes_of_counts_sum_to_the_change_of_the_total(engine, calls, before, after, by):
    """Groups that are new or gone are part of what changed."""
    tables = [build(calls, rows) for rows in (before, after)]
    spends = [spend_by(engine(table), by) for table in tables]
    change = collected(change_between(*spends, on=by, columns="call_count"))
    calls_of = [table.filter("is_model_call").height for table in tables]
    sides = change.select(pl.col("call_count_before", "call_count_after").sum()).row(0)
    assert list(sides) == calls_of
