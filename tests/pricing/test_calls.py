"""What a call costs: day, hour, size, cache, reasoning and service tier."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from llmops_lib.pricing import price_calls

ONE_HOUR = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
TIER = "openai.response.service_tier"
SONNET = {"provider": "anthropic", "request_model": "claude-sonnet-4-5"}
O3 = {"request_model": "o3", "input_tokens": 1_000_000, "output_tokens": 1_000_000}


def costs(spans):
    """Costs in the order of the rows."""
    return price_calls(spans)["cost_usd"].to_list()


def basis(spans):
    """Price entries or reasons in the order of the rows."""
    return price_calls(spans)["price_basis"].to_list()


def test_a_call_costs_input_times_input_price_plus_output_times_output_price(calls):
    """1,000 x 2.50 + 100 x 10 USD per million, by hand."""
    priced = price_calls(calls({}))
    assert priced.select("cost_usd", "is_priced", "price_basis").row(0) == (
        pytest.approx(0.0035),
        True,
        "genai-prices 0.2.3: openai/gpt-4o, undated",
    )


def test_the_parts_of_a_cost_follow_the_tokens_they_are_for(calls):
    """600 x 3 + 300 x 0.30 + 100 x 3.75 in, 50 x 15 out, USD per million: parts nest as tokens do."""
    usage = {"input_tokens": 1000, "cache_read_tokens": 300, "cache_write_tokens": 100, "output_tokens": 50}
    priced = price_calls(calls({"provider": "anthropic", "request_model": "claude-sonnet-4-5"} | usage))
    parts = priced.select(
        "input_cost_usd", "cache_read_cost_usd", "cache_write_cost_usd", "output_cost_usd", "cost_usd"
    )
    assert parts.row(0) == pytest.approx((2265e-6, 90e-6, 375e-6, 750e-6, 3015e-6))


def test_the_parts_of_an_unknown_cost_are_unknown(calls):
    """Zero would say that the input was free."""
    priced = price_calls(calls({"request_model": "house-model", "response_model": None, "provider": None}))
    assert priced.select("cost_usd", "input_cost_usd", "output_cost_usd").row(0) == (None, None, None)


def test_a_price_cut_holds_from_its_utc_midnight(calls):
    """A report over the cut of o3 on 2025-06-10 must use both prices, never the newer one for all."""
    cut = datetime(2025, 6, 10, tzinfo=UTC)
    spans = calls(O3 | {"started_at": cut - timedelta(microseconds=1)}, O3 | {"started_at": cut})
    assert costs(spans) == [50.0, 10.0]
    assert basis(spans)[1] == "genai-prices 0.2.3: openai/o3 from 2025-06-10"


def test_the_day_of_a_price_is_the_utc_day_whatever_zone_the_column_has(calls):
    """23:30 in New York on the 9th is already the 10th in UTC."""
    local = datetime(2025, 6, 9, 23, 30, tzinfo=ZoneInfo("America/New_York"))
    spans = calls(O3 | {"started_at": local}).with_columns(
        pl.col("started_at").dt.convert_time_zone("America/New_York")
    )
    assert costs(spans) == [10.0]


def test_an_off_peak_price_holds_by_the_time_of_day(calls):
    """DeepSeek doubled its price between 00:30 and 16:30 UTC: half-open at both ends."""
    clocks = [(0, 29), (0, 30), (16, 29), (16, 30)]
    row = {
        "provider": "deepseek",
        "request_model": "deepseek-chat",
        "input_tokens": 1_000_000,
        "output_tokens": 0,
    }
    spans = calls(*(row | {"started_at": datetime(2026, 1, 5, h, m, tzinfo=UTC)} for h, m in clocks))
    assert costs(spans) == pytest.approx([0.135, 0.27, 0.27, 0.135])
    assert basis(spans)[1] == "genai-prices 0.2.3: deepseek/deepseek-chat, 00:30 to 16:30 UTC"


def test_an_input_size_tier_prices_the_whole_call(calls):
    """Above 200,000 input tokens every token costs the higher price, not the part above it."""
    spans = calls(*(SONNET | {"input_tokens": size, "output_tokens": 1_000} for size in (200_000, 200_001)))
    assert costs(spans) == pytest.approx([0.6 + 0.015, 200_001 * 6e-6 + 1_000 * 22.5e-6])


def test_cache_reads_and_both_kinds_of_cache_writes_have_their_own_prices(calls):
    """The 1-hour part costs 6.00, the 5-minute rest 3.75, reads 0.30 and the rest of the input 3.00."""
    row = SONNET | {
        "input_tokens": 1_000,
        "output_tokens": 0,
        "cache_read_tokens": 500,
        "cache_write_tokens": 300,
    }
    spans = calls(row, row | {"attributes": {ONE_HOUR: 100}})
    assert costs(spans) == pytest.approx([(600 + 150 + 1_125) * 1e-6, (600 + 150 + 750 + 600) * 1e-6])


def test_reasoning_is_not_charged_on_top_of_the_output_that_contains_it(calls):
    """Counting it twice is the commonest wrong bill of reasoning models."""
    assert costs(calls({"reasoning_tokens": 80}, {"reasoning_tokens": None})) == pytest.approx(
        [0.0035, 0.0035]
    )


def test_reasoning_has_its_own_price_where_the_list_has_one(calls):
    """Deep research charges 3 per million for the reasoning part and 8 for the rest."""
    row = {"provider": "perplexity", "request_model": "sonar-deep-research", "reasoning_tokens": 60}
    assert costs(calls(row)) == pytest.approx([(1_000 * 2 + 40 * 8 + 60 * 3) * 1e-6])


def test_a_charge_per_request_is_part_of_the_cost(calls):
    """Sonar adds 12 USD per 1,000 requests, which is most of a short call."""
    assert costs(calls({"provider": "perplexity", "request_model": "sonar"})) == pytest.approx(
        [0.0011 + 0.012]
    )


@pytest.mark.parametrize(
    ("tier", "cost"), [("flex", 5.0), ("batch", 5.0), ("priority", 17.5), ("PRIORITY ", 17.5)]
)
def test_a_service_tier_has_the_price_of_the_list(calls, tier, cost):
    """Half price for flex and batch, 1.75 times for priority."""
    assert costs(calls(O3 | {"attributes": {TIER: tier}})) == pytest.approx([cost])


@pytest.mark.parametrize("tier", ["default", "auto", "standard", "standard_only", "on_demand", ""])
def test_a_standard_service_tier_changes_nothing(calls, tier):
    """Providers state the ordinary tier under several words."""
    spans = calls(O3 | {"attributes": {TIER: tier}})
    assert (costs(spans), basis(spans)) == ([10.0], ["genai-prices 0.2.3: openai/o3 from 2025-06-10"])


def test_a_service_tier_without_a_listed_price_costs_the_standard_price_and_says_so(calls):
    """The list states no tier prices before 2026-10-12; the reader of the report must see that."""
    early = {"attributes": {TIER: "flex"}, "started_at": datetime(2026, 1, 1, tzinfo=UTC)}
    spans = calls(O3 | early, O3 | {"attributes": {TIER: "scale"}})
    assert costs(spans) == [10.0, 10.0]
    for words in basis(spans):
        assert words.endswith("from 2025-06-10, standard price, because none is listed for its service tier")


def test_the_basis_names_the_service_tier_and_its_date(calls):
    """Both dates matter: of the entry and of the tier price."""
    assert basis(calls(O3 | {"attributes": {TIER: "flex"}})) == [
        "genai-prices 0.2.3: openai/o3 from 2025-06-10, flex from 2026-10-12"
    ]


@pytest.mark.parametrize(
    "attributes",
    [
        '{"note": "\\"openai.response.service_tier\\": \\"flex\\""}',
        '{"nested": {"openai.response.service_tier": "flex"}}',
        '{"openai.response.service_tier": "flex"',
        '["openai.response.service_tier"]',
        '{"openai.response.service_tier": null}',
    ],
)
def test_only_a_top_key_of_valid_attributes_sets_the_tier(calls, attributes):
    """Text inside a trace must not be able to halve its own price."""
    assert costs(calls(O3 | {"attributes": attributes})) == [10.0]


def test_without_attributes_writes_are_five_minute_and_the_tier_is_standard(calls):
    """A narrow projection of the store leaves attributes out and must still be priced."""
    row = SONNET | {"cache_write_tokens": 300, "attributes": {ONE_HOUR: 100, TIER: "batch"}}
    narrow = calls(row).drop("attributes")
    assert costs(narrow) == costs(calls(row | {"attributes": None}))
