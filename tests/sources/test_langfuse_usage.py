"""Token counts and cost of Langfuse observations."""

import pytest

from llmops_lib.sources.langfuse_plain_usage import plain_counts
from llmops_lib.sources.langfuse_usage import (
    CACHE_WRITE_1H,
    convention_notes,
    reported_cost,
    token_counts,
)
from llmops_lib.sources.refusals import Refused


def _counts_of(**details):
    return token_counts({"usage_details": details})


def test_keys_that_hold_the_word_input_add_up():
    """Langfuse splits the cached part off `input`, so leaving it out would lose tokens that were billed."""
    counts = _counts_of(input=40, input_cache_read=20, cache_creation_input_tokens=5, output=7)
    assert counts == {
        "input_tokens": 65,
        "output_tokens": 7,
        "cache_read_tokens": 20,
        "cache_write_tokens": 5,
    }


def test_details_without_the_word_are_parts_and_not_added():
    """OpenInference counts the cache inside the prompt; adding it would bill it twice."""
    counts = token_counts(
        {
            "usage_details": {
                "input": 190,
                "prompt_details.cache_read": 64,
                "output": 164,
                "completion_details.reasoning": 12,
                "total": 354,
            }
        }
    )
    assert counts == {
        "input_tokens": 190,
        "output_tokens": 164,
        "cache_read_tokens": 64,
        "reasoning_tokens": 12,
    }


def test_a_total_that_leaves_no_room_proves_that_the_parts_are_inside():
    """Conventions of 2026 count the cache inside input under a name that holds the word."""
    counts = token_counts(
        {"usage_details": {"input": 100, "cache_read.input_tokens": 80, "output": 9, "total": 109}}
    )
    assert counts["input_tokens"] == 100
    assert counts["cache_read_tokens"] == 80


def test_a_part_larger_than_the_whole_comes_on_top_whatever_the_total_says():
    """Anthropic's own input leaves the cache out, and some SDKs pass a total without it."""
    counts = token_counts(
        {"usage_details": {"input": 9, "cache_read_input_tokens": 1905, "output": 5, "total": 14}}
    )
    assert counts["input_tokens"] == 1914


@pytest.mark.parametrize(
    ("details", "input_tokens"),
    [
        ({"input": 40, "cache_read": 20, "cache_creation": 5, "output": 7, "total": 72}, 65),
        ({"input": 9, "cache_read": 1905, "output": 5}, 1914),
        ({"input": 40, "cache_read": 20, "output": 7, "total": 47}, 40),
        ({"input": 40, "cache_read": 20, "output": 7}, 40),
        ({"cache_read": 20, "output": 7, "total": 27}, None),
    ],
)
def test_cache_beside_the_input_is_added_where_the_counts_prove_it(details, input_tokens):
    """Applications that count for themselves name it as Anthropic does, without the word input."""
    assert _counts_of(**details).get("input_tokens") == input_tokens
    is_noted = "llmops.token_convention" in convention_notes({"usage_details": details})
    assert is_noted == (input_tokens in (65, 1914))


def test_cache_writes_given_whole_and_by_lifetime_count_once():
    """Anthropic's answer holds the sum and its parts; both names hold the word input."""
    counts = token_counts(
        {
            "usage_details": {
                "input": 10,
                "cache_creation_input_tokens": 300,
                "cache_creation.ephemeral_5m_input_tokens": 100,
                "cache_creation.ephemeral_1h_input_tokens": 200,
                "output": 4,
            }
        }
    )
    assert counts == {
        "input_tokens": 310,
        "output_tokens": 4,
        "cache_write_tokens": 300,
        CACHE_WRITE_1H: 200,
    }


def test_the_answer_of_openai_as_it_came_is_understood():
    """Calls traced through OpenTelemetry keep the provider's own names."""
    counts = _counts_of(
        prompt_tokens=60,
        completion_tokens=12,
        total_tokens=72,
        prompt_tokens_details={"cached_tokens": 32},
        completion_tokens_details={"reasoning_tokens": 8},
    )
    assert counts == {
        "input_tokens": 60,
        "output_tokens": 12,
        "cache_read_tokens": 32,
        "reasoning_tokens": 8,
    }


def test_characters_are_not_tokens():
    """Models billed by character fill the same fields."""
    observation = {
        "usage": {"input": 500, "output": 90, "unit": "CHARACTERS"},
        "usage_details": {"input": 500},
    }
    assert token_counts(observation) == {}


