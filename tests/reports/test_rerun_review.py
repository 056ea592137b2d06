"""The review of a rerun: the verdict first, answers side by side, nothing hidden about what was simulated."""

import pytest

from llmops_lib import run_report


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    """The report of its default parameters, which make a simulated rerun of their own."""
    return run_report("rerun-review", output=tmp_path_factory.mktemp("reports"))


@pytest.mark.browser
def test_the_review_says_first_what_changed_and_that_it_is_simulated(review, open_page):
    """A reader of the first screen must not take the answerer for a model."""
    opened = open_page(review.html)
    assert (opened.requests, opened.problems) == ([], [])
    first = opened.text[: opened.text.index("Effects with their intervals", 600)]
    assert "Simulated answers." in first
    assert "Synthetic data." in first
    assert "It differs in length of answers" in first
    assert "This is not in the context." in opened.text
    assert "its text is not what this version makes of any inputs" in opened.text
    assert open_page(review.html, width=360, dark=True).overflow_px == 0


def test_every_drawn_call_is_made_again_or_listed(review):
    """Nothing is lost on the way."""
    figures = review.manifest["figures"]
    assert figures["drawn_count"] == figures["rerun_count"] + figures["skipped_count"] == 60
