"""What an executed notebook says: its facts, and the part of its cells that a report shows.

Only three kinds of output are shown: HTML made by our views, images, and text, which is escaped.
Markdown, JavaScript and live widgets are left out with a visible note, because they would be
rendered or executed in the browser of the reader.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmops_lib.errors import ReportError
from llmops_lib.facts import FACTS_MIME, Facts
from llmops_lib.reports.plain import plain

REMOVED_TAGS = frozenset({"parameters", "injected-parameters", "setup", "widget"})
"""Cells with one of these tags do not appear in a report, nor do their outputs."""

_SHOWN_MIMES = ("text/html", "image/svg+xml", "image/png", "image/jpeg")
_REFUSED_MIMES = re.compile(r"text/markdown|application/javascript|text/latex|application/vnd\.jupyter\..+")
_TITLE = re.compile(r"\A\s*# +(?P<text>[^\n]+?)\s*#*\s*(?:\n|\Z)")
_HEADING = re.compile(r"\A\s*#{1,3} +(?P<text>[^\n]+?)\s*#*\s*(?:\n|\Z)")


def notebook_facts(notebook: Mapping[str, Any]) -> Facts:
    """The facts that a notebook displayed.

    Raises:
        ReportError: If it displayed none, or ones that differ, or ones whose sums do not close.
    """
    found = displayed(notebook, FACTS_MIME)
    if not found or any(facts != found[0] for facts in found[1:]):
        msg = f"the notebook displayed {len(found)} Facts objects, expected one; end a cell with Facts(...)"
        raise ReportError(msg)
    try:
        return Facts(**found[0])
    except (KeyError, TypeError) as error:
        msg = f"the facts of the notebook are incomplete: {error}"
        raise ReportError(msg) from error


def displayed(notebook: Mapping[str, Any], mime: str) -> list[Any]:
    """What the cells of a notebook displayed under a media type, in order."""
    outputs = (output for cell in notebook["cells"] for output in cell.get("outputs", ()))
    return [output["data"][mime] for output in outputs if mime in output.get("data", {})]


def title_of(notebook: Mapping[str, Any]) -> str | None:
    """The text of the heading that opens the notebook, or None."""
    return heading_of(notebook["cells"][0], _TITLE) if notebook["cells"] else None


def heading_of(cell: Mapping[str, Any], pattern: re.Pattern[str] = _HEADING) -> str | None:
    """The text of the heading that opens a Markdown cell, or None."""
    match = pattern.match(cell["source"]) if cell["cell_type"] == "markdown" else None
    return match["text"] if match else None


def shown_cells(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cells that a report shows, each output brought to one media type.

    The title heading, removed cells, code and standard error are gone; what is left of each code
    cell are outputs of the types `text/html`, `image/...`, `text/plain` and, for what was left out,
    `text/x-note`.
    """
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        if REMOVED_TAGS & set(cell["metadata"].get("tags", ())):
            continue
        if cell["cell_type"] == "markdown":
            is_title = not cells and title_of(notebook)
            cells.append(
                {**cell, "source": _TITLE.sub("", cell["source"], 1) if is_title else cell["source"]}
            )
        elif cell["cell_type"] == "code":
            outputs = [shown for output in cell["outputs"] for shown in _shown(output)]
            cells.append({**cell, "source": "", "outputs": outputs, "execution_count": None})
    return cells


def _shown(output: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if output["output_type"] == "stream":
        if output["name"] == "stdout":
            yield _display("text/plain", plain(output["text"]))
        return
    data = output.get("data", {})
    if FACTS_MIME in data:
        return
    mime = next((mime for mime in _SHOWN_MIMES if mime in data), None)
    refused = sorted(mime for mime in data if _REFUSED_MIMES.fullmatch(mime))
    if mime:
        yield _display(mime, data[mime], output.get("metadata", {}).get(mime, {}))
    elif refused:
        yield _display("text/x-note", f"Not shown in a report: output of type {', '.join(refused)}.")
    elif "text/plain" in data:
        yield _display("text/plain", plain(data["text/plain"]))


def _display(mime: str, content: str, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {mime: content}, "metadata": dict(metadata or {})}
