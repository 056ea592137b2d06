"""The user's own prices: when they hold, and what they leave to the public list."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from llmops_lib.errors import PriceError, SchemaError
from llmops_lib.pricing import price_calls
from llmops_lib.schema import PRICES

MILLION = {"input_tokens": 1_000_000, "output_tokens": 0}
TIER = "openai.response.service_tier"


def own(*rows):
    """PRICES rows that differ from 1 USD in, 2 USD out for `my-vllm` from 2026-01-01."""
    plain = {
        "model": "my-vllm",
        "min_input_tokens": 0,
        "effective_from_on": date(2026, 1, 1),
        "input_usd_per_mtok": 1.0,
        "output_usd_per_mtok": 2.0,
    }
    return pl.DataFrame(
        [dict.fromkeys(PRICES.names) | plain | row for row in rows], schema=PRICES.polars_schema
    )


def priced(spans, prices):
    """Cost and basis of every row."""
    return price_calls(spans, prices=prices).select("cost_usd", "price_basis").rows()


def test_a_model_of_the_own_list_costs_its_price_and_names_the_source(calls):
    """Self-hosted models are on no public list."""
    spans = calls(
        {"provider": None, "request_model": "my-vllm", "input_tokens": 3_000_000, "output_tokens": 1_000_000}
    )
    assert priced(spans, own({"source": "contract"})) == [
        (5.0, "own list: my-vllm from 2026-01-01 (contract)")
    ]


def test_the_last_entry_in_force_on_the_utc_day_of_the_call_holds(calls):
    """Entries are added, not overwritten, so old reports keep their numbers."""
    days = [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 5, 31, 23, 59, tzinfo=UTC),
        datetime(2026, 6, 1, tzinfo=UTC),
    ]
    spans = calls(*(MILLION | {"request_model": "my-vllm", "started_at": day} for day in days))
    prices = own({"effective_from_on": date(2026, 6, 1), "input_usd_per_mtok": 0.5}, {})
    assert [cost for cost, _ in priced(spans, prices)] == [1.0, 1.0, 0.5]


def test_before_its_first_entry_a_public_model_of_a_public_provider_costs_the_public_price(calls):
    """A discount negotiated for June says nothing of May."""
    day = {"started_at": datetime(2025, 12, 31, tzinfo=UTC)}
    spans = calls(MILLION | day, MILLION)
    prices = own({"provider": "openai", "model": "gpt-4o", "input_usd_per_mtok": 2.0})
    assert priced(spans, prices) == [
        (2.5, "genai-prices 0.2.3: openai/gpt-4o, undated"),
        (2.0, "own list: openai/gpt-4o from 2026-01-01"),
    ]


@pytest.mark.parametrize("provider", [None, "my-gateway"])
def test_before_its_first_entry_a_call_of_no_public_provider_is_not_priced(calls, provider):
    """A model on the user's machine may bear a public name; the public price would be another's."""
    spans = calls(
        {"provider": provider, "request_model": "deepseek-r1", "started_at": datetime(2025, 1, 1, tzinfo=UTC)}
    )
    assert priced(spans, own({"model": "deepseek-r1"})) == [
        (None, "no price for deepseek-r1: the own list has it only from 2026-01-01")
    ]


def test_models_that_the_own_list_does_not_name_cost_the_public_price(calls):
    """The own list adds to the public one, it does not replace it."""
    assert priced(calls(MILLION), own({})) == priced(calls(MILLION), None)


def test_an_entry_for_another_provider_does_not_name_the_call(calls):
    """A contract with Azure is none with OpenAI; Azure's OpenTelemetry name and list id are one provider."""
    prices = own({"provider": "azure", "model": "gpt-4o", "input_usd_per_mtok": 2.0})
    spans = calls(MILLION, MILLION | {"provider": "azure.ai.openai"}, MILLION | {"provider": None})
    assert [cost for cost, _ in priced(spans, prices)] == [2.5, 2.0, 2.5]


def test_an_entry_for_the_provider_goes_before_one_for_any(calls):
    """The specific price is the one that was meant, whichever is newer."""
    prices = own(
        {"provider": "openai", "model": "gpt-4o", "input_usd_per_mtok": 2.0},
        {"model": "gpt-4o", "input_usd_per_mtok": 3.0, "effective_from_on": date(2026, 2, 1)},
    )
    spans = calls(MILLION, MILLION | {"provider": "groq"})
    assert [cost for cost, _ in priced(spans, prices)] == [2.0, 3.0]


def test_the_own_list_may_name_a_deployment_that_only_the_request_states(calls):
    """Azure deployments have names of their own; its price goes before the public one."""
    spans = calls(MILLION | {"request_model": "prod-chat", "response_model": "gpt-4o"})
    assert priced(spans, own({"model": "prod-chat"}))[0][0] == 1.0


