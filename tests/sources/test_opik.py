"""Opik exports and batches through the reader."""

import csv
import json
from datetime import UTC, datetime

import pytest

from llmops_lib.sources.detect import detect_format
from llmops_lib.sources.load import read_exports
from llmops_lib.sources.opik import read_opik

SPAN = {
    "id": "s-1",
    "project_name": "support",
    "trace_id": "t-1",
    "parent_span_id": None,
    "name": "chat_completion_create",
    "type": "llm",
    "start_time": "2026-03-02T10:00:00.000000Z",
    "end_time": "2026-03-02T10:00:02.500000Z",
    "input": {"messages": [{"role": "user", "content": "hi"}]},
    "output": {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]},
    "metadata": {"id": "c-1", "service_tier": "flex", "env": "prod"},
    "model": "gpt-4o",
    "provider": "openai",
    "usage": {
        "prompt_tokens": 12,
        "completion_tokens": 5,
        "total_tokens": 17,
        "original_usage.prompt_tokens": 12,
        "original_usage.prompt_tokens_details.cached_tokens": 8,
        "original_usage.completion_tokens_details.reasoning_tokens": 3,
    },
    "total_estimated_cost": 0.75,
    "last_updated_at": "2026-03-02T10:00:02.600000Z",
}
TRACE = {
    "id": "t-1",
    "project_name": "support",
    "name": "answer",
    "start_time": "2026-03-02T10:00:00Z",
    "input": {"q": "hi"},
    "metadata": {"feature": "qa", "user_id": 7},
    "tags": ["beta"],
    "thread_id": "th-1",
    "usage": {"prompt_tokens": 12},
    "total_estimated_cost": 0.75,
    "last_updated_at": "2026-03-02T10:00:02.600000Z",
}


def _write(tmp_path, *values, name="export"):
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(value) for value in values), encoding="utf-8")
    return path


def _row(tmp_path, span):
    (row,) = read_opik(_write(tmp_path, span)).spans.to_dicts()
    return row


def _exports(shared):
    expected = json.loads((shared / "fixtures/opik/EXPECTED.json").read_text())
    return {name: figures for name, figures in expected.items() if "spans" in figures}


def test_real_exports_have_the_figures_counted_by_hand(shared):
    """Counted in plain Python over the raw file, so a mistake of the reader shows."""
    for name, expected in _exports(shared).items():
        spans = read_opik(shared / "fixtures/opik" / name).spans
        calls = spans.filter("is_model_call")
        assert (spans.height, calls.height) == (expected["spans"], expected["llm"])
        assert calls["input_tokens"].sum() == expected["prompt_tokens"]
        assert calls["output_tokens"].sum() == expected["completion_tokens"]
        assert calls["is_error"].sum() == expected["errors_llm"]
        assert calls["model"].to_list() == expected["models"]
        assert calls["provider"].to_list() == [None]


def test_the_batches_hold_the_same_spans_as_the_exports(shared):
    """Two ways to save the same traces must not give two weeks' numbers."""
    folder = shared / "fixtures/opik"
    batches = read_exports([folder / "sdk_batch.spans.jsonl", folder / "sdk_batch.traces.jsonl"])
    exports = read_exports([folder / name for name in _exports(shared)])
    own = ("attributes", "source_file", "source_line")
    both = [loaded.spans.drop(own).sort("span_id") for loaded in (batches, exports)]
    assert both[0].equals(both[1])
    assert batches.spans["session_id"].null_count() == 0


def test_every_row_of_a_batch_is_accounted_for(shared):
    """Eleven rows hold nine spans, because two were sent when they began and when they ended."""
    rows = read_opik(shared / "fixtures/opik/sdk_batch.spans.jsonl")
    assert (rows.rows_read, rows.spans.height) == (11, 9)
    assert rows.quarantine["reason"].str.starts_with("merged").all()


