"""Writes the HTML pages: a report from an executed notebook, and the index of all reports."""

import base64
import html as html_text
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from llmops_lib.facts import listed, shown
from llmops_lib.reports.outputs import shown_cells

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Content security policy of every page: nothing is fetched, nothing is executed."""

_TEMPLATES = Path(__file__).parent / "template"
_TEMPLATE = "llmops_report"
_SECTION = re.compile(r"<h2>(?P<heading>.*?)</h2>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Sections:
    """A page whose second-level headings can be linked to: its HTML, and (anchor, heading) in order."""

    html: Markup
    contents: tuple[tuple[str, Markup], ...]


def stylesheet() -> str:
    """The one style sheet that every page holds."""
    return (_TEMPLATES / _TEMPLATE / "report.css").read_text("utf-8")


def report_page(notebook: Mapping[str, Any], *, manifest: Mapping[str, Any]) -> str:
    """The HTML page of a report: prose, outputs, and below them what it rests on.

    It holds no clock and no random id, so the same input gives the same bytes.

    Args:
        notebook: The executed notebook.
        manifest: Its manifest, without what differs from run to run.
    """
    import nbformat  # noqa: PLC0415 - slow to import

    report = {
        "title": manifest["title"],
        "period": manifest["period"],
        "is_synthetic": manifest["is_synthetic"],
        "is_raw": manifest.get("is_raw", False),
        "facts": list(listed(_basis(manifest))),
        "manifest": manifest,
    }
    page = {"cells": shown_cells(notebook), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    html, _ = _exporter().from_notebook_node(
        nbformat.from_dict(page),  # type: ignore[no-untyped-call]
        resources={"report": report, "policy": POLICY},
    )
    return str(html)


def index_page(reports: Sequence[Mapping[str, Any]], unreadable: Sequence[str] = ()) -> str:
    """The HTML page that lists reports.

    Args:
        reports: Mappings with `link`, `title`, `period`, `rows_read`, `quarantined_count`, `is_synthetic`,
            in the order in which they are to be listed.
        unreadable: Folders whose manifest cannot be read.
    """
    template = _exporter().environment.get_template("index.html.j2")
    resources = {"reports": reports, "unreadable": unreadable, "policy": POLICY}
    return str(template.render(resources=resources))


def with_sections(html: str) -> Sections:
    """The HTML with an anchor on each second-level heading of its prose, and the list of them.

    Example:
        >>> with_sections("<h2>Spend by feature</h2>").contents
        (('spend-by-feature', Markup('Spend by feature')),)
    """
    contents: list[tuple[str, Markup]] = []

    def anchored(match: re.Match[str]) -> str:
        heading = _TAG.sub("", match["heading"]).strip()
        slug = re.sub(r"[^a-z0-9]+", "-", html_text.unescape(heading).lower()).strip("-") or "section"
        taken = {anchor for anchor, _ in contents} | {"basis"}
        anchor = slug if slug not in taken else f"{slug}-{len(contents) + 1}"
        contents.append((anchor, Markup(heading)))  # noqa: S704 - text of a rendered heading, tags removed
        return f'<h2 id="{anchor}">{match["heading"]}</h2>'

    return Sections(Markup(_SECTION.sub(anchored, html)), tuple(contents))  # noqa: S704 - HTML came in


def _basis(manifest: Mapping[str, Any]) -> dict[str, Any]:
    prices = manifest["price_list_version"]
    return {
        "period": manifest["period"],
        **manifest["figures"],
        **({"price_list_version": prices} if prices else {}),
        "fingerprint": manifest["data"]["fingerprint"],
    }


@cache
def _exporter() -> Any:
    from jinja2 import StrictUndefined  # noqa: PLC0415 - slow to import
    from nbconvert.exporters.html import HTMLExporter  # noqa: PLC0415 - slow to import

    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name=_TEMPLATE,
        template_file="report.html.j2",
        extra_template_basedirs=[str(_TEMPLATES)],
        exclude_anchor_links=True,
        filters={
            "sections": with_sections,
            "shown": shown,
            "tojson_text": lambda value: json.dumps(value, ensure_ascii=False),
            "base64_text": lambda text: base64.b64encode(text.encode()).decode(),
        },
    )
    # nbconvert escapes nothing on its own: from here on only what is marked `safe` is HTML.
    exporter.environment.autoescape = True
    exporter.environment.undefined = StrictUndefined
    exporter.environment.trim_blocks = True
    return exporter
