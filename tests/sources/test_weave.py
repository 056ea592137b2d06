"""Weave calls, written from the types that its server declares, through the reader."""

import json
from datetime import UTC, datetime

import pytest

from llmops_lib.sources.detect import detect_format
from llmops_lib.sources.load import read_exports
from llmops_lib.sources.weave import read_weave

USAGE = {
    "gpt-4o-2024-08-06": {
        "requests": 1,
        "prompt_tokens": 12,
        "completion_tokens": 5,
        "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 8},
    }
}
OPENAI = "openai.chat.completions.create"


def call(call_id, parent_id, op, **changed):
    """A call as `calls/stream_query` writes it."""
    return {
        "id": call_id,
        "project_id": "team/support",
        "op_name": f"weave:///team/support/op/{op}:v1",
        "trace_id": "t-1",
        "parent_id": parent_id,
        "started_at": "2026-03-02T10:00:00.250000Z",
        "ended_at": "2026-03-02T10:00:02.750000Z",
        "attributes": {"env": "prod", "user_id": "u-1"},
        "inputs": {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]},
        "output": "hello",
        "summary": {"usage": USAGE},
        "wb_user_id": "account-9",
        **changed,
    }


def _write(tmp_path, *values):
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(json.dumps(value) for value in values), encoding="utf-8")
    return path


def _row(tmp_path, value):
    (row,) = read_weave(_write(tmp_path, value)).spans.to_dicts()
    return row


def test_a_model_call_has_its_counts_times_and_names(tmp_path):
    """Every field that a report computes with."""
    row = _row(tmp_path, call("c-1", None, OPENAI, thread_id="th-1"))
    assert (row["trace_id"], row["span_id"], row["name"]) == ("t-1", "c-1", OPENAI)
    assert row["started_at"] == datetime(2026, 3, 2, 10, 0, 0, 250_000, tzinfo=UTC)
    assert row["latency_ms"] == 2500
    assert (row["request_model"], row["response_model"]) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert (row["input_tokens"], row["output_tokens"], row["cache_read_tokens"]) == (12, 5, 8)
    assert (row["session_id"], row["user_id"], row["environment"]) == ("th-1", "u-1", "prod")
    assert json.loads(row["input"])[0]["parts"] == [{"type": "text", "content": "hi"}]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_usage_that_ancestors_repeat_counts_once(tmp_path, order):
    """Every ancestor has the sum of the calls below it, so a plain sum triples the spend."""
    calls = [call("a", None, "answer"), call("b", "a", "retry"), call("c", "b", OPENAI)]
    spans = read_exports([_write(tmp_path, *(calls[place] for place in order))]).spans
    assert spans.filter("is_model_call")["span_id"].to_list() == ["c"]
    assert spans["input_tokens"].sum() == 12


def test_a_wrapper_of_several_calls_is_none(tmp_path):
    """Its usage is theirs together."""
    both = {"gpt-4o-2024-08-06": {"requests": 2, "prompt_tokens": 24, "completion_tokens": 10}}
    calls = [
        call("a", None, "answer", summary={"usage": both}),
        call("b", "a", OPENAI),
        call("c", "a", OPENAI),
    ]
    spans = read_weave(_write(tmp_path, *calls)).spans
    assert spans["is_model_call"].to_list() == [False, True, True]
    assert spans["operation"].to_list() == ["chain", "chat", "chat"]


def test_an_export_of_roots_alone_has_no_call(tmp_path):
    """The sum of two requests is no call: taken as one, its latency and count would be wrong."""
    usage = {"gpt-4o": {"requests": 2, "prompt_tokens": 24}}
    row = _row(tmp_path, call("a", None, "answer", summary={"usage": usage}))
    assert (row["is_model_call"], row["input_tokens"]) == (False, None)
    assert '"prompt_tokens":24' in row["attributes"]


def test_usage_of_two_models_is_no_call(tmp_path):
    """One provider call has one model."""
    usage = {"gpt-4o": {"prompt_tokens": 7}, "o4-mini": {"prompt_tokens": 4}}
    assert _row(tmp_path, call("a", None, "answer", summary={"usage": usage}))["is_model_call"] is False


def test_a_custom_operation_with_usage_and_no_child_is_a_call(tmp_path):
    """A client of one's own has any name."""
    assert _row(tmp_path, call("a", None, "ask_model"))["operation"] == "chat"