@pytest.mark.parametrize(
    "value",
    [
        SPAN,
        [SPAN],
        {"spans": [SPAN]},
        {"page": 1, "size": 1, "total": 1, "content": [SPAN]},
        {"trace": TRACE, "spans": [SPAN], "downloaded_at": "2026-03-02T11:00:00Z"},
    ],
    ids=["row", "list", "batch", "page", "export"],
)
def test_every_shape_is_recognised_and_gives_the_same_call(tmp_path, value):
    """Which endpoint a file came from must not change the numbers."""
    path = _write(tmp_path, value)
    assert detect_format(path) == "opik"
    (row,) = read_opik(path).spans.to_dicts()
    assert (row["trace_id"], row["span_id"], row["latency_ms"]) == ("t-1", "s-1", 2500)
    assert (row["input_tokens"], row["output_tokens"]) == (12, 5)
    assert (row["cache_read_tokens"], row["reasoning_tokens"]) == (8, 3)
    assert (row["reported_cost_usd"], row["request_id"], row["provider"]) == (0.75, "c-1", "openai")
    assert (row["finish_reason"], row["environment"]) == ("stop", "prod")
    assert '"openai.response.service_tier":"flex"' in row["attributes"]


def test_a_trace_gives_its_spans_session_user_and_feature_but_no_call(tmp_path):
    """Its totals repeat those of its spans."""
    loaded = read_exports([_write(tmp_path, {"trace": TRACE, "spans": [SPAN]})])
    (row,) = loaded.spans.to_dicts()
    assert (row["session_id"], row["user_id"], row["feature"]) == ("th-1", "7", "qa")
    assert row["tags"] == ["beta"]
    assert row["input_tokens"] == 12
    assert loaded.quarantine["reason"].to_list() == ["merged"]


def test_an_update_completes_the_span_it_belongs_to(tmp_path):
    """The SDK sends a span when it begins; its end alone has no start."""
    begun = {name: SPAN[name] for name in ("id", "trace_id", "name", "start_time", "project_name")}
    ended = {name: SPAN[name] for name in ("id", "trace_id", "type", "end_time", "usage")}
    rows = read_opik(_write(tmp_path, begun, ended))
    (row,) = rows.spans.to_dicts()
    assert (row["latency_ms"], row["input_tokens"], row["operation"]) == (2500, 12, "chat")
    assert rows.quarantine["reason"].to_list() == ["merged: into the row at line 1"]


def test_the_later_version_counts_whatever_its_place(tmp_path):
    """Lines of a file may be in any order."""
    begun = {**SPAN, "type": "general", "end_time": None, "last_updated_at": "2026-03-02T10:00:00.1Z"}
    (row,) = read_opik(_write(tmp_path, SPAN, begun)).spans.to_dicts()
    assert (row["operation"], row["latency_ms"]) == ("chat", 2500)


def test_input_that_leaves_the_cache_out_is_made_inclusive(tmp_path):
    """Older SDKs pass Anthropic's input through; the provider's own counts stand beside it."""
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "original_usage.input_tokens": 9,
        "original_usage.cache_read_input_tokens": 6,
        "original_usage.cache_creation_input_tokens": 2,
    }
    assert _row(tmp_path, {**SPAN, "usage": usage})["input_tokens"] == 17


def test_input_that_contains_the_cache_stays(tmp_path):
    """Newer SDKs add the cache themselves; adding it again would bill it twice."""
    usage = {
        "prompt_tokens": 280,
        "completion_tokens": 100,
        "original_usage.input_tokens": 200,
        "original_usage.cache_read_input_tokens": 30,
        "original_usage.cache_creation_input_tokens": 50,
    }
    row = _row(tmp_path, {**SPAN, "usage": usage})
    assert (row["input_tokens"], row["cache_read_tokens"], row["cache_write_tokens"]) == (280, 30, 50)


def test_usage_on_a_span_of_no_model_is_not_counted(tmp_path):
    """A wrapper that repeats usage would double it."""
    row = _row(tmp_path, {**SPAN, "type": "general"})
    assert (row["is_model_call"], row["input_tokens"], row["reported_cost_usd"]) == (False, None, None)
    assert '"prompt_tokens":12' in row["attributes"]


