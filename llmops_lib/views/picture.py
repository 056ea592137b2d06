"""Charts as pictures: each is drawn for wide and narrow pages, light and dark, and embedded as SVG.

A picture needs no script and no network, cannot run what stands in its data, prints sharply
and follows the reader's colour scheme. Altair's own HTML puts data unescaped into a script.
"""

import base64
import copy
import json
from functools import lru_cache
from typing import Any

import altair as alt
from markupsafe import Markup

from llmops_lib.views.theme import Mode, chart_config, ink

WIDE, NARROW = 1000, 340
"""Widths in CSS pixels that a chart is drawn for: a laptop page and a phone."""

PANEL = 480
"""Width of the one drawing of a panel: read at full size beside sliders, and still on a phone."""

NARROW_PAGE = "(max-width: 640px)"

_RENDERER = "llmops_picture"


def use_picture_charts() -> None:
    """Make notebooks show every Altair chart as a self-contained picture."""
    alt.renderers.register(_RENDERER, _mimebundle)
    alt.renderers.enable(_RENDERER)
    # The rows of a report are aggregates already; the limit guards against embedding raw traces.
    alt.data_transformers.enable("default", max_rows=20_000)


def chart_svg(spec: dict[str, Any], *, width: int, mode: Mode) -> str:
    """A Vega-Lite specification drawn as SVG.

    Args:
        spec: Vega-Lite specification with inline data; a URL in it is never fetched.
        width: Total width in CSS pixels, axes and legend included.
        mode: Page that the chart will stand on.

    Returns:
        SVG text; the same specification gives the same text.
    """
    import vl_convert  # noqa: PLC0415 - its engine takes half a second to start

    return vl_convert.vegalite_to_svg(_fitted(spec, width, mode), allowed_base_urls=[])


def _redrawn_svg(spec: dict[str, Any]) -> str:
    """The SVG of a panel: as `chart_svg`, but what is the same with other rows is compiled once."""
    import vl_convert  # noqa: PLC0415 - as above

    datasets = spec["datasets"]
    fitted = _fitted(spec | {"datasets": {name: [] for name in datasets}}, PANEL, "light")
    vega = json.loads(_compiled(json.dumps(fitted)))
    for source in vega["data"]:
        if source["name"] in datasets:
            source["values"] = datasets[source["name"]]
    return vl_convert.vega_to_svg(vega, allowed_base_urls=[])


@lru_cache(maxsize=64)
def _compiled(fitted: str) -> str:
    import vl_convert  # noqa: PLC0415 - as above

    return json.dumps(vl_convert.vegalite_to_vega(fitted))


def _fitted(spec: dict[str, Any], width: int, mode: Mode) -> dict[str, Any]:
    drawn = copy.deepcopy(spec)
    drawn.pop("title", None)
    drawn["config"] = chart_config(mode)
    drawn["autosize"] = {"type": "fit", "contains": "padding"}
    drawn["width"] = width
    # Names stand left of the axis; where the reader's font is a seventh wider than ours, they need room.
    drawn["padding"] = {"left": 36 if width == WIDE else 16, "right": 8, "top": 4, "bottom": 4}
    if width == NARROW:
        _fit_narrow(drawn["config"])
    return drawn


def _fit_narrow(config: dict[str, Any]) -> None:
    config["legend"] |= {"columns": 2, "labelLimit": 88, "columnPadding": 18}
    config["axis"] |= {"labelLimit": 100, "labelSeparation": 6}
    config["text"] |= {"fontSize": 11}


def _mimebundle(spec: dict[str, Any], **_options: Any) -> dict[str, str]:
    return {"text/html": str(figure_markup(spec))}


def figure_markup(spec: dict[str, Any]) -> Markup:
    """A chart as a `figure`: its title as caption, its description as the text for screen readers.

    A chart without a single row becomes a sentence, because an empty frame looks broken.
    """
    title = spec.get("title") or ""
    lines = title if isinstance(title, dict) else {"text": title}
    if not any(spec.get("datasets", {}).values()):
        empty = (
            '<figure class="chart"><figcaption>{}</figcaption><p class="note">Nothing to show.</p></figure>'
        )
        return Markup(empty).format(lines["text"])  # noqa: S704 - the template is a literal of ours
    wide_light = _data_uri(chart_svg(spec, width=WIDE, mode="light"))
    sources = (
        ("print", wide_light),
        (f"{NARROW_PAGE} and (prefers-color-scheme: dark)", _drawn(spec, NARROW, "dark")),
        (NARROW_PAGE, _drawn(spec, NARROW, "light")),
        ("(prefers-color-scheme: dark)", _drawn(spec, WIDE, "dark")),
    )
    return Markup(
        '<figure class="chart"><figcaption>{}{}</figcaption><picture>{}'
        '<img src="{}" alt="{}"></picture></figure>'
    ).format(
        lines["text"],
        Markup('<span class="sub">{}</span>').format(lines["subtitle"]) if lines.get("subtitle") else "",
        Markup("").join(Markup('<source media="{}" srcset="{}">').format(*source) for source in sources),
        wide_light,
        spec.get("description", lines["text"]),
    )


def live_figure(spec: dict[str, Any]) -> Markup:
    """A chart as one inline SVG in the colours of the page around it, drawn in a fiftieth of a second.

    A panel is drawn anew while a slider moves, in the light or dark theme of JupyterLab or Voila, which is
    not the browser's: so its colours are variables of the page's style sheet.
    """
    if not any(spec.get("datasets", {}).values()):
        return figure_markup(spec)
    title = spec.get("title") or ""
    lines = title if isinstance(title, dict) else {"text": title}
    svg = _redrawn_svg(spec)
    for name, colour in ink("light").items():
        svg = svg.replace(f'"{colour}"', f'"var(--llmops-{name}, {colour})"')
    return Markup(
        '<figure class="chart"><figcaption>{}{}</figcaption><div role="img" aria-label="{}">{}</div></figure>'
    ).format(
        lines["text"],
        Markup('<span class="sub">{}</span>').format(lines["subtitle"]) if lines.get("subtitle") else "",
        spec.get("description", lines["text"]),
        Markup(svg),  # noqa: S704 - Vega's renderer escapes every text in it
    )


def _drawn(spec: dict[str, Any], width: int, mode: Mode) -> str:
    return _data_uri(chart_svg(spec, width=width, mode=mode))


def _data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
