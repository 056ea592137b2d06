"""Which prices a number was computed with, for manifests."""

import hashlib
from pathlib import Path

import polars as pl

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
