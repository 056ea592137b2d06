"""Usage and costs of OpenAI's organization API.

- `input_tokens` contains cached tokens and cache writes; the lines of a bill do not overlap, so they
  are taken apart here.
- Whatever the report was not grouped by is null, the model too.
- Costs name a model only inside `line_item`: `gpt-4o-2024-08-06, cached input`.
- Embeddings, images and the like are reports of their own.
"""

import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.bills.figures import count, decimal, in_dollars, text

FORMAT = "openai_bill"
PROVIDER = "openai"
LOOKED_FOR = (
    "OpenAI usage or costs: buckets with start_time, end_time and results, or the console's table with "
    "start_time, end_time, start_time_iso and end_time_iso"
)
START, END = "start_time", "end_time"
# The published schema says `result`, the API answers `results`.
RESULTS = ("results", "result")

_USAGE = re.compile(r"organization\.usage\.(\w+)\.result")
_COSTS = "organization.costs.result"
_UNCACHED_PRODUCTS = ("embeddings", "moderations")
_OTHER_UNITS = {
    "images": "images",
    "characters": "characters",
    "seconds": "seconds",
    "usage_bytes": "bytes",
    "num_sessions": "sessions",
    "num_requests": "requests",
}
_TIERS = ("flex", "priority")

Row = dict[str, Any]


def matches(bucket: Mapping[str, Any]) -> bool:
    """Whether this is a bucket of OpenAI's usage or costs."""
    return START in bucket and END in bucket and any(isinstance(bucket.get(name), list) for name in RESULTS)


def lines(outcome: Mapping[str, Any]) -> list[Row]:
    """The lines of one result, without what they share with their bucket.

    Args:
        outcome: An entry of `results`.

    Raises:
        Refused: If a figure is none, or the currency is not the dollar.
    """
    if outcome.get("object") == _COSTS or "amount" in outcome:
        return [_cost_line(outcome)]
    named = _USAGE.fullmatch(str(outcome.get("object")))
    product = named[1] if named else None
    shared: Row = {
        "kind": "usage",
        "product": product,
        "model": text(outcome, "model"),
        "is_batch": outcome.get("batch"),
        "service_tier": text(outcome, "service_tier"),
    }
    quantities = [*_token_quantities(outcome, product), *_other_quantities(outcome)]
    return [
        {**shared, "line": line, "quantity": found, "quantity_unit": unit} for line, found, unit in quantities
    ]


def _token_quantities(outcome: Mapping[str, Any], product: str | None) -> list[tuple[str, float | None, str]]:
    found: list[tuple[str, float | None, str]] = []
    if "input_tokens" in outcome:
        inputs, uncached = count(outcome, "input_tokens"), count(outcome, "input_uncached_tokens")
        reads, writes = count(outcome, "input_cached_tokens"), count(outcome, "input_cache_write_tokens")
        if reads is None and product in _UNCACHED_PRODUCTS:
            reads = 0.0
        if uncached is None and inputs is not None and reads is not None:
            # Reports of before 2026 have no cache writes, and then there were none.
            uncached = inputs - reads - (writes or 0.0)
        found += [("uncached_input", uncached, "tokens"), ("cache_read", reads, "tokens")]
        found += [("cache_write", writes, "tokens")] if writes is not None else []
    if "output_tokens" in outcome:
        found.append(("output", count(outcome, "output_tokens"), "tokens"))
    return found


def _other_quantities(outcome: Mapping[str, Any]) -> list[tuple[str, float | None, str]]:
    found: list[tuple[str, float | None, str]] = []
    if "num_model_requests" in outcome:
        found.append(("requests", count(outcome, "num_model_requests"), "requests"))
    found += [("other", count(outcome, name), unit) for name, unit in _OTHER_UNITS.items() if name in outcome]
    return found


def _cost_line(outcome: Mapping[str, Any]) -> Row:
    amount = outcome.get("amount")
    parts: Mapping[str, Any] = amount if isinstance(amount, dict) else {}
    in_dollars(parts.get("currency"))
    line_item = text(outcome, "line_item")
    return {
        "kind": "cost",
        "product": "costs",
        "line_item": line_item,
        "quantity": count(outcome, "quantity"),
        "quantity_unit": text(outcome, "quantity_unit"),
        "cost_usd": float(decimal(parts.get("value"), "amount.value")),
        **_named_line(line_item),
    }


def _named_line(line_item: str | None) -> Row:
    if line_item is None:
        return {"line": "total"}
    model, *rest = line_item.split(", ")
    # Tools and storage are billed under names with spaces, which no model has.
    if not rest or " " in model:
        return {"line": "other"}
    words = " ".join(rest).lower().split()
    tier = next((word for word in words if word in _TIERS), None)
    return {
        "line": _line_of([word for word in words if word not in (*_TIERS, "batch")]),
        "model": model,
        "is_batch": "batch" in words or None,
        "service_tier": tier,
    }


def _line_of(words: list[str]) -> str:
    if words[-1:] == ["output"]:
        return "output"
    if "cache" in words and any(word.startswith("writ") for word in words):
        return "cache_write"
    if words[-1:] == ["input"]:
        return "cache_read" if "cached" in words else "uncached_input"
    return "other"
