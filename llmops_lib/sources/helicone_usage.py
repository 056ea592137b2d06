"""Token counts of a Helicone request, made inclusive where the provider's own input leaves the cache out."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from llmops_lib.schema import MADE_INCLUSIVE, TOKEN_CONVENTION
from llmops_lib.sources.inclusive_counts import whole_number
from llmops_lib.sources.langfuse_fields import mapping
from llmops_lib.sources.refusals import Refused

_EXCLUSIVE = ("anthropic", "aws.bedrock")
_ONE_CONVENTION_SINCE = "2025-12-19"
_COLUMNS = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cache_read_tokens": "prompt_cache_read_tokens",
    "cache_write_tokens": "prompt_cache_write_tokens",
    "reasoning_tokens": "reasoning_tokens",
}


def token_columns(
    request: Mapping[str, Any], provider: str | None, model: Any
) -> tuple[dict[str, int], dict[str, str]]:
    """The token columns that are known, and an attribute where a count was converted or may lack the cache.

    Helicone writes 0 where a request failed before any usage was known; such a row has no counts.

    Args:
        request: A request of Helicone.
        provider: Its provider in OpenTelemetry's spelling.
        model: Its model.

    Raises:
        Refused: `type` if a count is no whole number.

    Example:
        >>> request = {"prompt_tokens": 5, "completion_tokens": 22, "prompt_cache_write_tokens": 2074}
        >>> token_columns(request, "anthropic", "claude-sonnet-4-5")[0]["input_tokens"]
        2079
    """
    found = {column: _count(name, request.get(name)) for column, name in _COLUMNS.items()}
    counts = {column: count for column, count in found.items() if count is not None}
    if not any(counts.values()):
        return {}, {}
    own = mapping(mapping(request.get("response_body")).get("usage"))
    _add_thoughts(counts, request, own)
    cached = counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    given = counts.get("input_tokens")
    is_claude = "claude" in str(model).lower()
    if given is None or not cached:
        is_unknown = is_claude and "cache_read_tokens" not in counts and given is not None
        return counts, {TOKEN_CONVENTION: "exclusive, cache counts absent"} if is_unknown else {}
    is_google_claude = is_claude and str(provider).startswith("gcp.")
    is_exclusive = provider in _EXCLUSIVE or is_google_claude or cached > given
    if is_exclusive or _leaves_cache_out(counts, request, own):
        counts["input_tokens"] = given + cached
        return counts, {TOKEN_CONVENTION: MADE_INCLUSIVE}
    return counts, {}


def _leaves_cache_out(counts: Mapping[str, int], request: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether the input of a provider that counts the cache in is without it.

    Since the end of 2025 Helicone takes the cache out of every provider's input, and counts the thoughts in a
    field of their own, `reasoning_tokens`. The usage in the answer's own body tells which it was.
    """
    stated = _first(own, "prompt_tokens", "input_tokens")
    if stated is not None and stated == counts["input_tokens"]:
        return False
    if stated is not None and stated == counts["input_tokens"] + counts.get("cache_read_tokens", 0):
        return True
    is_new = str(request.get("request_created_at", ""))[:10] >= _ONE_CONVENTION_SINCE
    return "reasoning_tokens" in request and is_new and request.get("provider") != "CUSTOM"


def _add_thoughts(counts: dict[str, int], request: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Add the thoughts to the output where the total, the answer or their own field says they are no part."""
    thoughts = counts.get("reasoning_tokens") or _thoughts_of_body(request, own)
    output = counts.get("output_tokens", 0)
    stated = _first(own, "completion_tokens", "output_tokens")
    total = _count("total_tokens", request.get("total_tokens"))
    sum_of_two = counts.get("input_tokens", 0) + output
    is_own_field = "reasoning_tokens" in request and total != sum_of_two
    if not thoughts:
        return
    # An answer without text, where it falls back to the whole.
    is_repeated = is_own_field and output == thoughts
    if stated == output >= thoughts or is_repeated:
        counts["reasoning_tokens"] = thoughts
    elif is_own_field or thoughts + sum_of_two == total or thoughts + output == stated:
        counts["output_tokens"] = output + thoughts
        counts["reasoning_tokens"] = thoughts


def _thoughts_of_body(request: Mapping[str, Any], own: Mapping[str, Any]) -> int | None:
    """As Google or OpenAI states them."""
    google = mapping(mapping(request.get("response_body")).get("usageMetadata"))
    openai = mapping(own.get("completion_tokens_details") or own.get("output_tokens_details"))
    return _first(google, "thoughtsTokenCount") or _first(openai, "reasoning_tokens")


def _first(usage: Mapping[str, Any], *names: str) -> int | None:
    return next((whole_number(usage[name]) for name in names if usage.get(name) is not None), None)


def _count(name: str, value: Any) -> int | None:
    if value is None or type(value) is int:
        return value
    found = whole_number(value)
    if found is not None:
        return found
    if isinstance(value, Decimal) and value == value // 1:
        return int(value)
    raise Refused(reason="type", detail=f"{name} is {str(value)[:40]!r}, not a whole number")
