"""A page in a real browser: nothing leaves it, nothing runs, nothing is wider than a phone."""

import json

import pytest

from llmops_lib.reports.page import report_page

pytestmark = pytest.mark.browser

MANIFEST = {
    "title": "A title of several long words about measurements",
    "period": "2026-W46",
    "is_synthetic": True,
    "figures": {"call_count": 4321},
    "price_list_version": None,
    "data": {
        "files": [
            {"name": "x" * 90, "sha256": "5" * 64, "rows_read": 1, "span_count": 1, "quarantined_count": 0}
        ],
        "fingerprint": "9" * 64,
    },
    "parameters": {"source": "/a/path/" + "y" * 90},
    "notebook": {"name": "01_fixture.ipynb"},
    "versions": {"llmops-workbench": "0.1.0"},
    "git": None,
}
ROW = "".join(f"<td>{place} {'wide' * 6}</td>" for place in range(12))
WIDE = f'<table class="data num-2"><tbody><tr>{ROW}</tr></tbody></table>'
CARDS = (
    '<div class="kpis">' + '<div class="kpi"><div class="kpi-value">$1,234,567.89</div></div>' * 5 + "</div>"
)


def page(tmp_path, *outputs: tuple[str, str]):
    """A report page of these outputs, as a file."""
    shown = [{"output_type": "display_data", "data": dict([output]), "metadata": {}} for output in outputs]
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# T\n\n| a | b |\n|---|---|\n| 1 | " + "z" * 80},
        {"cell_type": "code", "metadata": {}, "source": "", "outputs": shown},
    ]
    for place, cell in enumerate(cells):
        cell["id"] = f"c{place}"
    path = tmp_path / "report.html"
    path.write_text(report_page({"cells": cells}, manifest=MANIFEST), "utf-8")
    return path


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (700, True), (360, False)])
def test_no_page_scrolls_sideways(width, dark, tmp_path, open_page):
    """Wide tables and long words scroll or break inside their own box."""
    wide = page(tmp_path, ("text/html", WIDE), ("text/html", CARDS), ("text/plain", "w" * 400))
    opened = open_page(wide, width=width, dark=dark)
    assert opened.overflow_px == 0
    assert opened.requests == []
    assert opened.problems == []


def test_hostile_text_is_shown_and_does_nothing(shared, tmp_path, open_page):
    """The whole corpus in one page: no script runs, no address is asked for."""
    lines = (shared / "corpora" / "xss_payloads.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    opened = open_page(page(tmp_path, *(("text/plain", text) for text in texts)))
    assert opened.requests == []
    assert opened.problems == []
    assert "<script>" in opened.text
