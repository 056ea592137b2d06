"""Calls drawn by stratum: repeatable, in proportion, with weights that add up."""

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops_lib.calls.drawn import drawn_by_stratum

CALL = st.tuples(st.sampled_from(["chat", "search", None]), st.booleans(), st.integers(0, 9))


def table(rows):
    """Calls with ids of their own."""
    columns = {
        "trace_id": [f"t{number:03}" for number in range(len(rows))],
        "span_id": ["s"] * len(rows),
        "feature": [row[0] for row in rows],
        "is_error": [row[1] for row in rows],
        "input_chars": [row[2] for row in rows],
    }
    return pl.DataFrame(columns, schema_overrides={"feature": pl.String})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(CALL, min_size=1, max_size=60), size=st.integers(1, 40))
def test_weights_stand_for_all_calls_and_the_size_is_kept(rows, size):
    """A weighted count of the sample is the count of the calls; a wrong weight biases every effect."""
    calls = table(rows)
    drawn = drawn_by_stratum(calls, size=size)
    assert drawn.height == min(size, len(rows))
    assert abs(drawn["weight"].sum() - len(rows)) < 1e-9
    per_stratum = drawn.group_by("stratum").agg(pl.sum("weight"), pl.first("stratum_count"))
    assert (per_stratum["weight"] - per_stratum["stratum_count"]).abs().max() < 1e-9
    assert drawn.select("trace_id").is_unique().all()


def test_the_same_calls_give_the_same_sample_in_any_order():
    """A rerun of yesterday's sample must find its answers kept."""
    calls = table([("chat", number % 7 == 0, number) for number in range(100)])
    drawn = drawn_by_stratum(calls, size=20)
    assert drawn.equals(drawn_by_stratum(calls.sample(fraction=1, shuffle=True, seed=1), size=20))
    assert not drawn.equals(drawn_by_stratum(calls, size=20, seed=1))


def test_rare_kinds_of_calls_are_in_the_sample():
    """One failed call in a thousand is what a reviewer wants to see."""
    calls = table([("chat", number == 500, number) for number in range(1000)])
    drawn = drawn_by_stratum(calls, size=30)
    assert drawn.filter("is_error")["weight"].to_list() == [1.0]
