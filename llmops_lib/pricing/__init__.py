"""Prices of model calls as dated data: the public list, the user's own list, and the cost of each call."""

from llmops_lib.pricing.calls import price_both_conventions, price_calls
from llmops_lib.pricing.price_files import load_prices
from llmops_lib.pricing.versions import price_list_version

__all__ = ["load_prices", "price_both_conventions", "price_calls", "price_list_version"]
