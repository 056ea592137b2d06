import pytest

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
