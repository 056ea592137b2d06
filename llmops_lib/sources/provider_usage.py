"""Token counts under the names that providers and platforms give them, as GenAI usage attributes."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmops_lib.sources.attribute_names import COLUMN_OF
from llmops_lib.sources.langfuse_usage import CACHE_WRITE_1H

_INPUT = "gen_ai.usage.input_tokens"
_OUTPUT = "gen_ai.usage.output_tokens"
# In order of trust: of two names for one count the first that holds a value counts.
_NAMES = {
    _INPUT: ("prompt_tokens", "input_tokens", "inputTokens", "prompt_token_count", "promptTokenCount"),
    _OUTPUT: (
        "completion_tokens",
        "output_tokens",
        "outputTokens",
        "candidates_token_count",
        "candidatesTokenCount",
    ),
    "gen_ai.usage.total_tokens": (
        "total_tokens",
        "tokens",
        "totalTokens",
        "total_token_count",
        "totalTokenCount",
    ),
    "gen_ai.usage.cache_read.input_tokens": (
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "cache_read_input_tokens",
        "prompt_cached_tokens",
        "cacheReadInputTokens",
        "cached_content_token_count",
        "cachedContentTokenCount",
    ),
    "gen_ai.usage.cache_creation.input_tokens": (
        "cache_creation_input_tokens",
        "prompt_tokens_details.cache_write_tokens",
        "input_tokens_details.cache_write_tokens",
        "prompt_cache_creation_tokens",
        "cacheWriteInputTokens",
    ),
    "gen_ai.usage.reasoning.output_tokens": (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "completion_reasoning_tokens",
        "thoughts_token_count",
        "thoughtsTokenCount",
    ),
    CACHE_WRITE_1H: ("cache_creation.ephemeral_1h_input_tokens", "prompt_cache_creation_1h_tokens"),
}
_CANDIDATES = ("candidates_token_count", "candidatesTokenCount")


def usage_attributes(usage: Any) -> dict[str, Any]:
    """The counts of a usage object as GenAI attributes; counts it does not state are absent.

    Whether the input contains the cache is not decided here: `complete_usage` looks at the evidence.

    Args:
        usage: Usage of OpenAI, Anthropic, Google or Bedrock, nested or with dotted names, or of a
            platform that gives it names of its own; anything but an object states nothing.

    Example:
        >>> usage_attributes({"prompt_tokens": 12, "prompt_tokens_details": {"cached_tokens": 8}})
        {'gen_ai.usage.input_tokens': 12, 'gen_ai.usage.cache_read.input_tokens': 8}
    """
    if not isinstance(usage, Mapping):
        return {}
    counts = dict(_flat(usage))
    found = {
        attribute: next((counts[name] for name in names if counts.get(name) is not None), None)
        for attribute, names in _NAMES.items()
    }
    _add_thoughts(found, counts)
    return {attribute: count for attribute, count in found.items() if count is not None}


def fill_counts(row: dict[str, Any], usage: Any) -> dict[str, Any]:
    """Fills the token columns of a row that are unknown from a usage object.

    Args:
        row: Columns of a model call; changed in place.
        usage: As `usage_attributes` takes it.

    Returns:
        The counts that have no column, by their attributes.

    Example:
        >>> row = {"input_tokens": 9}
        >>> fill_counts(row, {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}), row
        ({'gen_ai.usage.total_tokens': 15}, {'input_tokens': 9, 'output_tokens': 3})
    """
    others: dict[str, Any] = {}
    for name, count in usage_attributes(usage).items():
        if name not in COLUMN_OF:
            others[name] = count
        elif row.get(COLUMN_OF[name][0]) is None:
            row[COLUMN_OF[name][0]] = count
    return others


def has_other_counts(usage: Any) -> bool:
    """Whether a usage object states more than `usage_attributes` reads, and a total.

    Example:
        >>> has_other_counts({"input_tokens": 3, "total_tokens": 3}), has_other_counts({"image_tokens": 1})
        (False, True)
    """
    known = {name for names in _NAMES.values() for name in names} | {"total_tokens"}
    return isinstance(usage, Mapping) and not known.issuperset(name for name, _ in _flat(usage))


def _add_thoughts(found: dict[str, Any], counts: Mapping[str, Any]) -> None:
    # Google's candidates leave the thoughts out; output contains reasoning everywhere else.
    candidates = next((counts[name] for name in _CANDIDATES if type(counts.get(name)) is int), None)
    thoughts = found["gen_ai.usage.reasoning.output_tokens"]
    if candidates is not None and type(thoughts) is int and found[_OUTPUT] == candidates:
        found[_OUTPUT] = candidates + thoughts


def _flat(usage: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in usage.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
