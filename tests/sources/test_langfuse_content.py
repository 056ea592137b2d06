"""Input, output and tool calls of Langfuse observations."""

import pytest

from llmops_lib.sources.langfuse_content import asked_tool_calls, content
from llmops_lib.sources.langfuse_fields import unwrapped


def test_text_in_text_in_text_becomes_messages():
    """The API wraps what a client had wrapped already."""
    wrapped = '"[{\\"role\\": \\"user\\", \\"content\\": \\"hi\\"}]"'
    assert content(wrapped, "user") == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]


def test_the_state_of_a_graph_stays_whole():
    """Its messages alone would lose the rest of the state."""
    state = {"messages": [{"role": "user", "content": "hi"}], "step": 2}
    assert content(state, "user") == state


def test_langchain_hides_tool_calls_beside_the_message():
    """Converted without them, the message would look empty."""
    call = {"id": "c-1", "function": {"name": "search", "arguments": '{"q": "x"}'}}
    message = {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": [call]}}
    assert content(message, "assistant")[0]["parts"][1] == {
        "type": "tool_call",
        "id": "c-1",
        "name": "search",
        "arguments": {"q": "x"},
    }


def test_tool_calls_take_their_names_from_the_list_beside_them():
    """The blob export writes calls as JSON text and names apart."""
    observation = {
        "tool_calls": ['{"id": "c-1", "arguments": "{\\"city\\": \\"Rome\\"}"}'],
        "tool_call_names": ["w"],
    }
    assert asked_tool_calls(observation) == [{"id": "c-1", "name": "w", "arguments": {"city": "Rome"}}]


def test_broken_json_stays_text():
    """A field cut off by an export limit is still readable."""
    assert unwrapped('{"role": "us') == '{"role": "us'


@pytest.mark.parametrize("around", [lambda listed: listed, lambda listed: {"messages": listed}])
def test_messages_of_langchain_without_a_role_are_read(around):
    """Their type names it; the id of each stays with it."""
    asked = {"type": "human", "id": "h-1", "content": "q", "additional_kwargs": {}}
    call = {"name": "f", "args": {"a": 1}, "id": "c"}
    said = {"type": "ai", "content": "", "additional_kwargs": {}, "tool_calls": [call]}
    found = content(around([asked, said]), "user")
    assert found[0] == {"role": "user", "id": "h-1", "parts": [{"type": "text", "content": "q"}]}
    assert found[1]["role"] == "assistant"
    assert found[1]["parts"][-1] == {"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}
