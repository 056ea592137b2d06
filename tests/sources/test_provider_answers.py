"""Raw requests and answers of providers as GenAI attributes."""

import json

import pytest

from llmops_lib.sources.provider_answers import answer_attributes, request_attributes

TEXT = [{"type": "text", "content": "hello"}]
ANSWERS = {
    "chat": {
        "id": "a-1",
        "model": "m-1",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    },
    "completions": {"id": "a-1", "model": "m-1", "choices": [{"finish_reason": "stop", "text": "hello"}]},
    "anthropic": {
        "id": "a-1",
        "model": "m-1",
        "type": "message",
        "stop_reason": "stop",
        "content": [{"type": "text", "text": "hello"}],
    },
    "gemini": {
        "responseId": "a-1",
        "modelVersion": "m-1",
        "candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "stop"}],
    },
    "gemini in Python": {
        "response_id": "a-1",
        "model_version": "m-1",
        "candidates": [{"content": {"parts": [{"text": "hello"}]}, "finish_reason": "stop"}],
    },
    "bedrock": {
        "id": "a-1",
        "model": "m-1",
        "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
        "stopReason": "stop",
    },
    "langchain": {
        "generations": [
            [
                {
                    "generation_info": {"finish_reason": "stop"},
                    "message": {
                        "type": "ai",
                        "content": "hello",
                        "response_metadata": {"id": "a-1", "model_name": "m-1"},
                    },
                }
            ]
        ],
    },
}


@pytest.mark.parametrize("dialect", ANSWERS)
@pytest.mark.parametrize("written", [lambda value: value, json.dumps], ids=["object", "text"])
def test_every_dialect_gives_the_same_message(dialect, written):
    """A report reads answers of every provider alike."""
    found = answer_attributes(written(ANSWERS[dialect]))
    (message,) = found["gen_ai.output.messages"]
    assert (message["role"], message["parts"]) == ("assistant", TEXT)
    assert found["gen_ai.response.finish_reasons"] == ["stop"]
    assert (found["gen_ai.response.id"], found["gen_ai.response.model"]) == ("a-1", "m-1")


def test_an_answer_of_the_responses_api_keeps_its_tool_calls():
    """Its output is a list of items, of which only some are messages."""
    output = [
        {"type": "message", "content": [{"type": "output_text", "text": "hello"}]},
        {"type": "function_call", "call_id": "c-1", "name": "look_up", "arguments": '{"city": "Paris"}'},
    ]
    (message,) = answer_attributes({"object": "response", "output": output})["gen_ai.output.messages"]
    assert message["parts"][0] == TEXT[0]
    assert message["parts"][1]["arguments"] == {"city": "Paris"}


def test_reasoning_stands_before_the_answer():
    """It is output that was paid for."""
    message = {"role": "assistant", "content": "hello", "reasoning_content": "hm"}
    (found,) = answer_attributes([{"message": message}])["gen_ai.output.messages"]
    assert found["parts"] == [{"type": "reasoning", "content": "hm"}, *TEXT]


def test_the_text_of_an_answer_is_kept_once():
    """Beside the messages only what they do not tell."""
    found = answer_attributes({**ANSWERS["chat"], "system_fingerprint": "fp"})
    assert found["output.value"] == {"id": "a-1", "model": "m-1", "system_fingerprint": "fp"}


def test_what_messages_cannot_tell_is_kept_whole():
    """Nothing is lost."""
    choice = {"message": {"role": "assistant", "content": None, "audio": {"data": "x"}}}
    assert answer_attributes({"choices": [choice]})["output.value"] == {"choices": [choice]}


@pytest.mark.parametrize(
    "value", ["hello", {"answer": 5}, [1], [], None, 7, {"choices": []}, {"choices": [5]}]
)
def test_anything_else_stays_as_it_is(value):
    """A span may return whatever it likes."""
    assert answer_attributes(value) == {"output.value": value}


def test_an_embedding_states_its_model_and_usage():
    """It has no message, and its vectors stay where they are."""
    value = {"data": [{"embedding": [0.5]}], "model": "m-1", "usage": {"prompt_tokens": 7}}
    found = answer_attributes(value)
    assert found == {
        "output.value": value,
        "gen_ai.response.model": "m-1",
        "gen_ai.usage.input_tokens": 7,
    }


def test_a_request_gives_its_messages_model_and_parameters():
    """Parameters stay beside the messages, and no prompt is kept twice."""
    request = {
        "model": "m-1",
        "stream": True,
        "system": "be brief",
        "messages": [{"role": "user", "content": "hi"}],
    }
    found = request_attributes(request)
    assert found["gen_ai.input.messages"] == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    assert (found["gen_ai.request.model"], found["gen_ai.request.stream"]) == ("m-1", True)
    assert found["gen_ai.system_instructions"] == "be brief"
    assert found["input.value"] == {"model": "m-1", "stream": True}


@pytest.mark.parametrize("value", ["hi", {"q": "hi"}, {"messages": "hi"}, [1], None])
def test_an_input_that_is_no_request_stays_as_it_is(value):
    """A tool is called with whatever it takes."""
    assert request_attributes(value) == {"input.value": value}


