"""`llmops fetch`: exit codes, JSON for scripts, progress for people, keys for nobody."""

import json
from functools import partial

import pytest

from tests.sources.fetch.conftest import SECRET, langfuse, observation, phoenix, reply, span

WEEK = ("--from", "2026-11-09", "--to", "2026-11-16")


@pytest.fixture
def run(llmops):
    """Runs one of the commands that are tested here."""
    return partial(llmops, "fetch")


def test_a_whole_pull_is_one_line_and_exit_code_0(run, serve, tmp_path):
    """In a pipe nothing else is written."""
    server = serve(langfuse([observation(number) for number in range(5)]))
    code, out, err = run("langfuse", tmp_path / "rows.jsonl", *WEEK, "--server", server.url)
    assert (code, err) == (0, "")
    assert "5 rows, 5 announced by the metrics API; 1 pages, 0 retries" in out


def test_the_outcome_as_json_is_the_manifest(run, serve, tmp_path):
    """A script reads either."""
    server = serve(phoenix([span(number) for number in range(5)]))
    code, out, err = run("phoenix", tmp_path / "rows.jsonl", "--server", server.url, "--json")
    assert (code, err) == (0, "")
    manifest = json.loads((tmp_path / "rows.jsonl.fetch.json").read_text())
    assert json.loads(out) | {"path": "rows.jsonl"} == manifest


def test_an_incomplete_pull_is_exit_code_1_with_both_numbers(run, serve, tmp_path):
    """A schedule must not go on to the report as if nothing were missing."""
    server = serve(phoenix([span(number) for number in range(5)], counted=8))
    code, out, err = run("phoenix", tmp_path / "rows.jsonl", "--server", server.url, "--json")
    assert code == 1
    assert err.startswith("incomplete: ")
    found = json.loads(out)
    assert (found["is_complete"], found["rows_expected"], found["rows_received"]) == (False, 8, 5)


@pytest.mark.parametrize(
    "arguments",
    [
        ("langfuse", "rows.jsonl"),
        ("langfuse", "rows.jsonl", "--from", "last week"),
        ("langfuse", "rows.jsonl", "--from", "2026-11-09T10:00:00"),
        ("langfuse", "rows.jsonl", "--from", "2026-11-09", "--to", "2026-11-08"),
        ("langfuse", "rows.jsonl", *WEEK, "--server", "http://cloud.langfuse.com"),
        ("langfuse", "rows.jsonl", *WEEK, "--server", "https://169.254.169.254"),
        ("phoenix", "rows.jsonl", "--secret-key", "sk"),
    ],
)
def test_bad_usage_is_exit_code_2_and_asks_no_server(run, tmp_path, monkeypatch, arguments):
    """A typo costs nothing; a key has no option to be typed into."""
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err
    assert not list(tmp_path.iterdir())


def test_missing_keys_are_named(run, tmp_path, monkeypatch):
    """The first thing that everyone forgets."""
    monkeypatch.delenv("LANGFUSE_SECRET_KEY")
    code, _, err = run("langfuse", tmp_path / "rows.jsonl", *WEEK)
    assert (code, "LANGFUSE_SECRET_KEY is not set" in err) == (2, True)


def test_progress_is_for_terminals_and_shows_no_key(run, serve, tmp_path, monkeypatch):
    """Rows, bytes and pages while a person watches."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    server = serve(langfuse([observation(number) for number in range(30)]))
    server.faults = [reply({"error": SECRET}, 500)]
    code, out, err = run("langfuse", tmp_path / "r.jsonl", *WEEK, "--server", server.url, "--page-size", "5")
    assert code == 0
    assert "MB in" in err
    assert SECRET not in out + err
