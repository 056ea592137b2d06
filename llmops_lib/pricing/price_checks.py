"""What an entry of a price list must be, and the words for what it is not."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from llmops_lib.errors import PriceError
from llmops_lib.pricing.rates import STANDARD_TIERS
from llmops_lib.schema import PRICES

_PRICE_KEYS = tuple(name for name in PRICES.names if name.endswith("_usd_per_mtok"))
_REQUIRED = ("model", "effective_from_on", "input_usd_per_mtok", "output_usd_per_mtok")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INTEGER = re.compile(r"-?\d{1,15}")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?")
_TIER = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")

# The dearest listed model costs 600 USD per million tokens, the cheapest cache read 0.001.
_DEAREST, _CHEAPEST = 10_000.0, 0.0001


@dataclass(frozen=True)
class Entry:
    """One entry of a price list and where it stands.

    Attributes:
        where: File and line or entry, for messages.
        row: Values by column of PRICES.
    """

    where: str
    row: Mapping[str, Any]


def parsed_entry(texts: Mapping[str, str | None], where: str) -> Entry:
    """The entry with its texts as numbers and dates.

    Args:
        texts: Values as they stand in the file; None where there is none.
        where: File and line or entry, for messages.

    Raises:
        PriceError: If a key is unknown, or a value is not of the type of its column.
    """
    unknown = [key for key in texts if key not in PRICES.names]
    if unknown:
        msg = f"{where}: found the unknown key {unknown[0]!r}, expected some of {list(PRICES.names)}"
        raise PriceError(msg)
    row: dict[str, Any] = dict.fromkeys(PRICES.names) | dict(texts)
    row["effective_from_on"] = _date(texts.get("effective_from_on"), where)
    row["min_input_tokens"] = _integer(texts.get("min_input_tokens"), where)
    for key in _PRICE_KEYS:
        row[key] = _number(texts.get(key), key, where)
    return Entry(where, row)


def prices_frame(entries: Sequence[Entry], name: str) -> pl.DataFrame:
    """The entries as PRICES, once each is known to be a price and all to agree.

    Args:
        entries: Typed entries in the order of the list.
        name: Name of the list, for messages.

    Raises:
        PriceError: If a value is missing or impossible, an entry repeats, or a base price is missing.
    """
    if not entries:
        msg = f"{name}: found no entries, expected at least one; without an own list, leave `prices` out"
        raise PriceError(msg)
    for entry in entries:
        _check_required(entry)
        _check_prices(entry)
        _check_tiers(entry)
    _check_unique(entries)
    _check_base_prices(entries)
    return pl.DataFrame([dict(entry.row) for entry in entries], schema=PRICES.polars_schema)


def _check_required(entry: Entry) -> None:
    missing = [key for key in _REQUIRED if entry.row[key] is None or entry.row[key] == ""]
    if missing:
        msg = f"{_named(entry)}: found no {missing[0]}, expected a value; every entry needs {list(_REQUIRED)}"
        raise PriceError(msg)


def _check_prices(entry: Entry) -> None:
    for key in _PRICE_KEYS:
        price = entry.row[key]
        if price is None or price == 0 or _CHEAPEST <= price <= _DEAREST:
            continue
        msg = f"{_named(entry)}: found {key} = {price!r}, expected "
        if not math.isfinite(price) or price < 0:
            msg += "a number of at least 0; correct the price"
        elif price > _DEAREST:
            msg += (
                f"at most {_DEAREST:,.0f} USD per million tokens; is the price in another unit or currency?"
            )
        else:
            msg += f"USD per million tokens; this looks like a price per token, so write {price * 1e6:g}"
        raise PriceError(msg)


def _check_tiers(entry: Entry) -> None:
    size, tier = entry.row["min_input_tokens"], entry.row["service_tier"]
    if size is None or size < 0:
        msg = f"{_named(entry)}: found min_input_tokens = {size}, expected 0 for the base price, or more"
        raise PriceError(msg)
    if tier is not None and (tier in STANDARD_TIERS or not _TIER.fullmatch(tier)):
        msg = (
            f"{_named(entry)}: found service_tier = {tier!r}, expected a lower-case name such as 'batch', "
            "'flex' or 'priority'; leave it out for a price that holds in every tier without its own"
        )
        raise PriceError(msg)


def _check_unique(entries: Sequence[Entry]) -> None:
    seen: dict[tuple[Any, ...], str] = {}
    for entry in entries:
        key = tuple(entry.row[name] for name in PRICES.key)
        if key in seen:
            msg = (
                f"{_named(entry)}: repeats {seen[key]}, expected one entry per {list(PRICES.key)}; "
                "remove one, or give the newer price its own effective_from_on"
            )
            raise PriceError(msg)
        seen[key] = entry.where


def _check_base_prices(entries: Sequence[Entry]) -> None:
    groups = ("provider", "model", "service_tier", "effective_from_on")
    based = {tuple(e.row[name] for name in groups) for e in entries if e.row["min_input_tokens"] == 0}
    for entry in entries:
        if tuple(entry.row[name] for name in groups) not in based:
            msg = (
                f"{_named(entry)}: found a price from {entry.row['min_input_tokens']} input tokens on only, "
                "expected one for smaller calls too; add an entry with min_input_tokens 0 and "
                f"the same {list(groups)}"
            )
            raise PriceError(msg)


def _named(entry: Entry) -> str:
    model = entry.row["model"]
    return f"{entry.where} ({model})" if model else entry.where


def _date(text: str | None, where: str) -> date | None:
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    msg = f"{where}: found effective_from_on = {text!r}, expected a day such as 2026-01-31"
    raise PriceError(msg)


def _integer(text: str | None, where: str) -> int:
    if text is None:
        return 0
    if _INTEGER.fullmatch(text):
        return int(text)
    msg = f"{where}: found min_input_tokens = {text!r}, expected a whole number such as 200000"
    raise PriceError(msg)


def _number(text: str | None, key: str, where: str) -> float | None:
    if text is None:
        return None
    if _NUMBER.fullmatch(text):
        return float(text)
    msg = f"{where}: found {key} = {text!r}, expected a number with a decimal point such as 2.5"
    raise PriceError(msg)
