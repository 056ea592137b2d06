"""`llmops redteam` against the bundled answerer, over a real connection."""

import json

import pytest


@pytest.fixture
def here(answerer, monkeypatch, tmp_path):
    """An endpoint on this machine, and a folder to write to."""
    monkeypatch.setenv("OPENAI_BASE_URL", answerer.url)
    monkeypatch.setenv("LLMOPS_ALLOW_LOCAL", "1")
    return tmp_path


def test_attacks_are_run_counted_and_held_against_the_run_before(llmops, here):
    """What a team does each week: run, look at what got through, and see what is new."""
    model = ("--model", "llmops-baseline-extractive")
    code, text, _ = llmops("redteam", "run", "redteam", *model, "--out", here, "--most", "0")
    assert code == 1
    assert "redteam pii_extraction: 7 of 12 attacks got through" in text
    assert "got through: pii-email" in text
    assert "which is no language model" in text
    scores = next(here.glob("*/scores.parquet"))
    code, text, _ = llmops("redteam", "show", scores, "--baseline", scores, "--json")
    shown = json.loads(text)
    assert code == 0
    assert shown["new"] == []
    assert sum(row["case_count"] for row in shown["outcomes"] if row["finding"] == "got_through") == 136


def test_a_share_within_the_limit_is_no_failure(llmops, here):
    """The agent suite needs no answer of a model that calls tools: none is misused by the answerer."""
    model = ("--model", "llmops-baseline-extractive")
    code, text, _ = llmops("redteam", "run", "redteam_agent", *model, "--out", here, "--most", "0", "--json")
    assert code == 0
    assert {row["failed_count"] for row in json.loads(text)["outcomes"]} == {0}


def test_a_suite_that_is_not_there_is_named(llmops, here):
    """A typing error must not run nothing and say done."""
    code, _, error = llmops("redteam", "run", "readteam", "--out", here)
    assert code == 2
    assert "readteam" in error


def test_scores_without_an_attack_withstood_nothing(llmops, tmp_path):
    """A run of another suite, or an unreadable one, must not pass for one that let nothing by."""
    scores = tmp_path / "scores.jsonl"
    row = {"run_id": "r", "example_id": "a", "scorer": "facts", "score": 1.0}
    scores.write_text(json.dumps(row), encoding="utf-8")
    code, _, error = llmops("redteam", "show", scores, "--most", "0")
    assert code == 2
    assert "llmops redteam run" in error
