"""Real exports of eleven emitters, against facts that were counted without this library."""

import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from llmops_lib.schema import REASONS
from llmops_lib.sources.otlp import read_otlp

TRACES = (
    "openai_v2_2.1b0.old_semconv.traces.jsonl",
    "openai_v2_2.4b0.latest_semconv.traces.PROTOJSON_base64ids.jsonl",
    "openai_v2_2.4b0.latest_semconv.traces.jsonl",
    "openai_v2_2.4b0.nocontent.traces.jsonl",
    "openinference_anthropic_plus_sdk_native.traces.jsonl",
    "openinference_openai.traces.jsonl",
    "openllmetry_openai_0.30.0.traces.jsonl",
    "openllmetry_openai_0.62.4.traces.jsonl",
    "pydantic_ai_2.31.1_v3.traces.jsonl",
    "python_console_exporter.openai_v2_2.4b0.jsonl",
    "vercel_ai_sdk_6.0.326.js_exporter.traces.jsonl",
)
# Two instrumentations wrote each call here, and rows are not folded before all files are together.
TWICE = "openinference_anthropic_plus_sdk_native.traces.jsonl"
SUPPORT_WORKLOAD = (
    "openai_v2_2.1b0.old_semconv.traces.jsonl",
    "openai_v2_2.4b0.latest_semconv.traces.jsonl",
    "openai_v2_2.4b0.nocontent.traces.jsonl",
    "openllmetry_openai_0.62.4.traces.jsonl",
    "python_console_exporter.openai_v2_2.4b0.jsonl",
)


@pytest.fixture(scope="module")
def exports(shared):
    """The folder of the exports."""
    return shared / "fixtures" / "otlp_json"


@pytest.fixture(scope="module")
def expected(exports):
    """File name -> facts."""
    return json.loads((exports / "EXPECTED.json").read_text())


def _chats(spans):
    return spans.filter(operation="chat")


@pytest.mark.parametrize("file", TRACES)
def test_every_span_of_an_export_is_loaded(exports, expected, file):
    """Spans, traces, roots and sessions as they were counted by hand."""
    found, facts = read_otlp(exports / file), expected[file]
    spans = found.spans
    assert found.rows_read == spans.height == facts["spans"]
    assert spans["trace_id"].n_unique() == facts["traces"]
    assert spans["parent_span_id"].null_count() == facts["root_spans"]
    assert sorted(spans["session_id"].drop_nulls().unique()) == facts["sessions"]
    assert spans.select("trace_id", "span_id").is_unique().all()


@pytest.mark.parametrize("file", TRACES)
def test_calls_and_errors_are_counted(exports, expected, file):
    """An error rate needs both right."""
    spans, facts = read_otlp(exports / file).spans, expected[file]
    times = 2 if file == TWICE else 1
    assert _chats(spans).height == facts["llm_spans_raw"]
    assert _chats(spans)["is_error"].sum() == times * facts["llm_calls_with_error"]
    assert spans["is_error"].sum() == facts["spans_with_error"]
    assert _chats(spans)["input_tokens"].null_count() == times * facts["llm_calls_without_usage"]


@pytest.mark.parametrize("file", TRACES)
def test_tokens_of_calls_are_those_of_the_export(exports, expected, file):
    """Tokens become money."""
    chats, facts = _chats(read_otlp(exports / file).spans), expected[file]
    times = 2 if file == TWICE else 1
    found = {
        "input_tokens_llm_calls": chats["input_tokens"].sum(),
        "output_tokens_llm_calls": chats["output_tokens"].sum(),
        "cache_read_tokens": chats["cache_read_tokens"].sum(),
        "cache_write_tokens": chats["cache_write_tokens"].sum(),
        "reasoning_tokens": chats["reasoning_tokens"].sum(),
    }
    assert found == {name: times * facts[name] for name in found}
    assert chats["reported_cost_usd"].sum() == pytest.approx(facts["given_cost_sum"])


@pytest.mark.parametrize("file", TRACES)
def test_embeddings_are_counted_apart(exports, expected, file):
    """They are billed by another price; the count for OpenLLMetry 0.30.0 missed its `llm.request.type`."""
    embeddings = read_otlp(exports / file).spans.filter(operation="embeddings")
    facts = expected[file]
    counted = (facts["embedding_calls"], facts["embedding_input_tokens"])
    if file.startswith("openllmetry_openai_0.30.0"):
        counted = (3, 21)
    assert (embeddings.height, embeddings["input_tokens"].sum()) == counted


@pytest.mark.parametrize("file", TRACES)
def test_models_are_those_of_the_export(exports, expected, file):
    """A failed OpenInference call names its model among its parameters, which the count left out."""
    chats, facts = _chats(read_otlp(exports / file).spans), expected[file]
    assert set(chats["request_model"].drop_nulls()) - set(facts["request_models"]) <= {"gpt-4o"}
    assert set(facts["request_models"]) - {"None"} <= set(chats["request_model"])
    assert set(facts["response_models"]) <= set(chats["response_model"])
    assert chats["model"].null_count() == 0


