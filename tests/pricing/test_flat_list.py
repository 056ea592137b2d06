"""The public list as a table."""

import polars as pl
import pytest

from llmops_lib.pricing import load_prices, price_calls
from llmops_lib.pricing.public_list import find_public
from llmops_lib.pricing.public_models import PublicModel
from llmops_lib.schema import PRICES, validate


def test_the_public_list_is_a_valid_table_of_prices():
    """A user starts a list of their own from it."""
    assert validate(load_prices(), PRICES).height > 2_000


def test_a_dated_price_has_one_row_per_change():
    """o3 was cut from 10 to 2 USD on 2025-06-10."""
    rows = load_prices().filter(pl.col("service_tier").is_null(), provider="openai", model="o3")
    assert rows.select(pl.col("effective_from_on").cast(pl.String), "input_usd_per_mtok").rows() == [
        ("1970-01-01", 10.0),
        ("2025-06-10", 2.0),
    ]


def test_what_the_table_cannot_express_is_left_out():
    """Off-peak hours, charges per request and audio hours have no column."""
    listed = set(load_prices().select("provider", "model").rows())
    assert ("openai", "gpt-4o") in listed
    assert not listed & {("deepseek", "deepseek-chat"), ("perplexity", "sonar"), ("openai", "whisper-1")}


@pytest.mark.parametrize("tier", [None, "batch", "flex"])
def test_the_table_as_an_own_list_prices_like_the_public_list(calls, tier):
    """The two rules of looking up a price are one, on every model of the table."""
    table = load_prices()
    attributes = {"openai.response.service_tier": tier} if tier else None
    keys = [
        row
        for row in table.select("provider", "model").unique().sort("provider", "model").rows()
        if isinstance(found := find_public(*row, None), PublicModel) and found.info.id == row[1]
    ]
    names = [
        {"provider": provider, "request_model": model, "attributes": attributes} for provider, model in keys
    ]
    usage = {"output_tokens": 700, "cache_read_tokens": 40, "cache_write_tokens": 30}
    spans = calls(*(name | usage | {"input_tokens": size} for name in names for size in (200_000, 300_000)))
    own, public = price_calls(spans, prices=table), price_calls(spans)
    assert own["price_basis"].str.starts_with("own list").all()
    assert own["cost_usd"].to_list() == pytest.approx(public["cost_usd"].to_list(), rel=1e-12)
