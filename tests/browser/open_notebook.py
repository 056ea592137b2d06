"""A what-if notebook that is open in a browser: its panels, and what moves their sliders."""

import re

import pytest

from tests.conftest import BROWSER_MS

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
            "chart": shown.locator("figure.chart").first.inner_html(),
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