@pytest.mark.parametrize("file", TRACES)
def test_the_time_range_is_that_of_the_export(exports, expected, file):
    """Down to the microsecond that the table keeps."""
    spans, facts = read_otlp(exports / file).spans, expected[file]
    bounds = [datetime.fromisoformat(facts[name][:26] + "+00:00") for name in ("first_start", "last_end")]
    assert [spans["started_at"].min(), spans["ended_at"].max()] == bounds
    assert spans["latency_ms"].null_count() == 0


@pytest.mark.parametrize("file", TRACES)
def test_text_columns_hold_json(exports, file):
    """Views, masking and search parse them without asking."""
    spans = read_otlp(exports / file).spans
    for column in ("input", "output", "system_instructions", "tool_calls", "attributes"):
        for text in spans[column].drop_nulls():
            json.loads(text)


def test_usage_that_parents_repeat_stays_off_the_counts(exports, expected):
    """Vercel's outer spans and pydantic-ai's agents repeat the usage of their calls."""
    for file in ("vercel_ai_sdk_6.0.326.js_exporter.traces.jsonl", "pydantic_ai_2.31.1_v3.traces.jsonl"):
        spans = read_otlp(exports / file).spans
        others = spans.filter(~pl.col("is_model_call"))
        repeated = others.filter(pl.col("attributes").str.contains(r"usage[.\w]*input_?[tT]okens"))
        assert repeated.height == expected[file]["spans_with_rolled_up_usage_not_llm"]
        assert others["input_tokens"].null_count() == others.height


def test_the_two_id_dialects_of_one_export_give_one_table(exports):
    """The same requests, once as OTLP has them and once as plain protobuf JSON."""
    stem = "openai_v2_2.4b0.latest_semconv.traces"
    hexadecimal = read_otlp(exports / f"{stem}.jsonl").spans.drop("source_file")
    base64 = read_otlp(exports / f"{stem}.PROTOJSON_base64ids.jsonl").spans.drop("source_file")
    assert base64.equals(hexadecimal)


def test_one_workload_gives_one_table_whoever_traced_it(exports):
    """Ten calls of one program, recorded by four emitters, agree call by call."""
    columns = [
        "operation",
        "provider",
        "request_model",
        "response_model",
        "input_tokens",
        "output_tokens",
        "is_error",
        "error_type",
    ]
    tables = [
        _chats(read_otlp(exports / file).spans).sort("started_at").select(columns)
        for file in SUPPORT_WORKLOAD
    ]
    for table in tables[1:]:
        assert table.equals(tables[0])


def test_messages_are_the_same_in_logs_and_in_attributes(exports):
    """One version of an instrumentation wrote them as log records, the next as attributes of the span."""
    attributes = _chats(read_otlp(exports / "openai_v2_2.4b0.latest_semconv.traces.jsonl").spans)
    logs = read_otlp(exports / "openai_v2_2.1b0.old_semconv.logs.jsonl").log_messages
    texts = [_texts(text) for text in attributes.sort("started_at")["input"]]
    by_span = logs.drop_nulls("input").group_by("span_id", maintain_order=True).agg("input")
    collected = [[part for text in messages for part in _texts(text)] for messages in by_span["input"]]
    assert sorted(map(str, collected)) == sorted(map(str, texts))


def _texts(messages):
    return [
        (message["role"], part["content"])
        for message in json.loads(messages)
        for part in message["parts"]
        if part["type"] == "text"
    ]


def test_log_records_and_metrics_are_never_spans(exports, expected):
    """They repeat what the spans say, and would double it."""
    for file, facts in expected.items():
        if file in TRACES:
            continue
        found = read_otlp(exports / file)
        assert found.spans.is_empty()
        assert found.rows_read == facts["records"]
        kept = found.log_messages.height if ".logs." in file else found.quarantine.height
        assert kept == facts["records"]


def test_openinference_ids_and_tiers_come_from_the_raw_answer(exports):
    """Twins of one call are found by its response id."""
    spans = _chats(read_otlp(exports / TWICE).spans).filter(~pl.col("is_error"))
    assert spans["request_id"].value_counts()["count"].to_list() == [2, 2, 2]
    tiers = {json.loads(text)["openai.response.service_tier"] for text in spans["attributes"]}
    assert tiers == {"standard"}


def test_damaged_exports_are_refused_row_by_row(exports, tmp_path):
    """Whatever one byte does to a line, the other lines load, nothing is raised and every row is counted."""
    lines = (exports / "openllmetry_openai_0.62.4.traces.jsonl").read_bytes().split(b"\n")
    whole = read_otlp(exports / "openllmetry_openai_0.62.4.traces.jsonl").spans
    for position in range(5, len(lines[0]), 997):
        damaged = lines[0][:position] + b"\xff" + lines[0][position + 1 :]
        path = Path(tmp_path / "damaged.jsonl")
        path.write_bytes(b"\n".join([damaged, *lines[1:]]))
        found = read_otlp(path)
        assert found.spans.height == whole.filter(pl.col("source_line") > 1).height
        assert found.quarantine["reason"].str.split(":").list.first().to_list() == ["encoding"]
        assert set(found.quarantine["source_line"]) == {1}
        assert set(REASONS) >= {"encoding"}
