"""Payloads in every text of exports, scores and logs, through every report, in a browser: nothing acts."""

import pytest

from llmops_lib import run_report
from llmops_lib.reports.catalog import REPORTS
from tests.reports.hostile import ROUNDS, round_of, shown_in
from tests.reports.hostile_files import MOST, given

pytestmark = pytest.mark.browser

OF_RUNS = {"eval-review", "rerun-review", "continuous-evals"}
"""Reports of scores: every day they have tests of their own, which carry payloads through them."""

NAMES = sorted(set(REPORTS) - (set() if ROUNDS > 1 else OF_RUNS))


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("name", NAMES)
def test_no_payload_acts_in_a_report(name, turn, tmp_path, open_page, tried):
    """Each report gets its share of the corpora; a payload that acts in one sink is a hole in all of them."""
    texts = round_of(turn, few=60, first=NAMES.index(name))
    parameters = given(name, tmp_path, texts) | MOST.get(name, {})
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    report = run_report(name, output=tmp_path / "reports", **parameters)
    opened = open_page(report.html)
    assert opened.requests == []
    assert opened.problems == []
    assert "<script" not in report.html.read_text("utf-8")
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(tmp_path / "reports") for path in written)
    assert all(not path.name.startswith("llmops-was-here") for path in written)
    shown = shown_in(opened.text, texts)
    assert shown
    tried(f"report, in its data: {name}", texts)
    tried(f"report, in its text: {name}", shown)
