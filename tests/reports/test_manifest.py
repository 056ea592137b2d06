"""The manifest: what is needed to make the same report again."""

import hashlib
import subprocess

import pytest

from llmops_lib.facts import Facts
from llmops_lib.reports.manifest import build_manifest

FILE = {"name": "a.jsonl", "sha256": "52f1", "rows_read": 12, "span_count": 9, "quarantined_count": 3}


@pytest.fixture
def manifest(tmp_path, monkeypatch):
    """Builds the manifest of a report made in an empty folder."""
    monkeypatch.chdir(tmp_path)
    notebook = tmp_path / "01_fixture.ipynb"
    notebook.write_text("{}")

    def build() -> dict:
        facts = Facts(
            period="2026-W46", files=[FILE], fingerprint="9f2c", is_synthetic=True,
            price_list_version="2026-11-20", spend_usd=1.25, latency_p95_ms=None,
        )  # fmt: skip
        parameters = {"source": "exports/a.jsonl", "top": 10}
        return build_manifest("weekly", title="T", notebook=notebook, parameters=parameters, facts=facts)

    return build


def git(*arguments: str) -> None:
    """Runs git in the current folder."""
    name = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *name, *arguments], check=True, capture_output=True)


def test_a_manifest_holds_what_went_in(manifest):
    """Parameters as given, data as read, figures as counted, versions as installed."""
    made = manifest()
    assert made["report"] == "weekly"
    assert made["period"] == "2026-W46"
    assert made["is_synthetic"] is True
    assert made["notebook"] == {"name": "01_fixture.ipynb", "sha256": hashlib.sha256(b"{}").hexdigest()}
    assert made["parameters"] == {"source": "exports/a.jsonl", "top": 10}
    assert made["data"] == {"fingerprint": "9f2c", "rows_read": 12, "quarantined_count": 3, "files": [FILE]}
    assert made["price_list_version"] == "2026-11-20"
    assert made["figures"] == {
        "spend_usd": 1.25,
        "latency_p95_ms": None,
        "rows_read": 12,
        "quarantined_count": 3,
    }
    assert {"llmops-workbench", "Python", "polars", "genai-prices"} <= made["versions"].keys()


def test_a_folder_without_git_has_no_commit(manifest):
    """A report is also made where nothing is versioned."""
    assert manifest()["git"] is None


def test_the_commit_and_uncommitted_changes_are_noted(manifest, tmp_path):
    """Untracked files do not count: the first report would make the second differ."""
    git("init")
    assert manifest()["git"] is None
    (tmp_path / "tracked").write_text("a")
    git("add", "tracked")
    git("commit", "-m", "first")
    clean = manifest()["git"]
    assert len(clean["commit"]) == 40
    assert clean["is_dirty"] is False
    (tmp_path / "tracked").write_text("b")
    assert manifest()["git"] == {"commit": clean["commit"], "is_dirty": True}


def test_a_program_named_by_the_repository_is_not_run(manifest, tmp_path):
    """`core.fsmonitor` lets a repository run a program on `git status`."""
    git("init")
    git("commit", "--allow-empty", "-m", "first")
    program = tmp_path / "monitor.sh"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/was_run\n")
    program.chmod(0o755)
    git("config", "core.fsmonitor", str(program))
    assert manifest()["git"] is not None
    assert not (tmp_path / "was_run").exists()
