"""Colours and chart configuration, light and dark, safe for colour-blind readers and for print."""

from collections.abc import Iterable
from typing import Any, Literal

import altair as alt

Drawing = alt.Chart | alt.LayerChart | alt.FacetChart
"""What a chart function returns; the caller may chain `.properties()`."""

Mode = Literal["light", "dark"]

PALETTE = ("#3b7dd8", "#e08a1e", "#2f9e8f", "#c2528b", "#8a6fd1", "#7f9a2e", "#d1604d")
"""Hues of even lightness, told apart under the common colour-vision deficiencies and on both grounds."""

PERCENTILE_COLOURS = {"p50": "#93a1b0", "p95": "#5b6fd6", "p99": "#b0357a"}
"""Latency percentiles; none of these stands for a model."""

REST_COLOUR = "#9aa3ad"
"""Everything beyond the palette."""

UNKNOWN_COLOUR = "#c3c9d0"
"""A value that is null in the data."""

BAD_COLOUR = "#cf4a3c"
"""Errors and money lost."""

_INK = {
    "light": {"text": "#1d2630", "soft": "#5b6672", "grid": "#e4e8ec", "axis": "#b9c1c9"},
    "dark": {"text": "#e6eaee", "soft": "#a3adb8", "grid": "#2e3740", "axis": "#56616c"},
}

FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
"""Metrics of these are known where charts are drawn, so labels keep their place where they are read."""


def colours(names: Iterable[str]) -> dict[str, str]:
    """One colour per name, so that a model looks the same in every chart of a report.

    Args:
        names: Names in order of importance; those beyond the palette share the colour of the rest.

    Returns:
        Colour by name, in the order given.

    Example:
        >>> colours(["gpt-4o", "claude-sonnet-4-5"])
        {'gpt-4o': '#3b7dd8', 'claude-sonnet-4-5': '#e08a1e'}
    """
    unique = dict.fromkeys(names)
    return {name: PALETTE[rank] if rank < len(PALETTE) else REST_COLOUR for rank, name in enumerate(unique)}


def ink(mode: Mode) -> dict[str, str]:
    """The colours of text, softer text, grid lines and axes on a light or a dark page."""
    return dict(_INK[mode])


def chart_config(mode: Mode) -> dict[str, Any]:
    """Vega-Lite configuration of every chart of a report, for a light or a dark page."""
    ink = _INK[mode]
    return {
        "aria": False,
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": ink["soft"],
            "titleColor": ink["soft"],
            "titleFontWeight": "normal",
            "titleFontSize": 12,
            "labelFontSize": 12,
            "gridColor": ink["grid"],
            "domainColor": ink["axis"],
            "tickColor": ink["axis"],
            "labelLimit": 260,
            # Where the reader's font is wider than ours, labels need room beside each other and the title.
            "labelSeparation": 14,
            "titlePadding": 10,
        },
        "axisX": {"grid": False},
        "axisY": {"domain": False, "ticks": False},
        "legend": {
            "labelColor": ink["text"],
            "titleColor": ink["soft"],
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "orient": "top",
            "labelLimit": 220,
            "columnPadding": 36,
            "symbolType": "square",
        },
        "text": {"color": ink["text"], "fontSize": 12, "font": FONT},
        "rule": {"color": ink["soft"]},
        "tick": {"color": ink["text"], "thickness": 3, "opacity": 1},
        "title": {"color": ink["text"]},
    }
