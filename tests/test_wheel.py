"""What is installed holds what the documentation promises: prompts, tools, suites and notebooks."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
USE = """
from llmops_lib import load_prompt, load_suite, load_tools
from llmops_lib.reports.catalog import REPORTS, find_notebook
suite = load_suite("support_quality")
print(suite.is_locked, load_prompt(suite.settings.prompt).failed_tests(), len(load_tools()))
print(all(find_notebook(name).is_file() for name in REPORTS), load_prompt("support_answer").path)
"""


def test_an_installed_library_brings_its_prompts_suites_and_notebooks(tmp_path):
    """In a checkout they lie beside the package, so nothing else would notice that they are missing."""
    wheels, installed, empty = (tmp_path / name for name in ("wheels", "installed", "empty"))
    empty.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(installed)
    environment = os.environ | {"PYTHONPATH": str(installed)}
    used = subprocess.run(
        [sys.executable, "-c", USE], cwd=empty, env=environment, capture_output=True, text=True, check=True
    )
    first, second = used.stdout.splitlines()
    assert first == "True [] 2"
    assert second == f"True {installed}/llmops_lib/bundled/prompts/support_answer.md"
