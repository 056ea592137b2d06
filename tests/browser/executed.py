"""Executed notebooks in JupyterLab, their outputs shown as they are."""

import json
import re
import shutil
import urllib.request
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

from tests.conftest import BROWSER_MS

ACTIVE = re.compile(
    r"script|iframe|object|embed|form|base|link|meta|on[a-z]+|data-command.*"
    r"|(href|xlink:href|src|srcset|srcdoc|action|formaction|data|poster|background)=(?!data:image/|#).*"
)
"""Elements and attributes of an output that could run something or lead somewhere."""


def trusted_copy(book: Path, place: Path, address: str) -> list[int]:
    """Puts an executed notebook where JupyterLab serves it, signed as if its user had run it there.

    Returns:
        The places of the cells that have outputs.
    """
    shutil.copy(book, place)
    data = place.parent / f".state-{address.rpartition(':')[2]}" / "data"
    notebook = nbformat.read(place, as_version=4)
    NotebookNotary(data_dir=str(data)).sign(notebook)
    served_at = f"{address}/api/contents/{place.name}"
    with urllib.request.urlopen(served_at, timeout=BROWSER_MS / 1000) as answer:  # noqa: S310 - on loopback
        served = json.load(answer)["content"]["cells"]
    assert all(cell["metadata"]["trusted"] for cell in served if cell["cell_type"] == "code")
    return [number for number, cell in enumerate(served) if cell.get("outputs")]


def outputs_of(page, watched, places):
    """The text of all outputs, and the names of their elements and attributes; each is scrolled to."""
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=BROWSER_MS)
    texts, elements = [], set()
    for place in places:
        cell = page.locator(f".jp-NotebookPanel .jp-Cell[data-windowed-list-index='{place}']")
        # Cells out of sight are not drawn; the wheel brings them.
        for _ in range(200):
            if cell.locator(".jp-OutputArea-output").count():
                break
            page.locator(".jp-NotebookPanel .jp-WindowedPanel-outer").hover()
            page.mouse.wheel(0, 300)
            page.wait_for_timeout(50)
        cell.scroll_into_view_if_needed()
        outputs = cell.locator(".jp-OutputArea-output")
        texts += outputs.all_inner_texts()
        elements |= watched.elements(outputs)
    return "\n".join(texts), elements
