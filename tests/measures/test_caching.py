"""Caching what-ifs on a handful of calls, at list prices worked out by hand."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmops_lib import (
    CachingPolicy,
    caching_strata,
    caching_tradeoff,
    calls_as_if_cached,
    calls_as_if_written,
    price_calls,
    simulate_caching,
    with_text_lengths,
)
from llmops_lib.errors import ParameterError
from llmops_lib.frames import collected

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
BY = ["feature", "prompt_name", "model"]
INPUT, READ, WRITE, HOUR = 3e-6, 0.3e-6, 3.75e-6, 6e-6
"""USD per token of claude-sonnet-4-5: input, cache read, write for 5 minutes, write for an hour."""


@pytest.fixture
def prompts(calls):
    """Calls of one prompt whose first half, 2,000 tokens, is the same; each some minutes after midnight."""

    def build(minutes, **columns):
        height = len(minutes)
        plain = {
            "provider": ["anthropic"] * height,
            "model": ["claude-sonnet-4-5"] * height,
            "request_model": ["claude-sonnet-4-5"] * height,
            "feature": ["chat"] * height,
            "prompt_name": ["answer"] * height,
            "prompt_hash": ["p1"] * height,
            "started_at": [MONDAY + timedelta(minutes=minute) for minute in minutes],
            "input_tokens": [4000] * height,
            "output_tokens": [0] * height,
            "cache_read_tokens": [0] * height,
            "cache_write_tokens": [0] * height,
            "system_instructions": ["s" * 50] * height,
            "input": ["i" * 50] * height,
        }
        return with_text_lengths(price_calls(calls(**(plain | columns))))

    return build


def strata_of(table, engine=lambda table: table):
    """The strata of a table; what is priced again is priced by polars."""
    kept = ("5m", "1h")
    read, written = (
        {name: price_calls(collected(as_if(engine(table), BY, lifetime=name))) for name in kept}
        for as_if in (calls_as_if_cached, calls_as_if_written)
    )
    return caching_strata(engine(table), read=read, written=written, by=BY)


def simulated(strata, **policy):
    """The one row of a policy."""
    return simulate_caching(strata, CachingPolicy(**policy)).row(0, named=True)


def test_reads_save_and_the_first_call_pays_for_writing(engine, prompts):
    """Two of three calls read 2,000 tokens at a tenth of the price; the first writes them for a quarter."""
    found = simulated(strata_of(prompts([0, 1, 2]), engine), hit_share=1)
    assert (found["readable_count"], found["from_texts_count"], found["prefix_tokens"]) == (2, 2, 2000)
    saving = 2 * 2000 * (INPUT - READ) - 2000 * (WRITE - INPUT)
    assert found["saving_usd"] == pytest.approx(saving)
    assert found["spend_usd_after"] == pytest.approx(3 * 4000 * INPUT - saving)
    assert (found["cache_read_share_before"], found["cache_read_share_after"]) == (0, pytest.approx(1 / 3))
    assert found["reads_per_write"] == 2


def test_a_miss_pays_for_writing_too(prompts):
    """At no hits, all three write and nobody reads: caching costs money."""
    found = simulated(strata_of(prompts([0, 1, 2])), hit_share=0)
    assert found["saving_usd"] == pytest.approx(-3 * 2000 * (WRITE - INPUT))


def test_at_the_break_even_share_nothing_is_saved_or_lost(prompts):
    """It is the definition, whatever the prices."""
    strata = strata_of(prompts([0, 1, 2, 3, 20, 90]))
    for lifetime in ("5m", "1h"):
        share = simulated(strata, lifetime=lifetime)["break_even_share"]
        assert 0 < share < 1
        assert simulated(strata, lifetime=lifetime, hit_share=share)["saving_usd"] == pytest.approx(
            0, abs=1e-15
        )


def test_an_hour_reaches_further_and_costs_twice_the_input_to_write(prompts):
    """Ten minutes apart: nothing to read within five, one read within sixty."""
    strata = strata_of(prompts([0, 10]))
    short, long = (simulated(strata, lifetime=name, hit_share=1) for name in ("5m", "1h"))
    assert (short["readable_count"], short["break_even_share"]) == (0, None)
    assert short["saving_usd"] == pytest.approx(-2 * 2000 * (WRITE - INPUT))
    assert long["saving_usd"] == pytest.approx(2000 * (INPUT - READ) - 2000 * (HOUR - INPUT))


def test_who_writes_for_five_minutes_already_pays_more_for_an_hour(prompts):
    """The price of the longer life falls on every write, not on new ones only."""
    table = prompts([0, 1, 2], cache_write_tokens=[2000, 0, 0], cache_read_tokens=[0, 2000, 2000])
    strata = strata_of(table)
    assert simulated(strata, hit_share=1)["saving_usd"] == 0
    assert simulated(strata, lifetime="1h")["saving_usd"] == pytest.approx(-2000 * (HOUR - WRITE))


def test_providers_that_write_for_nothing_break_even_at_once(prompts):
    """Without a charge for writing there is nothing to win back."""
    names = {"provider": ["openai"] * 3, "model": ["gpt-4o"] * 3, "request_model": ["gpt-4o"] * 3}
    assert simulated(strata_of(prompts([0, 1, 2], **names)))["break_even_share"] == 0


def test_groups_add_up_and_features_can_be_chosen(prompts):
    """A table by feature beside the total must not contradict it."""
    strata = strata_of(prompts([0, 1, 2, 3], feature=["chat", "chat", None, None]))
    policy = CachingPolicy()
    by_feature, total = simulate_caching(strata, policy, by="feature"), simulate_caching(strata, policy)
    assert by_feature["saving_usd"].sum() == pytest.approx(total["saving_usd"].item())
    assert simulated(strata, features=[None])["call_count"] == 2


def test_the_tradeoff_is_a_line_through_the_break_even(prompts):
    """The ends are what the simulation says of no and of all hits."""
    strata = strata_of(prompts([0, 1, 2]))
    curve = caching_tradeoff(strata, CachingPolicy(), steps=2)
    ends = [simulated(strata, hit_share=share)["saving_usd"] for share in (0, 0.5, 1)]
    assert curve["hit_share"].to_list() == [0, 0.5, 1]
    assert curve["saving_usd"].to_list() == ends


def test_calls_without_a_price_or_recorded_cache_are_counted(prompts):
    """They are in no sum, and may have read already."""
    table = prompts(
        [0, 1, 2], cache_read_tokens=[0, None, 0], request_model=["claude-sonnet-4-5"] * 2 + ["own"]
    )
    unpriced = table.with_columns(
        pl.when(pl.col("request_model") != "own").then("cost_usd").alias("cost_usd")
    )
    found = simulated(strata_of(unpriced))
    assert (found["unpriced_count"], found["unrecorded_count"]) == (1, 1)


def test_no_calls_give_nothing_to_simulate(prompts):
    """An empty table has one row of totals and no spend."""
    strata = strata_of(prompts([0, 1]).clear())
    found = simulated(strata)
    assert (found["call_count"], found["spend_usd_before"], found["saving_usd"]) == (0, None, None)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"lifetime": "2d"}, "lifetime: found '2d', expected one of those in the strata: 1h, 5m"),
        ({"features": ["none"]}, "features: found 'none', expected one of those in the strata: chat"),
        ({"hit_share": -0.1}, r"hit_share -0\.1 is not between 0 and 1"),
    ],
)
def test_a_policy_that_cannot_be_run_says_what_there_is(prompts, policy, message):
    """A typo in a notebook is answered with the names that exist."""
    with pytest.raises(ParameterError, match=message):
        simulate_caching(strata_of(prompts([0, 1])), CachingPolicy(**policy))
