"""What one call is charged by: unit prices, where they come from, and where they change."""

from dataclasses import dataclass, field
from datetime import date, time

STANDARD_TIERS = ("", "default", "auto", "standard", "standard_only", "on_demand")
"""Service tiers that mean the ordinary price; an empty text stands for no tier at all."""

UNLISTED_TIER = "?"
"""Stands for every service tier that no list names."""


@dataclass(frozen=True)
class Rate:
    """Unit prices of one call, in USD per million tokens, every one of them known.

    Attributes:
        basis: Price entry and the date it came into force.
        input_price: Input that is neither read from nor written to a cache.
        cache_read: Cache reads.
        cache_write: 5-minute cache writes.
        cache_write_1h: 1-hour cache writes.
        output_price: Output that is not reasoning.
        reasoning: Reasoning.
        per_call_usd: Charge of the request itself, in USD.
    """

    basis: str
    input_price: float
    cache_read: float
    cache_write: float
    cache_write_1h: float
    output_price: float
    reasoning: float
    per_call_usd: float = 0.0


@dataclass(frozen=True)
class NoRate:
    """Why a call has no price; the words stand in `price_basis`."""

    reason: str


@dataclass(frozen=True)
class Cuts:
    """Where the price of a model changes: between two neighbouring cuts it is the same.

    Attributes:
        dates: UTC days from which another price holds.
        times: UTC times of day from which another price holds.
        sizes: Another price holds for calls with more input tokens than this.
        tiers: Service tiers that may have a price of their own.
    """

    dates: frozenset[date] = field(default_factory=frozenset)
    times: frozenset[time] = field(default_factory=frozenset)
    sizes: frozenset[int] = field(default_factory=frozenset)
    tiers: frozenset[str] = field(default_factory=frozenset)

    def __or__(self, other: "Cuts") -> "Cuts":
        return Cuts(
            self.dates | other.dates,
            self.times | other.times,
            self.sizes | other.sizes,
            self.tiers | other.tiers,
        )
