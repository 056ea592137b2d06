"""Real and projected Langfuse exports through the reader, against figures counted by hand."""

import json
from datetime import datetime

import polars as pl
import pytest

from llmops_lib.sources.langfuse import read_langfuse
from llmops_lib.sources.load import read_exports

TRACES = (
    "agno-2025-06-11.trace.json",
    "claude-agent-2025-12-22.trace.json",
    "crewai-2025-07-11.trace.json",
    "google-gemini-2025-08-01.trace.json",
    "koog-2025-08-26.json",
    "langgraph-python-2025-08-22.trace.json",
    "openai-assistants-2024-05-29.json",
    "vercel-aisdk-2025-11-17.trace.json",
)
EXPORTS = ("observations_blob_export.jsonl", "observations_ui_export.jsonl", "observations_ui_export.csv")


def _attribute(spans, name):
    return spans["attributes"].str.json_path_match(f'$["{name}"]')


@pytest.mark.parametrize("name", TRACES)
def test_a_real_download_has_the_figures_counted_by_hand(shared, name):
    """Counted in plain Python over the raw file, so a mistake of the reader shows."""
    expected = json.loads((shared / "fixtures/langfuse/trace_json/EXPECTED.json").read_text())[name]
    rows = read_langfuse(shared / "fixtures/langfuse/trace_json" / name)
    spans = rows.spans
    assert spans["trace_id"].unique().to_list() == [expected["trace_id"]]
    assert spans.height == expected["observations"]
    assert dict(_attribute(spans, "langfuse.type").value_counts().rows()) == expected["by_type"]
    assert spans.filter("is_model_call").height == expected["generations"]
    assert spans["input_tokens"].sum() == expected["input_usage"]
    assert spans["output_tokens"].sum() == expected["output_usage"]
    assert spans["reported_cost_usd"].sum() == pytest.approx(expected["total_cost"])
    assert spans["is_error"].sum() == expected["errors"]
    calls = spans.filter("is_model_call")
    assert sorted(calls["request_model"].unique()) == expected["models"]
    assert spans["started_at"].min() == datetime.fromisoformat(expected["first_start"])
    assert spans["ended_at"].max() == datetime.fromisoformat(expected["last_end"])
    reasons = rows.quarantine["reason"].to_list()
    assert reasons.count("not_a_span: langfuse score") == expected["scores"]
    assert reasons.count("not_a_span: langfuse trace") == 1
    assert rows.rows_read == expected["observations"] + expected["scores"] + 1


@pytest.mark.parametrize("name", EXPORTS)
def test_the_exports_have_the_figures_counted_by_hand(shared, name):
    """The same observations as UI and blob export."""
    folder = shared / "fixtures/langfuse/projected_exports"
    figures = json.loads((folder / "EXPECTED.json").read_text())
    expected = figures["observations_blob_export.jsonl"]
    rows = read_langfuse(folder / name)
    assert rows.rows_read == rows.spans.height == expected["rows"]
    types = _attribute(rows.spans, "langfuse.type")
    assert types.to_list().count("GENERATION") == expected["generations"]
    assert rows.spans.filter("is_model_call").height == expected["generations"]
    assert rows.spans["input_tokens"].sum() == expected["input_usage"]
    assert rows.spans["output_tokens"].sum() == expected["output_usage"]
    assert rows.spans["reported_cost_usd"].sum() == pytest.approx(expected["total_cost"])


def test_the_exports_of_the_same_rows_agree(shared):
    """A team that switches from one export to the other must not see its numbers move."""
    folder = shared / "fixtures/langfuse/projected_exports"
    # The UI export of a trace names it and its user; the blob export of observations does not.
    own = ("attributes", "feature_hint", "user_id", "tags", "source_file", "source_line")
    tables = [read_langfuse(folder / name).spans.drop(own) for name in EXPORTS]
    assert tables[1].equals(tables[2])
    assert tables[0].equals(tables[1])