@pytest.mark.parametrize(
    "op", [OPENAI, "anthropic.Messages.create", "litellm.completion", "openai.responses.create"]
)
def test_a_failed_call_is_known_by_its_operation(tmp_path, op):
    """It has no usage, and an error rate without failed calls is zero."""
    exception = 'Traceback (most recent call last):\n  File "a.py", line 1\nopenai.RateLimitError: 429'
    row = _row(tmp_path, call("a", None, op, summary={}, output=None, exception=exception))
    assert (row["operation"], row["is_error"], row["error_type"]) == ("chat", True, "RateLimitError")
    assert (row["input_tokens"], row["request_model"]) == (None, "gpt-4o")


def test_a_failure_below_is_no_failure_of_its_own(tmp_path):
    """The call itself returned."""
    summary = {"usage": USAGE, "weave": {"status": "descendant_error"}}
    assert _row(tmp_path, call("a", None, "answer", summary=summary))["is_error"] is False


def test_costs_of_the_export_are_summed_by_call(tmp_path):
    """Input and output have a cost each."""
    costs = {"gpt-4o-2024-08-06": {"prompt_tokens_total_cost": 0.25, "completion_tokens_total_cost": 0.5}}
    summary = {"usage": USAGE, "weave": {"costs": costs}}
    assert _row(tmp_path, call("a", None, OPENAI, summary=summary))["reported_cost_usd"] == 0.75


def test_counts_of_anthropic_are_made_inclusive(tmp_path):
    """Weave passes the provider's usage through, whose input leaves the cache out."""
    counts = {"requests": 1, "input_tokens": 9, "output_tokens": 5}
    counts |= {"cache_read_input_tokens": 4, "cache_creation_input_tokens": 2}
    usage = {"claude-sonnet-4-5": counts}
    row = _row(tmp_path, call("a", None, "anthropic.Messages.create", summary={"usage": usage}, inputs={}))
    assert (row["input_tokens"], row["model"]) == (15, "claude-sonnet-4-5")


def test_the_kind_of_an_operation_is_taken(tmp_path):
    """A tool is no chain."""
    attributes = {"weave": {"kind": "tool"}}
    row = _row(tmp_path, call("a", None, "search", summary={}, attributes=attributes))
    assert (row["operation"], row["tool_name"]) == ("execute_tool", "search")


def test_an_embedding_is_told_from_a_chat(tmp_path):
    """Both have usage."""
    assert _row(tmp_path, call("a", None, "openai.embeddings.create"))["operation"] == "embeddings"


def test_start_and_end_of_the_sdk_are_one_call(tmp_path):
    """The end has the usage and the start the time."""
    whole = call("a", None, OPENAI)
    ends = ("ended_at", "output", "summary")
    start = {name: value for name, value in whole.items() if name not in ends}
    end = {"id": "a", "project_id": "team/support", **{name: whole[name] for name in ends}}
    batch = [{"mode": "start", "req": {"start": start}}, {"mode": "end", "req": {"end": end}}]
    path = _write(tmp_path, {"batch": batch})
    assert detect_format(path) == "weave"
    (row,) = read_weave(path).spans.to_dicts()
    assert (row["latency_ms"], row["input_tokens"]) == (2500, 12)


@pytest.mark.parametrize("shape", ["lines", "list", "object"])
def test_every_shape_is_recognised(tmp_path, shape):
    """Nobody should have to name the format."""
    calls = [call("a", None, "answer"), call("b", "a", OPENAI)]
    values = {"lines": calls, "list": [calls], "object": [{"calls": calls}]}[shape]
    path = _write(tmp_path, *values)
    assert detect_format(path) == "weave"
    assert read_weave(path).spans.filter("is_model_call").height == 1


def test_a_deleted_call_is_no_span(tmp_path):
    """Someone removed it on purpose."""
    rows = read_weave(_write(tmp_path, call("a", None, OPENAI, deleted_at="2026-03-03T00:00:00Z")))
    assert rows.quarantine["reason"].to_list() == ["not_a_span: a call that was deleted"]


@pytest.mark.parametrize("value", [7, {"a": 1}, {"id": "x"}, call("b", None, "f", started_at="soon")])
def test_a_row_that_cannot_be_a_span_is_refused(tmp_path, value):
    """Nothing that stands in a file is dropped silently."""
    rows = read_weave(_write(tmp_path, call("a", None, OPENAI), value))
    assert (rows.spans.height, rows.quarantine.height, rows.rows_read) == (1, 1, 2)
