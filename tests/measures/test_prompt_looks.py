"""Two prompts day by day: the limits of each look, and the smallest p value so far."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from llmops_lib import compare_prompts, prompt_looks
from llmops_lib.errors import ComparisonError
from tests.measures.conftest import MONDAY, _calls

ARMS = {"a": "answer@1", "b": "answer@2"}


def arriving(gaps, users_a_day=60, seed=1):
    """Users of both arms in turn, new ones each day; `gaps` is what b costs more on that day."""
    generator = np.random.default_rng(seed)
    rows = [
        (f"u{day}-{place}", str(1 + place % 2), day, 1 + generator.normal(0, 0.2) + gap * (place % 2))
        for day, gap in enumerate(gaps)
        for place in range(users_a_day)
    ]
    height = len(rows)
    return _calls(
        user_id=[row[0] for row in rows],
        prompt_name=["answer"] * height,
        prompt_version=[row[1] for row in rows],
        started_at=[MONDAY + timedelta(days=row[2]) for row in rows],
        cost_usd=[float(row[3]) for row in rows],
        latency_ms=[1000.0 * row[3] for row in rows],
        input_tokens=[100] * height,
        output_tokens=[10] * height,
    )


def test_the_last_day_is_what_a_comparison_of_all_days_says():
    """One look at everything: the same limits and p value as `compare_prompts` gives."""
    spans = arriving([0.1] * 4)
    last = prompt_looks(spans, **ARMS).row(-1, named=True)
    row = compare_prompts(spans, **ARMS).metrics.row(0, named=True)
    assert row["metric"] == "cost_per_call_usd"
    same = {name: row[name] for name in ("diff", "lower", "upper", "p_value", "a_user_count", "b_user_count")}
    assert {name: last[name] for name in same} == pytest.approx(same)


def test_what_was_proven_is_not_taken_back():
    """A difference of three days that turns into its opposite: p rises again, the smallest so far stays."""
    looks = prompt_looks(arriving([0.3, 0.3, 0.3, -0.5, -0.5]), **ARMS)
    assert looks["p_so_far"].drop_nulls().is_sorted(descending=True)
    assert looks["p_value"][-1] > looks["p_so_far"][-1]
    assert looks["p_so_far"][-1] == looks.filter(~pl.col("is_early"))["p_value"].min()
    assert looks["day"].to_list() == [f"2026-11-{day:02d}" for day in range(MONDAY.day, MONDAY.day + 5)]


def test_a_look_before_fifty_users_in_an_arm_proves_nothing():
    """30 in each arm on the first day: its p value is shown and not counted."""
    looks = prompt_looks(arriving([2.0, 0.0]), **ARMS)
    assert looks["is_early"].to_list() == [True, False]
    assert (looks["p_value"][0] < 1e-6, looks["p_so_far"][0]) == (True, None)


def test_a_call_without_a_time_belongs_to_no_day():
    """It was left out without a word, where `compare_prompts` counts on it."""
    spans = arriving([0.0, 0.0])
    untimed = spans.with_columns(started_at=pl.lit(None, spans.schema["started_at"]))
    with pytest.raises(ComparisonError, match="calls have no started_at, expected one each"):
        prompt_looks(pl.concat([spans, untimed.head(1)]), **ARMS)


def test_percentiles_are_looked_at_too():
    """The 50th percentile of latency, by users; an unknown metric lists those there are."""
    assert prompt_looks(arriving([0.5] * 3), **ARMS, metric="latency_p50_ms")["diff"][-1] > 300
    with pytest.raises(ComparisonError, match="found no metric speed"):
        prompt_looks(arriving([0.0]), **ARMS, metric="speed")
