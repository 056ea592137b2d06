"""The chart of what anybody who looked every day would have seen."""

import polars as pl
import pytest

from llmops_lib.views.comparison_charts import looks_chart


@pytest.fixture
def looks():
    """Three looks: one too early, one that proves a difference, one that no longer does."""
    return pl.DataFrame(
        {
            "day": ["2026-11-02", "2026-11-03", "2026-11-04"],
            "diff": [0.5, 0.4, 0.1],
            "lower": [0.1, 0.2, -0.1],
            "upper": [0.9, 0.6, 0.3],
            "is_early": [True, False, False],
            "p_so_far": [None, 0.01, 0.01],
        }
    )


def subtitle(chart):
    """What the chart says below its title."""
    return chart.to_dict()["title"]["subtitle"]


def test_the_smallest_p_value_so_far_and_its_first_day_are_told(looks):
    """The last look alone would deny what the second one proved."""
    assert subtitle(looks_chart(looks, metric="cost_per_call_usd")).endswith(
        "Smallest p value so far: 0.010; below 5% from 2026-11-03 on"
    )


def test_looks_that_proved_nothing_say_so(looks):
    """At a level of 1% the same looks never got there; early ones alone cannot."""
    assert subtitle(looks_chart(looks, metric="cost_per_call_usd", alpha=0.01)).endswith("never below 1%")
    early = looks.head(1).with_columns(pl.col("p_so_far").cast(pl.Float64))
    assert subtitle(looks_chart(early, metric="error_share")) == "No look had enough users to prove anything"


def test_an_early_look_is_set_apart_and_the_axis_names_its_unit(looks):
    """Grey is what nobody should act on."""
    drawn = looks_chart(looks, metric="latency_p95_ms").to_dict()
    rows = next(iter(drawn["datasets"].values()))
    assert [row["look"] for row in rows] == ["too few users to act on", "counted", "counted"]
    assert drawn["layer"][1]["encoding"]["y"]["title"] == "Difference (ms)"


def test_arms_that_cannot_be_compared_show_no_look(looks):
    """An invalid comparison draws an empty chart that says so."""
    assert subtitle(looks_chart(looks.clear(), metric="cost_per_call_usd")) == "No effect is shown"
