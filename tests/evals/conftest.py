"""A small suite in a folder of its own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.registry.conftest import commit, prompts

__all__ = ["commit", "prompts"]

SETTINGS = """description: Small questions.
owner: support
prompt: faq
schemas:
  reply: {type: object, required: [answer]}
graders:
  - {name: reply_schema, kind: json_schema, settings: {schema: reply}, must_pass: true}
  - {name: facts, kind: facts}
"""

CASES = [
    {
        "id": name,
        "tags": ["plain"],
        "inputs": {"question": f"What is {name}?"},
        "expected": {"facts": [[name]]},
    }
    for name in ("a", "b", "c", "d")
]


@pytest.fixture
def suites(prompts) -> Path:
    """An empty folder of suites beside an empty folder of prompts, so that `commit` commits both."""
    folder = prompts.parent / "evals"
    (folder / "small").mkdir(parents=True)
    return folder


@pytest.fixture
def write(suites) -> Callable[..., Path]:
    """Writes the suite `small` and gives the folder of suites."""

    def write_suite(cases=CASES, settings=SETTINGS):
        text = "".join(f"{json.dumps(case) if isinstance(case, dict) else case}\n" for case in cases)
        (suites / "small" / "cases.jsonl").write_bytes(text.encode())
        (suites / "small" / "suite.yaml").write_bytes(settings.encode())
        return suites

    return write_suite
