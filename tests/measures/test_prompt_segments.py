"""Segments of a comparison, and how the calls of an arm are spread."""

import numpy as np
import polars as pl
import pytest

from llmops_lib import prompt_distributions, prompt_segments
from llmops_lib.errors import ComparisonError
from tests.measures.conftest import _calls

ARMS = {"a": "answer@1", "b": "answer@2"}


def traffic(effects, users=12):
    """One call a user: 12 users of each arm per model; what b adds differs by model."""
    rows = [
        (model, arm, place, 1.0 + place / 10 + (effect if arm == "2" else 0.0))
        for model, effect in effects.items()
        for arm in ("1", "2")
        for place in range(users)
    ]
    return _calls(
        model=[row[0] for row in rows],
        prompt_name=["answer"] * len(rows),
        prompt_version=[row[1] for row in rows],
        user_id=[f"{row[0]}-{row[1]}-{row[2]}" for row in rows],
        cost_usd=[row[3] for row in rows],
        latency_ms=[1000 * row[3] for row in rows],
    )


def test_each_segment_has_its_own_difference():
    """Three models, three effects; the values are the means of the twelve users."""
    found = prompt_segments(traffic({"x": 0.0, "y": 1.0, "z": 2.0}), **ARMS, by="model").sort("segment")
    assert found["diff"].to_list() == pytest.approx([0.0, 1.0, 2.0])
    assert found.select("a_user_count", "b_user_count", "call_count").row(0) == (12, 12, 24)


def test_segments_are_drawn_together_by_as_much_as_noise_deserves():
    """Effects that are all alike collapse to one; effects that differ widely keep their own."""
    alike = prompt_segments(traffic({"x": 0.9, "y": 1.0, "z": 1.1}), **ARMS, by="model")
    assert np.ptp(alike["shrunken"].to_numpy()) == pytest.approx(0.0)
    apart = prompt_segments(traffic({"x": 0.0, "y": 10.0, "z": 20.0}), **ARMS, by="model").sort("segment")
    assert apart["shrunken"].to_list() == pytest.approx([0.0, 10.0, 20.0], abs=0.1)
    assert apart["own_weight_share"].min() > 0.99


def test_a_segment_of_few_users_has_no_noise_and_no_part_in_it():
    """Four users in an arm: the difference stands there, nothing follows from it."""
    spans = pl.concat([traffic({"x": 1.0, "y": 1.0}), traffic({"w": 9.0}, users=4)])
    row = prompt_segments(spans, **ARMS, by="model").filter(segment="w").row(0, named=True)
    assert (row["se"], row["shrunken"]) == (None, None)


def test_percentiles_are_told_as_far_as_calls_resolve_them():
    """12 calls say nothing of the 1st percentile; the 50th is that of the calls."""
    spread = prompt_distributions(traffic({"x": 1.0}), **ARMS, column="latency_ms")
    assert spread["percentile"].min() == 9
    medians = spread.filter(percentile=50)["value"].to_list()
    assert medians == pytest.approx([1550.0, 2550.0])


@pytest.mark.parametrize(
    "call",
    [
        lambda spans: prompt_segments(spans, **ARMS, by="model", metric="joy"),
        lambda spans: prompt_distributions(spans, **ARMS, column="joy"),
    ],
    ids=["segments", "distributions"],
)
def test_an_unknown_metric_lists_those_there_are(call):
    """A misspelt name answers itself."""
    with pytest.raises(ComparisonError, match=r"cost_usd|cost_per_call_usd"):
        call(traffic({"x": 1.0}))
