"""The same tokens on another model in use."""

import pytest

from llmops_lib import price_calls
from llmops_lib.errors import ParameterError
from llmops_lib.frames import collected
from llmops_lib.measures.savings.models import calls_on_other_models, cheaper_models

BY = ["feature", "model"]


@pytest.fixture
def traffic(calls):
    """Three calls of the large model, one of the small one and one embedding."""
    models = ["gpt-4o", "gpt-4o", "gpt-4o", "gpt-4o-mini", "text-embedding-3-small"]
    return price_calls(
        calls(
            model=models,
            request_model=models,
            provider=["openai"] * 5,
            operation=["chat"] * 4 + ["embeddings"],
            feature=["agent", "agent", None, "faq", "index"],
            input_tokens=[1_000_000] * 5,
            output_tokens=[100_000] * 4 + [None],
            cache_read_tokens=[0] * 5,
        )
    )


def compared(table, engine, **options):
    """The cheaper models of a table; the other models are priced by polars."""
    repriced = price_calls(collected(calls_on_other_models(engine(table), BY, **options)))
    return collected(cheaper_models(engine(repriced), BY))


def test_a_cheaper_model_is_priced_on_the_same_tokens(engine, traffic):
    """3.50 USD a call become 0.21; a feature that is not recorded is a feature."""
    found = compared(traffic, engine, least_calls=1)
    assert found.select("feature", "model", "other_model", "call_count").rows() == [
        ("agent", "gpt-4o", "gpt-4o-mini", 2),
        (None, "gpt-4o", "gpt-4o-mini", 1),
    ]
    assert found["spend_usd"].to_list() == pytest.approx([7.0, 3.5])
    assert found["saving_usd"].to_list() == pytest.approx([6.58, 3.29])


def test_no_chat_goes_to_an_embedding_model(engine, traffic):
    """It is the cheapest of all and cannot answer."""
    assert "text-embedding-3-small" not in compared(traffic, engine, least_calls=1)["other_model"].to_list()


def test_a_model_tried_once_is_not_in_use(engine, traffic):
    """A trial is no ground to move everything."""
    assert compared(traffic, engine, least_calls=2).is_empty()


def test_a_model_without_a_price_is_not_compared(engine, traffic):
    """An unknown price is not a low one."""
    repriced = collected(calls_on_other_models(engine(traffic), BY, least_calls=1))
    unpriced = price_calls(repriced.with_columns(request_model=repriced["other_model"] + "-unheard-of"))
    assert collected(cheaper_models(engine(unpriced), BY)).is_empty()


def test_a_model_that_is_not_in_use_can_be_named(engine, traffic):
    """The cheapest model is often one that nobody has tried yet; one in use is not counted twice."""
    found = compared(traffic, engine, least_calls=1, also=["openai/gpt-4.1-nano", "openai/gpt-4o-mini"])
    assert found["other_model"].to_list() == ["gpt-4.1-nano"] * 3
    calls = collected(calls_on_other_models(engine(traffic), BY, least_calls=1, also=["openai/gpt-4o-mini"]))
    assert calls.filter(other_model="gpt-4o-mini").height == 3


def test_a_model_is_named_with_its_provider(traffic):
    """A name alone may be priced differently by several."""
    with pytest.raises(ParameterError, match="found 'gpt-4o', expected provider/model"):
        calls_on_other_models(traffic, BY, also=["gpt-4o"])
