"""A panel: controls on the left, one scenario on the right, drawn anew with every change."""

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets
from markupsafe import Markup

from llmops_lib.errors import LlmopsError
from llmops_lib.views.html import Html
from llmops_lib.views.scenario import Scenario, live_scenario, static_scenario

Settings = dict[str, Any]
Compute = Callable[[Settings], Scenario]

REDRAW_DELAY_S = 0.04
"""How long changes are gathered before they are drawn: a slider sends one with every pixel it moves."""


class Panel:
    """Controls and the scenario that they choose; the last expression of a cell shows it.

    JupyterLab and Voila show it live; a report, which has no kernel, shows the scenario that the controls
    stand at as a picture.

    Attributes:
        controls: The controls by the name of their setting.
        box: The widget that holds them and the scenario.
        button: What draws a scenario that takes too long to follow a slider; None where it follows.
    """

    def __init__(self, controls: Mapping[str, Any], compute: Compute, *, run_label: str = "") -> None:
        self.controls = dict(controls)
        self._compute = compute
        self._is_waiting = False
        self._shown = ipywidgets.HTML()
        self._shown.add_class("llmops-scenario")
        for control in self.controls.values():
            control.observe(self._changed, names="value")
        self.button = ipywidgets.Button(description=run_label) if run_label else None
        column = ipywidgets.VBox([*self.controls.values(), *([self.button] if self.button else [])])
        column.add_class("llmops-controls")
        self.box = ipywidgets.VBox([ipywidgets.HTML(f"<style>{_stylesheet()}</style>"), column, self._shown])
        self.box.add_class("llmops-panel")
        if self.button:
            self.button.on_click(lambda _button: self.redraw())
        self.redraw()

    @property
    def settings(self) -> Settings:
        """What the controls stand at."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def shown(self) -> str:
        """The HTML that the panel shows."""
        return str(self._shown.value)

    def redraw(self) -> None:
        """Draws the scenario of the settings; what goes wrong is said in its place."""
        self._is_waiting = False
        try:
            markup = live_scenario(self._compute(self.settings)).markup
        except LlmopsError as error:
            markup = _problem("This setting cannot be computed.", error)
        # A callback has nobody to raise to: an error that is not shown here is never seen.
        except Exception as error:  # noqa: BLE001
            markup = _problem("The panel could not draw this setting.", error)
        self._shown.value = str(markup)

    def static(self) -> Html:
        """The scenario of the settings for a page without a kernel."""
        return static_scenario(self._compute(self.settings))

    def _changed(self, _change: Any) -> None:
        if self._is_waiting:
            return
        if self.button:
            self._shown.value = str(
                Markup('<p class="note">Settings changed: press {}.</p>').format(self.button.description)
            )
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no event loop: a script or a test, where nothing would draw later
            self.redraw()
            return
        self._is_waiting = True
        loop.call_later(REDRAW_DELAY_S, self.redraw)

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, Any]:
        # Frontends with a kernel take the widget; a report takes the HTML.
        live = self.box._repr_mimebundle_()
        return {**live, "text/html": str(self.static().markup)}


@cache
def _stylesheet() -> str:
    return Path(__file__).with_name("panel.css").read_text("utf-8")


def _problem(what: str, error: Exception) -> Markup:
    return Markup('<p class="warn" role="alert">{} {}: {}</p>').format(
        what, type(error).__name__, str(error)[:400]
    )
