"""Small synthetic exports for notebooks that are opened before there is one to read."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from llmops_lib.demo.agents import write_agents
from llmops_lib.demo.write import write_demo


@cache
def sample_export() -> Path:
    """A synthetic export of two weeks, in a folder that is removed when Python exits.

    Returns:
        Path of an OTLP/JSON Lines file, the same bytes every time, labelled synthetic.
    """
    return write_demo(_folder() / "sample-export.jsonl", weeks=2, calls_per_week=1500).path


@cache
def sample_months() -> Path:
    """A synthetic export of two whole months, September and October 2026; see `sample_export`.

    Between them a prompt gets longer; in the last week an agent runs away with the money.
    """
    target = _folder() / "sample-months.jsonl"
    return write_demo(target, weeks=9, calls_per_week=600, last_week="2026-W44").path


@cache
def sample_experiment() -> Path:
    """A synthetic export of two weeks, two versions of a prompt side by side; see `sample_export`.

    The longer one costs more and is liked more.
    """
    target = _folder() / "sample-experiment.jsonl"
    return write_demo(target, weeks=2, calls_per_week=3000, has_experiment=True).path


@cache
def sample_agents() -> Path:
    """A folder of two synthetic exports: `sample_months`, and an agent with tools of every risk."""
    folder = _folder() / "agents"
    folder.mkdir()
    shutil.copy(sample_months(), folder)
    write_agents(folder / "sample-agents.jsonl")
    return folder


def sample_folder() -> Path:
    """A new folder for a sample, which is removed when Python exits."""
    folder = Path(tempfile.mkdtemp(prefix="llmops-sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _folder() -> Path:
    return sample_folder()
