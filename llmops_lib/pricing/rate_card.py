"""The rates of every model name in a table, laid out so that two joins find the rate of each call.

A price depends on the name, the day, the time of day, the size of the input and the service tier. Each
name has few cuts in each of these, so all its rates are asked for once, whatever the number of calls.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Any

import polars as pl

from llmops_lib.pricing.own_list import OwnList, OwnModel
from llmops_lib.pricing.public_list import find_public, is_public
from llmops_lib.pricing.public_models import PublicModel
from llmops_lib.pricing.rates import STANDARD_TIERS, UNLISTED_TIER, Cuts, NoRate, Rate

NAME_KEY = ("provider", "response_model", "request_model")
"""Columns of SPANS that name what a call was answered by."""

_PUBLIC_TIERS = frozenset({"batch", "fast", "flex", "priority"})
_RATE_SCHEMA = pl.Schema(
    {
        "name_id": pl.UInt32,
        "tier": pl.String,
        "date_slot": pl.UInt32,
        "time_slot": pl.UInt32,
        "size_slot": pl.UInt32,
        "basis": pl.String,
        "input_price": pl.Float64,
        "cache_read": pl.Float64,
        "cache_write": pl.Float64,
        "cache_write_1h": pl.Float64,
        "output_price": pl.Float64,
        "reasoning": pl.Float64,
        "per_call_usd": pl.Float64,
    }
)


@dataclass(frozen=True)
class RateCard:
    """Rates of the names in a table.

    Attributes:
        names: `provider`, `response_model`, `request_model`, `name_id`, and one column per cut:
            `date_cut_0` .., `time_cut_0` .., `size_cut_0` ... A call is in the slot given by the number
            of cuts that it has reached.
        rates: One row per name, service tier and slots, with unit prices, or with nulls and the reason
            in `basis`.
        tiers: Service tiers that have rows of their own.
    """

    names: pl.DataFrame
    rates: pl.DataFrame
    tiers: tuple[str, ...]

    def cut_columns(self, kind: str) -> list[str]:
        """Names of the cut columns of one kind: `date`, `time` or `size`."""
        return [name for name in self.names.columns if name.startswith(f"{kind}_cut_")]


@dataclass(frozen=True)
class _Quotes:
    own: OwnModel | None
    public: PublicModel | NoRate | None

    @property
    def cuts(self) -> Cuts:
        public = self.public.cuts if isinstance(self.public, PublicModel) else Cuts()
        return public | (self.own.cuts if self.own else Cuts())

    def rate(self, at: datetime, input_tokens: int, tier: str) -> Rate | NoRate:
        own = self.own.rate(at, input_tokens, tier) if self.own else None
        if isinstance(own, Rate) or (own and not isinstance(self.public, PublicModel)):
            return own
        if isinstance(self.public, PublicModel):
            return self.public.rate(at, input_tokens, tier)
        return self.public or NoRate("no price")


def rate_card(names: pl.DataFrame, own: OwnList) -> RateCard:
    """The rates of every name.

    Args:
        names: Distinct `provider`, `response_model`, `request_model`.
        own: The user's list; an empty one where there is none.
    """
    quotes = [_quotes(own, *row) for row in names.select(NAME_KEY).iter_rows()]
    tiers = tuple(sorted(own.tiers | _PUBLIC_TIERS))
    rows = [row for name_id, quote in enumerate(quotes) for row in _rate_rows(name_id, quote, tiers)]
    ids = pl.Series("name_id", range(len(quotes)), dtype=pl.UInt32)
    cuts = [quote.cuts for quote in quotes]
    cut_columns = [
        *_columns("date", [sorted(one.dates) for one in cuts], pl.Date),
        *_columns("time", [sorted(one.times) for one in cuts], pl.Time),
        *_columns("size", [sorted(one.sizes) for one in cuts], pl.Int64),
    ]
    return RateCard(
        names=names.select(NAME_KEY).with_columns(ids, *cut_columns),
        rates=pl.DataFrame(rows, schema=_RATE_SCHEMA),
        tiers=tiers,
    )


def _quotes(own: OwnList, provider: str | None, model: str | None, requested: str | None) -> _Quotes:
    named = own.find(provider, model, requested)
    # Where the user named the model, calls before the first entry cost the public price of a public
    # provider; without a provider, a model of that name may well be the user's own machine.
    if named and not is_public(provider):
        return _Quotes(named, None)
    return _Quotes(named, find_public(provider, model, requested))


def _rate_rows(name_id: int, quotes: _Quotes, tiers: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    cuts = quotes.cuts
    days = enumerate(_days(sorted(cuts.dates)))
    times = enumerate([time.min, *sorted(cuts.times)])
    sizes = enumerate([0, *(size + 1 for size in sorted(cuts.sizes))])
    for tier, day, clock, size in product(("", *tiers, UNLISTED_TIER), days, times, sizes):
        rate = quotes.rate(datetime.combine(day[1], clock[1], UTC), size[1], tier)
        yield {
            "name_id": name_id,
            "tier": tier,
            "date_slot": day[0],
            "time_slot": clock[0],
            "size_slot": size[0],
            **(vars(rate) if isinstance(rate, Rate) else {"basis": rate.reason}),
        }


def _days(cuts: list[date]) -> list[date]:
    # The day before the first cut stands for all days before it.
    return [cuts[0] - timedelta(days=1), *cuts] if cuts else [date(2015, 1, 1)]


def _columns(kind: str, cuts: list[list[Any]], dtype: type[pl.DataType]) -> list[pl.Series]:
    width = max((len(one) for one in cuts), default=0)
    return [
        pl.Series(f"{kind}_cut_{i}", [one[i] if i < len(one) else None for one in cuts], dtype=dtype)
        for i in range(width)
    ]


def tier_text(reported: pl.Expr, card: RateCard) -> pl.Expr:
    """The service tier under which a call's rate stands in the card.

    Args:
        reported: Service tier as the provider reports it.
        card: Card whose tiers count.
    """
    lowered = reported.fill_null("").str.strip_chars().str.to_lowercase()
    return (
        pl.when(lowered.is_in(STANDARD_TIERS))
        .then(pl.lit(""))
        .when(lowered.is_in(card.tiers))
        .then(lowered)
        .otherwise(pl.lit(UNLISTED_TIER))
    )