def test_the_response_model_goes_before_the_request_model(calls):
    """Where the list names both, the model that answered is billed."""
    spans = calls(MILLION | {"request_model": "router", "response_model": "my-vllm"})
    prices = own({}, {"model": "router", "input_usd_per_mtok": 9.0})
    assert priced(spans, prices)[0][0] == 1.0


def test_a_size_tier_starts_at_its_number_of_input_tokens_and_prices_the_whole_call(calls):
    """`min_input_tokens` is inclusive, by its name."""
    spans = calls(
        *({"request_model": "my-vllm", "input_tokens": n, "output_tokens": 0} for n in (199_999, 200_000))
    )
    prices = own({}, {"min_input_tokens": 200_000, "input_usd_per_mtok": 4.0})
    assert [cost for cost, _ in priced(spans, prices)] == pytest.approx([0.199999, 0.8])
    assert priced(spans, prices)[1][1] == "own list: my-vllm from 2026-01-01, at least 200000 input tokens"


def test_a_service_tier_has_its_own_entry_and_the_others_the_one_for_any(calls):
    """Null means any tier, so a batch price takes batch calls away from it."""
    spans = calls(
        *(
            MILLION | {"request_model": "my-vllm", "attributes": a}
            for a in (None, {TIER: "batch"}, {TIER: "odd"})
        )
    )
    prices = own({}, {"service_tier": "batch", "input_usd_per_mtok": 0.4})
    assert [cost for cost, _ in priced(spans, prices)] == pytest.approx([1.0, 0.4, 1.0])


def test_an_entry_for_one_service_tier_leaves_the_others_to_the_public_list(calls):
    """A contract on batch prices does not change the others; a private model has no other price."""
    prices = own({"model": "gpt-4o", "service_tier": "batch"}, {"service_tier": "batch"})
    spans = calls(MILLION, MILLION | {"request_model": "my-vllm"})
    assert priced(spans, prices) == [
        (2.5, "genai-prices 0.2.3: openai/gpt-4o, undated"),
        (None, "no price for my-vllm: the own list has none for its service tier"),
    ]


def test_cache_prices_that_are_left_out_are_the_price_that_contains_them(calls):
    """Null is the input price, and for 1-hour writes that of 5-minute writes."""
    row = {
        "request_model": "my-vllm",
        "input_tokens": 3_000_000,
        "output_tokens": 0,
        "cache_read_tokens": 1_000_000,
        "cache_write_tokens": 2_000_000,
        "attributes": {"anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 1_000_000},
    }
    cases = [
        {},
        {"cache_read_usd_per_mtok": 0.1},
        {"cache_write_usd_per_mtok": 5.0},
        {"cache_write_1h_usd_per_mtok": 7.0},
    ]
    found = [priced(calls(row), own(case))[0][0] for case in cases]
    assert found == pytest.approx([3.0, 2.1, 11.0, 9.0])


def test_a_price_of_zero_is_a_price(calls):
    """A model on owned hardware may be booked at nothing; that is known, not missing."""
    assert (
        priced(calls(MILLION | {"request_model": "my-vllm"}), own({"input_usd_per_mtok": 0.0}))[0][0] == 0.0
    )


def test_names_are_compared_as_they_stand(calls):
    """A list that guessed would price models it does not name."""
    spans = calls(MILLION | {"provider": None, "request_model": "my-vllm-2"})
    assert priced(spans, own({}))[0][0] is None


@pytest.mark.parametrize(
    ("bad", "message"), [(float("nan"), "at least 0"), (-1.0, "at least 0"), (20_000.0, "at most 10,000")]
)
def test_a_frame_is_checked_like_a_file(calls, bad, message):
    """A frame built in a notebook can be as wrong as a file."""
    with pytest.raises(
        PriceError, match=f"prices frame: row 1 .my-vllm.: found input_usd_per_mtok = .*{message}"
    ):
        price_calls(calls({}), prices=own({}, {"input_usd_per_mtok": bad, "service_tier": "batch"}))


def test_a_frame_with_other_columns_is_refused(calls):
    """A misspelt column would be a price that is never used."""
    with pytest.raises(SchemaError, match="input_price"):
        price_calls(calls({}), prices=own({}).with_columns(input_price=1.0))


def test_prices_of_another_kind_are_refused(calls):
    """A dict is no price list; the message says what is."""
    with pytest.raises(PriceError, match="found a dict, expected the path of a YAML or CSV file"):
        price_calls(calls({}), prices={"gpt-4o": 1.0})
