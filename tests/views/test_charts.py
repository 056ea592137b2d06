"""Charts are tested on their specification, and drawn once each, also from empty tables."""

import base64
import re
from datetime import UTC, datetime

import altair as alt
import polars as pl
import pytest

from llmops_lib.views.error_charts import error_share_chart, errors_by_class_chart
from llmops_lib.views.latency_charts import latency_by_chart, latency_over_time_chart
from llmops_lib.views.picture import NARROW, WIDE, chart_svg, figure_markup, use_picture_charts
from llmops_lib.views.scales import money_axis
from llmops_lib.views.spend_charts import daily_spend_chart, spend_change_chart

HOSTILE = '</script><img src=x onerror="alert(1)">'

DAILY = pl.DataFrame(
    {
        "started_on": ["2026-11-09", "2026-11-09", "2026-11-10"],
        "model": ["gpt-4o", HOSTILE, None],
        "spend_usd": [3.0, 5.0, 0.5],
    }
)
PREVIOUS = pl.DataFrame({"started_on": ["2026-11-02", "2026-11-03"], "spend_usd": [2.0, 1.0]})
CHANGE = pl.DataFrame(
    {
        "tenant": ["acme", None],
        "spend_usd_after": [8.0, 0.25],
        "spend_usd_before": [4.0, None],
        "spend_usd_change_share": [1.0, None],
    }
)
OVER_TIME = pl.DataFrame(
    {
        "bucket_at": [datetime(2026, 11, 9, hour, tzinfo=UTC) for hour in range(3)],
        "latency_p50_ms": [800.0, 0.0, 900.0],
        "latency_p95_ms": [2000.0, None, 2100.0],
    }
)
BY_MODEL = pl.DataFrame(
    {
        "model": ["gpt-4o", None],
        "call_count": [40, 3],
        "latency_p50_ms": [700.0, 650.0],
        "latency_p95_ms": [2500.0, None],
    }
)
ERROR_SHARE = pl.DataFrame(
    {
        "started_on": ["2026-11-09"],
        "error_share": [0.02],
        "error_share_low": [0.01],
        "error_share_high": [0.04],
    }
)
ERRORS = pl.DataFrame({"started_on": ["2026-11-09"], "error_type": [None], "error_count": [7]})

CHARTS = {
    "daily spend": lambda take: daily_spend_chart(take(DAILY), "model", previous=take(PREVIOUS)),
    "spend change": lambda take: spend_change_chart(take(CHANGE), "tenant"),
    "latency over time": lambda take: latency_over_time_chart(take(OVER_TIME)),
    "latency by model": lambda take: latency_by_chart(take(BY_MODEL), "model"),
    "error share": lambda take: error_share_chart(take(ERROR_SHARE)),
    "errors by class": lambda take: errors_by_class_chart(take(ERRORS)),
}


@pytest.mark.parametrize("build", CHARTS.values(), ids=CHARTS.keys())
def test_every_chart_draws_and_names_what_it_shows(build):
    """Wide and narrow, light and dark, and in print."""
    figure = figure_markup(build(lambda table: table).to_dict())
    assert "<figcaption>" in figure
    assert figure.count("data:image/svg+xml;base64,") == 5


@pytest.mark.parametrize("build", CHARTS.values(), ids=CHARTS.keys())
def test_a_chart_of_nothing_is_a_sentence(build):
    """A week without errors must not show an empty frame, nor break the report that says so."""
    figure = figure_markup(build(lambda table: table.clear()).to_dict())
    assert "<picture>" not in figure
    assert "Nothing to show." in figure


def test_percentiles_that_no_hour_can_resolve_are_not_drawn():
    """Axes around no line look like a fault."""
    unknown = OVER_TIME.with_columns(pl.lit(None, pl.Float64).alias(name) for name in OVER_TIME.columns[1:])
    assert "Nothing to show." in figure_markup(latency_over_time_chart(unknown).to_dict())


@pytest.mark.parametrize("build", CHARTS.values(), ids=CHARTS.keys())
def test_axis_titles_carry_units(build):
    """An axis without a unit is a guess."""
    drawn = str(build(lambda table: table).to_dict())
    assert re.search(r"'title': '[^']*\((USD|USD per day|s, log scale|%)\)|Failed calls'", drawn)


