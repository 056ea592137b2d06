"""One scenario of a what-if as a reader sees it: the verdict first, then figures, a chart and a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from llmops_lib.views.html import Html
from llmops_lib.views.picture import figure_markup, live_figure
from llmops_lib.views.specs import Spec


@dataclass(frozen=True)
class Card:
    """One figure of a scenario.

    Attributes:
        title: What it is.
        value: The figure as written, with its unit.
        note: What it is compared with, or what is not in it.
        tone: `good`, `bad` or `flat`.
    """

    title: str
    value: str
    note: str = ""
    tone: str = "flat"


@dataclass(frozen=True)
class Scenario:
    """A scenario that is ready to be drawn.

    Attributes:
        verdict: Sentences, the most important first.
        cards: Figures.
        chart: One chart.
        table: What the figures are made of.
    """

    verdict: Sequence[str]
    cards: Sequence[Card]
    chart: Spec
    table: Html


def static_scenario(scenario: Scenario) -> Html:
    """The scenario for a page without scripts: its chart drawn for wide and narrow, light and dark pages."""
    return Html(_told(scenario) + figure_markup(scenario.chart) + scenario.table.markup)


def live_scenario(scenario: Scenario) -> Html:
    """The scenario for a panel that is drawn anew with every move of a slider: its chart drawn once."""
    return Html(_told(scenario) + live_figure(scenario.chart) + scenario.table.markup)


def cards(figures: Sequence[Card]) -> Markup:
    """Figures side by side.

    Args:
        figures: Cards, the most important first.
    """
    return Markup('<div class="kpis">{}</div>').format(Markup("").join(map(_card, figures)))


def _told(scenario: Scenario) -> Markup:
    first, *others = scenario.verdict
    lines = Markup("").join(Markup('<p class="note">{}</p>').format(line) for line in others)
    return Markup('<p class="summary">{}</p>{}{}').format(first, lines, cards(scenario.cards))


def _card(card: Card) -> Markup:
    return Markup(
        '<div class="kpi"><div class="kpi-label">{}</div><div class="kpi-value {}">{}</div>'
        '<div class="kpi-note">{}</div></div>'
    ).format(card.title, card.tone, card.value, card.note)
