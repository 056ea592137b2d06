import json
from datetime import UTC, datetime

import polars as pl
import pytest

from llmops_lib.errors import SchemaError
from llmops_lib.schema import QUARANTINE, RAW_LIMIT
from llmops_lib.sources import rows
from llmops_lib.sources.rows import LOG_MESSAGES, ROW_SCHEMA, RowCollector

STARTED_AT = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)
ROW = {
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "span_id": "b7ad6b7169203331",
    "operation": "chat",
    "started_at": STARTED_AT,
    "ended_at": datetime(2026, 3, 2, 10, 0, 1, 500_000, tzinfo=UTC),
    "request_model": "gpt-4o",
    "input_tokens": 120,
}


def _collected(*rows):
    collector = RowCollector("otlp", "traces.jsonl")
    for number, row in enumerate(rows, start=1):
        collector.accept(row, line=number, offset=number * 100, raw=f"row {number}")
    return collector.finish()


def _accepted(**values):
    collected = _collected(ROW | values)
    assert collected.quarantine.is_empty(), collected.quarantine["reason"].to_list()
    return collected.spans.row(0, named=True)


def _reason(**values):
    collected = _collected(ROW | values)
    assert collected.spans.is_empty()
    return collected.quarantine["reason"].item()


def test_an_empty_file_gives_three_empty_tables_of_the_right_shape():
    """Later steps concatenate the tables of many files."""
    collected = _collected()
    assert collected.spans.schema == ROW_SCHEMA
    assert collected.quarantine.schema == QUARANTINE.polars_schema
    assert collected.log_messages.schema == LOG_MESSAGES
    assert collected.rows_read == 0


def test_every_row_read_is_in_exactly_one_table():
    """A report shows both sides of this sum."""
    collected = _collected(ROW, ROW | {"span_id": None}, ROW | {"span_id": "b7ad6b7169203332"})
    assert (collected.spans.height, collected.quarantine.height, collected.rows_read) == (2, 1, 3)


def test_a_refused_row_keeps_its_place_reason_and_text():
    """Someone must be able to find the row in the file."""
    refused = _collected(ROW, ROW | {"input_tokens": -5}).quarantine.row(0)
    assert refused == ("traces.jsonl", 2, 200, "range: input_tokens is -5", "row 2")


def test_the_text_of_a_refused_row_is_bounded_and_storable():
    """One bad line may be 64 MB of anything."""
    collector = RowCollector("otlp", "traces.jsonl")
    collector.refuse("json", line=1, raw=b"\xff" * 100_000)
    collector.refuse("json", line=2, raw=lambda: "x\ud800" * 100_000)
    texts = collector.finish().quarantine["raw"].to_list()
    assert [len(text) for text in texts] == [RAW_LIMIT, RAW_LIMIT]


def test_latency_is_the_time_between_start_and_end():
    """A duration in the source may be in any unit; the two times are not."""
    assert _accepted(latency_ms=7.0)["latency_ms"] == 1_500.0


def test_a_given_latency_counts_only_without_an_end():
    """Some exports state durations and no ends."""
    assert _accepted(latency_ms=7.0, ended_at=None)["latency_ms"] == 7.0


def test_a_clock_that_ran_backwards_gives_no_latency():
    """A negative latency would be averaged into every percentile."""
    row = _accepted(ended_at=datetime(2026, 3, 2, 9, 59, 59, tzinfo=UTC))
    assert row["latency_ms"] is None
    assert row["ended_at"] < row["started_at"]


def test_the_model_is_the_one_that_answered():
    """Prices depend on the dated snapshot, not on the alias that was asked for."""
    assert _accepted(response_model="gpt-4o-2024-08-06")["model"] == "gpt-4o-2024-08-06"
    assert _accepted(response_model="")["model"] == "gpt-4o"


@pytest.mark.parametrize(
    ("operation", "is_model_call"),
    [("chat", True), ("embeddings", True), ("rerank", True), ("invoke_agent", False), (None, False)],
)
def test_model_operations_are_model_calls(operation, is_model_call):
    """Only these rows are priced and counted."""
    row = _accepted(operation=operation)
    assert row["is_model_call"] is is_model_call
    assert row["operation"] == (operation or "other")


def test_numbers_that_are_whole_are_counts_however_they_are_written():
    """OTLP writes int64 as text, dataframes write counts with gaps as floats."""
    row = _accepted(input_tokens="120", output_tokens=30.0, http_status="429.0")
    assert (row["input_tokens"], row["output_tokens"], row["http_status"]) == (120, 30, 429)


def test_text_stays_or_becomes_json():
    """Whoever reads a text column may parse it without asking what it holds."""
    row = _accepted(input="hi", output={"city": "Paris"}, system_instructions='["be brief"]', tool_calls=5)
    assert [row[name] for name in ("input", "output", "system_instructions", "tool_calls")] == [
        '"hi"',
        '{"city":"Paris"}',
        '["be brief"]',
        "5",
    ]


