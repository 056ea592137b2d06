"""The controls of panels: each says its unit, and what it offers is masked and never HTML."""

from collections.abc import Sequence
from typing import Any

import ipywidgets
import polars as pl

from llmops_lib.safety import masked
from llmops_lib.views.labels import UNKNOWN_NAME

_LAYOUT = {"width": "auto"}
_STYLE = {"description_width": "initial"}


def percent_slider(label: str, share: float) -> Any:
    """A slider of 0 to 100 percent; the arrow keys move it by one, and its value can be typed."""
    return ipywidgets.IntSlider(
        value=round(100 * share),
        min=0,
        max=100,
        description=f"{label} (%)",
        tooltip=f"{label}, in percent",
        readout_format="d",
        style=_STYLE,
        layout=_LAYOUT,
    )


def number_slider(label: str, unit: str, value: float, *, span: tuple[float, float], step: float) -> Any:
    """A slider over numbers of one unit, which its label names."""
    return ipywidgets.FloatSlider(
        value=value,
        min=span[0],
        max=span[1],
        step=step,
        description=f"{label} ({unit})",
        tooltip=f"{label}, in {unit}",
        readout_format=",.2f" if step < 1 else ",.0f",
        style=_STYLE,
        layout=_LAYOUT,
    )


def choice(label: str, options: Sequence[tuple[str, Any]], value: Any) -> Any:
    """A list to choose one of; `options` are pairs of what is shown and what it stands for."""
    return ipywidgets.Dropdown(
        options=list(options), value=value, description=label, style=_STYLE, layout=_LAYOUT
    )


def choices(label: str, options: Sequence[tuple[str, Any]], value: Sequence[Any]) -> Any:
    """A list to choose some of; none stands for all."""
    return ipywidgets.SelectMultiple(
        options=list(options),
        value=tuple(value),
        description=f"{label} (none: all)",
        rows=min(max(len(options), 2), 6),
        style=_STYLE,
        layout=_LAYOUT,
    )


def named_options(names: Sequence[str | None]) -> list[tuple[str, Any]]:
    """Names from traces as options: masked, cut, and the missing one spelled out.

    Example:
        >>> named_options(["faq", None])
        [('faq', 'faq'), ('(not recorded)', None)]
    """
    shown = masked(pl.DataFrame({"name": list(names)}, schema={"name": pl.String}), limit=48)[
        "name"
    ].to_list()
    return [(text or UNKNOWN_NAME, name) for text, name in zip(shown, names, strict=True)]
