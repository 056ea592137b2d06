"""Refusals found by their words, against human labels."""

import json

import polars as pl

from llmops_lib.refusals import is_refusal, refuses


def test_refusals_agree_with_human_labels(shared):
    """Of 177 refusals and 220 answers: at least 90% found, at most 5% of answers taken for refusals."""
    lines = (shared / "corpora" / "refusals_labelled.jsonl").read_text(encoding="utf-8").splitlines()
    rows = pl.DataFrame([{key: json.loads(line)[key] for key in ("completion", "label")} for line in lines])
    judged = rows.with_columns(found=is_refusal(pl.col("completion")))
    shares = dict(judged.group_by("label").agg(pl.col("found").mean()).rows())
    assert shares["refuse"] >= 0.9
    assert shares["comply"] <= 0.05


def test_a_long_or_hostile_text_takes_no_time():
    """Only the beginning is read, by a matcher that cannot go back."""
    for text in ("i " * 500_000, "sorry " * 200_000, "not " * 200_000, "I can't" + " a" * 500_000):
        assert refuses(text) in (True, False)


def test_an_answer_that_names_what_it_cannot_do_later_is_no_refusal():
    """What counts is how an answer begins."""
    answer = "Refunds reach the card in five days. " * 10 + "I cannot help with other banks."
    assert not refuses(answer)
