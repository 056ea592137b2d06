"""Tokens and cost of the model under test in one sample of an Inspect log.

- `input_tokens` excludes what a cache read or wrote, which is added here. Logs before 0.3.285 pass the
  counts of some providers through: there, a total of just input and output shows the cache to be inside.
- A sample's `model_usage` has an entry per model; graders and other roles are not the model under test.
- Logs of 2024 lack it or leave it empty. The usage of the last answer stands for the sample only where it
  is the only answer.
"""

import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.refusals import Refused

_EXCLUSIVE_SINCE = (0, 3, 285)
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_CACHE = ("input_tokens_cache_read", "input_tokens_cache_write")


def usage_columns(sample: Mapping[str, Any], model: str | None, version: str | None) -> dict[str, Any]:
    """`input_tokens`, `output_tokens` and `cost_usd` of a sample; empty where its usage is unknown.

    Args:
        sample: A sample of the log.
        model: Model under test.
        version: Release of inspect_ai that wrote the log.

    Raises:
        Refused: If a count is none.
    """
    usage = _usage_of(sample, model)
    if not usage:
        return {}
    cached = sum(_count(usage, name) for name in _CACHE)
    columns = {name: usage.get(name) for name in ("input_tokens", "output_tokens")}
    if cached and columns["input_tokens"] is not None and not _is_cache_inside(usage, cached, version):
        columns["input_tokens"] = _count(usage, "input_tokens") + cached
    return {**columns, "cost_usd": usage.get("total_cost")}


def _usage_of(sample: Mapping[str, Any], model: str | None) -> Mapping[str, Any]:
    by_model = sample.get("model_usage")
    if isinstance(by_model, dict) and by_model:
        usage = by_model.get(model)
    else:
        output = sample.get("output")
        usage = output.get("usage") if isinstance(output, dict) and _has_one_answer(sample) else None
    return usage if isinstance(usage, dict) else {}


def _has_one_answer(sample: Mapping[str, Any]) -> bool:
    messages = sample.get("messages")
    roles = (
        [one.get("role") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    )
    return roles.count("assistant") == 1


def _is_cache_inside(usage: Mapping[str, Any], cached: int, version: str | None) -> bool:
    found = _VERSION.match(version or "")
    if found and tuple(int(part) for part in found.groups()) >= _EXCLUSIVE_SINCE:
        return False
    sent = _count(usage, "input_tokens")
    return cached <= sent and usage.get("total_tokens") == sent + _count(usage, "output_tokens")


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not a whole number")
    return value
