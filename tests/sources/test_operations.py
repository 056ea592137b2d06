import pytest

from llmops_lib.schema import OPERATIONS
from llmops_lib.sources.operations import operation_name, operation_of


@pytest.mark.parametrize(
    ("attributes", "operation"),
    [
        ({"gen_ai.operation.name": "generate_content"}, "chat"),
        ({"gen_ai.operation.name": "invoke_workflow"}, "chain"),
        ({"gen_ai.operation.name": "create_agent"}, "other"),
        ({"gen_ai.operation.name": "something_new"}, "other"),
        ({"openinference.span.kind": "RETRIEVER"}, "retrieval"),
        ({"openinference.span.kind": "GUARDRAIL"}, "guardrail"),
        ({"openinference.span.kind": "UNKNOWN"}, "other"),
        ({"llm.request.type": "completion"}, "text_completion"),
        ({"llm.request.type": "rerank"}, "rerank"),
        ({"ai.operationId": "ai.streamText.doStream"}, "chat"),
        ({"ai.operationId": "ai.embedMany.doEmbed"}, "embeddings"),
        ({"ai.operationId": "ai.toolCall"}, "execute_tool"),
        ({"ai.operationId": "ai.streamText"}, "chain"),
        ({"traceloop.span.kind": "agent"}, "invoke_agent"),
        ({"langfuse.observation.type": "evaluator"}, "evaluation"),
        ({"langsmith.span.kind": "llm"}, "chat"),
        ({"gen_ai.operation.name": "acompletion"}, "chat"),
        ({"gen_ai.operation.name": "anthropic_messages"}, "chat"),
        ({"llm.request.type": "aembedding"}, "embeddings"),
        ({"gen_ai.operation.name": "framework", "spring.ai.kind": "tool_call"}, "execute_tool"),
        ({"gen_ai.operation.name": "framework", "spring.ai.kind": "advisor"}, "chain"),
        ({"lmnr.span.type": "LLM"}, "chat"),
        ({"lmnr.span.type": "CACHED", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1}, "other"),
        ({}, "other"),
    ],
)
def test_the_words_of_every_instrumentation_are_known(attributes, operation):
    """Whether a span is a model call decides whether it is counted and priced."""
    assert operation_of(attributes, "span") == operation


def test_the_convention_is_trusted_before_the_dialects():
    """Spans that are instrumented twice carry both."""
    attributes = {"langfuse.observation.type": "span", "gen_ai.operation.name": "chat"}
    assert operation_of(attributes, None) == "chat"


def test_a_model_and_its_usage_make_a_call_without_an_operation():
    """Conventions of 2024 had no operation name."""
    attributes = {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 120}
    assert operation_of(attributes, "openai.request") == "chat"
    assert operation_of(attributes, "openai.embeddings") == "embeddings"


def test_litellm_calls_chat_a_completion():
    """The name of its function says so, and its failed calls have no usage that could."""
    attributes = {"gen_ai.operation.name": "completion", "llm.request.type": "completion"}
    assert operation_of(attributes, "litellm_request") == "chat"
    assert operation_of({"gen_ai.operation.name": "atext_completion"}, "litellm_request") == "text_completion"


@pytest.mark.parametrize(
    ("name", "operation"),
    [("call_llm", "chat"), ("Model invoke", "chat"), ("Tool: clock", "execute_tool")],
)
def test_failed_calls_of_agent_kits_are_told_by_their_name(name, operation):
    """Google's agent kit and old Strands name no operation, and a failed call has no usage."""
    attributes = {"gen_ai.system": "some-kit", "gen_ai.request.model": "gemini-2.5-flash"}
    assert operation_of(attributes, name) == operation


def test_a_name_alone_makes_no_call():
    """An application may call its own span `chat room`."""
    assert operation_of({"http.route": "/chat"}, "chat room") == "other"


def test_an_old_agent_run_is_no_call():
    """Early pydantic-ai repeats the usage of all its calls there."""
    attributes = {"agent_name": "bot", "model_name": "gpt-4o", "gen_ai.usage.input_tokens": 120}
    assert operation_of(attributes, "agent run") == "invoke_agent"


def test_every_operation_is_its_own_name():
    """Tables that we exported come back through the same function."""
    for operation in OPERATIONS:
        assert operation_name(operation) in (operation, None)
        assert (operation_name(operation) or "other") == operation


@pytest.mark.parametrize(
    ("name", "operation"), [("anthropic.chat", "chat"), ("anthropic.completion", "text_completion")]
)
def test_a_chat_that_is_called_completion_is_a_chat(name, operation):
    """OpenLLMetry wrote one request type for both APIs of Anthropic."""
    assert operation_of({"llm.request.type": "completion"}, name) == operation


def test_a_failed_call_of_the_responses_api_is_one():
    """OpenLLMetry gives it neither a kind nor usage, and error rates would miss it."""
    asked = {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}
    assert operation_of(asked, "openai.response") == "chat"
    assert operation_of({"llm.request.type": "completion"}, "gemini.generate_content") == "chat"
