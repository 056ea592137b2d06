"""Streamed calls as Logfire's instrumentations of clients write them."""

import json

import pytest

from llmops_lib.sources.otlp import read_otlp

START = 1772445600_000_000_000
ASKED = {
    "request_data": '{"model": "gpt-4o"}',
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.operation.name": "chat",
}
REQUEST = {**ASKED, "logfire.span_type": "span"}
ANSWER = {
    **ASKED,
    "logfire.span_type": "log",
    "duration": 2.5,
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 5,
}


def _span(number, attributes, *, took=1_000_000, **fields):
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return {
        "traceId": "a" * 32,
        "spanId": f"{number:016x}",
        "name": "chat",
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + took),
        "attributes": [
            {"key": key, "value": {kinds[type(value)]: value}} for key, value in attributes.items()
        ],
        **fields,
    }


def _rows(tmp_path, *spans):
    path = tmp_path / "traces.jsonl"
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    found = read_otlp(path)
    assert found.quarantine.is_empty()
    return found.spans.sort("span_id").to_dicts()


def test_a_streamed_call_counts_once_with_the_time_it_took(tmp_path):
    """The span of the request ends before the answer, and the log of the answer takes no time."""
    request, answer = _rows(tmp_path, _span(1, REQUEST), _span(2, ANSWER, took=0))
    assert (request["is_model_call"], answer["is_model_call"]) == (False, True)
    assert (answer["latency_ms"], answer["is_streaming"], answer["input_tokens"]) == (2_500, True, 12)
    assert json.loads(request["attributes"])["gen_ai.operation.name"] == "chat"


def test_many_streamed_calls_are_read_alike(tmp_path):
    """Spans of one shape are read as columns."""
    spans = [_span(number, REQUEST) for number in range(1, 40)]
    spans += [_span(number, ANSWER, took=0) for number in range(40, 80)]
    rows = _rows(tmp_path, *spans)
    assert [row["is_model_call"] for row in rows] == [False] * 39 + [True] * 40
    assert {row["latency_ms"] for row in rows[39:]} == {2_500}


@pytest.mark.parametrize(
    ("attributes", "fields"),
    [
        ({**REQUEST, "gen_ai.response.id": "r-1"}, {}),
        ({**REQUEST, "gen_ai.usage.input_tokens": 3}, {}),
        (REQUEST, {"status": {"code": 2, "message": "Error code: 429"}}),
        ({**ASKED}, {}),
    ],
    ids=["answered", "counted", "failed", "no span of Logfire"],
)
def test_other_requests_stay_calls(tmp_path, attributes, fields):
    """No log follows that would count instead."""
    (row,) = _rows(tmp_path, _span(1, attributes, **fields))
    assert row["is_model_call"]
    assert row["latency_ms"] == 1