def test_empty_text_is_unknown():
    """Exporters write empty text for fields that they do not fill."""
    row = _accepted(request_model="", session_id="", parent_span_id="")
    assert (row["model"], row["session_id"], row["parent_span_id"]) == (None, None, None)


def test_a_parent_of_zeros_is_no_parent():
    """Protobuf writes the default of an id as zeros."""
    assert _accepted(parent_span_id="0" * 16)["parent_span_id"] is None


def test_numbers_name_things_too():
    """User ids and prompt versions are often numbers."""
    row = _accepted(user_id=42, prompt_version=3.0, tags=["a", 7, None])
    assert (row["user_id"], row["prompt_version"], row["tags"]) == ("42", "3", ["a", "7"])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"trace_id": None}, "missing_field: trace_id"),
        ({"trace_id": ""}, "missing_field: trace_id"),
        ({"started_at": None}, "missing_field: started_at"),
        ({"trace_id": "0" * 32}, "invalid_id: trace_id is all zeros"),
        ({"trace_id": 123}, "type: trace_id is int, not text"),
        ({"input_tokens": 12.5}, "type: input_tokens is float '12.5', not a whole number"),
        ({"input_tokens": True}, "type: input_tokens is bool 'True', not a whole number"),
        ({"input_tokens": "12.5"}, "type: input_tokens is str '12.5', not a whole number"),
        ({"input_tokens": "many"}, "type: input_tokens is str 'many', not a whole number"),
        ({"input_tokens": float("inf")}, "nonfinite: input_tokens"),
        ({"input_tokens": "NaN"}, "nonfinite: input_tokens"),
        ({"input_tokens": 2**53 + 1}, "range: input_tokens is 9007199254740993"),
        ({"output_tokens": "-1"}, "range: output_tokens is -1"),
        ({"reported_cost_usd": float("nan")}, "nonfinite: reported_cost_usd"),
        ({"http_status": 42}, "range: http_status is 42"),
        ({"request_model": "m" * 1_025}, "too_long: request_model has 1025 characters"),
        ({"name": {"a": 1}}, "type: name is dict, not text"),
        ({"is_error": "perhaps"}, "type: is_error is 'perhaps', not true or false"),
        ({"tags": {"a": 1}}, "type: tags is dict, not a list"),
        (
            {"started_at": datetime(2099, 1, 1, tzinfo=UTC)},
            "time_range: started_at 2099-01-01T00:00:00+00:00",
        ),
        ({"started_at": datetime(2026, 3, 2)}, "naive_time: started_at 2026-03-02T00:00:00"),  # noqa: DTZ001
    ],
)
def test_impossible_values_refuse_the_row(values, reason):
    """A clamped or guessed number would be believed later."""
    assert _reason(**values) == reason


def test_a_column_that_does_not_exist_is_a_mistake_of_the_reader():
    """Dropping it would lose data silently."""
    with pytest.raises(SchemaError, match="'input_token'"):
        _collected(ROW | {"input_token": 1})


def test_lone_surrogates_do_not_reach_the_table():
    """Neither polars nor Parquet can hold them, and the whole file would be lost."""
    row = _accepted(name="a\ud800b", error_message="\ud800", attributes={"k": "\ud800"}, input="\ud800")
    assert row["name"] == "a?b"
    json.loads(row["attributes"])


def test_rows_survive_the_pieces_in_which_they_are_stored(monkeypatch):
    """Large files become a frame piece by piece; the seams must not show."""
    monkeypatch.setattr(rows, "_PIECE", 3)
    many = [ROW | {"span_id": f"{number:016x}", "input_tokens": number} for number in range(1, 9)]
    spans = _collected(*many).spans
    assert spans["input_tokens"].to_list() == list(range(1, 9))
    assert spans["source_line"].to_list() == list(range(1, 9))


def test_messages_of_log_records_are_kept_with_their_text():
    """They are merged into their spans once all files are read."""
    collector = RowCollector("otlp", "logs.jsonl")
    collector.add_message(
        {"trace_id": "t", "span_id": "s", "input": "[]", "output": None, "system_instructions": None},
        line=4,
        raw=b"{}",
    )
    message = collector.finish().log_messages.row(0, named=True)
    assert {name: value for name, value in message.items() if value is not None} == {
        "trace_id": "t",
        "span_id": "s",
        "input": "[]",
        "source_file": "logs.jsonl",
        "source_line": 4,
        "raw": "{}",
    }


def test_provenance_is_on_every_row():
    """Every number in a report can be traced to a line."""
    spans = _collected(ROW).spans.select("source_format", "source_file", "source_line")
    assert spans.rows() == [("otlp", "traces.jsonl", 1)]
    assert spans.schema["source_line"] == pl.Int64
