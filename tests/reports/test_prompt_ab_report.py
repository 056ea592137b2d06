"""The report on two prompts: the verdict first, both answers side by side, offline."""

import pytest

from llmops_lib import run_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report as a fresh clone writes it."""
    return run_report("prompt-ab", output=tmp_path_factory.mktemp("prompt-ab"))


@pytest.mark.parametrize("options", [{}, {"width": 360}, {"dark": True}], ids=["wide", "phone", "dark"])
def test_the_verdict_stands_first_and_the_page_stays_offline(report, open_page, options):
    """The longer prompt of the simulated experiment costs more; the page says so before anything else."""
    opened = open_page(report.html, **options)
    assert (opened.requests, opened.problems, opened.overflow_px) == ([], [], 0)
    text = opened.text
    verdict = text.index("support_answer@4 is worse than support_answer@3.")
    assert verdict < text.index("Checks before any effect") < text.index("Every metric")
    assert "Synthetic data." in text
    assert "Simulated answer of version 4" in text


def test_the_manifest_holds_the_verdict(report):
    """Scripts read the manifest, not the page; the sums close."""
    figures = report.manifest["figures"]
    assert (figures["verdict"], figures["primary"]) == ("worse", "cost_per_call_usd")
    assert figures["rows_read"] == figures["span_count"] + figures["quarantined_count"]
