"""Failures."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.errors import error_rates, errors_by_class

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


def outcomes(calls, failed, total):
    """So many calls, of which so many failed."""
    return calls(is_error=[place < failed for place in range(total)])


def test_share_of_failed_calls_by_group(engine, calls):
    """Only model calls count: a parent repeats the failure of its child."""
    table = calls(
        model=["a", "a", "a", "a", "b", None],
        is_error=[True, False, False, False, False, True],
        is_model_call=[True, True, True, True, True, False],
    )
    rates = collected(error_rates(engine(table), "model")).select(
        "model", "call_count", "error_count", "error_share"
    )
    assert rates.rows() == [("a", 4, 1, 0.25), ("b", 1, 0, 0.0)]


@pytest.mark.parametrize("name", ["0_of_10", "1_of_10", "10_of_10", "81_of_263", "0_of_200"])
def test_interval_agrees_with_the_reference_vectors(shared, engine, calls, name):
    """No failures in ten calls still allow for a quarter of calls to fail."""
    text = (shared / "reference" / "stats_vectors.json").read_text(encoding="utf-8")
    vector = next(v for v in json.loads(text)["vectors"] if v["name"] == f"proportion_ci.{name}")
    table = outcomes(calls, vector["inputs"]["k"], vector["inputs"]["n"])
    row = collected(error_rates(engine(table))).row(0, named=True)
    bounds = [row["error_share_low"], row["error_share_high"]]
    assert bounds == pytest.approx(vector["expected"]["wilson"], rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("failed", "total"), [(0, 1), (1, 1), (0, 7), (3, 7), (7, 7), (1, 1000)])
def test_interval_contains_the_share_and_stays_a_share(engine, calls, failed, total):
    """A bound outside 0 to 1 would be drawn outside the axis."""
    row = collected(error_rates(engine(outcomes(calls, failed, total)))).row(0, named=True)
    assert 0 <= row["error_share_low"] <= row["error_share"] <= row["error_share_high"] <= 1


def test_share_over_no_calls_is_unknown(engine, calls):
    """No calls did not all succeed."""
    empty = engine(outcomes(calls, 0, 1).clear())
    assert collected(error_rates(empty)).rows() == [(0, 0, None, None, None)]


@pytest.fixture
def failures(calls):
    """Five failures on two models, one of a kind that the export does not name."""
    return calls(
        model=["a", "a", "a", "b", "b", "a"],
        is_error=[True, True, True, True, True, False],
        error_type=["Timeout", "RateLimit", "RateLimit", None, "RateLimit", None],
        started_at=[MONDAY + timedelta(hours=hour) for hour in range(6)],
    )


def test_classes_are_counted_most_frequent_first(engine, failures):
    """An unnamed class stays a class: unknown is not none."""
    classes = collected(errors_by_class(engine(failures)))
    assert classes.select("error_type", "error_count", "error_share_of_errors").rows() == [
        ("RateLimit", 3, pytest.approx(0.6)),
        ("Timeout", 1, 0.2),
        (None, 1, 0.2),
    ]


def test_classes_say_when_they_began_and_ended(engine, failures):
    """An outage has a first and a last call."""
    classes = collected(errors_by_class(engine(failures))).filter(pl.col("error_type") == "RateLimit")
    assert classes.select("first_at", "last_at").rows() == [
        (MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=4))
    ]


def test_share_of_errors_is_within_the_group(engine, failures):
    """Of a model's failures, not of all failures."""
    classes = collected(errors_by_class(engine(failures), "model"))
    assert classes.select("model", "error_type", "error_share_of_errors").rows() == [
        ("a", "RateLimit", pytest.approx(2 / 3)),
        ("a", "Timeout", pytest.approx(1 / 3)),
        ("b", "RateLimit", 0.5),
        ("b", None, 0.5),
    ]


def test_share_of_errors_adds_up_where_the_group_is_unknown(engine, calls):
    """A window over a null key must not lose the rows of it."""
    table = calls(tenant=[None, None], is_error=[True, True], error_type=["A", "B"])
    shares = collected(errors_by_class(engine(table), "tenant"))["error_share_of_errors"].to_list()
    assert shares == [0.5, 0.5]


def test_grouping_by_the_class_itself_changes_nothing(engine, failures):
    """Naming the column that is always there is no mistake."""
    assert collected(errors_by_class(engine(failures), "error_type"))["error_count"].sum() == 5


def test_no_failures_give_no_rows(engine, calls):
    """A good week has an empty table, and no row of nulls."""
    assert collected(errors_by_class(engine(calls(is_error=[False])))).is_empty()
