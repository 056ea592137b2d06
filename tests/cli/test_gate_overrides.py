"""What lets more pass than the gate as it comes is in the audit log, with who, what and why."""

import pytest

from llmops_lib.safety.audit.reading import latest_entries
from tests.evals.conftest import CASES, suites, write
from tests.registry.conftest import commit, prompts

__all__ = ["commit", "prompts", "suites", "write"]

RUNS = ("--baseline", "before.parquet", "--candidate", "after.parquet")


@pytest.fixture
def overrides(tmp_path, monkeypatch):
    """The recorded overrides."""
    monkeypatch.setenv("LLMOPS_AUDIT", str(tmp_path / "audit"))
    return lambda: latest_entries(tmp_path / "audit", limit=9, action="gate_overridden")


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--unlocked"], {"unlocked": True}),
        (["--margin", "0.2"], {"margin": 0.2}),
        (["--metric-margin", "facts=0.3", "--metric-margin", "tone=0.01"], {"metric_margin": {"facts": 0.3}}),
        (["--alpha", "0.01", "--metric", "facts"], {"alpha": 0.01, "metric": ["facts"]}),
    ],
)
def test_each_option_that_loosens_the_gate_is_recorded(run, overrides, options, what):
    """Before the runs are read: who tries until it passes leaves each trial behind."""
    run("gate", *RUNS, *options, "--why", "hotfix 12, agreed with QA")
    [entry] = overrides()
    assert entry.details["what"] == what
    assert entry.details["why"] == "hotfix 12, agreed with QA"
    assert (entry.details["candidate"], bool(entry.actor)) == ("after.parquet", True)


def test_a_gate_as_it_comes_or_a_stricter_one_is_no_override(run, overrides):
    """A log full of ordinary runs is one that nobody reads."""
    run("gate", *RUNS)
    run("gate", *RUNS, "--margin", "0.01", "--alpha", "0.1", "--strict", "--metric-margin", "facts=0.02")
    assert overrides() == []


def test_a_suite_that_is_locked_anew_is_recorded(run, write, overrides):
    """Whoever changes the questions changes what the gate sees."""
    run("eval", "lock", "small", "--folder", write(CASES))
    assert overrides() == []
    run("eval", "lock", "small", "--bump", "--why", "case b was wrong", "--folder", write(CASES[:3]))
    [entry] = overrides()
    assert entry.details["what"] == "eval lock --bump"
    assert (entry.details["suite"], entry.details["why"]) == ("small", "case b was wrong")
