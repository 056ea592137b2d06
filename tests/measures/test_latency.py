"""Latency percentiles."""

import csv
import json

import pytest

from llmops_lib.errors import LlmopsError
from llmops_lib.frames import collected
from llmops_lib.measures.latency import latency_percentiles, time_to_first_token


def test_percentiles_interpolate_linearly(engine, calls):
    """Every engine must mean the same by a percentile."""
    table = calls(latency_ms=[float(value) for value in range(1, 101)])
    row = collected(latency_percentiles(engine(table)))
    assert row.rows() == [(100, 0, pytest.approx(50.5), pytest.approx(95.05), pytest.approx(99.01))]


@pytest.mark.parametrize(("count", "known"), [(1, 0), (2, 1), (19, 1), (20, 2), (99, 2), (100, 3)])
def test_percentile_needs_enough_calls_to_have_a_tail(engine, calls, count, known):
    """The 99th percentile of twenty calls is their maximum under a grander name."""
    table = calls(latency_ms=[float(value) for value in range(count)])
    row = collected(latency_percentiles(engine(table))).row(0)
    assert [value is not None for value in row[2:]] == [place < known for place in range(3)]


def test_failed_calls_stay_in_and_are_counted_beside(engine, calls):
    """Without its timeouts an outage looks fast."""
    table = calls(latency_ms=[100.0, 60_000.0, None], is_error=[False, True, True])
    assert collected(latency_percentiles(engine(table), percentiles=[50])).rows() == [(2, 1, 30_050.0)]


def test_calls_of_unknown_latency_are_not_counted(engine, calls):
    """The count beside a percentile must be the count it was computed from."""
    table = calls(model=["a", "a", "a", "b"], latency_ms=[10.0, None, 30.0, None])
    rows = collected(latency_percentiles(engine(table), "model", percentiles=[50])).rows()
    assert rows == [("a", 2, 0, 20.0)]


def test_groups_are_sorted_with_the_unknown_one_last(engine, calls):
    """An unnamed group is a finding, and no row to lose."""
    table = calls(model=[None, None, "b", "b", "a", "a"], latency_ms=[1.0, 3.0, 5.0, 9.0, 20.0, 40.0])
    rows = collected(latency_percentiles(engine(table), ["model"], percentiles=[50])).rows()
    assert rows == [("a", 2, 0, 30.0), ("b", 2, 0, 7.0), (None, 2, 0, 2.0)]


def test_no_calls_have_no_percentiles(engine, calls):
    """Unknown, and neither zero nor an error."""
    table = engine(calls(latency_ms=[1.0]).clear())
    assert collected(latency_percentiles(table)).rows() == [(0, 0, None, None, None)]


@pytest.mark.parametrize("percentile", [0, 100, -5, 950])
def test_impossible_percentile_is_refused(engine, calls, percentile):
    """A share where a percentile was meant should not pass silently."""
    with pytest.raises(LlmopsError, match="between 0 and 100"):
        latency_percentiles(engine(calls(latency_ms=[1.0])), percentiles=[percentile])


def test_fractional_percentile_has_a_plain_column_name(calls):
    """A dot in a column name would have to be quoted everywhere."""
    table = latency_percentiles(calls(latency_ms=[1.0, 2.0]), percentiles=[99.9])
    assert table.columns == ["call_count", "error_count", "latency_p99_9_ms"]


def test_first_token_is_measured_over_streamed_calls(engine, calls):
    """A call that did not stream has no first token; its null is not zero."""
    table = calls(
        model=["a", "a", "a", "b"],
        time_to_first_token_ms=[200.0, 400.0, None, None],
        is_error=[True, False, False, False],
        latency_ms=[1.0, 2.0, 3.0, 4.0],
    )
    percentiles = time_to_first_token(engine(table), "model", percentiles=(50, 95))
    assert collected(percentiles).rows() == [("a", 2, 1, 300.0, None)]


def test_estimates_agree_with_the_reference_vectors(shared, engine, calls):
    """Real output lengths, and estimates that another library computed from them."""
    reference = shared / "reference"
    vectors = json.loads((reference / "stats_vectors.json").read_text(encoding="utf-8"))["vectors"]
    vector = next(v for v in vectors if v["name"] == "quantile_ci.order_statistic.conv_500_0")
    first, last = vector["inputs"]["rows"]
    with (reference / vector["inputs"]["file"]).open(encoding="utf-8", newline="") as file:
        values = [float(row[vector["inputs"]["column"]]) for row in csv.DictReader(file)][first : last + 1]
    found = collected(latency_percentiles(engine(calls(latency_ms=values)))).row(0)[2:]
    assert found == pytest.approx([vector["expected"][q]["estimate"] for q in ("0.5", "0.95", "0.99")])
