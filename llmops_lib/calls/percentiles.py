"""Percentiles: what they are called, and how many values it takes to know one."""

import math

import narwhals as nw

from llmops_lib.errors import LlmopsError


def calls_to_resolve(percentile: float) -> int:
    """How many values are needed before a percentile says anything about its tail.

    A percentile is reported only where at least one value is expected beyond it: from 2 values
    for the 50th, 20 for the 95th, 100 for the 99th. Below that, interpolation would return
    little more than the extreme value under a name that promises a tail.

    Args:
        percentile: Between 0 and 100, both excluded.

    Raises:
        LlmopsError: If the percentile is outside.

    Example:
        >>> [calls_to_resolve(percentile) for percentile in (50, 95, 99, 99.9)]
        [2, 20, 100, 1000]
    """
    if not 0 < percentile < 100:
        msg = f"percentile {percentile!r} is not between 0 and 100; expected a number such as 95"
        raise LlmopsError(msg)
    return math.ceil(round(100 / min(percentile, 100 - percentile), 6))


def percentile_name(quantity: str, percentile: float, unit: str) -> str:
    """Column name of a percentile.

    Example:
        >>> percentile_name("latency", 95, "ms"), percentile_name("latency", 99.9, "ms")
        ('latency_p95_ms', 'latency_p99_9_ms')
    """
    return f"{quantity}_p{percentile:g}_{unit}".replace(".", "_")


def quantile(column: str, percentile: float) -> nw.Expr:
    """A percentile of a column by linear interpolation, the one way that all engines share."""
    return nw.col(column).quantile(percentile / 100, interpolation="linear")


def resolved(name: str, percentile: float, count: str = "call_count") -> nw.Expr:
    """The percentile column `name`; null where the values counted by `count` are too few for it."""
    return nw.when(nw.col(count) >= calls_to_resolve(percentile)).then(nw.col(name)).alias(name)
