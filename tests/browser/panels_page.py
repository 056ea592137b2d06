"""A page with every panel over payloads, and everything that a reader may do to one."""

from pathlib import Path

import nbformat
import polars as pl

from llmops_lib.safety import masked
from llmops_lib.widgets.controls import named_options
from tests.browser.open_notebook import REDRAW_MS, RUN_MS, Notebook
from tests.browser.watched import Watched
from tests.reports.hostile import write_hostile
from tests.widgets.hostile_panels import ROOT, panels_of

CELL = """
from pathlib import Path

from IPython.display import display

from tests.widgets.hostile_panels import hostile_panels

for panel in hostile_panels(Path({source!r}), {texts!r}):
    display(panel)
"""
OF_A_PANEL = frozenset(
    (
        *(
            "div",
            "span",
            "p",
            "figure",
            "figcaption",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "ul",
            "li",
        ),
        *("strong", "em", "small", "br", "style", "label", "input", "select", "option", "button"),
        *("svg", "g", "path", "text", "line", "class", "id", "role", "title", "type", "value", "for", "size"),
        *("multiple", "tabindex", "contenteditable", "checked", "disabled", "data-handle", "data-value"),
        *("aria-hidden", "aria-label", "aria-orientation", "aria-roledescription", "aria-valuemax"),
        *("aria-valuemin", "aria-valuenow", "aria-valuetext", "d", "display", "fill", "font-family"),
        *("font-size", "font-style", "font-weight", "height", "width", "opacity", "fill-opacity"),
        *("pointer-events", "stroke", "stroke-dasharray", "stroke-miterlimit", "stroke-opacity"),
        *("stroke-width", "text-anchor", "transform", "version", "viewBox", "x2", "y2", "xmlns"),
        "xmlns:xlink",
    )
)
"""Elements and attributes that panels are made of; none of them leads anywhere or does anything."""

MARKS = """panel => [...panel.querySelectorAll('svg path, svg text, td, li')].slice(0, 40).map(mark => {
    mark.scrollIntoView({block: 'center'});
    const box = mark.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2, window.scrollY];
})"""


def write_page(folder: Path, name: str, texts: list[str]) -> None:
    """A notebook that shows every panel over these payloads."""
    source = write_hostile(folder / "traces" / f"{name}.jsonl", texts)
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(CELL.format(source=str(source), texts=texts))]
    )
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, folder / f"{name}.ipynb")


def as_shown(name: str) -> set[str]:
    """How a name stands in a cell and in an option: masked, cut, on one line."""
    ((option, _),) = named_options([name])
    return {" ".join(text.split()) for text in (option, masked(pl.DataFrame({"name": [name]})).item())}


class PanelsPage:
    """The open page: its panels in order, with the names that each of them must show.

    Args:
        page: A page of the browser.
        address: Where the page is.
        own: Pattern of the addresses that the application asks for by itself.
        texts: The payloads.
    """

    def __init__(self, page, address, own, texts):
        # The one that is told first is asked last.
        self.page, self.opened, self.watched = page, Notebook(page), Watched(page, own)
        self.named = panels_of(texts)
        page.goto(address, timeout=RUN_MS)
        page.locator("figure.span-tree").nth(self._count("span tree") - 1).wait_for(timeout=RUN_MS)

    def _count(self, *panels):
        return sum(panel in panels for panel, _ in self.named)

    def parts(self):
        """All panels."""
        return self.page.locator(".llmops-panel, .jupyter-widgets:has(> .widget-html figure.span-tree)")

    def unshown(self):
        """Panel and name of each name that does not stand in its panel, masked and cut, as one whole text."""
        missing = []
        for place, (panel, names) in enumerate(self.named):
            there = self.watched.texts(self.parts().nth(place))
            missing += [(panel, name) for name in names if not there & as_shown(name)]
        return missing

    def foreign(self):
        """Elements and attributes that no panel is made of."""
        return self.watched.elements(self.parts()) - OF_A_PANEL

    def use(self):
        """Chooses, moves, hovers and clicks in every panel; each drawing is looked through."""
        foreign = set()
        for place, (panel, _) in enumerate(self.named):
            use = self._use_tree if panel == "span tree" else self._use_panel
            use(place)
            foreign |= self.foreign()
        return foreign

    def _use_panel(self, place):
        part = self.parts().nth(place)
        for name in ("To model", "For each", "A breaker for each"):
            self._choose_each(part, place, name)
        for many in part.locator("select[multiple]").all():
            many.select_option(index=[0, 1])
        self._point(part)
        before = self.opened.scenario(place)
        part.locator(".noUi-handle").first.focus()
        for _ in range(8):
            self.page.keyboard.press("ArrowRight")
        self.opened.changed(place, before, "text")

    def _choose_each(self, part, place, name):
        select = part.get_by_label(name, exact=True)
        if not select.count():
            return
        chosen = select.evaluate("one => one.selectedOptions[0].text")
        for number, text in enumerate(select.locator("option").all_text_contents()):
            if text == chosen:
                continue
            before, chosen = self.opened.scenario(place), text

            select.select_option(index=number)
            self.opened.changed(place, before, "text")

    def _use_tree(self, place):
        part = self.parts().nth(place)
        part.locator("select").select_option("failed spans")
        part.locator("li", has_text=ROOT).first.wait_for(state="detached", timeout=REDRAW_MS)
        self._point(part)
        part.locator("input[type=checkbox]").uncheck()
        part.locator("small").first.wait_for(state="detached", timeout=REDRAW_MS)

    def _point(self, part):
        for x, y, top in part.evaluate(MARKS):
            self.page.evaluate("top => window.scrollTo(0, top)", top)
            self.page.mouse.move(x, y)
            self.page.mouse.click(x, y)
