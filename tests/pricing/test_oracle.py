"""Costs against the public list's own calculator, asked call by call."""

from datetime import UTC, datetime, time, timedelta

import pytest
from genai_prices import Usage, calc_price
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops_lib.pricing import price_calls
from llmops_lib.pricing.public_list import find_public, public_models
from llmops_lib.pricing.public_models import PublicModel
from llmops_lib.pricing.rates import NoRate

NOON = datetime(2026, 11, 9, 12, 0, tzinfo=UTC)
SOLD = [
    (seller, model)
    for seller, model in public_models()
    if isinstance(find_public(seller, model.info.id, None), PublicModel)
    and not isinstance(model.rate(NOON, 0, ""), NoRate)
]
WITH_CUTS = [(seller, model) for seller, model in SOLD if model.cuts != type(model.cuts)()]
WITH_TIMES = [(seller, model) for seller, model in SOLD if model.cuts.times]


@st.composite
def a_call(draw):
    """A call at or beside one of the cuts of its model, with possible counts."""
    seller, model = draw(
        st.one_of(st.sampled_from(SOLD), st.sampled_from(WITH_CUTS), st.sampled_from(WITH_TIMES))
    )
    cuts = model.cuts
    edges = [cut + step for cut in cuts.sizes for step in (-1, 0, 1)]
    input_tokens = draw(st.one_of(st.integers(0, 2_000_000), st.sampled_from(edges or [0, 1])))
    cache_read = draw(st.integers(0, input_tokens))
    cache_write = draw(st.integers(0, input_tokens - cache_read))
    output_tokens = draw(st.integers(0, 100_000))
    day = draw(st.sampled_from([*sorted(cuts.dates), NOON.date()])) - timedelta(days=draw(st.integers(0, 1)))
    clock = draw(st.sampled_from([*sorted(cuts.times), time(0, 0), time(23, 59, 59, 999_999)]))
    moment = datetime.combine(day, clock, UTC)
    return {
        "provider": seller,
        "request_model": model.info.id,
        "started_at": moment - draw(st.sampled_from([timedelta(0), timedelta(microseconds=1)])),
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cache_read_tokens": draw(st.sampled_from([cache_read, None])),
        "cache_write_tokens": cache_write,
        "reasoning_tokens": draw(st.one_of(st.none(), st.integers(0, output_tokens))),
        "one_hour": draw(st.one_of(st.none(), st.integers(0, cache_write))),
        "tier": draw(
            st.sampled_from([None, "default", "auto", "batch", "flex", "priority", "fast", "scale"])
        ),
    }


def by_the_list(call):
    """What the list's own calculator says."""
    usage = {
        "input_tokens": call["input_tokens"],
        "output_tokens": call["output_tokens"],
        "cache_read_tokens": call["cache_read_tokens"],
        "cache_write_tokens": call["cache_write_tokens"],
        "cache_write_1h_tokens": call["one_hour"],
        "output_reasoning_tokens": call["reasoning_tokens"],
    }
    tier = call["tier"]
    context = {"processing": "batch"} if tier == "batch" else {"service_tier": tier} if tier else None
    return calc_price(
        Usage(**usage),
        call["request_model"],
        provider_id=call["provider"],
        genai_request_timestamp=call["started_at"],
        price_context=context,
    ).total_price


def as_span(call):
    """The same call as a row of SPANS."""
    stated = {
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": call["one_hour"],
        "openai.response.service_tier": call["tier"],
    }
    return {key: value for key, value in call.items() if key not in {"one_hour", "tier"}} | {
        "attributes": {key: value for key, value in stated.items() if value is not None}
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(a_call(), min_size=1, max_size=25))
def test_every_call_costs_what_the_public_list_computes_for_it_alone(calls, made):
    """The join over dates, hours, sizes and tiers must be no other rule than the list's."""
    priced = price_calls(calls(*(as_span(call) for call in made)))
    assert priced["is_priced"].all(), priced.filter(~priced["is_priced"])["price_basis"].to_list()
    for call, cost in zip(made, priced["cost_usd"], strict=True):
        assert cost == pytest.approx(float(by_the_list(call)), rel=1e-9, abs=1e-12), call


def test_every_model_that_the_list_bills_by_the_token_is_found_by_its_own_id(calls):
    """The rule against namesakes must not cost coverage: what the list finds by id, pricing finds too."""
    rows = [
        {"provider": seller, "request_model": model.info.id, "started_at": NOON} for seller, model in SOLD
    ]
    assert len(rows) > 2_000
    assert price_calls(calls(*rows))["is_priced"].all()
