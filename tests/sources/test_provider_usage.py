"""Counts of every provider under GenAI names."""

import pytest

from llmops_lib.sources.provider_usage import usage_attributes

SHORT = {
    "gen_ai.usage.input_tokens": "input",
    "gen_ai.usage.output_tokens": "output",
    "gen_ai.usage.cache_read.input_tokens": "read",
    "gen_ai.usage.cache_creation.input_tokens": "write",
    "gen_ai.usage.reasoning.output_tokens": "reasoning",
}
USAGES = {
    "openai chat": {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 10},
    },
    "openai responses": {
        "input_tokens": 100,
        "output_tokens": 50,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
        "output_tokens_details": {"reasoning_tokens": 10},
    },
    "google": {
        "prompt_token_count": 100,
        "candidates_token_count": 40,
        "thoughts_token_count": 10,
        "cached_content_token_count": 30,
        "cache_creation_input_tokens": 20,
    },
    "dotted": {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details.cached_tokens": 30,
        "cache_creation_input_tokens": 20,
        "completion_tokens_details.reasoning_tokens": 10,
    },
}


@pytest.mark.parametrize("dialect", USAGES)
def test_every_dialect_gives_the_same_counts(dialect):
    """Google alone leaves the thoughts out of its output."""
    found = {SHORT[name]: count for name, count in usage_attributes(USAGES[dialect]).items() if name in SHORT}
    assert found == {"input": 100, "output": 50, "read": 30, "write": 20, "reasoning": 10}


@pytest.mark.parametrize("value", [None, 7, "text", [], {}, {"prompt_tokens": None}])
def test_what_states_no_count_gives_none(value):
    """Unknown is not zero."""
    assert usage_attributes(value) == {}


def test_a_count_of_zero_is_kept():
    """Zero is not unknown."""
    assert usage_attributes({"prompt_tokens": 0}) == {"gen_ai.usage.input_tokens": 0}
