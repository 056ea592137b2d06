"""Real and projected LangSmith exports through the reader, against figures counted from the raw files."""

import json
from datetime import UTC, datetime

import pytest

from llmops_lib import load_traces
from llmops_lib.sources.langsmith import read_langsmith

RUNS = ("sdk_runs.runs.jsonl", "sdk_runs.bulk_export.parquet")


def _expected(shared, name):
    return json.loads((shared / "fixtures/langsmith/EXPECTED.json").read_text())[name]


@pytest.mark.parametrize("name", RUNS)
def test_an_export_has_the_figures_counted_from_it(shared, name):
    """Summing the roll-ups of the ancestors too would double the money."""
    expected = _expected(shared, RUNS[0])
    spans = load_traces(shared / "fixtures/langsmith" / name)
    calls = spans.filter("is_model_call")
    assert spans.height == expected["runs"]
    assert spans["trace_id"].n_unique() == expected["traces"]
    assert calls.height == expected["llm_runs"]
    assert spans["input_tokens"].sum() == calls["input_tokens"].sum() == expected["prompt_tokens_llm"]
    assert calls["output_tokens"].sum() == expected["completion_tokens_llm"]
    assert spans["reported_cost_usd"].sum() == pytest.approx(float(expected["cost_llm"]))
    assert calls["is_error"].sum() == expected["errors_llm"]
    assert spans["is_error"].sum() == expected["errors_all"]
    assert spans["started_at"].min() == datetime.fromisoformat(expected["first_start"])
    assert spans["ended_at"].max() == datetime.fromisoformat(expected["last_end"])


def test_the_bulk_export_has_the_figures_counted_from_it(shared):
    """Its costs are decimals and its objects JSON text."""
    expected = _expected(shared, RUNS[1])
    rows = read_langsmith(shared / "fixtures/langsmith" / RUNS[1])
    calls = rows.spans.filter("is_model_call")
    assert rows.rows_read == rows.spans.height == expected["rows"]
    assert str(calls["input_tokens"].sum()) == expected["llm_sum_prompt_tokens"]
    assert str(calls["output_tokens"].sum()) == expected["llm_sum_completion_tokens"]
    assert calls["reported_cost_usd"].sum() == pytest.approx(float(expected["llm_sum_total_cost"]))


def test_both_exports_of_the_same_runs_agree(shared):
    """A team that switches from one export to the other must not see its numbers move."""
    # The two were written apart: paths in the tracebacks differ, and one holds a stream by its address.
    own = ("attributes", "source_file", "source_line", "error_message", "output")
    tables = [read_langsmith(shared / "fixtures/langsmith" / name).spans.drop(own) for name in RUNS]
    assert tables[0].equals(tables[1])


def test_what_an_export_tells_of_a_call_is_in_its_columns(shared):
    """The session is in the metadata: `session_id` of a run is its project."""
    spans = load_traces(shared / "fixtures/langsmith" / RUNS[0])
    calls = spans.filter("is_model_call")
    assert sorted(calls["session_id"].unique()) == ["th-1", "th-2", "th-3"]
    assert spans["feature"].unique().to_list() == ["qa"]
    failed = calls.filter("is_error").select("error_type", "http_status", "input_tokens")
    assert failed.rows() == [("RateLimitError", 429, None)]
    assert calls["cache_read_tokens"].sum() == 1408
    assert calls["reasoning_tokens"].sum() == 64
    assert calls["time_to_first_token_ms"].drop_nulls().to_list() == [95.249]
    assert set(calls["finish_reason"].drop_nulls()) == {"stop"}


def test_operations_of_a_trace_become_its_runs(shared):
    """Two lines for every run; the root of the trace is not among them."""
    expected = _expected(shared, "run_ops_researcher_subgraph.jsonl")
    rows = read_langsmith(shared / "fixtures/langsmith/run_ops_researcher_subgraph.jsonl")
    spans = rows.spans
    assert spans.height == expected["runs"]
    assert rows.rows_read == expected["lines"] == spans.height + rows.quarantine.height
    assert set(rows.quarantine["reason"].str.split(":").list.first()) == {"merged"}
    kinds = spans["attributes"].str.json_path_match('$["langsmith.run_type"]')
    assert dict(kinds.value_counts().rows()) == expected["by_type"]
    assert spans["is_error"].sum() == expected["errors"]
    calls = spans.filter("is_model_call")
    assert calls["request_model"].to_list() == expected["llm_models"]
    assert calls["input_tokens"].to_list() == [None]
    assert calls["time_to_first_token_ms"].to_list() == [614.856]
    absent = spans.filter(~spans["parent_span_id"].is_in(spans["span_id"].implode()))
    assert absent.height == expected["runs_whose_parent_is_absent"]
    assert spans["started_at"].min() == datetime.fromisoformat(expected["first_start"]).replace(tzinfo=UTC)
    assert spans["ended_at"].max() == datetime.fromisoformat(expected["last_end"]).replace(tzinfo=UTC)


def test_a_call_of_langchain_has_messages_and_tool_calls(shared):
    """Its messages are serialized objects, nested three deep."""
    rows = read_langsmith(shared / "fixtures/langsmith/run_ops_researcher_subgraph.jsonl")
    call = rows.spans.filter("is_model_call").row(0, named=True)
    assert [message["role"] for message in json.loads(call["input"])] == ["system", "user"]
    assert json.loads(call["tool_calls"])[0]["name"] == "Response"
    assert (call["response_model"], call["finish_reason"]) == ("gpt-4o-mini-2024-07-18", "stop")


@pytest.mark.parametrize(("name", "latency_ms"), [("default", 1115.0), ("stream", 854.0)])
def test_a_batch_of_the_javascript_sdk_is_one_run(shared, name, latency_ms):
    """Its update does not even name the run; its times are epoch milliseconds."""
    rows = read_langsmith(shared / f"fixtures/langsmith/langsmith_js_wrap_openai_{name}.json")
    call = rows.spans.row(0, named=True)
    assert rows.quarantine["reason"].to_list() == ["merged: into the row at line 1"]
    assert (call["is_model_call"], call["input_tokens"], call["output_tokens"]) == (True, 9, 9)
    assert (call["latency_ms"], call["finish_reason"]) == (latency_ms, "stop")
    assert call["is_streaming"] == (True if name == "stream" else None)
