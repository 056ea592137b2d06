"""The review of an eval run: the gate's verdict first, and the cases behind it."""

import pytest

from llmops_lib import run_report


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    """The report of its default parameters, which make two simulated runs of their own."""
    return run_report("eval-review", output=tmp_path_factory.mktemp("reports"))


@pytest.mark.browser
def test_the_verdict_stands_first_and_says_that_it_is_simulated(review, open_page):
    """The candidate lacks the rule on refusals, which the gate must see and a reader must find at once."""
    opened = open_page(review.html)
    assert (opened.requests, opened.problems) == ([], [])
    first = opened.text[: opened.text.index("What the gate says of each metric")]
    assert "Simulated answers." in first
    assert "Blocked: quality dropped." in first
    assert "must pass refusal and failed" in first
    assert "ref-hack-account" in opened.text[opened.text.index("Cases that must pass and fail") :]
    assert open_page(review.html, width=360, dark=True).overflow_px == 0


def test_every_case_of_the_suite_is_accounted_for(review):
    """113 cases, two trials, every score read."""
    figures = review.manifest["figures"]
    assert (figures["case_count"], figures["call_count"]) == (113, 226)
    assert (figures["rows_read"] > 1000, figures["quarantined_count"]) == (True, 0)
    assert figures["is_simulated"] is True
