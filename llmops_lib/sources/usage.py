"""Token counts of a model call, inclusive: input contains cache reads and writes, output reasoning.

Instrumentations pass the provider's own numbers through, and Anthropic's input leaves the cache out.
A row is corrected only where it proves itself exclusive; an ambiguous row stays as it is.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import MADE_INCLUSIVE, TOKEN_CONVENTION
from llmops_lib.sources.inclusive_counts import REASONING_ADDED, whole_number
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.langfuse_usage import CACHE_WRITE_1H, convention_notes, reported_cost, token_counts
from llmops_lib.sources.litellm_spans import LITELLM_NAMES
from llmops_lib.sources.provider_usage import fill_counts, usage_attributes

SERVICE_TIER = "openai.response.service_tier"
"""Attribute that holds the tier at which a call was served, whichever provider served it."""

_TIER_NAMES = (
    SERVICE_TIER,
    "gen_ai.openai.response.service_tier",
    "anthropic.response.service_tier",
    "gen_ai.response.service_tier",
)
_EXCLUSIVE_PROVIDERS = ("anthropic", "aws.bedrock")
TOTALS = (
    "gen_ai.usage.total_tokens",
    "llm.usage.total_tokens",
    "llm.token_count.total",
    "ai.usage.totalTokens",
)
"""Attributes that state input and output together."""

_BESIDE_OUTPUT = "gen_ai.usage.experimental.reasoning_tokens"
"""Thoughts of Gemini in Google's agent kit, which its output leaves out in every release that writes them."""

_AGENT_KIT_ANSWER = "gcp.vertex.agent.llm_response"
_WRITTEN_1H = "gen_ai.usage.input_tokens.cache_write_1h"

EVIDENCE = frozenset(
    (
        _BESIDE_OUTPUT,
        _AGENT_KIT_ANSWER,
        _WRITTEN_1H,
        *LITELLM_NAMES,
        "langfuse.observation.usage_details",
        "langfuse.observation.cost_details",
        "ai.response.providerMetadata",
        "output.value",
        TOKEN_CONVENTION,
        CACHE_WRITE_1H,
    )
)
"""Attributes whose text holds counts: beside them a stated count does not stand alone."""

_VERCEL_COUNTS = {
    "cache_read_tokens": (
        "cacheReadInputTokens",
        "cachedPromptTokens",
        "gen_ai.usage.cache_read.input_tokens",
    ),
    "cache_write_tokens": ("cacheCreationInputTokens", "gen_ai.usage.cache_creation.input_tokens"),
    "reasoning_tokens": ("reasoningTokens", "gen_ai.usage.reasoning.output_tokens"),
}
"""Names of counts in the metadata that providers of the Vercel AI SDK add, and in their raw usage."""


def complete_usage(row: dict[str, Any], rest: dict[str, Any]) -> None:
    """Fills what usage attributes say only indirectly, and makes the counts inclusive.

    Args:
        row: Columns found so far; changed in place.
        rest: Attributes without a column; the ones used are taken out.
    """
    if "langfuse.observation.usage_details" in rest or "langfuse.observation.cost_details" in rest:
        _add_langfuse(row, rest)
    if "ai.response.providerMetadata" in rest:
        _add_vercel_metadata(row, rest)
    if "output.value" in rest:
        _add_provider_answer(row, rest)
    if _AGENT_KIT_ANSWER in rest:
        _add_agent_kit_answer(row, rest)
    if rest.get(_WRITTEN_1H):
        rest.setdefault(CACHE_WRITE_1H, rest.pop(_WRITTEN_1H))
    _move_tier(rest)
    is_beside = _BESIDE_OUTPUT in rest and row.get("reasoning_tokens") is None
    if is_beside:
        row["reasoning_tokens"] = rest.pop(_BESIDE_OUTPUT)
    if _is_exclusive(row, rest):
        row["input_tokens"] = _known(row, "input_tokens") + _cached(row)
        rest[TOKEN_CONVENTION] = MADE_INCLUSIVE
    elif is_beside or _leaves_reasoning_out(row, rest):
        row["output_tokens"] = _known(row, "output_tokens") + _known(row, "reasoning_tokens")
        rest[TOKEN_CONVENTION] = REASONING_ADDED


def _add_langfuse(row: dict[str, Any], rest: dict[str, Any]) -> None:
    details = json_value(rest.get("langfuse.observation.usage_details"))
    if isinstance(details, dict):
        counts: dict[str, Any] = dict(token_counts({"usage_details": details}))
        if CACHE_WRITE_1H in counts:
            rest[CACHE_WRITE_1H] = counts.pop(CACHE_WRITE_1H)
        rest |= convention_notes({"usage_details": details})
        row.update({column: count for column, count in counts.items() if row.get(column) is None})
    costs = json_value(rest.get("langfuse.observation.cost_details"))
    if isinstance(costs, dict) and row.get("reported_cost_usd") is None:
        row["reported_cost_usd"] = reported_cost({"cost_details": costs})