def test_usage_of_langchain_and_of_gemini_is_found():
    """Beside the messages it stands nowhere else in the traces of most platforms."""
    message = {"type": "ai", "content": "x", "usage_metadata": {"input_tokens": 9, "output_tokens": 4}}
    generated = answer_attributes({"generations": [[{"message": message}]], "llm_output": {"model": "m-1"}})
    usage = {"prompt_token_count": 9, "candidates_token_count": 1, "thoughts_token_count": 3}
    gemini = answer_attributes({"candidates": [{"content": {"parts": []}}], "usage_metadata": usage})
    for found in (generated, gemini):
        counts = (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"])
        assert counts == (9, 4)
    assert generated["gen_ai.response.model"] == "m-1"


def test_a_batch_of_langchain_is_kept_whole():
    """Only its first answer is a message of the call."""
    batch = {"generations": [[{"text": "a"}], [{"text": "b"}]]}
    assert answer_attributes(batch)["output.value"] == batch


@pytest.mark.parametrize(
    "around", [lambda items: items, lambda items: {"output": items}], ids=["bare", "object"]
)
def test_items_of_the_responses_api_are_known_without_what_is_around_them(around):
    """Braintrust keeps the list alone, Opik an object of it: tool calls must be found in both."""
    items = [
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "c-1", "name": "f", "arguments": "{}"},
    ]
    (message,) = answer_attributes(around(items))["gen_ai.output.messages"]
    assert message["parts"][-1] == {"type": "tool_call", "id": "c-1", "name": "f", "arguments": {}}
    assert "gen_ai.output.messages" not in answer_attributes(around([{"type": "row", "name": "f"}]))


def test_messages_of_langchain_are_read_out_of_their_batch():
    """They stand in a list of prompts, in objects of LangChain's own."""
    said = {"id": ["langchain", "schema", "HumanMessage"], "kwargs": {"content": "hi"}}
    found = request_attributes({"messages": [[said]]})["gen_ai.input.messages"]
    assert found == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]


def test_an_item_of_the_responses_api_is_called_by_the_id_of_its_call():
    """Its result names that one; the id of the item is kept beside it."""
    item = {"type": "function_call", "id": "fc-1", "call_id": "c-1", "name": "f", "arguments": "{}"}
    (message,) = answer_attributes([item])["gen_ai.output.messages"]
    assert (message["parts"][0]["id"], message["parts"][0]["item_id"]) == ("c-1", "fc-1")


def test_contents_of_a_request_to_gemini_are_its_messages():
    """Google names them otherwise, and its model's role too."""
    contents = [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "hello"}]}]
    found = request_attributes({"model": "gemini-2.5-flash", "contents": contents, "config": {"seed": 7}})
    assert [message["role"] for message in found["gen_ai.input.messages"]] == ["user", "assistant"]
    assert found["gen_ai.input.messages"][1]["parts"] == TEXT
    assert found["input.value"] == {"model": "gemini-2.5-flash", "config": {"seed": 7}}
    assert request_attributes({"contents": "hi"}) == {"input.value": {"contents": "hi"}}


def test_a_candidate_alone_is_an_answer():
    """Google's agent kit keeps the one candidate of Gemini without the list around it."""
    call = {"function_call": {"name": "look_up", "args": {"city": "Paris"}}}
    answer = {"content": {"role": "model", "parts": [call]}, "finish_reason": "STOP"}
    found = answer_attributes({**answer, "usage_metadata": {"prompt_token_count": 7}})
    (message,) = found["gen_ai.output.messages"]
    assert message["parts"][0]["name"] == "look_up"
    assert found["gen_ai.response.finish_reasons"] == ["STOP"]
    assert found["gen_ai.usage.input_tokens"] == 7


def test_what_a_candidate_holds_beside_its_content_is_kept():
    """Sources that an answer was grounded on are no part of any message."""
    candidate = {"content": {"parts": [{"text": "hello"}]}, "grounding_metadata": {"queries": ["x"]}}
    assert answer_attributes({"candidates": [candidate]})["output.value"] == {"candidates": [candidate]}


def test_a_result_of_the_vercel_ai_sdk_is_an_answer():
    """Platforms that wrap the SDK keep its result instead of the provider's answer."""
    call = {"type": "tool-call", "toolCallId": "c-1", "toolName": "look_up", "input": {"city": "Paris"}}
    found = answer_attributes({"text": "hello", "finishReason": "tool-calls", "toolCalls": [call]})
    (message,) = found["gen_ai.output.messages"]
    assert message["parts"][0] == TEXT[0]
    assert (message["parts"][1]["id"], message["parts"][1]["name"]) == ("c-1", "look_up")
    assert found["gen_ai.response.finish_reasons"] == ["tool-calls"]


def test_a_message_of_langchain_alone_is_an_answer():
    """LangGraph and its SDKs write the message without the result around it."""
    about = {"finish_reason": "stop", "model_name": "m-2"}
    counts = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    answer = {"type": "ai", "id": "run-1", "content": "hi", "response_metadata": about}
    found = answer_attributes(answer | {"usage_metadata": counts, "tool_calls": []})
    assert found["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": "hi"}]
    assert found["gen_ai.response.model"] == "m-2"
    assert found["gen_ai.response.finish_reasons"] == ["stop"]
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (3, 2)
    assert found["output.value"] == {"id": "run-1"}


def test_what_a_tool_of_langchain_returned_is_no_answer():
    """It is a message too."""
    message = {"type": "tool", "content": "r", "tool_call_id": "c", "response_metadata": {}}
    assert answer_attributes(message) == {"output.value": message}


def test_a_message_of_anthropic_with_its_role_tells_why_it_ended():
    """Braintrust's wrapper logs role, content and reason without id and type."""
    content = [{"type": "text", "text": "hi"}]
    answer = {"role": "assistant", "content": content, "model": "m", "stop_reason": "end_turn"}
    found = answer_attributes(answer)
    assert found["gen_ai.response.finish_reasons"] == ["end_turn"]
    assert found["gen_ai.response.model"] == "m"
