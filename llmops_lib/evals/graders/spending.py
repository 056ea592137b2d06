"""What a call took: time and money."""

from collections.abc import Mapping
from typing import Any

from llmops_lib.evals.graders.answers import Graded, Verdict


def latency(graded: Graded, settings: Mapping[str, Any]) -> Verdict | None:
    """How long the call took, in milliseconds.

    Args:
        graded: The answer.
        settings: `most_ms` that passes; without it, nothing fails.
    """
    return _bounded(graded.latency_ms, settings.get("most_ms"))


def cost(graded: Graded, settings: Mapping[str, Any]) -> Verdict | None:
    """What the call cost, in USD; no verdict where that is unknown.

    Args:
        graded: The answer.
        settings: `most_usd` that passes; without it, nothing fails.
    """
    return _bounded(graded.cost_usd, settings.get("most_usd"))


def _bounded(value: float | None, most: Any) -> Verdict | None:
    if value is None:
        return None
    is_within = most is None or value <= float(most)
    return Verdict(value, is_within, "within" if is_within else "over", "" if is_within else f"over {most:g}")
