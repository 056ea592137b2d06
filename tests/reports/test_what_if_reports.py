"""What-ifs as reports: one scenario of real exports, offline, with what cannot be told said in words."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmops_lib import run_report, write_demo
from llmops_lib.errors import ParameterError

pytestmark = pytest.mark.browser

HOSTILE = "<script>alert(1)</script>"


def opened_quietly(open_page, html, **options):
    """The page, once it asked for nothing and complained of nothing."""
    opened = open_page(html, **options)
    assert opened.requests == []
    assert opened.problems == []
    return opened


def test_a_routing_scenario_says_what_is_saved_and_what_is_not_known(tmp_path, open_page):
    """The synthetic months: the cheap model was never asked to refund anything."""
    write_demo(tmp_path / "months.jsonl", weeks=5, calls_per_week=300, last_week="2026-W44")
    report = run_report("routing-what-if", output=tmp_path, source=str(tmp_path / "months.jsonl"), share=1.0)
    opened = opened_quietly(open_page, report.html, width=360, dark=True)
    assert opened.overflow_px == 0
    assert "would have saved $" in opened.text
    assert "What that does to quality cannot be told" in opened.text
    assert "never answered here" in opened.text
    assert "Synthetic data." in opened.text
    assert "<script" not in report.html.read_text("utf-8")


def test_a_budget_scenario_of_a_real_export_renders_offline(shared, tmp_path, open_page):
    """LiteLLM's own log, with a budget that a team declared."""
    budgets = tmp_path / "budgets.yaml"
    budgets.write_text("budgets:\n  - name: everything\n    limit_usd: 100\n    window: month\n", "utf-8")
    source = str(shared / "fixtures/litellm/spend_logs.jsonl")
    report = run_report(
        "budget-what-if", output=tmp_path, source=source, budgets=str(budgets), each="", growth=0.5
    )
    opened = opened_quietly(open_page, report.html)
    assert "at +50% traffic" in opened.text
    assert "A breaker at $0.50 in 1h for each user" in opened.text
    assert "everything" in opened.text
    figures = report.manifest["figures"]
    assert figures["rows_read"] == figures["span_count"] + figures["quarantined_count"]


def test_names_in_a_caching_scenario_stay_text(tmp_path, open_page):
    """A prompt is named by whoever sends the trace."""
    source = tmp_path / "table.jsonl"
    start = datetime(2026, 10, 5, tzinfo=UTC)
    rows = {
        "started_at": [(start + timedelta(minutes=row)).isoformat() for row in range(40)],
        "feature": [HOSTILE] * 40,
        "prompt_name": [HOSTILE] * 40,
        "prompt_hash": ["p1"] * 40,
        "model": ["claude-sonnet-4-5"] * 40,
        "provider": ["anthropic"] * 40,
        "input_tokens": [4000] * 40,
        "output_tokens": [10] * 40,
        "cache_read_tokens": [0, *[2000 * (row % 2) for row in range(39)]],
        "cache_write_tokens": [0] * 40,
    }
    pl.DataFrame(rows).write_ndjson(source)
    columns = tmp_path / "columns.yaml"
    columns.write_text(json.dumps({"columns": {name: name for name in rows}}), "utf-8")
    report = run_report(
        "caching-what-if", output=tmp_path, source=str(source), columns=str(columns), lifetime="1h"
    )
    opened = opened_quietly(open_page, report.html)
    assert "Prompts whose beginning repeats" in opened.text
    assert HOSTILE in opened.text
    assert "<script" not in report.html.read_text("utf-8")


def test_a_scenario_that_cannot_be_is_the_readers_error(tmp_path):
    """A misspelt model is told with those there are, and no report is written."""
    write_demo(tmp_path / "months.jsonl", weeks=5, calls_per_week=50, last_week="2026-W44")
    with pytest.raises(ParameterError, match="to_model: found 'gpt-5-turbo'"):
        run_report(
            "routing-what-if", output=tmp_path, source=str(tmp_path / "months.jsonl"), to_model="gpt-5-turbo"
        )
    assert not list(tmp_path.rglob("report.html"))
