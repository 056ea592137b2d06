"""Spans that Claude Code writes of itself."""

import json

import pytest
from polars.testing import assert_frame_equal

from llmops_lib.sources.otlp import read_otlp

START = 1772445600_000_000_000
CALL = {
    "model": "claude-opus-4-1",
    "input_tokens": 2,
    "output_tokens": 40,
    "cache_read_tokens": 900,
    "cache_creation_tokens": 70,
    "stop_reason": "tool_use",
    "ttft_ms": 812,
    "request_id": "req_1",
    "session.id": "s-1",
}


def _value(value):
    kind = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}[type(value)]
    return {kind: value}


def _path(tmp_path, *spans):
    path = tmp_path / "traces.jsonl"
    written = [
        {
            "traceId": "a" * 32,
            "spanId": f"{number + 1:016x}",
            "name": name,
            "startTimeUnixNano": str(START + number),
            "endTimeUnixNano": str(START + 2_000_000_000),
            "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
        }
        for number, (name, attributes) in enumerate(spans)
    ]
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": written}]}]}))
    return path


def _row(tmp_path, name, attributes):
    found = read_otlp(_path(tmp_path, (name, attributes)))
    assert found.quarantine.is_empty()
    return found.spans.row(0, named=True)


def test_a_request_is_a_call_whose_input_contains_the_cache(tmp_path):
    """Its counts are those of the API, whose input leaves the cache out: here nearly all of it."""
    row = _row(tmp_path, "claude_code.llm_request", CALL)
    expected = {
        "operation": "chat",
        "is_model_call": True,
        "request_model": "claude-opus-4-1",
        "input_tokens": 972,
        "output_tokens": 40,
        "cache_read_tokens": 900,
        "cache_write_tokens": 70,
        "time_to_first_token_ms": 812.0,
        "finish_reason": "tool_use",
        "request_id": "req_1",
        "session_id": "s-1",
        "is_error": False,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        ({"success": False, "error": "overloaded", "status_code": 529}, ("_OTHER", "overloaded", 529)),
        ({"success": False}, ("_OTHER", None, None)),
        ({"success": True}, (None, None, None)),
    ],
)
def test_a_request_without_success_is_a_failed_call(tmp_path, outcome, error):
    """It names no class of error, and no counts that would show that it is a call."""
    row = _row(tmp_path, "claude_code.llm_request", {"model": "claude-opus-4-1", **outcome})
    assert row["is_model_call"]
    assert (row["error_type"], row["error_message"], row["http_status"]) == error


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("claude_code.tool", "execute_tool"),
        ("claude_code.tool.execution", "other"),
        ("claude_code.interaction", "invoke_agent"),
    ],
)
def test_what_is_around_requests_is_no_call(tmp_path, name, operation):
    """A tool is one span, and the time it waited and ran are further spans inside it."""
    row = _row(tmp_path, name, {"tool_name": "Bash", "tool_use_id": "t-1", "duration_ms": 9})
    assert (row["operation"], row["is_model_call"], row["tool_name"]) == (operation, False, "Bash")


def test_many_requests_are_read_as_one_is(tmp_path):
    """Spans that are alike are read as columns, and these names are no columns of theirs."""
    path = _path(tmp_path, *(("claude_code.llm_request", {**CALL, "input_tokens": n}) for n in range(9)))
    together, alone = read_otlp(path, fewest_alike=1).spans, read_otlp(path, fewest_alike=None).spans
    assert_frame_equal(together.sort("span_id"), alone.sort("span_id"))
