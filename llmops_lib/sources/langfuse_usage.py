"""Token counts and cost of a Langfuse observation.

Langfuse counts by the names of the keys: its input is the sum of all `usageDetails` whose key holds
`input`, its output of all that hold `output`. So `input_cached_tokens` comes on top of `input`, while
`prompt_details.cache_read` is a part of it. Two cases are not summed, because the file itself says
that the parts are inside: a `total` that equals `input` plus `output` alone, and cache writes that are
given as a whole and again by lifetime. One is summed beyond Langfuse's rule: `cache_read` and the like, whose
names hold neither word, where the total or their size proves that they lie beside the input.

Source: `reduceUsageOrCostDetails` in https://github.com/langfuse/langfuse (packages/shared).
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from llmops_lib.schema import MADE_INCLUSIVE, TOKEN_CONVENTION
from llmops_lib.sources.inclusive_counts import is_beside
from llmops_lib.sources.langfuse_fields import mapping
from llmops_lib.sources.refusals import Refused

CACHE_WRITE_1H = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
"""Attribute that holds the part of the cache writes with a lifetime of one hour."""

TOTAL_TOKENS = "gen_ai.usage.total_tokens"
"""Attribute that holds the total that the source states."""

_CACHE_READ = re.compile(r"cache_read|cached")
_CACHE_WRITE = re.compile(r"cache_creation|cache_write|ephemeral_(?:5m|1h)")
_CACHE = re.compile(f"{_CACHE_READ.pattern}|{_CACHE_WRITE.pattern}")
# A name with a side or a path in it says where the count belongs.
_PLACED = re.compile(r"input|prompt|output|completion|\.")
_CACHED_INPUT = re.compile(r"input.*cache|cache.*input")
_LIFETIME = re.compile(r"(?<![0-9])(?:5m|1h)")
_LIFETIME_1H = re.compile(r"(?<![0-9])1h")
_REASONING = re.compile(r"reasoning")
_COUNTED = re.compile(r"input|output|total|cache|reasoning")
# In lower case and without underscores. Google's own answer leaves the thoughts out.
_PLAIN_NAMES = {
    **dict.fromkeys(("prompttokens", "inputtokens", "prompttokencount"), "input"),
    **dict.fromkeys(("completiontokens", "outputtokens", "candidatestokencount"), "output"),
    **dict.fromkeys(("totaltokens", "totaltokencount"), "total"),
    "thoughtstokencount": "output_reasoning",
}
_OLD_COUNTS = (
    ("prompt_tokens", "completion_tokens", "total_tokens"),
    ("input_usage", "output_usage", "total_usage"),
)

COUNT_FIELDS = ("usage", "unit", "usage_details", *dict.fromkeys(name for old in _OLD_COUNTS for name in old))
"""Fields that `token_counts` uses."""

COST_FIELDS = ("cost_details", "total_cost", "calculated_total_cost", "usage")
"""Fields that `reported_cost` uses."""


def token_counts(observation: Mapping[str, Any]) -> dict[str, int]:
    """Token columns of SPANS for an observation, and the one-hour cache writes under `CACHE_WRITE_1H`.

    Args:
        observation: Fields in snake_case.

    Returns:
        The counts that are known. None are known where the unit is not tokens, or where all that is
        given are the zeros which Langfuse writes into its older fields for want of a count.

    Raises:
        Refused: `type` or `range` if a count is no count.

    Example:
        >>> token_counts({"usage_details": {"input": 120, "output": 8, "input_cached_tokens": 64}})
        {'input_tokens': 184, 'output_tokens': 8, 'cache_read_tokens': 64}
    """
    counts = _given_counts(observation)
    found = {
        "input_tokens": _input(counts),
        "output_tokens": _side(counts, "output"),
        "cache_read_tokens": _sum(counts, _CACHE_READ),
        "cache_write_tokens": _cache_write(counts),
        "reasoning_tokens": _sum(counts, _REASONING),
        CACHE_WRITE_1H: _sum({key: n for key, n in counts.items() if _CACHE_WRITE.search(key)}, _LIFETIME_1H),
    }
    return {name: count for name, count in found.items() if count is not None}


def convention_notes(observation: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that say how the counts stood in the source: a stated total, and whether cache was added.

    Args:
        observation: Fields in snake_case.

    Example:
        >>> convention_notes({"usage_details": {"input": 120, "output": 8, "input_cached_tokens": 64}})
        {'llmops.token_convention': 'exclusive, made inclusive'}
    """
    counts = _given_counts(observation)
    notes: dict[str, Any] = {TOTAL_TOKENS: counts["total"]} if "total" in counts else {}
    has_cache = any(_CACHED_INPUT.search(key) for key, n in counts.items() if n)
    is_added = has_cache and _side(counts, "input") != counts.get("input")
    if "input" in counts and (is_added or _cache_beside(counts)):
        notes[TOKEN_CONVENTION] = MADE_INCLUSIVE
    return notes


