"""The public price list as PRICES, as far as that table can express it."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from llmops_lib.pricing.public_list import public_models
from llmops_lib.pricing.public_models import LIST_NAME, PublicModel
from llmops_lib.pricing.rates import Rate
from llmops_lib.schema import PRICES

_UNDATED = date(1970, 1, 1)

_Prices = list[dict[str, Any]]


def public_prices() -> pl.DataFrame:
    """The public list as PRICES; an entry stands wherever a price changes.

    Entries without a date start on 1970-01-01. Left out are models with prices by the time of day, per
    request or for reasoning apart, and those that are not billed by the token.
    """
    rows = [row for seller, model in public_models() for row in _rows(seller, model)]
    return pl.DataFrame(rows, schema=PRICES.polars_schema)


def _rows(seller: str, model: PublicModel) -> list[dict[str, Any]]:
    cuts = model.cuts
    days = (_UNDATED, *sorted(cuts.dates))
    tiers = ("", *sorted(cuts.tiers))
    prices = {(tier, day): _prices(model, day, tier) for tier in tiers for day in days}
    if cuts.times or None in prices.values():
        return []
    rows = []
    for tier in tiers:
        in_force: _Prices | None = None
        for day in days:
            # Until a service tier has prices of its own, those of any tier hold.
            known = prices["", day] if tier and in_force is None else in_force
            if prices[tier, day] != known:
                in_force = prices[tier, day]
                entry = {"provider": seller, "model": model.info.id, "service_tier": tier or None}
                rows += [entry | {"effective_from_on": day} | price for price in in_force or []]
    return rows


def _prices(model: PublicModel, day: date, tier: str) -> _Prices | None:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    prices: _Prices = []
    for size in (0, *(cut + 1 for cut in sorted(model.cuts.sizes))):
        rate = model.rate(at, size, tier)
        if not isinstance(rate, Rate) or rate.per_call_usd or rate.reasoning != rate.output_price:
            return None
        price = {
            "input_usd_per_mtok": rate.input_price,
            "output_usd_per_mtok": rate.output_price,
            "cache_read_usd_per_mtok": rate.cache_read,
            "cache_write_usd_per_mtok": rate.cache_write,
            "cache_write_1h_usd_per_mtok": rate.cache_write_1h,
            "source": LIST_NAME,
        }
        if not prices or prices[-1] != price | {"min_input_tokens": prices[-1]["min_input_tokens"]}:
            prices.append(price | {"min_input_tokens": size})
    return prices
