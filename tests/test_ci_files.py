"""The workflow and the hooks that gate prompts: every command in them exists, as it is typed."""

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from llmops_lib.cli import app

PROJECT = Path(__file__).resolve().parents[1]
WORKFLOW = yaml.safe_load((PROJECT / ".github/workflows/prompt-gate.yml").read_text("utf-8"))
STEPS = WORKFLOW["jobs"]["gate"]["steps"]
OWN_HOOKS = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
HOOKS = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))
SCRIPTS = [step["run"] for step in STEPS if "run" in step]
TYPED = [
    line.strip()
    for text in (*SCRIPTS, *(hook["entry"] for hook in (*OWN_HOOKS, *HOOKS)))
    for line in text.splitlines()
    if re.match(r"\s*(\.venv/bin/)?llmops ", line)
]


def words_of(line):
    """The words of a command, without what the shell does with its output."""
    return shlex.split(re.split(r"\s(?:>|\|\||2>|&$)", line)[0])[1:]


@pytest.mark.parametrize("line", TYPED)
def test_every_command_exists_with_the_options_that_it_is_given(line, llmops):
    """A workflow that calls an option of yesterday fails in front of a colleague."""
    command, words = typer.main.get_command(app), words_of(line)
    path = []
    while words and words[0] in getattr(command, "commands", {}):
        path.append(words.pop(0))
        command = command.commands[path[-1]]
    assert path, line
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
    code, out, _ = llmops(*path, "--help")
    assert code == 0
    assert "Usage: " in out


def test_the_workflow_runs_the_suite_twice_and_gates():
    """These are the steps that make it a gate."""
    typed = [" ".join(words_of(line)[:2]) for line in TYPED]
    assert typed.count("eval run") == 2
    assert any(one.startswith("gate ") for one in typed)
    assert typed.index("eval verify") < typed.index("eval run")


def test_names_of_branches_never_become_part_of_a_script():
    """Whoever opens a pull request chooses the name of its branch."""
    assert not [script for script in SCRIPTS if "${{" in script]
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in WORKFLOW[True]  # YAML reads the key `on` as true


def test_it_runs_where_prompts_or_suites_change():
    """Other changes need no calls."""
    paths = WORKFLOW[True]["pull_request"]["paths"]
    assert {"prompts/**", "evals/**"} <= set(paths)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_pass_on_this_project(hook, llmops, monkeypatch):
    """The bundled suites are locked, and the bundled prompts pass their tests."""
    monkeypatch.chdir(PROJECT)
    code, out, error = llmops(*hook["entry"].split()[1:])
    assert code == 0, out + error


def test_a_hook_stops_a_suite_that_was_edited(llmops, monkeypatch, tmp_path):
    """A hook that cannot fail protects nothing."""
    for file in (PROJECT / "evals" / "support_quality").iterdir():
        target = tmp_path / "evals" / "support_quality" / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes().replace(b"30 days", b"31 days"))
    monkeypatch.chdir(tmp_path)
    code, out, _ = llmops("eval", "verify")
    assert code == 1
    assert "not as locked" in out
