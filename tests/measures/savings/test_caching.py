"""Repeated beginnings of prompts, read from the cache or not."""

from datetime import UTC, datetime, timedelta

import pytest

from llmops_lib import price_calls
from llmops_lib.frames import collected
from llmops_lib.measures.savings.caching import caching_savings, calls_as_if_cached, with_text_lengths

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
BY = ["feature", "model"]


@pytest.fixture
def prompts(calls):
    """Calls of one prompt, each a number of minutes after midnight, in conversations of their own."""

    def build(minutes, reads, *, provider="openai", model="gpt-4o", **columns):
        height = len(minutes)
        plain = {
            "provider": [provider] * height,
            "model": [model] * height,
            "request_model": [model] * height,
            "feature": ["chat"] * height,
            "prompt_hash": ["p1"] * height,
            "started_at": [MONDAY + timedelta(minutes=minute) for minute in minutes],
            "input_tokens": [4000] * height,
            "output_tokens": [100] * height,
            "cache_read_tokens": reads,
            "cache_write_tokens": [0] * height,
        }
        return price_calls(calls(**(plain | columns)))

    return build


def saved(table, engine):
    """The savings of a table; the counterfactual calls are priced by polars."""
    repriced = price_calls(collected(calls_as_if_cached(engine(table), BY)))
    return collected(caching_savings(engine(repriced), BY))


def test_a_call_soon_after_one_of_the_same_prompt_could_have_read_its_beginning(engine, prompts):
    """2,000 tokens at 1.25 instead of 2.50 USD per million; the call an hour later had nothing to read."""
    table = prompts([0, 1, 4, 64], [0, 2000, 0, 0])
    row = saved(table, engine).row(0, named=True)
    assert (row["call_count"], row["prefix_tokens"], row["from_texts_count"]) == (1, 2000, 0)
    assert row["saving_usd"] == pytest.approx(2000 * 1.25e-6)
    assert row["spend_usd"] == pytest.approx(4000 * 2.5e-6 + 100 * 10e-6)


def test_the_least_that_a_new_conversation_read_is_what_all_share(engine, prompts):
    """Longer reads may be of one conversation's own past."""
    table = prompts([0, 1, 2, 3], [0, 3000, 1536, 0])
    assert saved(table, engine)["prefix_tokens"].to_list() == [1536]


def test_what_a_conversation_reads_of_itself_is_no_shared_beginning(engine, prompts):
    """An agent's cache holds its own turns, which another run of it cannot read."""
    table = prompts([0, 1, 2, 3], [0, 2000, 0, 0], session_id=["a", "a", "b", "c"])
    assert saved(table, engine).is_empty()


def test_another_prompt_has_another_beginning(engine, prompts):
    """A changed prompt makes the cache of the old one useless."""
    table = prompts([0, 1, 2], [0, 2000, 0], prompt_hash=["p1", "p1", "p2"])
    assert saved(table, engine).is_empty()


def test_calls_whose_cache_use_is_not_recorded_are_left_out(engine, prompts):
    """They may have read already."""
    assert saved(prompts([0, 1, 2], [0, 2000, None]), engine).is_empty()


def test_without_reads_the_share_of_the_system_prompt_tells_the_beginning(engine, prompts):
    """Half of the text is 2,000 tokens; the first call of a run pays a quarter more to write them."""
    table = with_text_lengths(
        prompts(
            [0, 1, 2],
            [0, 0, 0],
            provider="anthropic",
            model="claude-sonnet-4-5",
            system_instructions=["s" * 50] * 3,
            input=["i" * 50] * 3,
        )
    )
    row = saved(table, engine).row(0, named=True)
    assert (row["call_count"], row["prefix_tokens"], row["from_texts_count"]) == (2, 2000, 2)
    assert row["saving_usd"] == pytest.approx(2 * 2000 * 2.7e-6 - 2000 * 0.75e-6)


@pytest.mark.parametrize("system", [[None] * 3, ["s" * 5] * 3, ["s" * 50, "s" * 60, "s" * 50]])
def test_a_beginning_that_is_unknown_short_or_differs_suggests_nothing(engine, prompts, system):
    """No text, a few hundred tokens, or two texts under one hash."""
    table = prompts([0, 1, 2], [0, 0, 0], system_instructions=system, input=["i" * 95] * 3)
    assert saved(with_text_lengths(table), engine).is_empty()
