"""The user's own price list: which of its entries holds for a call."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from llmops_lib.pricing.public_list import provider_id
from llmops_lib.pricing.rates import Cuts, NoRate, Rate


@dataclass(frozen=True)
class OwnPrice:
    """One row of PRICES."""

    provider: str | None
    model: str
    service_tier: str | None
    min_input_tokens: int
    effective_from_on: date
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cache_read_usd_per_mtok: float | None
    cache_write_usd_per_mtok: float | None
    cache_write_1h_usd_per_mtok: float | None
    source: str | None

    @property
    def rate(self) -> Rate:
        """The price as unit prices; a cache price that is left out is the price of input."""
        cache_write = _first(self.cache_write_usd_per_mtok, self.input_usd_per_mtok)
        return Rate(
            basis=self._basis(),
            input_price=self.input_usd_per_mtok,
            cache_read=_first(self.cache_read_usd_per_mtok, self.input_usd_per_mtok),
            cache_write=cache_write,
            cache_write_1h=_first(self.cache_write_1h_usd_per_mtok, cache_write),
            output_price=self.output_usd_per_mtok,
            reasoning=self.output_usd_per_mtok,
        )

    def _basis(self) -> str:
        name = f"{self.provider}/{self.model}" if self.provider else self.model
        tier = f", {self.service_tier}" if self.service_tier else ""
        size = f", at least {self.min_input_tokens} input tokens" if self.min_input_tokens else ""
        source = f" ({self.source})" if self.source else ""
        return f"own list: {name} from {self.effective_from_on}{tier}{size}{source}"


@dataclass(frozen=True)
class OwnModel:
    """The entries of the user's list that name one model, for one provider."""

    name: str
    prices: tuple[OwnPrice, ...]

    @property
    def cuts(self) -> Cuts:
        """Where the price changes."""
        return Cuts(
            dates=frozenset(price.effective_from_on for price in self.prices),
            sizes=frozenset(price.min_input_tokens - 1 for price in self.prices if price.min_input_tokens),
            tiers=frozenset(price.service_tier for price in self.prices if price.service_tier),
        )

    def rate(self, at: datetime, input_tokens: int, tier: str) -> Rate | NoRate:
        """What a call is charged by.

        An entry for the provider goes before one for any provider, then one for the service tier before
        one for any tier; of those, the entry that came into force last, and its largest size reached.

        Args:
            at: Start of the call, UTC.
            input_tokens: All input of the call.
            tier: Service tier; an empty text means the standard one.
        """
        held = [
            price
            for price in self.prices
            if price.effective_from_on <= at.date()
            and price.min_input_tokens <= input_tokens
            and price.service_tier in {None, tier}
        ]
        if held:
            return max(held, key=_precedence).rate
        first_on = min(price.effective_from_on for price in self.prices)
        if first_on > at.date():
            return NoRate(f"no price for {self.name}: the own list has it only from {first_on}")
        return NoRate(f"no price for {self.name}: the own list has none for its service tier")


class OwnList:
    """The user's list by model name; names are compared as they stand, providers by who they are."""

    def __init__(self, prices: pl.DataFrame) -> None:
        self._by_model: defaultdict[str, list[OwnPrice]] = defaultdict(list)
        for row in prices.iter_rows(named=True):
            self._by_model[row["model"]].append(OwnPrice(**row))

    @property
    def tiers(self) -> frozenset[str]:
        """Service tiers that the list names."""
        return frozenset(
            price.service_tier for prices in self._by_model.values() for price in prices if price.service_tier
        )

    def find(self, provider: str | None, *names: str | None) -> OwnModel | None:
        """The first of the names that the list has for the provider, or for any."""
        for name in names:
            prices = tuple(price for price in self._by_model.get(name or "", ()) if _is_for(price, provider))
            if name and prices:
                return OwnModel(name, prices)
        return None


def _precedence(price: OwnPrice) -> tuple[bool, bool, date, int]:
    return (
        price.provider is not None,
        price.service_tier is not None,
        price.effective_from_on,
        price.min_input_tokens,
    )


def _is_for(price: OwnPrice, provider: str | None) -> bool:
    if price.provider is None:
        return True
    return provider is not None and provider_id(price.provider) == provider_id(provider)


def _first(own: float | None, containing: float) -> float:
    return containing if own is None else own
