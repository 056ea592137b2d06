"""The weekly report from real exports: it renders, stays on this machine and tells the same numbers twice."""

import json
from functools import cache
from pathlib import Path

import pytest

from llmops_lib import load_traces, price_calls, run_report

pytestmark = pytest.mark.browser

# One of each way that an export reaches a report; that each loads as it should is tested without a report.
EXPORTS = [
    "fixtures/otlp_json/openinference_anthropic_plus_sdk_native.traces.jsonl",
    "fixtures/otlp_json/python_console_exporter.openai_v2_2.4b0.jsonl",
    "fixtures/phoenix/support-rag.spans.csv",
    "fixtures/phoenix/trace_dataset-01387532-1f85-4a3e-be43-57e2de841078.parquet",
    "fixtures/langfuse/projected_exports/observations_ui_export.csv",
    "fixtures/langsmith/sdk_runs.bulk_export.parquet",
    "fixtures/helicone/helicone-export.json",
    "fixtures/mlflow/traces.jsonl",
]

MAPPINGS = {
    "ragpulse_week.jsonl": {
        "columns": {
            "started_at": {"column": "timestamp", "unit": "s", "origin": "2025-09-10T12:00:00+08:00"},
            "input_tokens": "input_length",
            "output_tokens": "output_length",
            "session_id": "session_id",
        },
        "constants": {"feature": "question answering"},
    },
    "azure_llm_2023_conv.csv": {
        "columns": {
            "started_at": "TIMESTAMP",
            "input_tokens": "ContextTokens",
            "output_tokens": "GeneratedTokens",
        },
        "timezone": "UTC",
    },
}


def headline(source: Path) -> tuple[int, float | None]:
    """Calls and spend of the last week of an export, counted without the report's measures."""
    calls = price_calls(load_traces(source)).filter("is_model_call")
    week = calls["started_at"].dt.strftime("%G-W%V")
    last = calls.filter(week == week.max())
    return last.height, (last["cost_usd"].sum() if last["is_priced"].any() else None)


def opened_quietly(open_page, html: Path, **options):
    """The page, once it asked for nothing and complained of nothing."""
    opened = open_page(html, **options)
    assert opened.requests == []
    assert opened.problems == []
    return opened


@pytest.fixture(scope="module")
def report_of(shared, tmp_path_factory):
    """The report of an export, made once."""

    @cache
    def make(export):
        return run_report("weekly", output=tmp_path_factory.mktemp("weekly"), source=str(shared / export))

    return make


@pytest.mark.parametrize("export", EXPORTS, ids=lambda name: Path(name).name)
def test_the_report_of_each_real_export_renders_offline(export, report_of, shared, open_page):
    """A colleague opens it without a network; every figure of it was counted again here."""
    report = report_of(export)
    opened = opened_quietly(open_page, report.html)
    calls, spend = headline(shared / export)
    figures = report.manifest["figures"]
    assert figures["call_count"] == calls
    assert figures["spend_usd"] == pytest.approx(spend, abs=1e-6)
    assert figures["rows_read"] == figures["span_count"] + figures["quarantined_count"]
    assert f"{calls:,}" in opened.text


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_report_of_a_mapped_request_log_renders_offline(name, shared, tmp_path, open_page):
    """Any log can be loaded: a real week of a RAG service and real LLM requests, as plain tables."""
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(json.dumps(MAPPINGS[name]), encoding="utf-8")
    source = shared / "reference" / "data" / name
    report = run_report("weekly", output=tmp_path / "reports", source=str(source), columns=str(mapping))
    opened = opened_quietly(open_page, report.html, width=360)
    figures = report.manifest["figures"]
    assert figures["unpriced_share"] == 1.0
    assert figures["spend_usd"] is None
    assert f"{figures['call_count']:,}" in opened.text
    assert opened.overflow_px == 0


def test_the_same_input_gives_the_same_bytes(report_of, shared, tmp_path):
    """Reports are compared week by week; only the run itself may differ."""
    first, second = (
        report_of(EXPORTS[0]),
        run_report("weekly", output=tmp_path, source=str(shared / EXPORTS[0])),
    )
    assert first.html.read_bytes() == second.html.read_bytes()
    assert {**first.manifest, "run": None} == {**second.manifest, "run": None}
