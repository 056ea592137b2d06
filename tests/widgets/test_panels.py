"""Panels: what moves when a control does, and what happens when nothing can be drawn."""

import asyncio
import re

import polars as pl
import pytest

from llmops_lib import (
    BreakerPolicy,
    breaker_panel,
    budget_panel,
    caching_panel,
    routing_panel,
    spend_strata,
)
from llmops_lib.errors import ParameterError
from llmops_lib.views.picture import PANEL, chart_svg
from llmops_lib.widgets.panel import REDRAW_DELAY_S, Panel
from tests.cpu_times import fastest_s

pytestmark = pytest.mark.usefixtures("no_running_loop")

POLICY = BreakerPolicy(limit_usd=0.2, reserve_usd=0.03, window="rolling 1h", each="user_id")
PANELS = {
    "routing": (routing_panel, "share", 17),
    "caching": (caching_panel, "hit_share", 17),
    "spend": (budget_panel, "growth", 50),
    "calls": (lambda calls: breaker_panel(calls, POLICY), "limit_usd", 0.1),
}


@pytest.fixture(params=PANELS)
def panel(request):
    """Each panel, and the name of its slider."""
    build, slider, other = PANELS[request.param]
    return build(request.getfixturevalue(request.param)), slider, other


def figures(panel):
    """The values of the cards."""
    return re.findall(r'<div class="kpi-value[^>]*>([^<]*)<', panel.shown)


def test_a_moved_slider_changes_the_figures_and_the_chart(panel):
    """It is what the panel is for."""
    shown, slider, other = panel
    before = (figures(shown), re.search("<svg.*</svg>", shown.shown, re.DOTALL)[0])
    shown.controls[slider].value = other
    after = (figures(shown), re.search("<svg.*</svg>", shown.shown, re.DOTALL)[0])
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_a_redraw_gives_the_chart_that_drawing_from_nothing_gives(panel):
    """What is the same with every move is compiled once; rows put in later are drawn alike."""
    shown, slider, other = panel
    shown.controls[slider].value = other
    chart = shown._compute(shown.settings).chart
    drawn = re.search("<svg.*</svg>", shown.shown, re.DOTALL)[0]
    assert rounded(drawn) == rounded(chart_svg(chart, width=PANEL, mode="light"))


def rounded(svg):
    """A drawing without its colours, which are a page's, and without the last digits of its numbers."""
    bare = re.sub(r'"(#[0-9a-f]{6}|var\([^)]*\))"', "", svg)
    return re.sub(r"\d+\.\d+", lambda number: f"{round(float(number[0]), 6):g}", bare)


def test_spend_that_is_unknown_is_not_told_as_zero(calls):
    """Whoever hosts a model has no list price; a cap of theirs is a question, and no saving of nothing."""
    unpriced = calls.with_columns(cost_usd=pl.lit(None, dtype=pl.Float64), is_priced=pl.lit(value=False))
    shown = budget_panel(spend_strata(unpriced))
    assert "No call has a known cost" in shown.shown
    assert figures(shown)[:2] == ["–", "–"]
    assert "Nothing to show." in shown.shown


def test_a_breaker_that_refuses_nothing_shows_the_largest_spenders(calls):
    """Eight bars that refuse most would be eight by chance."""
    generous = BreakerPolicy(limit_usd=1e6, reserve_usd=0.03, window="rolling 1h", each="user_id")
    shown = breaker_panel(calls, generous)
    assert "none refuses" in shown.shown
    rows = shown._compute(shown.settings).chart["datasets"]["breakers"]
    spent = [row["usd"] for row in rows if row["part"] == "let through"]
    assert spent == sorted(spent, reverse=True)


def test_every_control_changes_the_scenario(routing, caching, spend, calls):
    """A control that does nothing is a lie."""
    panels = (
        routing_panel(routing),
        caching_panel(caching),
        budget_panel(spend),
        breaker_panel(calls, POLICY),
    )
    for shown in panels:
        for name, control in shown.controls.items():
            before, first = shown.shown, control.value
            options = [value for _, value in getattr(control, "options", ())]
            if name == "features":
                control.value = (options[-1],)
            elif options:
                control.value = next(value for value in options if value != control.value)
            else:
                control.value = control.value * 0.7 if "USD" in control.description else 35
            assert shown.shown != before, name
            control.value = first
            assert shown.shown == before, name


