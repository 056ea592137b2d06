"""One model of the public list: what a call to it is charged by, and where its price changes."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal

import genai_prices
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from llmops_lib.pricing.rates import Cuts, NoRate, Rate

LIST_NAME = f"genai-prices {genai_prices.__version__}"
"""The public list and its version, as `price_basis` and manifests state it."""

# Field of Rate, its key in the public list, and the field that contains it: a unit without a price of
# its own is charged as the unit that contains it, which comes first.
_UNITS = (
    ("input_price", "input_mtok", None),
    ("cache_read", "cache_read_mtok", "input_price"),
    ("cache_write", "cache_write_mtok", "input_price"),
    ("cache_write_1h", "cache_write_1h_mtok", "cache_write"),
    ("output_price", "output_mtok", None),
    ("reasoning", "output_reasoning_mtok", "output_price"),
)


@dataclass(frozen=True)
class PublicModel:
    """A model of the public list as one provider sells it.

    Attributes:
        label: `provider/model`, as `price_basis` states it.
        info: Entry of the list.
        has_tiers: Whether service tiers apply; a provider that sells another's model at the maker's
            price is listed without them.
    """

    label: str
    info: ModelInfo = field(repr=False)
    has_tiers: bool

    @property
    def entries(self) -> list[ConditionalPrice]:
        """Dated standard prices; the last one in force holds, the first one where none is."""
        prices = self.info.prices
        return [ConditionalPrice(prices=prices)] if isinstance(prices, ModelPrice) else prices

    @property
    def variants(self) -> list[PriceVariant]:
        """Prices of service tiers."""
        return (self.info.price_variants or []) if self.has_tiers else []

    @property
    def cuts(self) -> Cuts:
        """Where the price changes."""
        entries: list[ConditionalPrice | PriceVariant] = [*self.entries, *self.variants]
        constraints = [entry.constraint for entry in entries]
        daily = [one for one in constraints if isinstance(one, TimeOfDateConstraint)]
        return Cuts(
            dates=frozenset(one.start_date for one in constraints if isinstance(one, StartDateConstraint)),
            times=frozenset(_utc(edge) for one in daily for edge in (one.start_time, one.end_time)),
            sizes=frozenset(size for entry in entries for size in _sizes(entry.prices)),
            tiers=frozenset(_tier_of(variant) for variant in self.variants) - {""},
        )

    def rate(self, at: datetime, input_tokens: int, tier: str) -> Rate | NoRate:
        """What a call is charged by.

        Args:
            at: Start of the call, UTC.
            input_tokens: All input of the call; where it is over the size of a price tier, the price of
                that tier holds for the whole call, not for the part above.
            tier: Service tier; an empty text means the standard one.
        """
        price = self.info.get_prices(at, _context(tier) if self.has_tiers and tier else None)
        listed = [key for key, value in price.__dict__.items() if value is not None]
        if listed and price.input_mtok is None and price.output_mtok is None:
            units = ", ".join(sorted(listed))
            return NoRate(f"no price per token for {self.label}: {LIST_NAME} bills it by {units}")
        usd: dict[str, float] = {}
        for unit, key, containing in _UNITS:
            own = _at_size(getattr(price, key), input_tokens)
            usd[unit] = own if own is not None else usd.get(containing or "", 0.0)
        per_call = _at_size(price.requests_kcount, input_tokens) or 0.0
        basis = self._basis(at, tier, is_free=not listed)
        return Rate(basis=basis, per_call_usd=per_call / 1_000, **usd)

    def _basis(self, at: datetime, tier: str, *, is_free: bool) -> str:
        held = [entry for entry in self.entries if entry.constraint is None or entry.constraint.active(at)]
        words = [f"{LIST_NAME}: {self.label}{_since(held[-1] if held else self.entries[0])}"]
        if tier:
            active = (v for v in self.variants if v.constraint is None or v.constraint.active(at))
            variant = next((v for v in active if _applies(v, tier) and v.prices.__dict__), None)
            unlisted = "standard price, because none is listed for its service tier"
            words.append(f"{tier}{_since(variant)}" if variant else unlisted)
        return ", ".join([*words, "listed without a charge"] if is_free else words)


def _sizes(price: ModelPrice) -> list[int]:
    tiered = [value for _, key, _ in _UNITS if isinstance(value := getattr(price, key), TieredPrices)]
    return [tier.start for value in tiered for tier in value.tiers]


def _at_size(price: Decimal | TieredPrices | None, input_tokens: int) -> float | None:
    if isinstance(price, TieredPrices):
        reached = [tier.price for tier in price.tiers if input_tokens > tier.start]
        price = reached[-1] if reached else price.base
    return None if price is None else float(price)


def _context(tier: str) -> dict[str, str]:
    return {"service_tier": tier} | ({"processing": "batch"} if tier == "batch" else {})


def _applies(variant: PriceVariant, tier: str) -> bool:
    context = _context(tier)
    return all(context.get(key) == value for key, value in variant.when.items())


def _tier_of(variant: PriceVariant) -> str:
    tier = "batch" if variant.when.get("processing") == "batch" else variant.when.get("service_tier", "")
    return tier if _applies(variant, tier) else ""


def _since(entry: ConditionalPrice | PriceVariant) -> str:
    constraint = entry.constraint
    if isinstance(constraint, StartDateConstraint):
        return f" from {constraint.start_date}"
    if isinstance(constraint, TimeOfDateConstraint):
        return f", {_utc(constraint.start_time):%H:%M} to {_utc(constraint.end_time):%H:%M} UTC"
    return ", undated"


def _utc(clock: time) -> time:
    if clock.tzinfo is None:
        return clock
    return datetime.combine(date(1970, 1, 1), clock).astimezone(UTC).time()
