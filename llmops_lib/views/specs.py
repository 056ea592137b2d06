"""Vega-Lite specifications of charts that are redrawn while a slider moves.

Altair takes four times as long to build and check such a chart as it takes to draw it; what it checks is the
same with every move.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]
"""A Vega-Lite specification with inline data."""

Rows = Sequence[Mapping[str, Any]]


def layered(
    layers: Sequence[Mapping[str, Any]],
    datasets: Mapping[str, Rows],
    *,
    title: str,
    subtitle: str,
    description: str,
) -> Spec:
    """A chart of layers, each with the name of its data.

    Args:
        layers: What `layer` returns.
        datasets: Rows by name.
        title: The question.
        subtitle: How to read it.
        description: What a screen reader says.
    """
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "datasets": {name: [dict(row) for row in rows] for name, rows in datasets.items()},
        "layer": list(layers),
        "title": {"text": title, "subtitle": subtitle},
        "description": description,
        "height": 230,
    }


def layer(name: str, mark: Mapping[str, Any], **encoding: Any) -> dict[str, Any]:
    """One layer over a named dataset."""
    return {"data": {"name": name}, "mark": dict(mark), "encoding": encoding}


def axis_of(
    field: str, title: str, domain: tuple[float, float], *, axis: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A quantitative channel with its whole domain given, so that it stands still while a slider moves."""
    low, high = domain
    scale = {"domain": [low, high if high > low else low + 1], "nice": False}
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": scale,
        "axis": {"titlePadding": 10, **(axis or {})},
    }


def field(name: str) -> dict[str, Any]:
    """A quantitative channel that follows the axis of another layer."""
    return {"field": name, "type": "quantitative"}
