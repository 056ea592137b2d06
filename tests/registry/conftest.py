"""A folder of prompts in a git repository of its own."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PROMPT = """---
model: gpt-4o-mini
owner: support
version: "1"
input_schema:
  type: object
  required: [question]
  properties:
    question: {type: string}
    passages: {type: array, items: {type: object}}
tests:
  - name: a question
    inputs: {question: "Where is my parcel?"}
    contains: ["Where is my parcel?"]
---
<!-- system -->
Answer briefly.

<!-- user -->
{{ question }}
"""

TOOL = """{
  "name": "lookup_order",
  "description": "Look up an order.",
  "parameters": {"type": "object", "required": ["order"], "properties": {"order": {"type": "string"}}}
}
"""


@pytest.fixture
def prompts(tmp_path) -> Path:
    """An empty folder of prompts outside any repository."""
    folder = tmp_path / "checkout" / "prompts"
    (folder / "tools").mkdir(parents=True)
    return folder


@pytest.fixture
def write(prompts) -> Callable[..., Path]:
    """Writes a prompt, `faq` unless it is named, and gives the folder."""

    def write_prompt(text=PROMPT, name="faq.md"):
        (prompts / name).write_bytes(text.encode())
        return prompts

    return write_prompt


@pytest.fixture
def commit(prompts) -> Callable[..., str]:
    """Commits what lies there, in a repository made on first use, and gives the id of the commit."""

    def git(*arguments, day=1):
        at = f"2026-11-{day:02}T12:00:00+00:00"
        dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
        names = (
            "-c",
            "user.name=Dana Fox",
            "-c",
            "user.email=dana@example.com",
            "-c",
            "commit.gpgsign=false",
        )
        done = subprocess.run(
            ["git", *names, "-C", prompts.parent, *arguments],
            env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | dates,
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout.strip()

    def commit_all(subject="change", day=1):
        if not (prompts.parent / ".git").exists():
            git("init", "--quiet", "--initial-branch=main")
        git("add", "--all")
        git("commit", "--quiet", "--message", subject, day=day)
        return git("rev-parse", "HEAD")

    return commit_all
