"""The what-if notebooks in a real browser: every slider moves figures and chart, by key and by mouse."""

import re

import pytest

from llmops_lib import run_report
from llmops_lib.reports.catalog import REPORTS
from tests.browser.conftest import hostile_texts
from tests.browser.executed import ACTIVE, outputs_of, trusted_copy
from tests.browser.open_notebook import RUN_MS, Notebook, move_every_slider
from tests.browser.panels_page import OF_A_PANEL, PanelsPage, write_page
from tests.browser.watched import Watched
from tests.reports.hostile import ROUNDS, round_of, shown_in
from tests.reports.hostile_files import MOST, given

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("what-ifs")]

PANELS = {"05_routing_what_if": 1, "06_budget_what_if": 2, "07_caching_what_if": 1}
"""How many panels each notebook shows."""
ROUTING = "05_routing_what_if"


@pytest.fixture(scope="module")
def in_voila(browser, voila):
    """Opens a notebook as a dashboard, once for all tests that look at it."""
    dashboards = {}

    def open_notebook(name):
        if name not in dashboards:
            opened = dashboards[name] = Notebook(browser.new_page())
            opened.page.goto(f"{voila}/voila/render/{name}.ipynb", timeout=RUN_MS)
            opened.wait_for_panels(PANELS[name])
        dashboards[name].page.set_viewport_size({"width": 1280, "height": 1000})
        return dashboards[name]

    yield open_notebook
    for opened in dashboards.values():
        opened.page.close()