def test_controls_are_labelled_with_their_units(panel):
    """A slider from 0 to 100 says of what."""
    shown, slider, _ = panel
    assert shown.controls[slider].description.endswith(("(%)", "(USD)"))
    assert all(control.description for control in shown.controls.values())


def test_changes_are_gathered_while_a_slider_is_dragged(routing):
    """A drag sends a change per pixel; each drawing takes a twentieth of a second."""
    shown = routing_panel(routing)
    drawn = []
    shown.redraw = lambda redraw=shown.redraw: (drawn.append(shown.settings["share"]), redraw())

    async def drag():
        for share in range(20, 40):
            shown.controls["share"].value = share
        assert drawn == []
        await asyncio.sleep(REDRAW_DELAY_S * 2)

    asyncio.run(drag())
    assert drawn == [39]
    assert "39" in str(shown.settings["share"])


@pytest.mark.parametrize(
    "error", [ParameterError("to_model: found <b>'x'</b>"), ZeroDivisionError("<b>oh</b>")]
)
def test_an_error_is_shown_in_the_panel_as_text(routing, error):
    """A callback has nobody to raise to."""
    broken = routing_panel(routing)

    def compute(settings):
        if settings["share"] == 13:
            raise error
        return broken._compute(settings)

    shown = Panel(broken.controls, compute)
    shown.controls["share"].value = 13
    assert type(error).__name__ in shown.shown
    assert "&lt;b&gt;" in shown.shown
    assert "<b>" not in shown.shown
    shown.controls["share"].value = 14
    assert type(error).__name__ not in shown.shown


def test_names_from_traces_are_text_and_nothing_else(hostile):
    """A feature may be called by whoever sends the trace; options, tables and charts show it as text."""
    routing, caching, calls = hostile
    strata = spend_strata(calls)
    by_feature = POLICY.model_copy(update={"each": ("feature",)})
    panels = [routing_panel(routing), caching_panel(caching), budget_panel(strata, each="feature")]
    for shown in (*panels, breaker_panel(calls, by_feature)):
        for markup in (shown.shown, str(shown.static().markup)):
            assert "<img src=x" not in markup
            assert "&lt;img src=x" in markup
    assert ("<img src=x onerror=alert(1)>",) * 2 in panels[0].controls["features"].options


def test_personal_data_in_names_is_masked(routing):
    """A panel is shown to a room."""
    from dataclasses import replace

    import polars as pl

    named = replace(
        routing, cells=routing.cells.with_columns(pl.col("feature").replace("chat", "ann@example.com"))
    )
    moved = replace(
        named, moves=routing.moves.with_columns(pl.col("feature").replace("chat", "ann@example.com"))
    )
    shown = routing_panel(moved)
    assert "ann@example.com" not in shown.shown
    assert "ann@example.com" not in [label for label, _ in shown.controls["features"].options]


def test_a_frontend_gets_the_widget_and_a_report_gets_the_picture(panel):
    """One cell serves both, so that they cannot differ."""
    bundle = panel[0]._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"].count("<picture>") == 1
    assert "<svg" not in bundle["text/html"]
    assert "<style" not in bundle["text/html"]


def test_a_replay_that_takes_long_waits_for_its_button(calls, monkeypatch):
    """A slider that answers after seconds is broken; a button that does is not."""
    monkeypatch.setattr("llmops_lib.widgets.budgets.LIVE_CALLS", 100)
    shown = breaker_panel(calls, POLICY)
    before = figures(shown)
    shown.controls["limit_usd"].value = 0.05
    assert "press Replay call by call" in shown.shown
    shown.button.click()
    assert figures(shown) != before


def test_a_first_setting_that_does_not_exist_is_refused_at_once(routing, caching):
    """A typo in a parameter is the notebook's error, not the panel's."""
    with pytest.raises(ParameterError, match="to_model: found 'nobody'"):
        routing_panel(routing, to_model="nobody")
    with pytest.raises(ParameterError, match="features: found 'nothing'"):
        caching_panel(caching, features=["nothing"])
    with pytest.raises(ParameterError, match="no second model"):
        routing_panel(type(routing)(routing.cells, routing.moves.clear(), *list(vars(routing).values())[2:]))


def test_a_redraw_takes_a_fraction_of_a_second(panel):
    """A tenth on a quiet machine, whatever the number of calls; the bound leaves room for a busy one."""
    shown, slider, other = panel
    shown.redraw()
    steps = iter([1, 1.1, 1.2, 1.3])

    def move():
        shown.controls[slider].value = other * next(steps)

    assert fastest_s(move, runs=4) < 1
