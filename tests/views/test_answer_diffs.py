"""Answers side by side: what differs is marked, and what is hostile stays text."""

import polars as pl

from llmops_lib.calls.text_diffs import changed_share, word_diff
from llmops_lib.views.answer_diffs import answer_diffs

ROW = {
    "example_id": "call-0001",
    "feature": "faq",
    "changed_share": 0.5,
    "flips": "schema 1 to 0",
    "source_trace_id": "ab",
    "old_output": "within 14 days",
    "new_output": "within 30 days",
    "old_cost_usd": 0.01,
    "new_cost_usd": 0.02,
    "old_latency_ms": 100.0,
    "new_latency_ms": 90.0,
}


def shown(**changes):
    """The markup of one pair of answers."""
    return answer_diffs(pl.DataFrame([ROW | changes]), caption="Answers", empty="none")._repr_html_()


def test_what_only_one_answer_holds_is_marked():
    """A reader looks for the difference, not for two texts."""
    html = shown()
    assert "within <del>14</del> days" in html
    assert "within <ins>30</ins> days" in html


def test_markup_in_answers_is_shown_and_not_obeyed():
    """Answers are written by models that users talk to."""
    html = shown(
        old_output="<script>alert(1)</script>", new_output="<img src=x onerror=alert(1)>", flips="<b>"
    )
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>" not in html


def test_an_answer_that_is_missing_is_said():
    """An empty cell reads as an empty answer."""
    assert "(no answer)" in shown(new_output=None, changed_share=None)


def test_no_change_is_said():
    """An empty list reads as a broken report."""
    assert (
        "Answers: none"
        in answer_diffs(pl.DataFrame([ROW]).clear(), caption="Answers", empty="none")._repr_html_()
    )


def test_both_texts_come_out_of_the_pieces():
    """Nothing is lost or made up by a diff."""
    old, new = "a  b, c (d)", "a b; c d e"
    pieces = word_diff(old, new)
    assert "".join(text for kind, text in pieces if kind != "added") == old
    assert "".join(text for kind, text in pieces if kind != "removed") == new


def test_white_space_alone_counts_as_a_small_change():
    """Texts that differ are never called the same."""
    assert 0 < changed_share("a b", "a  b") < 0.01
