"""Spans of LiteLLM, which says some things of a call in attributes of its own."""

import pytest

from llmops_lib.sources.attributes import canonical_row

CALL = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 30}
USAGE = "{'prompt_tokens': 120, 'prompt_tokens_details': {'cached_tokens': 64}, 'completion_tokens': 30}"


def _row(**attributes):
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return canonical_row({**CALL, **named}, name="litellm_request")


def test_cached_tokens_stand_in_its_usage_only():
    """Without them a cached prompt is priced as a new one."""
    row = _row(metadata__usage_object=USAGE)
    assert (row["input_tokens"], row["cache_read_tokens"]) == (120, 64)


def test_stated_counts_are_trusted_before_its_usage():
    """The attribute of the conventions is what everybody reads."""
    row = _row(metadata__usage_object=USAGE, gen_ai__usage__cache_read__input_tokens=8)
    assert row["cache_read_tokens"] == 8


@pytest.mark.parametrize(
    "junk", ["{}", "[1]", "{'prompt_tokens_details': None}", "cut {", "__import__('os')"]
)
def test_junk_in_its_usage_adds_no_count(junk):
    """The text comes from outside, and is never executed."""
    row = _row(metadata__usage_object=junk)
    assert (row["input_tokens"], row.get("cache_read_tokens")) == (120, None)


@pytest.mark.parametrize(("hit", "is_call"), [("True", False), ("False", None), ("None", None)])
def test_an_answer_from_its_cache_is_no_model_call(hit, is_call):
    """Nobody was called, and nothing is billed."""
    assert _row(litellm__cache_hit=hit).get("is_model_call") is is_call


@pytest.mark.parametrize(
    ("stated", "model", "provider"),
    [
        ({}, "openai/text-embedding-3-small", "openai"),
        ({}, "bedrock/anthropic.claude-3-haiku", "aws.bedrock"),
        ({}, "gpt-4o", None),
        ({"gen_ai__system": "azure"}, "openai/gpt-4o", "azure.ai.openai"),
    ],
)
def test_the_provider_stands_before_the_model_where_no_attribute_names_it(stated, model, provider):
    """Embeddings and responses name none otherwise, and would have no price."""
    assert _row(litellm__provider__model=model, **stated).get("provider") == provider


def test_a_function_call_is_a_tool_call():
    """LiteLLM writes the one call of an answer as it was called before there were tools."""
    called = {
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.function_call.name": "clock",
        "gen_ai.completion.0.function_call.arguments": '{"zone": "UTC"}',
    }
    row = canonical_row({**CALL, **called}, name="litellm_request")
    assert row["tool_calls"] == [{"id": None, "name": "clock", "arguments": {"zone": "UTC"}}]
    assert "function_call" not in row["output"][0]
