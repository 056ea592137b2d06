"""What a report was made from and with, so that its numbers can be made again."""

import hashlib
import platform
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from llmops_lib.facts import Facts

_PACKAGES = (
    "llmops-workbench",
    "polars",
    "narwhals",
    "altair",
    "vl-convert-python",
    "genai-prices",
    "nbconvert",
)
"""Packages whose version can change a number, a chart or the page around them."""

_NOT_FIGURES = ("period", "files", "fingerprint", "is_synthetic", "price_list_version")


def build_manifest(
    report: str, *, title: str, notebook: Path, parameters: Mapping[str, Any], facts: Facts
) -> dict[str, Any]:
    """The manifest of a report but for its page hash and the times of its run.

    Args:
        report: Name of the report.
        title: Its title.
        notebook: The notebook that makes it.
        parameters: Every parameter of the notebook with its value; paths as the caller wrote them.
        facts: Facts that the notebook displayed.
    """
    return {
        "report": report,
        "title": title,
        "period": facts["period"],
        "is_synthetic": facts["is_synthetic"],
        "is_raw": parameters.get("raw") is True,
        "notebook": {"name": notebook.name, "sha256": hashlib.sha256(notebook.read_bytes()).hexdigest()},
        "parameters": dict(parameters),
        "data": {name: facts[name] for name in ("fingerprint", "rows_read", "quarantined_count", "files")},
        "price_list_version": facts.get("price_list_version"),
        "figures": {name: value for name, value in facts.items() if name not in _NOT_FIGURES},
        "versions": _versions(),
        "git": _git_state(Path.cwd()),
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {**found, "Python": platform.python_version()}


def _git_state(folder: Path) -> dict[str, Any] | None:
    git = shutil.which("git")
    commit = _git(git, folder, "rev-parse", "--verify", "HEAD") if git else None
    if commit is None:
        return None
    # Files that git does not track are left out: the first report itself may be one.
    changes = _git(git, folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "is_dirty": bool(changes)}


def _git(git: str | None, folder: Path, *arguments: str) -> str | None:
    # A repository may name a program to run on `status`; a report does not run it.
    command = [str(git), "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            command, cwd=folder, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
