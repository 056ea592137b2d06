"""A breakdown shows each dimension in the order asked for, with the numbers behind it."""

import polars as pl

from llmops_lib.views.breakdown import spend_breakdown_figures

HOSTILE = "<script>alert(1)</script>"
DAILY = pl.DataFrame(
    {
        "dimension": ["tenant", "model"],
        "value": [HOSTILE, "gpt-4o"],
        "started_on": ["2026-11-09", "2026-11-09"],
        "spend_usd": [3.0, 3.0],
    }
)
CHANGE = pl.DataFrame(
    {
        "dimension": ["tenant", "model"],
        "value": [HOSTILE, "gpt-4o"],
        "spend_usd_before": [1.0, None],
        "spend_usd_after": [3.0, 3.0],
        "spend_usd_change": [2.0, None],
        "spend_usd_change_share": [2.0, None],
        "call_count_after": [7, 7],
    }
)
PREVIOUS = pl.DataFrame({"started_on": ["2026-11-02"], "spend_usd": [1.0]})


def shown(dimensions):
    """The figures as text."""
    return spend_breakdown_figures(dimensions, daily=DAILY, change=CHANGE, previous=PREVIOUS)._repr_html_()


def test_dimensions_stand_in_the_order_asked_for():
    """The reader's first question comes first."""
    html = shown(["model", "tenant"])
    assert html.index("Spend per day by model") < html.index("Spend per day by tenant")


def test_the_numbers_behind_the_pictures_are_there_and_escaped():
    """A picture cannot be copied from, and a tenant chose its own name."""
    html = shown(["tenant"])
    assert "<td>$3.00</td>" in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_without_any_known_cost_there_is_no_empty_chart():
    """A frame without bars looks broken; the calls are still worth a table."""
    unpriced = CHANGE.with_columns(pl.lit(None, pl.Float64).alias("spend_usd_after"))
    html = spend_breakdown_figures(["model"], daily=DAILY, change=unpriced, previous=PREVIOUS)._repr_html_()
    assert "No call of this period has a known cost" in html
    assert "<picture>" not in html
    assert "<td>7</td>" in html
