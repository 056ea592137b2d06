"""Payloads in every text of an export, through every report, in a real browser: nothing acts, all is text."""

import os

import pytest

from llmops_lib import run_report
from llmops_lib.reports.catalog import REPORTS
from tests.conftest import PROJECT
from tests.reports.hostile import payloads, write_hostile

pytestmark = pytest.mark.browser

PARAMETERS = {
    "weekly": {"week": "2026-W45", "top": 100, "by": "tenant,model,user_id"},
    "spenders": {"month": "2026-11", "top": 100},
    "routing-what-if": {"month": "2026-11"},
    "budget-what-if": {"month": "2026-11"},
    "caching-what-if": {"month": "2026-11"},
    "safety-review": {"month": "2026-11", "top": 100},
}
"""What makes a report show as many names and texts as it can."""

ROUNDS = int(os.environ.get("LLMOPS_HOSTILE_ROUNDS", "1"))
"""How often each report is made, each time with other payloads: 20 carry all of them through each report."""

MOST = 60
"""Payloads of one report."""


OF_EXPORTS = sorted(set(REPORTS) - {"eval-review", "rerun-review", "continuous-evals"})
"""Reports of exports; tests of their own carry payloads through those of runs and of scores."""


def arms(texts):
    """Two payloads as the prompts that are compared: hashes, since a name would end at an `@`."""
    first, second = [text for text in dict.fromkeys(texts) if text.strip() and "@" not in text][:2]
    return {"a": first, "b": second, "by": "tenant"}


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("name", OF_EXPORTS)
def test_no_payload_acts_in_a_report(name, turn, tmp_path, open_page):
    """Each report gets its share of the corpora; a payload that acts in one sink is a hole in all of them."""
    every = payloads(PROJECT)
    own = every[turn::ROUNDS] if ROUNDS > 1 else every[OF_EXPORTS.index(name) :: len(OF_EXPORTS)]
    texts = own[:MOST]
    source = write_hostile(tmp_path / "hostile.jsonl", texts)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    parameters = PARAMETERS.get(name, {}) if name != "prompt-ab" else arms(texts)
    report = run_report(name, output=tmp_path / "reports", source=str(source), **parameters)
    opened = open_page(report.html)
    assert opened.requests == []
    assert opened.problems == []
    assert "<script" not in report.html.read_text("utf-8")
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(tmp_path / "reports") for path in written)
    shown = sum(text.strip() in opened.text for text in texts if len(text.strip()) > 3)
    assert shown > 0
