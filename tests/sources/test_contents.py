import json

import pytest

from llmops_lib.sources.attributes import canonical_row
from llmops_lib.sources.event_messages import event_messages

ASKED = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "hello"}]}]


def _contents(attributes, events=()):
    row = canonical_row({"gen_ai.operation.name": "chat", **attributes}, name="chat", events=events)
    return [_value(row.get(column)) for column in ("input", "output")]


def _value(content):
    return json.loads(content) if isinstance(content, str) and content[:1] in "[{" else content


def _text_event(name, attribute, content):
    return {"name": name, "time": 1, "attributes": {attribute: content}}


DIALECTS = {
    "semconv of 2026": {"gen_ai.input.messages": json.dumps(ASKED), "gen_ai.output.messages": ANSWERED},
    "semconv of 2024": {
        "gen_ai.prompt": '[{"role": "user", "content": "hi"}]',
        "gen_ai.completion": '[{"role": "assistant", "content": "hello"}]',
    },
    "OpenLLMetry": {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "hi",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "hello",
    },
    "OpenInference": {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "hi",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "hello",
        "input.value": "{}",
        "output.value": "{}",
    },
    "Phoenix tables": {
        "llm.input_messages": [{"message.role": "user", "message.content": "hi"}],
        "llm.output_messages": [{"message.role": "assistant", "message.content": "hello"}],
    },
    "messages of OpenAI under the names of the conventions": {
        "gen_ai.input.messages": '[{"role": "user", "content": "hi"}]',
        "gen_ai.output.messages": [{"role": "assistant", "content": "hello"}],
    },
    "OpenRouter": {
        "gen_ai.prompt": '{"messages": [{"role": "user", "content": "hi"}]}',
        "gen_ai.completion": '{"completion": "hello", "reasoning": null, "toolCalls": []}',
    },
    "Google's agent kit": {
        "gcp.vertex.agent.llm_request": '{"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}',
        "gcp.vertex.agent.llm_response": '{"content": {"role": "model", "parts": [{"text": "hello"}]}}',
    },
    "Laminar": {
        "lmnr.span.input": '[{"role": "user", "content": "hi"}]',
        "lmnr.span.output": '[{"role": "assistant", "content": "hello"}]',
    },
    "Vercel AI SDK": {
        "ai.prompt.messages": '[{"role": "user", "content": [{"type": "text", "text": "hi"}]}]',
        "ai.response.text": "hello",
    },
    "Vercel AI SDK, outer span": {"ai.prompt": '{"prompt": "hi"}', "ai.response.text": "hello"},
    "pydantic-ai": {
        "events": json.dumps(
            [
                {"event.name": "gen_ai.user.message", "role": "user", "content": "hi"},
                {"event.name": "gen_ai.choice", "message": {"role": "assistant", "content": "hello"}},
            ]
        )
    },
    "Langfuse": {
        "langfuse.observation.input": '[{"role": "user", "content": "hi"}]',
        "langfuse.observation.output": '{"role": "assistant", "content": "hello"}',
    },
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_messages_have_one_shape_in_every_dialect(dialect):
    """Search, masking and replay read one shape only."""
    assert _contents(DIALECTS[dialect]) == [ASKED, ANSWERED]


EVENTS = {
    "semconv of 2024": [
        _text_event("gen_ai.content.prompt", "gen_ai.prompt", '[{"role": "user", "content": "hi"}]'),
        _text_event(
            "gen_ai.content.completion", "gen_ai.completion", '[{"role": "assistant", "content": "hello"}]'
        ),
    ],
    "semconv of 2025": [
        _text_event("gen_ai.user.message", "content", "hi"),
        _text_event("gen_ai.choice", "message", '{"content": "hello"}'),
    ],
    "Azure": [
        _text_event("gen_ai.user.message", "gen_ai.event.content", '{"role": "user", "content": "hi"}'),
        _text_event("gen_ai.choice", "gen_ai.event.content", '{"message": {"content": "hello"}}'),
    ],
}


@pytest.mark.parametrize("generation", EVENTS)
def test_messages_are_read_from_span_events(generation):
    """For two years messages were events, not attributes."""
    assert _contents({}, EVENTS[generation]) == [ASKED, ANSWERED]


def test_parts_that_strands_writes_as_text_are_parts():
    """As text they would hide the tool call, and the answer would look like JSON that the model wrote."""
    asked = _text_event("gen_ai.user.message", "content", '[{"text": "hi"}]')
    answer = '[{"toolUse": {"toolUseId": "t1", "name": "clock", "input": {"zone": "UTC"}}}]'
    events = [asked, _text_event("gen_ai.choice", "message", answer)]
    row = canonical_row({"gen_ai.operation.name": "chat"}, name="chat", events=events)
    assert row["input"] == ASKED
    assert row["tool_calls"] == [{"id": "t1", "name": "clock", "arguments": {"zone": "UTC"}}]


def test_a_list_that_a_user_pasted_stays_text():
    """It is content of a message, and no part of one."""
    pasted = _text_event("gen_ai.user.message", "content", '[{"city": "Oslo"}]')
    ((message,), _) = _contents({}, [pasted])
    assert message["parts"] == [{"type": "text", "content": '[{"city": "Oslo"}]'}]


@pytest.mark.parametrize("junk", [[1], [{}], ["role"], {"role": 3}])
def test_structured_junk_under_the_name_of_messages_stays_as_it_is(junk):
    """The attribute is there to hold messages, and holds whatever an application put there."""
    assert _contents({"gen_ai.input.messages": junk})[0] == junk


def test_an_empty_request_of_the_agent_kit_is_no_input():
    """It writes one beside the arguments of every tool."""
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gcp.vertex.agent.llm_request": "{}",
        "gcp.vertex.agent.llm_response": "{}",
        "gcp.vertex.agent.tool_call_args": '{"zone": "UTC"}',
    }
    assert _contents(attributes) == [{"zone": "UTC"}, None]


