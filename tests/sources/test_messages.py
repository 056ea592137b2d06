import json

import pytest

from llmops_lib.sources.flattened import flattened_messages, unflattened
from llmops_lib.sources.messages import chat_messages, finish_reason_of, otel_message, tool_calls_of

CALL = {"type": "tool_call", "id": "c-1", "name": "get_weather", "arguments": {"city": "Paris"}}


@pytest.mark.parametrize(
    "message",
    [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c-1",
                    "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
                    "type": "function",
                }
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "c-1", "name": "get_weather", "input": {"city": "Paris"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {
                    "type": "tool-call",
                    "toolCallId": "c-1",
                    "toolName": "get_weather",
                    "args": {"city": "Paris"},
                }
            ],
        },
        {
            "role": "assistant",
            "tool_calls": [{"id": "c-1", "name": "get_weather", "arguments": '{"city": "Paris"}'}],
        },
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"id": "c-1", "name": "get_weather", "args": {"city": "Paris"}},
                    "text": None,
                }
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"toolUse": {"toolUseId": "c-1", "name": "get_weather", "input": {"city": "Paris"}}},
            ],
        },
    ],
    ids=["OpenAI", "Anthropic", "Vercel", "OpenLLMetry", "Gemini", "Bedrock"],
)
def test_a_tool_call_looks_the_same_in_every_dialect(message):
    """Tool use is compared across providers."""
    assert otel_message(message, role="user") == {"role": "assistant", "parts": [CALL]}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "tool_call_id": "c-1", "content": "18C"},
        {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c-1", "output": "18C"}]},
        {"role": "tool", "content": [{"type": "tool_result", "tool_use_id": "c-1", "content": "18C"}]},
        {"role": "tool", "content": [{"toolResult": {"toolUseId": "c-1", "content": "18C"}}]},
        {"role": "tool", "parts": [{"function_response": {"id": "c-1", "response": "18C"}}]},
    ],
    ids=["OpenAI", "Vercel", "Anthropic", "Bedrock", "Gemini"],
)
def test_a_tool_result_looks_the_same_in_every_dialect(message):
    """An answer must be found beside the call it belongs to."""
    expected = [{"type": "tool_call_response", "id": "c-1", "response": "18C"}]
    assert otel_message(message, role="user")["parts"] == expected


def test_text_parts_of_every_name_are_text():
    """Searching prompts must not depend on the provider."""
    content = [
        "a",
        {"type": "text", "text": "b"},
        {"type": "input_text", "text": "c"},
        {"text": "d"},
        {"type": "image", "url": "u"},
    ]
    parts = otel_message({"content": content}, role="user")["parts"]
    assert [part.get("content") for part in parts] == ["a", "b", "c", "d", None]
    assert parts[-1] == {"type": "image", "url": "u"}


def test_the_model_is_the_assistant():
    """Gemini says so of messages with a content too, as instrumentations write them."""
    assert otel_message({"role": "model", "content": "hi"}, role="assistant")["role"] == "assistant"


def test_messages_that_are_right_already_stay():
    """Nothing is rewritten twice."""
    message = {"role": "user", "parts": [{"type": "text", "content": "hi"}], "finish_reason": "stop"}
    assert otel_message(message, role="assistant") == message


@pytest.mark.parametrize("value", ["hello", "[1, 2]", '{"a": 1}', [], [{"role": "user"}], 5, '["role"]'])
def test_what_holds_no_messages_stays_as_it_is(value):
    """Text and data are no conversation."""
    assert chat_messages(value) is value


def test_a_request_gives_its_messages():
    """Raw requests are an object around the list."""
    request = '{"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}'
    assert chat_messages(request) == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]


def test_tool_calls_are_taken_out_of_messages_and_their_text():
    """The column holds the calls alone, so that nobody has to walk messages again."""
    calls = [{"id": "c-1", "name": "get_weather", "arguments": {"city": "Paris"}}]
    assert tool_calls_of([{"role": "assistant", "parts": [CALL]}]) == calls
    text = json.dumps([{"parts": [CALL | {"arguments": '{"city": "Paris"}'}]}])
    assert tool_calls_of(text) == calls
    assert tool_calls_of('[{"parts": [{"type": "text", "content": "a tool_call"}]}]') is None


def test_the_finish_reason_may_stand_in_the_messages_only():
    """Streamed calls of some instrumentations have it nowhere else."""
    assert finish_reason_of('[{"role": "assistant", "parts": [], "finish_reason": "length"}]') == "length"
    assert finish_reason_of("hello") is None
    assert finish_reason_of('[{"finish_reason": 5}, 7]') is None


def test_numbered_attributes_may_have_gaps_and_any_order():
    """Attributes are a set; tracing SDKs drop some and sort none."""
    flat = {"10.content": "c", "2.role": "user", "0.content": "a", "0.role": "system", "2.content": "b"}
    found = flattened_messages(flat, role="user")
    assert [(message["role"], message["parts"][0]["content"]) for message in found] == [
        ("system", "a"),
        ("user", "b"),
        ("user", "c"),
    ]


def test_openinference_repeats_names_on_every_level():
    """The same message as OpenLLMetry's, spelt longer."""
    flat = {
        "0.message.role": "assistant",
        "0.message.contents.0.message_content.type": "text",
        "0.message.contents.0.message_content.text": "hello",
        "0.message.tool_calls.0.tool_call.id": "c-1",
        "0.message.tool_calls.0.tool_call.function.name": "get_weather",
        "0.message.tool_calls.0.tool_call.function.arguments": '{"city": "Paris"}',
    }
    assert flattened_messages(flat, role="user") == [
        {"role": "assistant", "parts": [{"type": "text", "content": "hello"}, CALL]}
    ]


def test_lists_of_objects_with_dotted_names_are_messages_too():
    """Phoenix leaves messages half flattened in its tables."""
    item = {
        "message.role": "assistant",
        "message.tool_calls": [{"tool_call.id": "c-1", "tool_call.function.name": "f"}],
    }
    [message] = flattened_messages({"0": item}, role="user")
    assert message["parts"] == [{"type": "tool_call", "id": "c-1", "name": "f", "arguments": None}]


@pytest.mark.parametrize(
    "flat",
    [
        {"0": "x", "0.role": "user"},
        {"0.role": "user", "0": "x"},
        {"." * 5_000: 1},
        {"9" * 5_000 + ".role": "user"},
        {"0.content": {"a": [{"b": {}}]}},
        {"0.tool_calls": 5, "0.contents": {"x": 1}},
        {},
    ],
)
def test_contradictory_numbering_does_no_harm(flat):
    """Attribute names are text from outside."""
    assert isinstance(flattened_messages(flat, role="user"), list)
    unflattened(flat)


def test_calls_and_results_between_messages_are_messages_too():
    """The Responses API lists them side by side with what was said."""
    found = chat_messages(
        [
            {"role": "user", "content": "how is Paris?"},
            {"type": "function_call", "call_id": "c-1", "name": "look_up", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c-1", "output": "sunny"},
        ]
    )
    assert [message["role"] for message in found] == ["user", "assistant", "tool"]
    assert found[1]["parts"][0]["name"] == "look_up"
    assert found[2]["parts"][0] == {"type": "tool_call_response", "id": "c-1", "response": "sunny"}
