"""`llmops rerun`: what it says before it pays, what it makes, and what it writes."""

import json

import pytest

from llmops_lib import load_prompt
from tests.registry.conftest import commit, prompts, write
from tests.reruns.conftest import LATER, PROMPT, recorded

__all__ = ["commit", "prompts", "recorded", "write"]

QUESTIONS = [{"question": f"Do you sell green coffee at {hour}, ann@example.com?"} for hour in range(8)]


@pytest.fixture
def place(write, commit, recorded, answerer, monkeypatch):
    """A checkout with a changed prompt and an export of calls that carried the committed version."""
    folder = write(PROMPT)
    commit("first")
    write(LATER)
    calls = recorded(load_prompt("faq@HEAD", folder=folder), QUESTIONS)
    columns = (
        "trace_id",
        "span_id",
        "started_at",
        "user_id",
        "feature",
        "model",
        "prompt_name",
        "prompt_hash",
    )
    texts = ("system_instructions", "input")
    calls.select(*columns, *texts, operation="operation").write_ndjson(folder.parent / "calls.jsonl")
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("OPENAI_BASE_URL", answerer.url)
    monkeypatch.setenv("LLMOPS_ALLOW_LOCAL", "1")
    return folder.parent


def test_calls_dollars_and_where_texts_go_are_said_before_anything_is_paid(run, place):
    """A dry run makes no call and writes nothing."""
    code, out, _ = run("rerun", "--prompt", "faq", "--from", "calls.jsonl", "--dry-run")
    assert code == 0
    assert "8 of 8 calls drawn, 8 to be made again: 16 calls of gpt-4o-mini, at most $0." in out
    assert "their recorded texts go to 127.0.0.1 as the policy says" in out
    assert not (place / "reports").exists()


def test_a_rerun_that_might_cost_more_than_its_limit_makes_no_call(run, place):
    """The limit is a promise."""
    code, out, error = run("rerun", "--prompt", "faq", "--from", "calls.jsonl", "--max-usd", "0.0000001")
    assert (code, "the limit is $1e-07" in error) == (2, True), out
    assert not (place / "reports").exists()


def test_the_comparison_is_written_and_masked(run, place):
    """It is pasted into pull requests."""
    code, out, error = run("rerun", "--prompt", "faq", "--from", "calls.jsonl", "--json")
    assert code == 0, error
    told = json.loads(out)
    assert (told["rerun_count"], told["failed_count"], told["is_simulated"]) == (8, 0, True)
    assert {row["metric"] for row in told["effects"]} >= {"answered", "refused", "latency_ms", "cost_usd"}
    text = (place / told["folder"] / "comparison.md").read_text(encoding="utf-8")
    assert "**Simulated**" in text
    assert "{+" in text
    assert "ann@example.com" not in text


@pytest.mark.usefixtures("place")
def test_an_input_that_is_no_json_is_bad_usage(run):
    """`--set tone=formal` lacks the quotes of a JSON string."""
    code, _, error = run("rerun", "--prompt", "faq", "--from", "calls.jsonl", "--set", "tone=formal")
    assert code == 2
    assert "no NAME=JSON" in error