def test_messages_in_attributes_are_not_repeated_from_events():
    """Some instrumentations write both."""
    assert _contents(DIALECTS["OpenLLMetry"], EVENTS["semconv of 2025"]) == [ASKED, ANSWERED]


def test_plain_text_stays_text():
    """OpenTelemetry instrumentations of agents write text, and text is no message."""
    assert _contents({"input.value": "hi", "output.value": "hello"}) == ["hi", "hello"]


def test_arguments_and_results_are_the_text_of_a_tool():
    """Every dialect calls them differently."""
    for asked, answered in (
        ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
        ("ai.toolCall.args", "ai.toolCall.result"),
        ("tool.parameters", "output.value"),
        ("traceloop.entity.input", "traceloop.entity.output"),
    ):
        row = canonical_row(
            {"gen_ai.tool.name": "f", asked: '{"city": "Paris"}', answered: "18C"}, name="tool"
        )
        assert (row["input"], row["output"]) == ('{"city": "Paris"}', "18C")


def test_what_a_tool_takes_is_not_what_it_was_given():
    """OpenInference writes the schema of the parameters beside the arguments."""
    attributes = {"tool.parameters": '{"type": "object"}', "input.value": '{"city": "Paris"}'}
    row = canonical_row({"openinference.span.kind": "TOOL", **attributes}, name="f")
    assert row["input"] == '{"city": "Paris"}'
    assert row["attributes"]["tool.parameters"] == '{"type": "object"}'


def test_the_rest_of_a_raw_request_is_not_lost():
    """A request holds its parameters beside its messages."""
    request = '{"temperature": 0.2, "messages": [{"role": "user", "content": "hi"}]}'
    row = canonical_row({"gen_ai.operation.name": "chat", "input.value": request}, name="chat")
    assert row["input"] == ASKED
    assert row["attributes"]["input.value"] == request


def test_vercel_tool_calls_become_parts_and_a_column():
    """They stand beside the text, not in it."""
    calls = '[{"toolCallId": "c-1", "toolName": "f", "input": "{\\"city\\": \\"Paris\\"}"}]'
    row = canonical_row(
        {"ai.operationId": "ai.generateText.doGenerate", "ai.response.toolCalls": calls}, name=""
    )
    assert row["tool_calls"] == [{"id": "c-1", "name": "f", "arguments": {"city": "Paris"}}]
    assert row["output"][0]["parts"][0]["type"] == "tool_call"


def test_all_messages_of_a_call_may_come_in_one_event():
    """`gen_ai.client.inference.operation.details` replaces the single events since 1.37."""
    fields = {
        "gen_ai.input.messages": json.dumps(ASKED),
        "gen_ai.output.messages": ANSWERED,
        "gen_ai.system_instructions": [{"type": "text", "content": "be brief"}],
    }
    assert event_messages("gen_ai.client.inference.operation.details", fields) == {
        "input": ASKED,
        "output": ANSWERED,
        "system_instructions": [{"type": "text", "content": "be brief"}],
    }


def test_a_choice_keeps_its_reason_and_its_tool_calls():
    """Both stand beside the message in the event."""
    fields = {
        "finish_reason": "tool_calls",
        "message": {"tool_calls": [{"id": "c-1", "name": "f", "arguments": "{}"}]},
    }
    [message] = event_messages("gen_ai.choice", fields)["output"]
    assert message["finish_reason"] == "tool_calls"
    assert message["parts"] == [{"type": "tool_call", "id": "c-1", "name": "f", "arguments": {}}]


def test_absent_content_leaves_the_columns_unknown():
    """Content is off by default nearly everywhere."""
    assert _contents({}) == [None, None]
