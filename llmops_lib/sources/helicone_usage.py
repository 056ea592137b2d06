"""Token counts of a Helicone request, made inclusive where the provider's own input leaves the cache out."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from llmops_lib.schema import MADE_INCLUSIVE, TOKEN_CONVENTION
from llmops_lib.sources.inclusive_counts import whole_number
from llmops_lib.sources.langfuse_fields import mapping
from llmops_lib.sources.refusals import Refused

_EXCLUSIVE = ("anthropic", "aws.bedrock")
_COLUMNS = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cache_read_tokens": "prompt_cache_read_tokens",
    "cache_write_tokens": "prompt_cache_write_tokens",
    "reasoning_tokens": "completion_reasoning_tokens",
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
    _add_thoughts(counts, request)
    cached = counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    given = counts.get("input_tokens")
    is_claude = "claude" in str(model).lower()
    if given is None or not cached:
        is_unknown = is_claude and "cache_read_tokens" not in counts and given is not None
        return counts, {TOKEN_CONVENTION: "exclusive, cache counts absent"} if is_unknown else {}
    is_google_claude = is_claude and str(provider).startswith("gcp.")
    if provider in _EXCLUSIVE or is_google_claude or cached > given:
        counts["input_tokens"] = given + cached
        return counts, {TOKEN_CONVENTION: MADE_INCLUSIVE}
    return counts, {}


def _add_thoughts(counts: dict[str, int], request: Mapping[str, Any]) -> None:
    """Google counts the thoughts beside the answer; the total of the three proves it."""
    usage = mapping(mapping(request.get("response_body")).get("usageMetadata"))
    thoughts = counts.get("reasoning_tokens") or _count("thoughtsTokenCount", usage.get("thoughtsTokenCount"))
    stated = counts.get("input_tokens", 0) + counts.get("output_tokens", 0)
    if thoughts and _count("total_tokens", request.get("total_tokens")) == stated + thoughts:
        counts["output_tokens"] = counts.get("output_tokens", 0) + thoughts
        counts["reasoning_tokens"] = thoughts


def _count(name: str, value: Any) -> int | None:
    if value is None or type(value) is int:
        return value
    found = whole_number(value)
    if found is not None:
        return found
    if isinstance(value, Decimal) and value == value // 1:
        return int(value)
    raise Refused(reason="type", detail=f"{name} is {str(value)[:40]!r}, not a whole number")