def test_spend_bars_start_at_zero_and_stack_the_largest_first():
    """A cut baseline would make a small change look like a crisis."""
    spec = daily_spend_chart(DAILY, "model").to_dict()["layer"][0]
    assert spec["mark"]["type"] == "bar"
    assert "scale" not in spec["encoding"]["y"]
    assert spec["encoding"]["color"]["scale"]["domain"] == [HOSTILE, "gpt-4o", "(not recorded)"]


def test_the_period_before_is_paired_by_position_of_the_day():
    """Monday is compared with Monday."""
    spec = daily_spend_chart(DAILY, "model", previous=PREVIOUS).to_dict()
    marks = spec["datasets"][spec["layer"][1]["data"]["name"]]
    assert marks == [
        {"started_on": "2026-11-09", "spend_usd": 2.0},
        {"started_on": "2026-11-10", "spend_usd": 1.0},
    ]


def test_hostile_names_stay_text_in_the_drawing():
    """A model name comes from the trace and may hold markup."""
    svg = chart_svg(daily_spend_chart(DAILY, "model").to_dict(), width=WIDE, mode="light")
    assert "<img" not in svg
    assert "<script" not in svg


def test_the_same_chart_gives_the_same_picture():
    """The same input must give a byte-identical report."""
    spec = spend_change_chart(CHANGE, "tenant").to_dict()
    assert figure_markup(spec) == figure_markup(spec)


def test_a_chart_is_drawn_to_the_width_of_its_page():
    """On a phone a shrunken laptop chart cannot be read."""
    svg = chart_svg(spend_change_chart(CHANGE, "tenant").to_dict(), width=NARROW, mode="dark")
    assert f'width="{NARROW}"' in svg


def test_notebooks_show_charts_as_pictures():
    """Altair's own renderer loads its script from a network address."""
    use_picture_charts()
    try:
        shown = spend_change_chart(CHANGE, "tenant")._repr_mimebundle_()
    finally:
        alt.renderers.enable("default")
    encoded = re.findall(r"base64,([A-Za-z0-9+/=]+)", shown["text/html"])
    assert all(base64.b64decode(text).startswith(b"<svg") for text in encoded)
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", shown["text/html"])


def test_a_day_without_spend_keeps_its_place():
    """A missing Tuesday would put Wednesday's mark beside Tuesday's bar."""
    daily = pl.concat(
        [DAILY, DAILY.head(1).with_columns(started_on=pl.lit("2026-11-11"), spend_usd=pl.lit(0.0))]
    )
    spec = daily_spend_chart(daily, "model").to_dict()["layer"][0]
    assert spec["encoding"]["x"]["scale"]["domain"] == ["2026-11-09", "2026-11-10", "2026-11-11"]


@pytest.mark.parametrize(
    ("largest", "written"), [(0.05, "$,.3~f"), (12.0, "$,.2~f"), (50_000.0, "$~s"), (None, "$,.2~f")]
)
def test_small_money_is_not_written_in_thousandths(largest, written):
    """$50m reads as fifty million."""
    assert money_axis(largest).to_dict()["format"] == written


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_names_in_a_legend_stand_apart_by_more_than_a_wider_font_takes(width):
    """DejaVu is a seventh wider than Arial: the long name of a model ran into the next one."""
    name = "anthropic/claude-4-5"
    rows = pl.DataFrame({"started_on": ["2026-11-09"] * 2, "model": [name, "b"], "spend_usd": [2.0, 1.0]})
    svg = chart_svg(daily_spend_chart(rows, "model").to_dict(), width=width, mode="light")
    legend = svg[svg.index("role-legend-entry") :]
    drawn_px = float(re.search(r'd="M0,0h([\d.]+)v12', legend)[1])
    next_starts_px = float(re.search(r'<g transform="translate\(([\d.]*[1-9][\d.]*),0\)"', legend)[1])
    assert next_starts_px >= drawn_px * 8 / 7
