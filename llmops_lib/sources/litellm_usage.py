"""Token counts of a LiteLLM call: the same convention for every provider, and zeros that mean unknown.

LiteLLM makes its prompt tokens inclusive. Releases 1.65 to 1.76 left the cache writes out all the same; they
are told by a usage among the metadata, which older ones lack, whose details lack the `cache_creation_tokens`
of newer ones. Where a call failed or its usage could not be read, LiteLLM writes 0 for want of a count.

Source: `calculate_usage` of litellm/llms/anthropic/chat/transformation.py in those releases.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import MADE_INCLUSIVE, TOKEN_CONVENTION
from llmops_lib.sources.inclusive_counts import whole_number
from llmops_lib.sources.langfuse_fields import mapping
from llmops_lib.sources.langfuse_usage import CACHE_WRITE_1H
from llmops_lib.sources.usage import SERVICE_TIER

ZEROS = (None, 0, 0.0, "", "0", "0.0")
"""Values of a figure that LiteLLM writes where it knows none."""

_CACHE = ("cache_read_input_tokens", "cache_creation_input_tokens")
_SIDES = {
    "input_tokens": ("prompt_tokens", "input_tokens"),
    "output_tokens": ("completion_tokens", "output_tokens"),
}


def token_columns(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The token columns of a call that are known.

    Args:
        call: A spend log or logging payload.
        metadata: Its metadata as an object.

    Example:
        >>> token_columns({"prompt_tokens": 9, "completion_tokens": 4}, {})
        {'input_tokens': 9, 'output_tokens': 4}
    """
    usage = usage_object(call, metadata)
    stated = {column: _stated(call, usage, names) for column, names in _SIDES.items()}
    if not has_usage(call, metadata):
        return {}
    asked = _details(usage, "prompt_tokens_details", "input_tokens_details")
    answered = _details(usage, "completion_tokens_details", "output_tokens_details")
    found = stated | {
        "cache_read_tokens": _first(
            asked.get("cached_tokens"), usage.get("cache_read_input_tokens"), asked.get("cache_read_tokens")
        ),
        "cache_write_tokens": _first(
            usage.get("cache_creation_input_tokens"),
            asked.get("cache_creation_tokens"),
            asked.get("cache_write_tokens"),
        ),
        "reasoning_tokens": answered.get("reasoning_tokens"),
    }
    return {column: count for column, count in found.items() if count is not None}


def with_writes(
    counts: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The counts with the cache writes in the input, and a note where that took adding them.

    Args:
        counts: Token columns of a call.
        metadata: Its metadata as an object.

    Example:
        >>> usage = {"prompt_tokens": 1200, "cache_creation_input_tokens": 300, "prompt_tokens_details": {}}
        >>> counts = {"input_tokens": 1200, "cache_write_tokens": 300}
        >>> with_writes(counts, {"usage_object": usage})[0]["input_tokens"]
        1500
    """
    usage = mapping(metadata.get("usage_object"))
    given, written = (whole_number(counts.get(name)) for name in ("input_tokens", "cache_write_tokens"))
    details = mapping(usage.get("prompt_tokens_details"))
    is_told = any(name.startswith("cache_creation") for name in details)
    is_beside = not is_told and {"prompt_tokens", _CACHE[1]} <= usage.keys()
    if not is_beside or given is None or not written:
        return {**counts}, {}
    return {**counts, "input_tokens": given + written}, {TOKEN_CONVENTION: MADE_INCLUSIVE}


def stated_total(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> Any:
    """What the counts of a call add up to, the cache included; as the row has it, or None.

    Where the usage is in Anthropic's own words and the row's input is that of it, the cache is not in it.

    Args:
        call: A spend log or logging payload.
        metadata: Its metadata as an object.

    Example:
        >>> usage = {"input_tokens": 90, "cache_read_input_tokens": 40, "output_tokens": 5}
        >>> stated_total({"prompt_tokens": 90, "total_tokens": 95, "response": {"usage": usage}}, {})
        135
    """
    usage = usage_object(call, metadata)
    is_anthropics = "prompt_tokens" not in usage and any(name in usage for name in _CACHE)
    given = whole_number(_stated(call, usage, _SIDES["input_tokens"]))
    if not is_anthropics or given is None or given != whole_number(usage.get("input_tokens")):
        return call.get("total_tokens")
    rest = (usage.get(name) for name in (*_CACHE, "output_tokens"))
    return given + sum(whole_number(count) or 0 for count in rest)


def has_usage(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether a count other than 0 is stated."""
    usage = usage_object(call, metadata)
    return any(_stated(call, usage, names) not in ZEROS for names in _SIDES.values())


def usage_object(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The usage as the provider's API states it, in the names of OpenAI, or an empty object."""
    answer = mapping(call.get("response"))
    return (
        mapping(metadata.get("usage_object"))
        or mapping(answer.get("usage"))
        # Rows of early 2024 have it as a column of its own.
        or mapping(call.get("usage"))
        or mapping(metadata.get("additional_usage_values"))
    )


def billing_attributes(call: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that the price of a call depends on: its tier and its one-hour cache writes.

    Args:
        call: A spend log or logging payload.
        metadata: Its metadata as an object.
    """
    usage = usage_object(call, metadata)
    asked = _details(usage, "prompt_tokens_details", "input_tokens_details")
    written = mapping(asked.get("cache_creation_token_details")) or mapping(usage.get("cache_creation"))
    tier = _first(
        mapping(call.get("response")).get("service_tier"),
        usage.get("service_tier"),
        mapping(call.get("cost_breakdown")).get("service_tier"),
    )
    one_hour = written.get("ephemeral_1h_input_tokens")
    return ({SERVICE_TIER: tier} if isinstance(tier, str) and tier else {}) | (
        {CACHE_WRITE_1H: one_hour} if one_hour else {}
    )


def _stated(call: Mapping[str, Any], usage: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return _first(call.get(names[0]), *(usage.get(name) for name in names))


def _details(usage: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return next((usage[name] for name in names if isinstance(usage.get(name), dict)), {})


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
