"""The controls of panels: each says its unit, and what it offers is masked and never HTML."""

import math
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


def percent_change_slider(label: str, share: float) -> Any:
    """A slider from -90 to +300 percent, moved by five."""
    return ipywidgets.IntSlider(
        value=round(100 * share),
        min=-90,
        max=max(300, round(100 * share)),
        step=5,
        description=f"{label} (%)",
        tooltip=f"{label}, in percent",
        readout_format="+d",
        style=_STYLE,
        layout=_LAYOUT,
    )


def amount_slider(label: str, usd: float, *, span: tuple[float, float]) -> Any:
    """A slider over US dollars, each step about a tenth more: from a fraction of a cent to a month's bill."""
    low, high = (math.log10(bound) for bound in (min(span[0], usd), max(span[1], usd)))
    return ipywidgets.FloatLogSlider(
        value=usd,
        min=low,
        max=high,
        step=0.05,
        description=f"{label} (USD)",
        tooltip=f"{label}, in US dollars",
        readout_format=".3g",
        style=_STYLE,
        layout=_LAYOUT,
    )


def usd_range(largest: float) -> tuple[float, float]:
    """From a ten-thousandth of an amount to twice as much, in US dollars."""
    return largest / 10_000, largest * 2


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
