"""Which prices a number was computed with, for manifests."""

import hashlib
from datetime import date
from pathlib import Path

import polars as pl
from genai_prices.data import providers
from genai_prices.types import StartDateConstraint

from llmops_lib.pricing.price_files import checked_prices
from llmops_lib.pricing.public_models import LIST_NAME


def price_list_version(prices: str | Path | pl.DataFrame | None = None) -> str:
    """The public price list and its version, and the content of the own list in short.

    Args:
        prices: The own list as given to `price_calls`.

    Returns:
        Such as `genai-prices 0.2.3 + own list sha256:9f86d081884c`. The hash is of the prices, not of
        the file: the same entries written as CSV or YAML, or in another order, have the same.

    Raises:
        PriceError: If the own list cannot be read or contradicts itself.
    """
    if prices is None:
        return LIST_NAME
    own = checked_prices(prices)
    digest = hashlib.sha256(own.sort(own.columns).write_csv().encode()).hexdigest()
    return f"{LIST_NAME} + own list sha256:{digest[:12]}"


def latest_public_change(*, until: date) -> date | None:
    """The last day up to a given one on which a price of the public list changed; None where none is dated.

    Args:
        until: Changes after it are announced and not in force.
    """
    models = (model for provider in providers for model in provider.models)
    dated = (model.prices for model in models if isinstance(model.prices, list))
    found = (price.constraint for prices in dated for price in prices)
    days = [one.start_date for one in found if isinstance(one, StartDateConstraint)]
    return max((day for day in days if day <= until), default=None)