def reported_cost(observation: Mapping[str, Any]) -> Any:
    """The cost in USD that the export states, or None.

    A total of 0 beside empty cost details is what Langfuse writes for want of a price.

    Args:
        observation: Fields in snake_case.
    """
    details = mapping(observation.get("cost_details"))
    total = observation.get("total_cost")
    if total is not None and (details or _is_priced(total) or "cost_details" not in observation):
        return total
    if details:
        return details.get("total", _total(details))
    usage = mapping(observation.get("usage"))
    old = observation.get("calculated_total_cost", usage.get("totalCost", usage.get("total_cost")))
    return old if old is not None and _is_priced(old) else None


def _given_counts(observation: Mapping[str, Any]) -> dict[str, int]:
    usage = mapping(observation.get("usage"))
    if str(usage.get("unit") or observation.get("unit") or "TOKENS").upper() != "TOKENS":
        return {}
    return _counts(mapping(observation.get("usage_details"))) or _old_counts(observation, usage)


def _is_priced(total: Any) -> bool:
    try:
        return float(total) != 0
    except (TypeError, ValueError):
        return True


def _total(details: Mapping[str, Any]) -> float | None:
    try:
        return sum(float(cost) for cost in details.values())
    except (TypeError, ValueError):
        return None


def _old_counts(observation: Mapping[str, Any], usage: Mapping[str, Any]) -> dict[str, int]:
    candidates = [{key: n for key, n in usage.items() if "ost" not in key}]
    candidates += [{key: observation[key] for key in keys if key in observation} for keys in _OLD_COUNTS]
    for candidate in candidates:
        counts = _counts({key.replace("_usage", ""): n for key, n in candidate.items()})
        if any(counts.values()):
            return counts
    return {}


def _counts(details: Mapping[str, Any], prefix: str = "") -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, value in details.items():
        key = f"{prefix}{name}".lower()
        if isinstance(value, dict):
            counts |= _counts(value, f"{key}.")
        elif value is not None and (plain := _PLAIN_NAMES.get(key.replace("_", ""), key)) not in counts:
            count = _count(plain, value)
            if count is not None:
                counts[plain] = count
    return counts


def _count(key: str, value: Any) -> int | None:
    count = value if type(value) is int else _whole_number(value)
    if count is None and _COUNTED.search(key):
        raise Refused(reason="type", detail=f"usage {key[:40]!r} is {str(value)[:40]!r}, not a whole number")
    if count is not None and not 0 <= count < 2**63:
        raise Refused(reason="range", detail=f"usage {key[:40]!r} is {str(count)[:40]}")
    return count


def _whole_number(value: Any) -> int | None:
    try:
        number = float(value) if isinstance(value, str | float | Decimal) else math.nan
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _input(counts: Mapping[str, int]) -> int | None:
    given = _side(counts, "input")
    return None if given is None else given + _cache_beside(counts)


def _cache_beside(counts: Mapping[str, int]) -> int:
    alone = {key: n for key, n in counts.items() if _CACHE.search(key) and not _PLACED.search(key)}
    cached = sum(alone.values()) - _repeated_cache_write(alone)
    given, answer = (_side(counts, word) or 0 for word in ("input", "output"))
    is_stated = any("input" in key for key in counts)
    return cached if is_stated and is_beside(given, cached, answer, counts.get("total")) else 0


def _side(counts: Mapping[str, int], word: str) -> int | None:
    whole = counts.get(word)
    parts = sum(n for key, n in counts.items() if word in key and key != word)
    if whole is None:
        return parts if any(word in key for key in counts) else None
    if parts <= whole and _are_parts_inside(counts):
        return whole
    return whole + parts - (_repeated_cache_write(counts) if word == "input" else 0)


def _are_parts_inside(counts: Mapping[str, int]) -> bool:
    total = counts.get("total")
    summed = sum(n for key, n in counts.items() if "input" in key or "output" in key)
    plain = counts.get("input", 0) + counts.get("output", 0)
    return total == plain != summed


def _cache_write(counts: Mapping[str, int]) -> int | None:
    total = _sum(counts, _CACHE_WRITE)
    return None if total is None else total - _repeated_cache_write(counts)


def _repeated_cache_write(counts: Mapping[str, int]) -> int:
    writes = {key: n for key, n in counts.items() if _CACHE_WRITE.search(key)}
    by_lifetime = sum(n for key, n in writes.items() if _LIFETIME.search(key))
    return by_lifetime if 2 * by_lifetime == sum(writes.values()) else 0


def _sum(counts: Mapping[str, int], pattern: re.Pattern[str]) -> int | None:
    found = [n for key, n in counts.items() if pattern.search(key)]
    return sum(found) if found else None