def test_a_failure_keeps_its_class_message_and_traceback(tmp_path):
    """The class is what error rates are grouped by."""
    error = {"exception_type": "openai.RateLimitError", "message": "429", "traceback": "in answer"}
    row = _row(tmp_path, {**SPAN, "error_info": error, "usage": None})
    assert (row["is_error"], row["error_type"], row["error_message"]) == (True, "RateLimitError", "429")
    assert "in answer" in row["attributes"]


def test_the_time_to_the_first_token_is_milliseconds(tmp_path):
    """Read as seconds it would be a thousand times too long."""
    row = _row(tmp_path, {**SPAN, "ttft": 125.5})
    assert (row["time_to_first_token_ms"], row["is_streaming"]) == (125.5, True)


def test_feedback_of_a_person_on_the_trace_goes_to_the_root(tmp_path):
    """A judge's score is no feedback."""
    scores = [
        {"name": "user_feedback", "value": 0.5, "source": "ui"},
        {"name": "user_feedback", "value": 0.9, "source": "online_scoring"},
    ]
    inner = {**SPAN, "id": "s-2", "parent_span_id": "s-1"}
    rows = read_opik(
        _write(tmp_path, {"trace": {**TRACE, "feedback_scores": scores}, "spans": [SPAN, inner]})
    )
    assert rows.spans["feedback_score"].to_list() == [0.5, None]


def test_an_embedding_says_so_in_its_name(tmp_path):
    """Opik has one type for every model call."""
    assert _row(tmp_path, {**SPAN, "name": "embeddings_create"})["operation"] == "embeddings"


def test_times_without_a_zone_are_utc(tmp_path):
    """Opik keeps its times in UTC."""
    row = _row(tmp_path, {**SPAN, "start_time": "2026-03-02 10:00:00"})
    assert row["started_at"] == datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", [7, {"a": 1}, {"trace_id": "t", "id": "s"}, {**SPAN, "start_time": "soon"}])
def test_a_row_that_cannot_be_a_span_is_refused(tmp_path, value):
    """Nothing that stands in a file is dropped silently."""
    rows = read_opik(_write(tmp_path, {**SPAN, "id": "s-9"}, value))
    assert (rows.spans.height, rows.quarantine.height, rows.rows_read) == (1, 1, 2)


def test_a_trace_with_a_long_input_is_recognised(tmp_path):
    """Detection sees only the beginning of a file."""
    path = _write(tmp_path, {**TRACE, "input": {"q": "x" * 100_000}})
    assert detect_format(path) == "opik"


def test_rows_of_the_csv_export_on_lines_survive_other_lines(tmp_path):
    """A table that was turned into JSON Lines may hold anything between its rows."""
    row = {
        "trace_id": "t-1",
        "trace_start_time": "2026-03-02T10:00:00Z",
        "span_id": "s-1",
        "span_trace_id": "t-1",
        "span_start_time": "2026-03-02T10:00:00Z",
    }
    rows = read_opik(_write(tmp_path, row, [1], {"a": 1}))
    assert rows.spans["span_id"].to_list() == ["s-1"]
    assert sorted(rows.quarantine["reason"]) == ["missing_field: id of a trace", "not_object"]


