"""`llmops prompts`: what a person reads, what a script reads, and the exit codes."""

import json
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from llmops_lib import load_prompt
from tests.registry.conftest import PROMPT, commit, prompts, write

__all__ = ["commit", "prompts", "write"]

BUNDLED = Path(__file__).resolve().parents[2] / "prompts"


@pytest.fixture
def run(llmops):
    """Runs one of the commands that are tested here."""
    return partial(llmops, "prompts")


def test_list_shows_each_prompt_and_fails_with_one_that_is_not_in_order(run, write):
    """It is a check, too: for CI and for a hook."""
    write()
    assert run("list", "--folder", write())[0] == 0
    write(PROMPT.replace('Where is my parcel?"]', 'Where is my boat?"]'), name="boat.md")
    code, out, _ = run("list", "--folder", write("---\n", name="broken.md"))
    assert code == 1
    assert "failed: boat: a question: lacks 'Where is my boat?'" in out
    assert "failed: broken: prompts/broken.md: line 1: expected front matter" in out


def test_list_as_json_holds_the_whole_hash(run, write):
    """Scripts compare it."""
    rows = json.loads(run("list", "--json", "--folder", write())[1])["prompts"]
    assert [(row["prompt_name"], len(row["prompt_hash"])) for row in rows] == [("faq", 64)]


def test_show_renders_inputs_from_a_test_or_a_file(run, write, tmp_path):
    """What would be sent, before it is."""
    inputs = tmp_path / "inputs.json"
    inputs.write_text('{"question": "\\u001b[2JWhy?"}')
    assert "[user]\nWhere is my parcel?" in run("show", "faq", "--test", "a question", "--folder", write())[1]
    out = run("show", "faq", "--inputs", inputs, "--folder", write())[1]
    assert "\\x1b[2JWhy?" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "faqs"], "there are ['faq']"),
        (["show", "faq", "--test", "other"], "there are ['a question']"),
        (["show", "faq", "--inputs", "missing.json"], "missing.json"),
        (["show", "faq@v9"], "not a git repository"),
        (["diff", "faq@v9"], "not a git repository"),
        (["log", "../faq"], "prompt name"),
        (["lineage", "faq", "--from", "missing"], "missing"),
        (["tools", "missing.py"], "missing.py"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_is_one_message_and_exit_code_2(run, write, arguments, said):
    """The message says what to do, and nothing else is printed."""
    folder = [] if arguments[0] == "tools" else ["--folder", write()]
    code, out, err = run(*arguments, *folder)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err


def test_diff_shows_the_text_that_would_be_sent(run, write, commit):
    """A reviewer reads what the model will read."""
    write()
    commit()
    code, out, _ = run("diff", "faq@HEAD", "--folder", write(PROMPT.replace("briefly", "at length")))
    assert code == 0
    assert "rendered: a question" in out
    assert "-Answer briefly.\n+Answer at length." in out
    assert json.loads(run("diff", "faq@HEAD", "faq@HEAD", "--json", "--folder", write())[1])["is_same"]


def test_log_lists_commits_and_changes_that_are_not_committed(run, write, commit):
    """Newest first."""
    write()
    sha = commit("the first")
    out = run("log", "faq", "--folder", write(PROMPT.replace("briefly", "at length")))[1].splitlines()
    assert out[1].startswith("not committed")
    assert out[2].startswith(sha[:12])
    assert "the first" in out[2]


def test_lineage_joins_the_calls_of_an_export_and_the_scores_of_a_run(run, write, commit, tmp_path):
    """By hash; what is in no commit stays visible."""
    write()
    sha = commit()
    known = load_prompt("faq", folder=write()).prompt_hash
    call = {"started_at": "2026-11-09T10:00:00Z", "model": "gpt-4o", "prompt_name": "faq", "input_tokens": 9}
    calls = [call | {"prompt_hash": known}, call | {"prompt_hash": known}, call | {"prompt_hash": "dead"}]
    score = {"run_id": "r1", "example_id": "e1", "scorer": "exact", "score": 1.0, "model": "gpt-4o"}
    pl.DataFrame(calls).write_ndjson(tmp_path / "calls.jsonl")
    pl.DataFrame([score | {"prompt_name": "faq", "prompt_hash": known}]).write_ndjson(
        tmp_path / "scores.jsonl"
    )
    given = ["--from", tmp_path / "calls.jsonl", "--scores", tmp_path / "scores.jsonl", "--folder", write()]
    rows = json.loads(run("lineage", "faq", *given, "--json")[1])["lineage"]
    shown = [(row["commit"], row["prompt_hash"], row["eval_runs"], row["call_count"]) for row in rows]
    assert shown == [(sha, known, ["r1"], 2), (None, "dead", [], 1)]
    assert sha[:12] in run("lineage", *given)[1]


def test_tools_writes_and_checks_definitions(run, tmp_path):
    """In CI with `--check`."""
    file = BUNDLED / "tools" / "support.py"
    assert run("tools", file, "--check")[0] == 0
    assert run("tools", file, "--check", "--folder", tmp_path)[0] == 1
    assert run("tools", file, "--folder", tmp_path)[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["issue_refund.json", "lookup_order.json"]
    assert run("tools", file, "--check", "--folder", tmp_path, "--json")[0] == 0
