"""Token counts and cost of many Langfuse observations at once, where only the plainest keys are used."""

from collections.abc import Mapping, Sequence
from typing import Any

from llmops_lib.sources.langfuse_usage import TOTAL_TOKENS
from llmops_lib.sources.objects import Objects

_PLAIN_COLUMNS = {"input": "input_tokens", "output": "output_tokens", "total": TOTAL_TOKENS}


def plain_counts(found: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]] | None:
    """What `token_counts` and `convention_notes` give, if all count only input, output and their total.

    Args:
        found: Cells by field, in snake_case.
    """
    counts = _columns(found.get("usage_details", ()))
    if not counts or "usage" in found or "unit" in found or not _PLAIN_COLUMNS.keys() >= counts.keys():
        return None
    if not all(map(_are_counts, counts.values())):
        return None
    return {_PLAIN_COLUMNS[name]: list(values) for name, values in counts.items()}


def plain_costs(found: Mapping[str, Sequence[Any]]) -> list[Any] | None:
    """What `reported_cost` gives for many observations, if only their cost details can tell it.

    Args:
        found: Cells by field, in snake_case.
    """
    details = found.get("cost_details", ())
    if not {"total_cost", "usage"}.isdisjoint(found):
        return None
    if isinstance(details, Objects):
        return list(details.fields["total"]) if "total" in details.fields else None
    if set(map(type, details)) != {dict} or not all("total" in cost for cost in details):
        return None
    return [cost["total"] for cost in details]


def _columns(details: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    """The fields of objects with the same names, or nothing."""
    if isinstance(details, Objects):
        return details.fields
    keys = set(map(tuple, details)) if set(map(type, details)) == {dict} else set()
    if len(keys) != 1:
        return {}
    return dict(zip(*keys, zip(*map(dict.values, details), strict=True), strict=True))


def _are_counts(values: Sequence[Any]) -> bool:
    return set(map(type, values)) == {int} and 0 <= min(values) <= max(values) < 2**63
