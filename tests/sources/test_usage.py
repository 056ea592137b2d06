import json

import pytest

from llmops_lib.sources.langfuse_usage import CACHE_WRITE_1H
from llmops_lib.sources.usage import TOKEN_CONVENTION, complete_usage


def _completed(row, rest=None):
    rest = {} if rest is None else rest
    complete_usage(row, rest)
    return row, rest


@pytest.mark.parametrize(
    "counts",
    [
        {"input_tokens": 8, "cache_read_tokens": 2249},
        {"input_tokens": 8, "cache_read_tokens": 0, "cache_write_tokens": 2249},
        {"input_tokens": 1500, "cache_read_tokens": 1000, "cache_write_tokens": 1249},
        {"input_tokens": "8", "cache_read_tokens": "2249"},
    ],
)
def test_an_input_smaller_than_its_cache_is_made_inclusive(counts):
    """Anthropic's input leaves the cache out; without correction most of the tokens would be free."""
    row, rest = _completed({"provider": "anthropic", "output_tokens": 5, **counts})
    assert row["input_tokens"] == sum(int(count) for count in counts.values())
    assert rest[TOKEN_CONVENTION] == "exclusive, made inclusive"


@pytest.mark.parametrize(
    "row",
    [
        {"provider": "anthropic", "input_tokens": 2257, "cache_read_tokens": 2249},
        {"provider": "anthropic", "input_tokens": 100, "cache_read_tokens": 50, "cache_write_tokens": 50},
        {"provider": "anthropic", "input_tokens": 100},
        {"provider": "anthropic", "cache_read_tokens": 50},
        {"provider": "openai", "input_tokens": 100, "cache_read_tokens": 64},
    ],
)
def test_a_row_that_may_be_inclusive_stays_as_it_is(row):
    """A correction without proof would invent tokens."""
    completed, rest = _completed(dict(row))
    assert completed == row
    assert rest == {}


def test_an_impossible_row_of_another_provider_is_not_explained_away():
    """OpenAI's input contains the cache, so this row is wrong and must stay visibly so."""
    row, rest = _completed({"provider": "openai", "input_tokens": 10, "cache_read_tokens": 64})
    assert (row["input_tokens"], rest) == (10, {})


def test_claude_behind_another_provider_counts_like_anthropic():
    """Bedrock and Vertex pass the counts through."""
    row, _ = _completed(
        {
            "provider": "gcp.vertex_ai",
            "request_model": "claude-opus-4-1",
            "input_tokens": 8,
            "cache_read_tokens": 92,
        }
    )
    assert row["input_tokens"] == 100


def test_a_total_that_adds_the_cache_proves_the_convention():
    """The sum of all parts leaves no other reading, whoever the provider is."""
    counts = {"input_tokens": 100, "cache_read_tokens": 50, "output_tokens": 5}
    row, _ = _completed({"provider": "someone", **counts}, {"llm.token_count.total": 155})
    assert row["input_tokens"] == 150
    row, _ = _completed({"provider": "someone", **counts}, {"llm.token_count.total": 105})
    assert row["input_tokens"] == 100


def test_the_raw_answer_proves_the_convention_of_openinference():
    """Older releases copied Anthropic's counts; the answer beside them shows it, and the cache counts too."""
    answer = (
        '{"id": "msg-1", "usage": {"input_tokens": 300, "cache_read_input_tokens": 100,'
        ' "cache_creation_input_tokens": 50, "cache_creation": {"ephemeral_1h_input_tokens": 50},'
        ' "service_tier": "standard"}}'
    )
    row, rest = _completed({"provider": "anthropic", "input_tokens": 300}, {"output.value": answer})
    assert row == {
        "provider": "anthropic",
        "input_tokens": 450,
        "cache_read_tokens": 100,
        "cache_write_tokens": 50,
        "request_id": "msg-1",
    }
    assert rest["anthropic.usage.cache_creation.ephemeral_1h_input_tokens"] == 50
    assert rest["openai.response.service_tier"] == "standard"


def test_vercel_keeps_cache_writes_in_the_metadata_of_the_provider():
    """They are billed above the price of ordinary input."""
    metadata = {"ai.response.providerMetadata": '{"anthropic": {"cacheCreationInputTokens": 30}}'}
    row, _ = _completed({"input_tokens": 100}, metadata)
    assert row["cache_write_tokens"] == 30


