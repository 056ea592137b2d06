"""Braintrust log rows through the reader."""

import csv
import json
from datetime import UTC, datetime

import pytest

from llmops_lib.sources.braintrust import read_braintrust
from llmops_lib.sources.detect import detect_format

START = 1772445600.0
ROW = {
    "id": "r-1",
    "span_id": "s-1",
    "root_span_id": "t-1",
    "span_parents": None,
    "span_attributes": {"name": "Chat Completion", "type": "llm"},
    "created": "2026-03-02T10:00:03Z",
    "input": [{"role": "user", "content": "hi"}],
    "output": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "metadata": {"provider": "openai", "model": "gpt-4o", "user_id": "u-1", "feature": "qa"},
    "metrics": {
        "start": START,
        "end": START + 2.5,
        "prompt_tokens": 12,
        "completion_tokens": 5,
        "tokens": 17,
        "prompt_cached_tokens": 8,
        "completion_reasoning_tokens": 3,
        "time_to_first_token": 0.25,
    },
    "tags": ["prod"],
}


def _write(tmp_path, *values):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(value) for value in values), encoding="utf-8")
    return path


def _row(tmp_path, log_row):
    (row,) = read_braintrust(_write(tmp_path, log_row)).spans.to_dicts()
    return row


def test_a_real_log_has_the_figures_counted_by_hand(shared):
    """Counted in plain Python over the raw file, so a mistake of the reader shows."""
    folder = shared / "fixtures/braintrust"
    expected = json.loads((folder / "EXPECTED.json").read_text())["sdk_log_rows.jsonl"]
    path = folder / "sdk_log_rows.jsonl"
    rows = read_braintrust(path)
    calls = rows.spans.filter("is_model_call")
    assert detect_format(path) == "braintrust"
    assert rows.rows_read == rows.spans.height == expected["rows"]
    assert calls.height == expected["llm"]
    assert calls["input_tokens"].sum() == expected["prompt_tokens"]
    assert calls["output_tokens"].sum() == expected["completion_tokens"]
    assert calls["is_error"].sum() == expected["llm_rows_with_error"]
    failed = rows.spans.filter("is_error")
    assert failed.height == expected["rows_with_error"]
    assert failed["error_type"].to_list() == ["RateLimitError"]


def test_a_summary_of_an_eval_is_recognised_and_set_aside(shared):
    """It has scores of a whole eval and no span; a directory that holds it must load all the same."""
    path = shared / "fixtures/braintrust/eval_summary.jsonl"
    rows = read_braintrust(path)
    assert detect_format(path) == "braintrust"
    assert rows.spans.is_empty()
    assert rows.quarantine["reason"].to_list() == ["not_a_span: summary of an eval"]


def test_an_eval_that_failed_is_set_aside_too(tmp_path):
    """Its summary is its errors."""
    path = _write(tmp_path, {"eval_name": "capitals", "errors": ["boom"]})
    assert detect_format(path) == "braintrust"
    assert read_braintrust(path).quarantine["reason"].to_list() == ["not_a_span: summary of an eval"]


def test_a_model_call_has_its_counts_times_and_texts(tmp_path):
    """Every field that a report computes with."""
    row = _row(tmp_path, ROW)
    assert (row["trace_id"], row["span_id"], row["parent_span_id"]) == ("t-1", "s-1", None)
    assert row["started_at"] == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert row["latency_ms"] == 2500
    assert (row["provider"], row["request_model"], row["operation"]) == ("openai", "gpt-4o", "chat")
    assert (row["input_tokens"], row["output_tokens"]) == (12, 5)
    assert (row["cache_read_tokens"], row["reasoning_tokens"]) == (8, 3)
    assert (row["user_id"], row["feature"], row["tags"]) == ("u-1", "qa", ["prod"])
    assert row["finish_reason"] == "stop"
    assert json.loads(row["output"])[0]["parts"] == [{"type": "text", "content": "hello"}]
    assert row["reported_cost_usd"] is None


def test_the_first_token_says_nothing_of_a_call_that_did_not_stream(tmp_path):
    """Braintrust writes it on every call, there about the whole latency."""
    assert _row(tmp_path, ROW)["time_to_first_token_ms"] is None


def test_the_first_token_of_a_streamed_call_is_in_milliseconds(tmp_path):
    """The source has seconds."""
    row = _row(tmp_path, {**ROW, "metadata": {**ROW["metadata"], "stream": True}})
    assert (row["time_to_first_token_ms"], row["is_streaming"]) == (250, True)


def test_the_reason_of_an_answer_may_stand_in_the_metadata(tmp_path):
    """The wrapper of Anthropic logs the message alone and `stop_reason` beside it."""
    output = {"role": "assistant", "content": [{"type": "text", "text": "hello"}]}
    metadata = {"provider": "anthropic", "model": "claude-haiku-4-5", "stop_reason": "end_turn"}
    assert _row(tmp_path, ROW | {"output": output, "metadata": metadata})["finish_reason"] == "end_turn"
    both = _row(tmp_path, ROW | {"metadata": {**ROW["metadata"], "stop_reason": "end_turn"}})
    assert both["finish_reason"] == "stop"


