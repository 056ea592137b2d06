"""The pages: what a reader sees, in any light, on any width."""

import re

import pytest

from llmops_lib.reports.gate import check_page
from llmops_lib.reports.page import index_page, report_page, stylesheet, with_sections

FILE = {
    "name": "<b>a.jsonl",
    "sha256": "52f1" * 16,
    "rows_read": 1234,
    "span_count": 1230,
    "quarantined_count": 4,
}


def manifest(**changed) -> dict:
    """A manifest, with changes."""
    return {
        "title": "What broke & why",
        "period": "2026-W46",
        "is_synthetic": False,
        "figures": {"call_count": 4321, "spend_usd": None},
        "price_list_version": "2026-11-20",
        "data": {"files": [FILE], "fingerprint": "9f2c"},
        "parameters": {"week": "</code><b>x", "top": 10},
        "notebook": {"name": "01_fixture.ipynb"},
        "versions": {"llmops-workbench": "0.1.0", "Python": "3.11.7"},
        "git": {"commit": "ab12" * 10, "is_dirty": True},
        **changed,
    }


def notebook(*cells: str | tuple[str, str]) -> dict:
    """A notebook of Markdown texts and of (media type, content) outputs."""
    made = []
    for place, cell in enumerate(cells):
        if isinstance(cell, str):
            made.append({"cell_type": "markdown", "metadata": {}, "source": cell, "id": f"c{place}"})
        else:
            output = {"output_type": "display_data", "data": dict([cell]), "metadata": {}}
            made.append(
                {
                    "cell_type": "code",
                    "metadata": {},
                    "source": "secret_code()",
                    "outputs": [output],
                    "id": f"c{place}",
                }
            )
    return {"cells": made}


def test_a_page_shows_title_period_text_and_basis():
    """What a report is, and what it rests on, without the code."""
    html = report_page(notebook("# What broke & why\n\nFor whom.", "Text *here*."), manifest=manifest())
    check_page(html)
    assert "<title>What broke &amp; why · 2026-W46</title>" in html
    assert html.count("<h1>What broke &amp; why</h1>") == 1
    assert "<p>For whom.</p>" in html
    assert "Text <em>here</em>." in html
    assert "<dt>call count</dt><dd>4,321</dd>" in html
    assert "<dt>spend usd</dt><dd>unknown</dd>" in html
    assert "<td>&lt;b&gt;a.jsonl</td><td>1,234</td><td>1,230</td><td>4</td>" in html
    assert "commit <code>ab12ab12ab12</code>, with uncommitted changes." in html
    assert "secret_code" not in html


def test_synthetic_data_is_said_on_top():
    """A demo must not be taken for the month's bill."""
    assert "Synthetic data." in report_page(notebook("# T"), manifest=manifest(is_synthetic=True))
    assert "Synthetic data." not in report_page(notebook("# T"), manifest=manifest())


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "{{ 7*7 }}", "{% raw %}", "&amp;", "</pre><b>", "]]>"]
)
def test_text_stays_text_wherever_it_stands(text):
    """Titles, outputs, parameters and file names may all come from elsewhere."""
    named = manifest(
        title=text, parameters={"week": text}, data={"files": [{**FILE, "name": text}], "fingerprint": text}
    )
    html = report_page(notebook("# x", ("text/plain", text)), manifest=named)
    check_page(html)
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for place in ("<h1>{}</h1>", '<pre class="output">{}</pre>', "<td>{}</td>", "<dd>{}</dd>"):
        assert place.format(escaped) in html


def test_images_are_embedded():
    """An SVG from a notebook becomes an image, in which nothing runs."""
    html = report_page(
        notebook("# T", ("image/svg+xml", "<svg/>"), ("image/png", "AA\nAA")), manifest=manifest()
    )
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in html
    assert 'src="data:image/png;base64,AAAA"' in html


def test_headings_are_listed_and_can_be_linked_to():
    """A long report needs a way in; two equal headings need two anchors."""
    html = report_page(notebook("# T", "## Spend & more", "## Errors", "## Errors"), manifest=manifest())
    check_page(html)
    assert re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', html) == [
        ("spend-more", "Spend &amp; more"),
        ("errors", "Errors"),
        ("errors-3", "Errors"),
    ]
    assert all(html.count(f'id="{anchor}"') == 1 for anchor in ("spend-more", "errors", "errors-3", "basis"))


def test_a_heading_with_markup_is_listed_as_text():
    """Tags inside a heading would nest links."""
    assert with_sections("<h2><code>p95</code> &lt;x&gt;</h2>").contents == (("p95-x", "p95 &lt;x&gt;"),)


def test_the_same_notebook_gives_the_same_bytes():
    """No clock and no random id is in the page."""
    book = notebook("# T", "## A", ("text/html", "<p>x</p>"))
    assert report_page(book, manifest=manifest()) == report_page(book, manifest=manifest())


def test_an_index_lists_what_it_is_given_and_says_what_it_cannot_read():
    """A folder that is skipped in silence is a report that is missed."""
    entry = {
        "period": "2026-W46",
        "title": "T & t",
        "rows_read": 12,
        "quarantined_count": 3,
        "is_synthetic": True,
    }
    html = index_page([{**entry, "link": "weekly/2026-W46/report.html"}], ["weekly/<b>"])
    assert '<a href="weekly/2026-W46/report.html">2026-W46</a>' in html
    assert "<td>T &amp; t</td><td>12</td><td>3</td><td>synthetic</td>" in html
    assert "weekly/&lt;b&gt; holds no manifest" in html
    assert "No report was made yet." in index_page([])


def luminance(colour: str) -> float:
    """Relative luminance of a colour such as `#1b2128` (WCAG 2.2)."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
@pytest.mark.parametrize("ink", ["ink", "muted", "accent", "good", "bad"])
def test_text_stands_out_from_its_ground(ink, scheme):
    """WCAG 2.2 AA asks for a contrast of 4.5 to 1, on the page and on cards."""
    colours = [
        dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in stylesheet().split(":root")[1:]
    ][scheme]
    for ground in ("paper", "raised"):
        lighter, darker = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (ink, ground)