@pytest.mark.parametrize(
    "observation",
    [
        {"usage": {"input": 21, "output": 6, "total": 27, "unit": "TOKENS"}},
        {"usage": {"promptTokens": 21, "completionTokens": 6}},
        {"prompt_tokens": 21, "completion_tokens": 6, "total_tokens": 27},
        {"usage_details": {}, "input_usage": 21, "output_usage": 6, "total_usage": 27},
    ],
)
def test_older_fields_count_where_details_are_missing(observation):
    """The details came in late 2024; rows before have only one of the older fields."""
    assert token_counts(observation) == {"input_tokens": 21, "output_tokens": 6}


def test_zeros_in_the_older_fields_mean_unknown():
    """The API writes them on every failed call; as zeros they would pull averages down."""
    observation = {"usage": {"input": 0, "output": 0, "total": 0}, "prompt_tokens": 0, "completion_tokens": 0}
    assert token_counts(observation) == {}


def test_old_and_new_fields_are_never_added():
    """`usage` and `usageDetails` describe the same tokens."""
    counts = token_counts({"usage": {"input": 21, "output": 6}, "usage_details": {"input": 21, "output": 6}})
    assert counts == {"input_tokens": 21, "output_tokens": 6}


@pytest.mark.parametrize(
    ("value", "reason"), [("many", "type"), (-3, "range"), (1.5, "type"), (True, "type")]
)
def test_a_count_that_is_none_refuses_the_row(value, reason):
    """A guess in its place would be priced."""
    with pytest.raises(Refused) as refused:
        _counts_of(input=value)
    assert refused.value.reason == reason


def test_text_beside_the_counts_is_left_alone():
    """Raw answers hold a service tier or a geography among the counts."""
    assert _counts_of(input=3, service_tier="standard") == {"input_tokens": 3}


def test_digits_in_text_are_counts():
    """The blob export writes large numbers as text."""
    assert _counts_of(input="1568", output="423.0") == {"input_tokens": 1568, "output_tokens": 423}


@pytest.mark.parametrize(
    ("observation", "cost"),
    [
        ({"total_cost": 0.5, "cost_details": {"total": 0.4}}, 0.5),
        ({"cost_details": {"input": 0.1, "output": 0.2, "total": 0.35}}, 0.35),
        ({"cost_details": {"input": 0.25, "output": 0.5}}, 0.75),
        ({"calculated_total_cost": 0.125}, 0.125),
        ({"total_cost": 0, "cost_details": {"total": 0}}, 0),
        ({"total_cost": 0, "cost_details": {}}, None),
        ({"total_cost": "0E-12", "cost_details": {}}, None),
        ({}, None),
    ],
)
def test_the_cost_is_what_the_export_states_and_an_empty_zero_is_none(observation, cost):
    """Langfuse writes 0 for a model that it has no price for; a stated 0 is a free model."""
    assert reported_cost(observation) == cost


def test_a_conversion_and_a_stated_total_are_noted():
    """The audit of conventions must tell Langfuse's own counts from those in the table."""
    usage = {"input": 120, "output": 8, "input_cached_tokens": 64, "total": 192}
    notes = convention_notes({"usage_details": usage})
    assert notes["llmops.token_convention"] == "exclusive, made inclusive"
    assert notes["gen_ai.usage.total_tokens"] == 192
    assert convention_notes({"usage_details": {"input": 120, "output": 8}}) == {}


@pytest.mark.parametrize("details", [{"total": 1e300}, {"input": 2**63, "output": 1}, {"x": 1e30}])
def test_a_count_that_no_column_could_hold_is_refused(details):
    """Its exact value would not fit into JSON either, and one such line must not stop a load."""
    with pytest.raises(Refused, match="range"):
        token_counts({"usage_details": details})


def test_counts_at_the_edge_are_left_to_the_reading_one_by_one():
    """Both readings must refuse the same rows."""
    assert plain_counts({"usage_details": [{"input": 1, "total": 2**63}]}) is None


def test_google_s_own_names_are_known():
    """Passed through as they came, they would be no tokens at all; its answer leaves the thoughts out."""
    counts = _counts_of(
        promptTokenCount=10, candidatesTokenCount=5, thoughtsTokenCount=30, totalTokenCount=45
    )
    assert counts == {"input_tokens": 10, "output_tokens": 35, "reasoning_tokens": 30}
    assert _counts_of(input=10, output=35, thoughts_token_count=30, total=45)["output_tokens"] == 35