def test_the_csv_export_has_a_trace_and_a_span_side_by_side(tmp_path):
    """Its columns are flattened, and its lists are in Python's notation."""
    trace = {
        "trace_id": "t-1",
        "trace_name": "answer",
        "trace_start_time": "2026-03-02 10:00:00+00:00",
        "trace_thread_id": "th-1",
        "trace_tags": "['beta']",
        "trace_metadata_feature": "qa",
    }
    root = {"span_id": "s-0", "span_trace_id": "t-1", "span_name": "answer", "span_type": "general"}
    call = {
        "span_id": "s-1",
        "span_trace_id": "t-1",
        "span_parent_span_id": "s-0",
        "span_name": "chat_completion_create",
        "span_type": "llm",
        "span_end_time": "2026-03-02 10:00:02.500000+00:00",
        "span_input_messages": "[{'role': 'user', 'content': 'hi'}]",
        "span_output_choices": "[{'message': {'role': 'assistant', 'content': 'hello'}}]",
        "span_model": "gpt-4o",
        "span_provider": "openai",
        "span_usage_prompt_tokens": "12",
        "span_usage_completion_tokens": "5",
        "span_usage_original_usage.prompt_tokens_details.cached_tokens": "8",
        "span_total_estimated_cost": "0.75",
        "span_error_info_exception_type": "RateLimitError",
        "span_metadata_note": "kept",
    }
    rows = [{**trace, "span_start_time": "2026-03-02 10:00:00+00:00", **span} for span in (root, call)]
    path = tmp_path / "export"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list({**rows[1], **rows[0]}))
        writer.writeheader()
        writer.writerows(rows)
    load = read_exports(path)
    (row,) = load.spans.filter("is_model_call").to_dicts()
    assert load.files[0].source_format == "opik"
    assert load.spans.height == 2
    assert (row["trace_id"], row["span_id"], row["parent_span_id"]) == ("t-1", "s-1", "s-0")
    assert (row["input_tokens"], row["output_tokens"], row["cache_read_tokens"]) == (12, 5, 8)
    assert (row["latency_ms"], row["reported_cost_usd"]) == (2500, 0.75)
    assert (row["is_error"], row["error_type"]) == (True, "RateLimitError")
    assert (row["session_id"], row["feature"], row["tags"]) == ("th-1", "qa", ["beta"])
    assert json.loads(row["input"])[0]["parts"][0]["content"] == "hi"
    assert json.loads(row["attributes"])["metadata"]["note"] == "kept"


def test_an_answer_of_anthropic_without_its_frame_has_calls_and_reason(tmp_path):
    """Opik logs the content alone and keeps what was around it in the metadata."""
    span = {
        **SPAN,
        "output": {"content": [{"type": "tool_use", "id": "c-1", "name": "look_up", "input": {}}]},
        "metadata": {"created_from": "anthropic", "stop_reason": "tool_use"},
    }
    path = tmp_path / "spans.json"
    path.write_text(json.dumps([span]))
    row = read_opik(path).spans.row(0, named=True)
    assert json.loads(row["tool_calls"]) == [{"id": "c-1", "name": "look_up", "arguments": {}}]
    assert row["finish_reason"] == "tool_use"


INTERFACE = ("id", "name", "type", "start_time", "end_time", "input", "output", "usage", "model")
EMPTY = dict.fromkeys((*INTERFACE, "total_estimated_cost", "thread_id"), "")


def _of_interface(row):
    return EMPTY | {name: row[name] for name in EMPTY if name in row}


def test_a_trace_that_the_interface_exports_has_its_spans(tmp_path):
    """Its spans name no trace: they stand below the row that has no type."""
    path = _write(tmp_path, [_of_interface(TRACE), _of_interface(SPAN)])
    assert detect_format(path) == "opik"
    row = read_exports([path]).spans.row(0, named=True)
    assert (row["trace_id"], row["span_id"], row["session_id"]) == ("t-1", "s-1", "th-1")
    assert (row["input_tokens"], row["cache_read_tokens"], row["reported_cost_usd"]) == (12, 8, 0.75)


def test_a_table_that_the_interface_exports_as_csv_is_read(tmp_path):
    """Fields of objects have columns of their own there, lists are JSON and scores may be dashes."""
    row = {
        "id": "s-1",
        "trace_id": "t-1",
        "type": "llm",
        "start_time": "2026-03-02T10:00:00Z",
        "input.messages": json.dumps([{"role": "user", "content": "hi"}]),
        "usage.prompt_tokens": 12,
        "usage.original_usage\\.prompt_tokens_details\\.cached_tokens": 8,
        "feedback_scores.accuracy": "-",
        "total_estimated_cost": "",
    }
    path = tmp_path / "export.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([row, row.values()])
    assert detect_format(path) == "opik"
    found = read_opik(path).spans.row(0, named=True)
    assert (found["trace_id"], found["input_tokens"], found["cache_read_tokens"]) == ("t-1", 12, 8)
    assert json.loads(found["input"])[0]["parts"] == [{"type": "text", "content": "hi"}]
