"""Token counts of a LangSmith model run, from whichever of five places states them.

LangSmith's counts are inclusive, but for those that an SDK passed on as they came. A run that was streamed
without usage has zeros in its columns, which say nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from llmops_lib.sources.inclusive_counts import made_inclusive
from llmops_lib.sources.langfuse_fields import mapping
from llmops_lib.sources.langfuse_usage import CACHE_WRITE_1H
from llmops_lib.sources.langsmith_content import first_generation, message_fields
from llmops_lib.sources.usage import SERVICE_TIER

_ZEROS = (None, 0, "0", 0.0, "")
_INPUT = ("prompt_tokens", "input_tokens")
_OUTPUT = ("completion_tokens", "output_tokens")
_ASKED = ("prompt_token_details", "input_token_details", "prompt_tokens_details", "input_tokens_details")
_ANSWERED = (
    "completion_token_details",
    "output_token_details",
    "completion_tokens_details",
    "output_tokens_details",
)

DETAILS = (
    *("cache_read", "cached_tokens", "cache_creation", "reasoning", "reasoning_tokens", "raw"),
    *("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
)
"""Details of counts that are read."""


def token_columns(run: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The token columns that are known, and the attributes that the price depends on.

    Args:
        run: A model run, its objects parsed.

    Example:
        >>> token_columns({"prompt_tokens": 9, "completion_tokens": 4, "outputs": {}})
        ({'input_tokens': 9, 'output_tokens': 4}, {})
    """
    places = [place for place in _places(run) if _first(place, _INPUT + _OUTPUT, skip=_ZEROS) is not None]
    if not places:
        return {}, {}
    asked = next((found for place in places if (found := _details(place, _ASKED))), {})
    answered = next((found for place in places if (found := _details(place, _ANSWERED))), {})
    raw = next((place for place in places if "cache_read_input_tokens" in place), {})
    written = [asked.get(name) for name in ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")]
    by_lifetime = sum(count for count in written if type(count) is int)
    counts = {
        "input_tokens": _first(places[0], _INPUT),
        "output_tokens": _first(places[0], _OUTPUT),
        "cache_read_tokens": _first(
            asked, ("cache_read", "cached_tokens"), raw.get("cache_read_input_tokens")
        ),
        # LangChain sets the whole to 0 where it states the parts.
        "cache_write_tokens": by_lifetime
        or _first(asked, ("cache_creation",), raw.get("cache_creation_input_tokens")),
        "reasoning_tokens": _first(answered, ("reasoning", "reasoning_tokens")),
    }
    notes = {CACHE_WRITE_1H: written[1]} if written[1] else {}
    known = {column: count for column, count in counts.items() if count is not None}
    inclusive, told = made_inclusive(known, places[0].get("total_tokens"))
    return inclusive, notes | _tier(run) | told


def _places(run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    outputs = mapping(run.get("outputs"))
    message = message_fields(mapping(first_generation(outputs).get("message")))
    about = mapping(outputs.get("llm_output"))
    columns = (*_INPUT, *_OUTPUT, "total_tokens", *_ASKED, *_ANSWERED)
    yield {name: run[name] for name in columns if name in run}
    yield mapping(outputs.get("usage_metadata"))
    yield mapping(mapping(mapping(run.get("extra")).get("metadata")).get("usage_metadata"))
    yield mapping(message.get("usage_metadata"))
    yield mapping(about.get("token_usage"))
    yield mapping(about.get("usage"))
    yield mapping(outputs.get("usage"))


def _details(place: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = next((place[name] for name in names if isinstance(place.get(name), dict)), {})
    return {**found, **mapping(found.get("raw"))}


def _first(place: Mapping[str, Any], names: tuple[str, ...], other: Any = None, skip: Any = (None,)) -> Any:
    return next((place[name] for name in names if place.get(name) not in skip), other)


def _tier(run: Mapping[str, Any]) -> dict[str, str]:
    tier = mapping(run.get("outputs")).get("service_tier")
    return {SERVICE_TIER: tier} if isinstance(tier, str) and tier else {}