def _add_vercel_metadata(row: dict[str, Any], rest: dict[str, Any]) -> None:
    """Before version 6 the AI SDK keeps cache and reasoning counts in the metadata of the provider only."""
    providers = json_value(rest["ai.response.providerMetadata"])
    for found in providers.values() if isinstance(providers, dict) else ():
        if not isinstance(found, dict):
            continue
        raw = found.get("usage", found.get("usageMetadata"))
        usage = raw if isinstance(raw, dict) else {}
        stated = usage_attributes(usage)
        for column, names in _VERCEL_COUNTS.items():
            counts = (whole_number(found.get(name, stated.get(name))) for name in names)
            if row.get(column) is None:
                row[column] = next((count for count in counts if count is not None), None)
        given = whole_number(row.get("input_tokens"))
        if "cacheReadInputTokens" in found or (given is not None and usage.get("input_tokens") == given):
            # Raw counts of Anthropic, whose input leaves the cache out.
            rest[TOKEN_CONVENTION] = "exclusive"


def _add_provider_answer(row: dict[str, Any], rest: dict[str, Any]) -> None:
    """OpenInference keeps the provider's raw answer; its id, tier and cache counts stand nowhere else."""
    answer = json_value(rest["output.value"])
    if not isinstance(answer, dict):
        return
    if isinstance(answer.get("id"), str):
        row.setdefault("request_id", answer["id"])
    usage = answer["usage"] if isinstance(answer.get("usage"), dict) else {}
    tier = answer.get("service_tier") or usage.get("service_tier")
    if isinstance(tier, str):
        rest.setdefault(SERVICE_TIER, tier)
    written = usage.get("cache_creation")
    if isinstance(written, dict) and written.get("ephemeral_1h_input_tokens"):
        rest.setdefault(CACHE_WRITE_1H, written["ephemeral_1h_input_tokens"])
    given = whole_number(row.get("input_tokens"))
    if "cache_read_input_tokens" in usage and given is not None and usage.get("input_tokens") == given:
        # The counts of the span are the raw ones of Anthropic, whose input leaves the cache out.
        row["cache_read_tokens"] = whole_number(usage["cache_read_input_tokens"])
        row["cache_write_tokens"] = whole_number(usage.get("cache_creation_input_tokens"))
        rest[TOKEN_CONVENTION] = "exclusive"


def _add_agent_kit_answer(row: dict[str, Any], rest: dict[str, Any]) -> None:
    """Google's agent kit keeps the counts of Gemini beside its answer, and in old releases nowhere else."""
    answer = json_value(rest[_AGENT_KIT_ANSWER])
    usage = answer.get("usage_metadata") if isinstance(answer, dict) else None
    for name, count in fill_counts(row, usage).items():
        rest.setdefault(name, count)


def _move_tier(rest: dict[str, Any]) -> None:
    for name in _TIER_NAMES[1:]:
        if name in rest:
            rest.setdefault(SERVICE_TIER, rest.pop(name))


def _is_exclusive(row: Mapping[str, Any], rest: dict[str, Any]) -> bool:
    given, cached = whole_number(row.get("input_tokens")), _cached(row)
    if rest.get(TOKEN_CONVENTION) == MADE_INCLUSIVE:
        return False
    if given is None or not cached:
        rest.pop(TOKEN_CONVENTION, None)
        return False
    if rest.get(TOKEN_CONVENTION) == "exclusive":
        return True
    total = _total(rest)
    if total is not None and total == given + cached + _known(row, "output_tokens"):
        return True
    return cached > given and _leaves_cache_out(row)


def _leaves_reasoning_out(row: Mapping[str, Any], rest: Mapping[str, Any]) -> bool:
    """Google counts the thoughts beside the answer; a total or more thoughts than output prove it."""
    thought, answer = _known(row, "reasoning_tokens"), whole_number(row.get("output_tokens"))
    if not thought or answer is None:
        return False
    return thought > answer or _total(rest) == _known(row, "input_tokens") + answer + thought


def _total(rest: Mapping[str, Any]) -> int | None:
    return next((whole_number(rest[name]) for name in TOTALS if name in rest), None)


def _leaves_cache_out(row: Mapping[str, Any]) -> bool:
    models = f"{row.get('request_model')} {row.get('response_model')}"
    return row.get("provider") in _EXCLUSIVE_PROVIDERS or "claude" in models


def _cached(row: Mapping[str, Any]) -> int:
    return _known(row, "cache_read_tokens") + _known(row, "cache_write_tokens")


def _known(row: Mapping[str, Any], column: str) -> int:
    return whole_number(row.get(column)) or 0