@pytest.mark.parametrize(
    "junk", ["[]", '{"usage": []}', '{"usage": {"cache_read_input_tokens": {}}}', "{", "5"]
)
def test_junk_in_the_raw_answer_changes_nothing(junk):
    """It is whatever a server sent."""
    row, _ = _completed({"input_tokens": 100}, {"output.value": junk})
    assert row == {"input_tokens": 100}


@pytest.mark.parametrize(
    ("metadata", "given", "counts"),
    [
        # AI SDK 4
        ({"anthropic": {"cacheCreationInputTokens": 0, "cacheReadInputTokens": 900}}, 1_000, (1_900, 900)),
        ({"openai": {"cachedPromptTokens": 900, "reasoningTokens": 0}}, 1_000, (1_000, 900)),
        # AI SDK 5
        (
            {"anthropic": {"usage": {"input_tokens": 1_000, "cache_read_input_tokens": 900}}},
            1_000,
            (1_900, 900),
        ),
        # AI SDK 6 states inclusive counts beside the raw ones
        (
            {"anthropic": {"usage": {"input_tokens": 100, "cache_read_input_tokens": 900}}},
            1_000,
            (1_000, 900),
        ),
        ({"bedrock": {"usage": {"cacheReadInputTokens": 900}}}, 1_000, (1_000, 900)),
    ],
)
def test_vercel_keeps_cache_reads_in_the_metadata_of_the_provider(metadata, given, counts):
    """Before version 6 they stand nowhere else, and Anthropic's input leaves them out."""
    row, _ = _completed({"input_tokens": given}, {"ai.response.providerMetadata": json.dumps(metadata)})
    assert (row["input_tokens"], row["cache_read_tokens"]) == counts


@pytest.mark.parametrize("junk", ['{"a": 5}', '{"a": {"usage": 5}}', '{"a": {"usage": {"x": {}}}}', "[]"])
def test_junk_in_the_metadata_of_the_provider_adds_no_count(junk):
    """Providers add what they like."""
    row, _ = _completed({"input_tokens": 100}, {"ai.response.providerMetadata": junk})
    assert {name: count for name, count in row.items() if count is not None} == {"input_tokens": 100}


@pytest.mark.parametrize(
    ("counts", "rest", "output_tokens"),
    [
        ((1_200, 20, 10), {"gen_ai.usage.total_tokens": 1_230}, 30),
        ((1_200, 20, 10), {"gen_ai.usage.total_tokens": 1_220}, 20),
        ((1_200, 20, 10), {}, 20),
        ((1_200, 20, 100), {}, 120),
        ((None, None, 100), {}, None),
    ],
)
def test_thoughts_beside_the_answer_are_added_where_the_counts_prove_it(counts, rest, output_tokens):
    """Google's answer leaves them out, and they are billed as output."""
    columns = ("input_tokens", "output_tokens", "reasoning_tokens")
    row, _ = _completed(dict(zip(columns, counts, strict=True)), rest)
    assert row["output_tokens"] == output_tokens


@pytest.mark.parametrize("stated", [{}, {"input_tokens": 40, "output_tokens": 6}])
def test_the_answer_that_the_agent_kit_keeps_has_the_counts_of_gemini(stated):
    """Old releases state them nowhere else, and new ones leave the thoughts out of the output."""
    counts = {"prompt_token_count": 40, "candidates_token_count": 6, "thoughts_token_count": 9}
    usage = json.dumps({"usage_metadata": {**counts, "total_token_count": 55}})
    row, rest = _completed(dict(stated), {"gcp.vertex.agent.llm_response": usage})
    assert row == {"input_tokens": 40, "output_tokens": 15, "reasoning_tokens": 9}
    assert (TOKEN_CONVENTION in rest) == bool(stated)


@pytest.mark.parametrize("junk", ["{}", "[]", "cut {", '{"usage_metadata": [1]}'])
def test_junk_in_the_answer_of_the_agent_kit_changes_nothing(junk):
    """The text of the answer comes from outside."""
    row, _ = _completed({"input_tokens": 40, "output_tokens": 6}, {"gcp.vertex.agent.llm_response": junk})
    assert row == {"input_tokens": 40, "output_tokens": 6}


def test_cache_writes_of_an_hour_have_one_name():
    """They are charged at a rate of their own."""
    _, rest = _completed({"input_tokens": 40}, {"gen_ai.usage.input_tokens.cache_write_1h": 7})
    assert rest == {CACHE_WRITE_1H: 7}