def test_an_estimate_of_the_cost_is_found_in_the_row_too(tmp_path):
    """A query of the API may select it as a column of its own."""
    assert _row(tmp_path, ROW | {"estimated_cost": 0.25})["reported_cost_usd"] == 0.25


def test_a_merge_row_adds_to_the_row_of_its_id(tmp_path):
    """The SDK logs a span when it begins and sends the rest as a merge."""
    begun = {**ROW, "metrics": {"start": START}, "output": None}
    rest = {"end": START + 2.5, "prompt_tokens": 12, "completion_tokens": 5}
    merge = {"id": "r-1", "_is_merge": True, "metrics": rest, "output": "hello"}
    rows = read_braintrust(_write(tmp_path, begun, merge))
    (row,) = rows.spans.to_dicts()
    assert (row["latency_ms"], row["input_tokens"], row["output"]) == (2500, 12, '"hello"')
    assert rows.quarantine["reason"].to_list() == ["merged: into the row at line 1"]
    assert rows.rows_read == 2


def test_a_row_that_is_no_merge_replaces_the_older_version(tmp_path):
    """An export may hold every version of a row; the transaction says which is the last."""
    newer = {**ROW, "_xact_id": "1000", "metrics": {**ROW["metrics"], "prompt_tokens": 99}}
    rows = read_braintrust(_write(tmp_path, newer, {**ROW, "_xact_id": "999"}))
    assert rows.spans["input_tokens"].to_list() == [99]
    assert rows.quarantine["reason"].to_list() == ["duplicate"]


def test_a_merge_row_without_its_base_is_refused(tmp_path):
    """Its span stands in another file, and a span without a start cannot be placed."""
    rows = read_braintrust(_write(tmp_path, ROW, {"id": "r-2", "_is_merge": True, "output": "x"}))
    assert rows.spans.height == 1
    assert rows.quarantine["reason"].to_list() == ["missing_field: trace_id"]


def test_a_deleted_row_is_no_span(tmp_path):
    """Someone removed it on purpose, and what it was before does not come back."""
    rows = read_braintrust(_write(tmp_path, ROW, {"id": "r-1", "_object_delete": True}))
    assert rows.spans.is_empty()
    assert sorted(rows.quarantine["reason"]) == ["duplicate", "not_a_span: a row that was deleted"]


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("llm", "chat"),
        ("task", "chain"),
        ("tool", "execute_tool"),
        ("score", "evaluation"),
        ("eval", "chain"),
        ("function", "other"),
        ("automation", "other"),
        (None, "other"),
    ],
)
def test_each_type_has_its_operation(tmp_path, kind, operation):
    """Only `llm` is a model call."""
    row = _row(tmp_path, {**ROW, "span_attributes": {"name": "step", "type": kind}})
    assert row["operation"] == operation
    assert row["is_model_call"] == (kind == "llm")
    assert (row["input_tokens"] is None) == (kind != "llm")


def test_counts_of_anthropic_that_leave_the_cache_out_are_made_inclusive(tmp_path):
    """Older integrations pass the provider's input through; the total proves it."""
    metrics = {"start": START, "prompt_tokens": 9, "completion_tokens": 5, "tokens": 34}
    metrics |= {"prompt_cached_tokens": 12, "prompt_cache_creation_tokens": 8}
    row = _row(tmp_path, {**ROW, "metrics": metrics})
    assert (row["input_tokens"], row["cache_read_tokens"], row["cache_write_tokens"]) == (29, 12, 8)


def test_a_table_with_json_in_its_cells_is_read(tmp_path):
    """Exports of the user interface are CSV."""
    path = tmp_path / "rows.csv"
    cells = {
        name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in ROW.items()
    }
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(cells))
        writer.writeheader()
        writer.writerow(cells)
    assert detect_format(path) == "braintrust"
    (row,) = read_braintrust(path).spans.to_dicts()
    assert (row["input_tokens"], row["latency_ms"], row["tags"]) == (12, 2500, ["prod"])


def test_pages_of_the_api_hold_the_same_rows(tmp_path):
    """Which endpoint a file came from must not change the numbers."""
    path = _write(tmp_path, {"events": [ROW], "cursor": "abc"})
    assert detect_format(path) == "braintrust"
    assert read_braintrust(path).spans["input_tokens"].to_list() == [12]


@pytest.mark.parametrize(
    "value", [7, {"a": 1}, {**ROW, "metrics": {"start": "soon"}}, {**ROW, "span_attributes": 5}]
)
def test_a_row_that_cannot_be_a_span_is_refused(tmp_path, value):
    """Nothing that stands in a file is dropped silently."""
    rows = read_braintrust(_write(tmp_path, {**ROW, "id": "r-9"}, value))
    assert (rows.spans.height, rows.quarantine.height, rows.rows_read) == (1, 1, 2)


def test_a_row_with_a_long_input_is_recognised(tmp_path):
    """The identifiers stand last in a row, and detection sees only the beginning of a file."""
    names = ("id", "metrics", "span_attributes", "input", "span_id", "root_span_id")
    path = _write(tmp_path, {**{name: ROW[name] for name in names}, "input": "x" * 100_000, "span_id": "s-1"})
    assert detect_format(path) == "braintrust"
