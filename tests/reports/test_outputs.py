"""What a report shows of an executed notebook, and the facts it reads from it."""

import pytest

from llmops_lib.errors import ReportError
from llmops_lib.facts import FACTS_MIME, Facts
from llmops_lib.reports.outputs import notebook_facts, shown_cells, title_of

FACTS = dict(
    Facts(
        period="2026-W46",
        files=[{"name": "a", "sha256": "b", "rows_read": 5, "span_count": 4, "quarantined_count": 1}],
        fingerprint="9f2c",
        is_synthetic=False,
        spend_usd=None,
    )
)


def code(*outputs: dict, tags: tuple[str, ...] = ()) -> dict:
    """A code cell with outputs."""
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": "x", "outputs": list(outputs)}


def display(**data: str) -> dict:
    """An output; `text__html` stands for the media type `text/html`."""
    return {
        "output_type": "display_data",
        "data": {k.replace("__", "/"): v for k, v in data.items()},
        "metadata": {},
    }


def markdown(source: str, *tags: str) -> dict:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": {"tags": list(tags)}, "source": source}


def notebook(*cells: dict) -> dict:
    """A notebook of cells."""
    return {"cells": list(cells)}


def shown(*outputs: dict) -> list[dict]:
    """Media type and content of what is shown of a cell."""
    return [output["data"] for output in shown_cells(notebook(code(*outputs)))[0]["outputs"]]


def test_facts_are_read_back_as_they_were_displayed():
    """The manifest must say what the notebook says."""
    output = {**display(text__plain="..."), "data": {FACTS_MIME: FACTS, "text/plain": "..."}}
    assert notebook_facts(notebook(code(tags=("setup",)), code(output))) == FACTS


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ([], "displayed 0 Facts objects"),
        ([FACTS, {**FACTS, "spend_usd": 1.0}], "displayed 2 Facts objects"),
        ([{"period": "2026-W46"}], "incomplete"),
        ([{**FACTS, "rows_read": 6}], "add up to 5"),
        ([{**FACTS, "spend_usd": [1]}], "expected text, a finite number"),
        (["text"], "incomplete"),
    ],
)
def test_a_notebook_without_one_set_of_sound_facts_is_refused(facts, message):
    """A report whose sums do not close is not published."""
    outputs = [{**display(), "data": {FACTS_MIME: each}} for each in facts]
    with pytest.raises(ReportError, match=message):
        notebook_facts(notebook(code(*outputs)))


def test_the_title_is_the_heading_that_opens_the_notebook():
    """It becomes the title of the page, so it is not repeated in the text."""
    book = notebook(markdown("# Weekly cost #\n\nFor whom."), markdown("# Other"))
    assert title_of(book) == "Weekly cost"
    assert [cell["source"] for cell in shown_cells(book)] == ["For whom.", "# Other"]


@pytest.mark.parametrize("first", [markdown("Text\n# Later"), code(), markdown("## Second level")])
def test_a_notebook_may_have_no_title(first):
    """The name of the report stands in."""
    assert title_of(notebook(first)) is None


@pytest.mark.parametrize("tag", ["parameters", "injected-parameters", "setup", "widget"])
def test_plumbing_is_not_shown(tag):
    """Tags are the layout language."""
    assert shown_cells(notebook(code(display(text__plain="x"), tags=(tag,)), markdown("x", tag))) == []


def test_code_and_standard_error_are_not_shown():
    """A reader of the report reads neither; both stay in the notebook."""
    stderr = {"output_type": "stream", "name": "stderr", "text": "Warning"}
    stdout = {"output_type": "stream", "name": "stdout", "text": "seen"}
    cell = shown_cells(notebook(code(stderr, stdout)))[0]
    assert cell["source"] == ""
    assert [output["data"] for output in cell["outputs"]] == [{"text/plain": "seen"}]


def test_html_and_images_come_before_text():
    """Rich objects bring a text form along."""
    assert shown(display(text__plain="x", text__html="<b>")) == [{"text/html": "<b>"}]
    assert shown(display(text__plain="x", image__png="AAAA")) == [{"image/png": "AAAA"}]
    assert shown(display(text__plain="x", application__json="{}")) == [{"text/plain": "x"}]


@pytest.mark.parametrize(
    "mime",
    ["text/markdown", "application/javascript", "text/latex", "application/vnd.jupyter.widget-view+json"],
)
def test_what_a_browser_would_render_is_left_out_with_a_note(mime):
    """Markdown of hostile text is HTML; a widget needs a script."""
    output = {**display(), "data": {mime: "**x**", "text/plain": "<Markdown object>"}}
    assert shown(output) == [{"text/x-note": f"Not shown in a report: output of type {mime}."}]


def test_the_facts_object_is_not_shown_in_its_place():
    """It stands below the report, with the files."""
    assert shown({**display(), "data": {FACTS_MIME: FACTS, "text/plain": "period ..."}}) == []


def test_terminal_codes_do_not_reach_the_page():
    """Colours go, other control characters become visible."""
    stdout = {"output_type": "stream", "name": "stdout", "text": "\x1b[31mred\x1b[0m\x07\n\tok"}
    assert shown(stdout) == [{"text/plain": "red\\x07\n\tok"}]
