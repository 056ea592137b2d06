"""`llmops eval`: locks for people, scripts and CI."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.evals.conftest import CASES, suites, write
from tests.registry.conftest import commit, prompts

__all__ = ["commit", "prompts", "suites", "write"]

BUNDLED = Path(__file__).resolve().parents[2] / "evals"


@pytest.fixture
def run(llmops):
    """Runs one of the commands that are tested here."""
    return partial(llmops, "eval")


def test_the_bundled_suites_are_as_locked(run):
    """Without a name, all of them are verified."""
    code, out, _ = run("verify", "--folder", BUNDLED)
    assert code == 0
    assert "support_quality: version" in out


def test_a_changed_case_fails_verification_and_is_named(run, write):
    """For CI: exit code 1, and the case in the log."""
    assert run("lock", "small", "--folder", write())[0] == 0
    assert run("verify", "small", "--folder", write())[0] == 0
    code, out, _ = run("verify", "--folder", write(CASES[:3]))
    assert code == 1
    assert "case d removed" in out
    facts = json.loads(run("verify", "--json", "--folder", write(CASES[:3]))[1])["suites"][0]
    assert facts["changes"] == [{"part": "case", "name": "d", "what": "removed"}]


def test_a_changed_suite_is_locked_with_bump_only(run, write):
    """And what was accepted is shown."""
    run("lock", "small", "--folder", write())
    code, out, _ = run("lock", "small", "--folder", write(CASES[:3]))
    assert code == 1
    assert "case d removed" in out
    assert json.loads(run("lock", "small", "--json", "--folder", write(CASES[:3]))[1])["is_locked"] is False
    code, out, _ = run("lock", "small", "--bump", "--folder", write(CASES[:3]))
    assert code == 0
    assert "accepted: case d removed\nsmall: version 2, 3 cases" in out


def test_verification_against_a_base_finds_edits_of_both(run, write, commit):
    """With suite and lock edited together."""
    run("lock", "small", "--folder", write())
    commit()
    (write(CASES[:3]) / "small" / "suite.lock").unlink()
    run("lock", "small", "--folder", write(CASES[:3]))
    assert run("verify", "--folder", write(CASES[:3]))[0] == 0
    assert run("verify", "--against", "HEAD", "--folder", write(CASES[:3]))[0] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "big"], "there are ['small']"),
        (["lock", "../small"], "suite name"),
        (["verify", "small", "--against", "v9"], "v9"),
    ],
)
def test_bad_usage_is_one_message_and_exit_code_2(run, write, arguments, said):
    """The message says what to do."""
    run("lock", "small", "--folder", write())
    code, out, err = run(*arguments, "--folder", write())
    assert (code, out) == (2, "")
    assert said in err


def test_a_folder_without_suites_is_no_pass(run, tmp_path):
    """A wrong path must not look like success in CI."""
    assert run("verify", "--folder", tmp_path)[0] == 2
    assert run("verify", "--folder", tmp_path / "missing")[0] == 2
