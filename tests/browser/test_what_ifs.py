"""The what-if notebooks in a real browser: every slider moves figures and chart, by key and by mouse."""

import re

import pytest

from tests.browser.conftest import hostile_texts
from tests.conftest import BROWSER_MS
from tests.widgets.test_span_tree import PAYLOADS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("what-ifs")]

PANELS = {"05_routing_what_if": 1, "06_budget_what_if": 2, "07_caching_what_if": 1}
"""How many panels each notebook shows."""
ROUTING = "05_routing_what_if"
RUN_MS = 600_000
REDRAW_MS = 180_000


class Notebook:
    """An open notebook, what it asked for outside this machine, and its panels."""

    def __init__(self, page):
        self.page = page
        page.set_default_timeout(BROWSER_MS)
        self.outside = []
        page.route(
            lambda url: not re.match(r"https?://127\.0\.0\.1|wss?://127|data:|blob:", url), self._refuse
        )
        self.errors = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _refuse(self, route):
        self.outside.append(route.request.url)
        route.abort()

    def wait_for_panels(self, count):
        """Waits until the notebook has shown so many."""
        shown = self.page.locator(".llmops-scenario .summary")
        shown.nth(count - 1).wait_for(state="attached", timeout=RUN_MS)

    def scenario(self, place):
        """The text, the figures and the chart of a panel."""
        shown = self.page.locator(".llmops-scenario").nth(place)
        return {
            "text": shown.inner_text(),
            "figures": shown.locator(".kpi-value").all_inner_texts(),
            "chart": shown.locator("svg").first.inner_html(),
        }

    def changed(self, place, before, *parts):
        """The scenario once those parts of it are others."""
        for _ in range(REDRAW_MS // 100):
            after = self.scenario(place)
            if all(after[part] != before[part] for part in parts):
                return after
            self.page.wait_for_timeout(100)
        pytest.fail(f"of {parts} of panel {place} some did not change: {before['text']}")

    def at_rest(self, place):
        """The scenario once half a second has brought no other."""
        looks = [self.scenario(place)]
        for _ in range(REDRAW_MS // 100):
            self.page.wait_for_timeout(100)
            looks = [*looks[-4:], self.scenario(place)]
            if len(looks) == 5 and all(look == looks[0] for look in looks):
                break
        return looks[-1]


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


def move_every_slider(opened, screenshots):
    """Moves each slider of each panel by key and by mouse; every time another scenario must appear."""
    panels = opened.page.locator(".llmops-panel")
    for place in range(panels.count()):
        handles = panels.nth(place).locator(".noUi-handle")
        for number in range(handles.count()):
            move(opened, place, handles.nth(number))
        panels.nth(place).screenshot(path=screenshots / f"panel-{place}.png")


def move(opened, place, handle):
    """One slider: three steps of an arrow key, then a drag to both ends."""
    handle.scroll_into_view_if_needed()
    before = opened.scenario(place)
    handle.focus()
    for _ in range(3):
        opened.page.keyboard.press("ArrowLeft")
    opened.changed(place, before, "text")
    track = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-base')]").bounding_box()
    drag(opened, place, handle, track["x"] + track["width"] + 5, "text")
    drag(opened, place, handle, track["x"] - 5, "text", "figures", "chart")
    # Back to the middle, so that the next slider finds something to change.
    drag(opened, place, handle, track["x"] + track["width"] * 0.55, "text")
    opened.at_rest(place)


def drag(opened, place, handle, to_x, *parts):
    """Draws the handle somewhere with the mouse; those parts of the scenario must become others."""
    # While a slider moves, several scenarios are drawn; the last one is what counts.
    before = opened.at_rest(place)
    box = handle.bounding_box()
    middle = box["y"] + box["height"] / 2
    mouse = opened.page.mouse
    mouse.move(box["x"] + box["width"] / 2, middle)
    mouse.down()
    mouse.move((box["x"] + to_x) / 2, middle, steps=3)
    mouse.move(to_x, middle, steps=3)
    mouse.up()
    opened.changed(place, before, *parts)


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


def test_a_trace_that_wants_to_be_run_is_shown_as_text(browser, voila):
    """A browser parses what a test can only read: no text of a trace becomes an element of the page."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    opened = Notebook(page)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{voila}/voila/render/span_tree.ipynb", timeout=RUN_MS)
    tree = page.locator("figure.span-tree")
    tree.wait_for(timeout=RUN_MS)
    for payload in PAYLOADS:
        assert payload.replace("\x1b", "\\x1b").replace("\x07", "\\x07") in tree.inner_text()
    assert tree.locator("script, img, iframe, a, b, [onmouseover], [onerror]").count() == 0
    assert tree.locator("li").count() == len(PAYLOADS) + 1
    page.locator("select").select_option("failed spans")
    tree.locator("li").nth(1).wait_for(state="detached", timeout=REDRAW_MS)
    assert "input:" in tree.inner_text()
    page.locator("input[type=checkbox]").uncheck()
    tree.locator("small").first.wait_for(state="detached", timeout=REDRAW_MS)
    assert (dialogs, opened.outside, opened.errors) == ([], [], [])
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
