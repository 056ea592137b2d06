"""The review of a rerun: the verdict first, answers side by side, and nothing in them acts."""

import pytest

from llmops_lib import run_report
from tests.conftest import PROJECT
from tests.reports.hostile import payloads
from tests.reports.hostile_runs import write_hostile_rerun

TEXTS = ["I am ann@example.com", *payloads(PROJECT)[40:79]]


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    """The report of a rerun whose every text is an attack; the notebook alone makes a rerun of its own."""
    folder = tmp_path_factory.mktemp("reports")
    return run_report(
        "rerun-review", output=folder, run=str(write_hostile_rerun(folder / "runs", TEXTS)), top=40
    )


@pytest.mark.browser
def test_the_verdict_stands_first_and_no_payload_acts(review, open_page):
    """A reader of the first screen must not take the answerer for a model."""
    opened = open_page(review.html)
    assert (opened.requests, opened.problems) == ([], [])
    assert "<script" not in review.html.read_text("utf-8")
    first = opened.text[: opened.text.index("What each verdict rests on")]
    assert "Simulated answers." in first
    assert "It is worse in facts." in first
    assert sum(text.strip() in opened.text for text in TEXTS if len(text.strip()) > 3) > 0
    assert open_page(review.html, width=360, dark=True).overflow_px == 0


def test_no_personal_data_is_shown_but_in_the_trace_id_that_a_reader_looks_up(review):
    """The report offers no raw text; names of prompts and cases come from traces."""
    assert review.html.read_text("utf-8").count("ann@example.com") == 1


def test_answers_stand_beside_a_name_that_is_masked_or_cut(review):
    """A name that is shown otherwise than it is must not lose its answers."""
    assert "<del>old</del> I am &lt;EMAIL_1&gt;" in review.html.read_text("utf-8")


def test_every_drawn_call_is_made_again_or_listed(review):
    """Nothing is lost on the way."""
    figures = review.manifest["figures"]
    assert figures["drawn_count"] == figures["rerun_count"] + figures["skipped_count"] == 80
