"""Usage and cost reports of Anthropic's administration API.

- Usage counts uncached input apart from cache reads and the two kinds of cache writes.
- Usage does not say how many requests there were; newer analytics reports do.
- `amount` is text, in cents, with as many decimals as it takes.
- A null `workspace_id` is the default workspace or a report that is not grouped: nobody can tell.
- Usage of the priority tier is never in the costs.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.bills.figures import count, decimal, in_dollars, text
from llmops_lib.sources.refusals import Refused

FORMAT = "anthropic_bill"
PROVIDER = "anthropic"
LOOKED_FOR = (
    "Anthropic usage or cost report: buckets with starting_at, ending_at and results, or the console's "
    "table with usage_date_utc and usage_output_tokens or cost_usd"
)
START, END = "starting_at", "ending_at"
RESULTS = ("results",)

_COST_LINES = {
    "uncached_input_tokens": "uncached_input",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "output_tokens": "output",
}

Row = dict[str, Any]


def matches(bucket: Mapping[str, Any]) -> bool:
    """Whether this is a bucket of Anthropic's usage or cost report."""
    return START in bucket and END in bucket and isinstance(bucket.get("results"), list)


def lines(outcome: Mapping[str, Any]) -> list[Row]:
    """The lines of one result, without what they share with their bucket.

    Args:
        outcome: An entry of `results`.

    Raises:
        Refused: If a figure is none, or the currency is not the dollar.
    """
    shared: Row = {"model": text(outcome, "model"), "service_tier": text(outcome, "service_tier")}
    shared["is_batch"] = None if shared["service_tier"] is None else shared["service_tier"] == "batch"
    if "amount" in outcome:
        return [{**shared, **_cost_line(outcome)}]
    shared |= {"kind": "usage", "product": "messages"}
    return [
        {**shared, "line": line, "quantity": found, "quantity_unit": unit}
        for line, found, unit in _quantities(outcome)
    ]


def _quantities(outcome: Mapping[str, Any]) -> list[tuple[str, float | None, str]]:
    writes = _part(outcome, "cache_creation")
    found: list[tuple[str, float | None, str]] = [
        ("uncached_input", count(outcome, "uncached_input_tokens"), "tokens"),
        ("cache_read", count(outcome, "cache_read_input_tokens"), "tokens"),
        ("cache_write", count(writes, "ephemeral_5m_input_tokens"), "tokens"),
        ("cache_write_1h", count(writes, "ephemeral_1h_input_tokens"), "tokens"),
        ("output", count(outcome, "output_tokens"), "tokens"),
    ]
    if "requests" in outcome:
        found.append(("requests", count(outcome, "requests"), "requests"))
    searches = count(_part(outcome, "server_tool_use"), "web_search_requests")
    if searches:
        found.append(("other", searches, "web searches"))
    return found


def _part(outcome: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = outcome.get(name)
    if part is not None and not isinstance(part, dict):
        raise Refused(reason="type", detail=f"{name} is a {type(part).__name__}, expected an object")
    return part or {}


def _cost_line(outcome: Mapping[str, Any]) -> Row:
    in_dollars(outcome.get("currency"))
    token_type, description = text(outcome, "token_type"), text(outcome, "description")
    cost_type = text(outcome, "cost_type")
    # A table of the console names models as people do: its costs are of nothing that a trace names.
    is_split = any((token_type, description, cost_type)) and "model_name" not in outcome
    return {
        "kind": "cost",
        "product": "cost_report",
        "line": _COST_LINES.get(token_type or "", "other") if is_split else "total",
        "line_item": description or cost_type,
        "cost_usd": float(decimal(outcome["amount"], "amount") / 100),
    }
