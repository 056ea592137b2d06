"""The review of an eval run: the gate's verdict first, the cases behind it, and nothing in them acts."""

import pytest

from llmops_lib import run_report
from tests.conftest import PROJECT
from tests.reports.hostile import payloads
from tests.reports.hostile_runs import write_eval_runs

PERSONAL = "I am ann@example.com"
FIRST, *OTHERS = payloads(PROJECT)[:39]
TEXTS = [FIRST, PERSONAL, *OTHERS]


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    """The report of two runs whose every text is an attack; the notebook alone makes runs of its own."""
    folder = tmp_path_factory.mktemp("reports")
    baseline, run = write_eval_runs(folder, TEXTS)
    return run_report("eval-review", output=folder, run=str(run), baseline=str(baseline), top=40)


@pytest.mark.browser
def test_the_verdict_stands_first_and_no_payload_acts(review, open_page):
    """What models answered and people asked is shown; a reader must not take the answerer for a model."""
    opened = open_page(review.html)
    assert (opened.requests, opened.problems) == ([], [])
    assert "<script" not in review.html.read_text("utf-8")
    first = opened.text[: opened.text.index("What the gate says of each metric")]
    assert "Simulated answers." in first
    assert "Blocked: quality dropped." in first
    assert "must pass facts and failed 1 of 1 trials" in first
    assert "more, listed below" in first
    assert sum(text.strip() in opened.text for text in TEXTS if len(text.strip()) > 3) > 0
    assert open_page(review.html, width=360, dark=True).overflow_px == 0


def test_no_personal_data_is_shown_not_even_of_the_name_of_a_case(review):
    """The report offers no raw text; cases made of production are named by whoever makes them."""
    assert "must pass facts" in review.html.read_text("utf-8")
    assert "ann@example.com" not in review.html.read_text("utf-8")


def test_every_case_is_accounted_for(review):
    """Every record of the scores is read or quarantined."""
    figures = review.manifest["figures"]
    assert (figures["case_count"], figures["call_count"]) == (40, 40)
    assert (figures["rows_read"], figures["quarantined_count"]) == (40, 0)
    assert figures["is_simulated"] is True