def test_scores_alone_are_no_spans(shared):
    """A score is about a span and is none."""
    folder = shared / "fixtures/langfuse/projected_exports"
    expected = json.loads((folder / "EXPECTED.json").read_text())["scores_blob_export.jsonl"]["rows"]
    rows = read_langfuse(folder / "scores_blob_export.jsonl")
    assert rows.spans.is_empty()
    assert rows.quarantine["reason"].to_list() == ["not_a_span: langfuse score"] * expected


def test_traces_alone_wait_for_their_observations(shared):
    """A trace's totals repeat its observations, and its session and user are theirs."""
    folder = shared / "fixtures/langfuse/projected_exports"
    expected = json.loads((folder / "EXPECTED.json").read_text())["traces_blob_export.jsonl"]["rows"]
    rows = read_langfuse(folder / "traces_blob_export.jsonl")
    assert rows.spans.is_empty()
    assert rows.log_messages.height == rows.rows_read == expected
    assert rows.log_messages["span_id"].null_count() == expected


def test_traces_of_one_file_reach_observations_of_another(shared):
    """The blob export writes them into folders of their own; sessions often stand on the trace only."""
    folder = shared / "fixtures/langfuse/projected_exports"
    paths = [folder / name for name in ("observations_blob_export.jsonl", "traces_blob_export.jsonl")]
    of_traces = pl.read_ndjson(paths[1]).select("id", "session_id").drop_nulls()
    load = read_exports(paths)
    sessions = dict(load.spans.select("trace_id", "session_id").unique().rows())
    assert of_traces.height == 1
    assert [sessions[trace] for trace in of_traces["id"]] == of_traces["session_id"].to_list()
    assert load.spans["feature"].null_count() == 0
    assert set(load.quarantine["reason"]) <= {"merged", "not_a_span: the spans of this trace are absent"}
    assert load.files[0].rows_read == load.files[0].span_count


def test_a_batch_of_the_sdk_has_the_figures_counted_by_hand(shared):
    """The batch holds the failed calls that the real downloads lack."""
    folder = shared / "fixtures/langfuse/sdk_v2_ingestion"
    expected = json.loads((folder / "EXPECTED.json").read_text())["ingestion_batch.json"]
    rows = read_langfuse(folder / "ingestion_batch.json")
    calls = rows.spans.filter("is_model_call")
    assert rows.rows_read == expected["events"]
    assert calls.height == expected["by_type"]["generation-create"]
    assert calls["is_error"].sum() == expected["generations_with_error"]
    assert calls["input_tokens"].to_list() == [184, None, 20]
    assert calls["output_tokens"].to_list() == [8, None, 147]
    assert calls["time_to_first_token_ms"].to_list() == [250.0, None, 250.0]
    assert calls["tenant"].unique().to_list() == ["acme"]
    assert calls["feature"].unique().to_list() == ["qa"]
    assert rows.spans["session_id"].unique().to_list() == ["sess-1"]
    assert rows.spans["release"].unique().to_list() == ["1.4.2"]


def test_a_wrapper_that_langfuse_counts_is_counted(shared):
    """Its counts are not those of the call inside, so nothing proves that they are the same tokens."""
    rows = read_langfuse(shared / "fixtures/langfuse/trace_json/vercel-aisdk-2025-11-17.trace.json")
    assert rows.spans.select("name", "operation", "input_tokens").rows() == [
        ("ai.generateText", "chat", 14),
        ("ai.generateText.doGenerate", "chat", 62),
        ("getWeather", "execute_tool", None),
    ]


def test_latency_is_in_milliseconds_whatever_the_download_says(shared):
    """Downloads of 2024 give milliseconds, newer ones seconds."""
    folder = shared / "fixtures/langfuse/trace_json"
    old = read_langfuse(folder / "openai-assistants-2024-05-29.json").spans
    new = read_langfuse(folder / "claude-agent-2025-12-22.trace.json").spans
    assert dict(old.select("name", "latency_ms").rows())["get_response"] == 1993.0
    assert new["latency_ms"][0] == 3733.0
