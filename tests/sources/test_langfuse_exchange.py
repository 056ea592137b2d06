"""Requests and answers that Langfuse generations keep as they were sent."""

import json

import pytest

from llmops_lib.sources.langfuse_exchange import exchange
from llmops_lib.sources.langfuse_fields import fields
from llmops_lib.sources.langfuse_rows import observation_row

ASKED = [{"role": "user", "content": "how is Paris?"}]
MESSAGES = [{"role": "user", "parts": [{"type": "text", "content": "how is Paris?"}]}]
ANSWER = {
    "id": "msg-1",
    "type": "message",
    "model": "claude-sonnet-4-5-20250929",
    "stop_reason": "tool_use",
    "content": [{"type": "tool_use", "id": "c-1", "name": "look_up", "input": {"city": "Paris"}}],
}


def _row(**given):
    observation = {"id": "g-1", "traceId": "t-1", "type": "GENERATION", "startTime": "2025-09-01T10:00:00Z"}
    return observation_row(fields(observation | given))


def test_a_request_with_tools_beside_its_messages_is_read_as_messages():
    """Langfuse's wrapper of OpenAI writes calls with tools so, and none of it may be lost."""
    row = _row(input={"messages": ASKED, "tools": [{"type": "function"}]})
    assert row["input"] == MESSAGES
    assert row["attributes"]["input.value"] == {"tools": [{"type": "function"}]}


@pytest.mark.parametrize("written", [lambda value: value, json.dumps], ids=["object", "text"])
def test_a_whole_answer_tells_its_id_its_model_and_why_it_ended(written):
    """Instrumentations of Anthropic and of the Responses API keep what came back."""
    row = _row(model="claude-sonnet-4-5", output=written(ANSWER))
    assert row["tool_calls"] == [{"id": "c-1", "name": "look_up", "arguments": {"city": "Paris"}}]
    told = {name: row[name] for name in ("request_id", "response_model", "finish_reason")}
    assert told == {
        "request_id": "msg-1",
        "response_model": "claude-sonnet-4-5-20250929",
        "finish_reason": "tool_use",
    }
    assert row["request_model"] == "claude-sonnet-4-5"


def test_what_the_attributes_say_goes_before_what_the_answer_says():
    """They name what the instrumentation made of it."""
    attributes = {"gen_ai.response.id": "r-1", "gen_ai.response.finish_reasons": '["tool_calls"]'}
    row = _row(output=ANSWER, metadata={"attributes": attributes})
    assert (row["request_id"], row["finish_reason"]) == ("r-1", "tool_calls")


def test_a_span_that_is_no_call_stays_what_it_is():
    """Its messages alone would lose the rest of a state."""
    state = {"messages": ASKED, "step": 2}
    assert _row(type="SPAN", input=state)["input"] == state


def test_messages_of_the_attributes_that_the_field_lacks_are_the_input():
    """OpenInference writes the system prompt there, and the field keeps the request as it was."""
    written = [{"role": "system", "parts": []}, *MESSAGES]
    row = exchange({"input": ASKED}, {"input": written})
    assert (row["input"], row["attributes"]) == (written, {"input.value": ASKED})
    assert exchange({"input": ASKED}, {"input": MESSAGES})["input"] == MESSAGES


def test_a_tier_in_the_answer_is_known_to_the_price():
    """Batch and flex calls cost less, and nothing else in Langfuse says so."""
    choices = [{"message": {"role": "assistant", "content": "hi"}}]
    row = exchange({"output": {"choices": choices, "service_tier": "flex"}}, {})
    assert row["attributes"]["openai.response.service_tier"] == "flex"


def test_a_reason_that_is_a_number_is_none():
    """Google's SDK writes its enumeration as numbers, which name no reason."""
    candidate = {"content": {"role": "model", "parts": [{"text": "hi"}]}, "finish_reason": 1}
    assert "finish_reason" not in exchange({"output": {"candidates": [candidate]}}, {})