@pytest.fixture
def in_jupyterlab(browser, jupyterlab):
    """Opens a notebook in JupyterLab and runs all of its cells."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})

    def open_notebook(name):
        opened = Notebook(page)
        page.goto(f"{jupyterlab}/lab/tree/{name}.ipynb?reset", timeout=RUN_MS)
        page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=RUN_MS)
        # Before its kernel is there, JupyterLab asks which one to run in.
        page.get_by_text(re.compile(r"\| Idle$")).first.wait_for(timeout=RUN_MS)
        page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
        page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
        opened.wait_for_panels(PANELS[name])
        return opened

    yield open_notebook
    # The kernel of this notebook would otherwise wait for the end of the session.
    page.goto("about:blank")
    page.close()


@pytest.mark.parametrize("name", PANELS)
def test_sliders_of_a_dashboard_move_figures_and_chart(name, in_voila, tmp_path):
    """Voila shows no code, and nothing leaves the machine."""
    opened = in_voila(name)
    assert opened.page.locator(".jp-InputArea-editor, .cm-editor").count() == 0
    move_every_slider(opened, tmp_path)
    assert len(list(tmp_path.glob("panel-*.png"))) == PANELS[name]
    assert opened.outside == []
    assert opened.errors == []


@pytest.mark.parametrize("name", PANELS)
def test_sliders_in_jupyterlab_move_figures_and_chart(name, in_jupyterlab, tmp_path):
    """The same panels beside their code."""
    opened = in_jupyterlab(name)
    move_every_slider(opened, tmp_path)
    assert len(list(tmp_path.glob("panel-*.png"))) == PANELS[name]
    assert opened.outside == []


def test_a_dashboard_fits_a_phone(in_voila, tmp_path):
    """Controls stand above the figures, and nothing but a table scrolls sideways."""
    opened = in_voila(ROUTING)
    opened.page.set_viewport_size({"width": 380, "height": 800})
    # The page is laid out anew a moment after its window has changed.
    opened.page.wait_for_function(
        """() => [...document.querySelectorAll('.llmops-panel > *:not(:first-child)')]
            .every(part => Math.round(part.getBoundingClientRect().right) <= 380)"""
    )
    opened.page.screenshot(path=tmp_path / "phone.png", full_page=True)
    assert opened.page.locator(".llmops-panel > *").count() > 1


def test_a_choice_is_made_by_name_and_every_control_has_a_label(in_voila):
    """What a screen reader says of a list is its label; a list changes the scenario as a slider does."""
    opened = in_voila(ROUTING)
    before = opened.scenario(0)
    opened.page.get_by_label("Which first").select_option("By chance")
    opened.changed(0, before, "text")
    labels = opened.page.locator(".llmops-controls .widget-label").all_inner_texts()
    assert "Share that moves (%)" in labels
    assert all(text.strip() for text in labels)


def test_whatever_acts_would_be_seen(browser):
    """Without this the tests below might pass because nobody looks."""
    page = browser.new_page()
    watched = Watched(page, "about:blank")
    page.set_content(
        "<div class=llmops-panel><img src='http://127.0.0.1:9/x' onerror=alert(1)>"
        "<a href='javascript:1'>a</a><svg onload='nobody()'></svg></div>",
        wait_until="load",
    )
    panel = page.locator(".llmops-panel")
    assert {"img", "src=http://127.0.0.1:9/x", "onerror", "a", "href=javascript:1", "onload"} <= (
        watched.elements(panel) - OF_A_PANEL
    )
    assert {one.split()[0] for one in watched.acted} == {"request", "dialog", "error"}
    page.close()


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_every_payload_is_in_every_panel_and_does_nothing(turn, browser, voila, notebooks, tried):
    """A panel that shows a dozen names is opened so often that each payload is in each; then it is used."""
    texts = round_of(turn, few=8)
    write_page(notebooks, f"payloads-{turn}", texts)
    own = f"{voila}/(voila/(render/payloads-{turn}.ipynb|(static|templates|labextensions)/.*)|api/kernels/.*)"
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    shown = PanelsPage(page, f"{voila}/voila/render/payloads-{turn}.ipynb", own, texts)
    assert shown.unshown() == []
    assert shown.foreign() == set()
    assert shown.use() == set()
    assert shown.watched.acted == []
    assert not list(notebooks.rglob("llmops-was-here*"))
    for panel in dict.fromkeys(panel for panel, _ in shown.named):
        tried(f"panel in Voila: {panel}", texts)
    page.close()


@pytest.fixture(params=sorted(REPORTS))
def executed(request, tmp_path):
    """A report over payloads: its name, these, and its notebook with all outputs."""
    texts = round_of(len(request.param) % ROUNDS, few=20, first=3)
    parameters = given(request.param, tmp_path, texts) | MOST.get(request.param, {})
    report = run_report(request.param, output=tmp_path / "reports", **parameters)
    return request.param, texts, report.html.with_name("report.ipynb")


@pytest.mark.skipif(ROUNDS == 1, reason="takes minutes: set LLMOPS_HOSTILE_ROUNDS to carry payloads so far")
def test_an_executed_notebook_that_jupyterlab_trusts_does_nothing(
    executed, browser, jupyterlab, notebooks, tried
):
    """The notebook of a report is opened with its outputs; of one that is trusted nothing is taken out."""
    name, texts, book = executed
    places = trusted_copy(book, notebooks / f"executed-{name}.ipynb", jupyterlab)
    parts = "lab/api|lab/extensions|static|api|lsp|kernelspecs"
    own = f"{jupyterlab}/(({parts})/.*|lab/tree/executed-{name}.ipynb.*)"
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    watched = Watched(page, own)
    page.goto(f"{jupyterlab}/lab/tree/executed-{name}.ipynb?reset", timeout=RUN_MS)
    shown, elements = outputs_of(page, watched, places)
    assert [one for one in elements if ACTIVE.fullmatch(one)] == []
    assert watched.acted == []
    assert shown_in(shown, texts)
    tried(f"notebook in JupyterLab, in its data: {name}", texts)
    tried(f"notebook in JupyterLab, in its text: {name}", shown_in(shown, texts))
    page.close()


def test_dashboards_over_hostile_names_show_them_as_text(browser, voila):
    """Models, features, tenants and users are named by whoever writes traces; each move draws them."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    opened = Notebook(page)
    acted = []
    page.on("dialog", lambda dialog: (acted.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda other: acted.append(other.url))
    page.goto(f"{voila}/voila/render/hostile.ipynb", timeout=RUN_MS)
    opened.wait_for_panels(sum(PANELS.values()))
    panels = page.locator(".llmops-panel")
    for place in range(panels.count()):
        before = opened.scenario(place)
        panels.nth(place).locator(".noUi-handle").first.focus()
        page.keyboard.press("ArrowLeft")
        after = opened.changed(place, before, "text")
        named = panels.nth(place).locator("select option").all_inner_texts()
        shown = "\n".join([after["text"], *named])
        # Long names are cut; a table names about a dozen.
        assert sum(text[:50] in shown for text in hostile_texts() if len(text) > 3) > 5
    handlers = "[onerror], [onload], [onmouseover], [onfocus], [ontoggle], [href^=javascript], img[src^=http]"
    assert page.locator(f":is({handlers})").count() == 0
    assert panels.locator(":is(script, iframe, object, embed, form)").count() == 0
    assert (acted, opened.outside, opened.errors) == ([], [], [])
    page.close()
