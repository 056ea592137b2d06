"""What LiteLLM says of a call in attributes of its own, when it writes spans."""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.notation import from_notation
from llmops_lib.sources.provider_usage import fill_counts
from llmops_lib.sources.providers import provider_name

_USAGE, _CACHE_HIT, _MODEL = "metadata.usage_object", "litellm.cache_hit", "litellm.provider.model"
LITELLM_NAMES = frozenset((_USAGE, _CACHE_HIT, _MODEL))
"""Attributes that are read here."""


def add_litellm_facts(row: dict[str, Any], rest: Mapping[str, Any]) -> None:
    """Fills what only these attributes tell: cached and reasoning tokens, the provider, a cached answer.

    Args:
        row: Columns of a model call; changed in place.
        rest: Its attributes without a column.

    Example:
        >>> row = {"input_tokens": 9}
        >>> add_litellm_facts(row, {"litellm.cache_hit": "True", "litellm.provider.model": "openai/gpt-4o"})
        >>> row
        {'input_tokens': 9, 'is_model_call': False, 'provider': 'openai'}
    """
    usage = rest.get(_USAGE)
    fill_counts(row, from_notation(usage) if isinstance(usage, str) else usage)
    if rest.get(_CACHE_HIT) in (True, "True", "true"):
        # Answered by the proxy itself: nobody was called and nothing is billed.
        row["is_model_call"] = False
    seller, is_stated, _ = str(rest.get(_MODEL)).partition("/")
    if is_stated and row.get("provider") is None:
        row["provider"] = provider_name(seller)
