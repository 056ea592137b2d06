"""The metrics of a production arm: what is summed over a user, what that is divided by, what is good."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from llmops_lib.errors import ComparisonError


@dataclass(frozen=True)
class PromptMetric:
    """A metric of an arm.

    Attributes:
        name: Its name, unit included.
        top: What is summed over users, out of the sums of `sums_per_user`.
        bottom: What that sum is divided by, summed over users too.
        higher_is_better: Direction; None where neither is better in itself.
        margin: Largest difference that does not matter where none is stated.
        is_relative: Whether that margin is a share of the baseline.
        missing: Column whose unknown values leave calls out; their share must not differ between arms.
        quantile: Between 0 and 1 for a quantile of `latency_ms`; then top and bottom are not used.
    """

    name: str
    top: pl.Expr
    bottom: pl.Expr
    higher_is_better: bool | None
    margin: float = 0.05
    is_relative: bool = True
    missing: str = ""
    quantile: float | None = None


_ONE = pl.lit(1.0)
_CALLS = pl.col("call_count")
# A user none of whose calls has a cost did not spend nothing: what was spent is unknown.
_HAS_COST = (pl.col("known_cost_usd") > 0).cast(pl.Float64)


def _per_call(name: str, column: str) -> PromptMetric:
    top, bottom = pl.col(f"sum_{column}"), pl.col(f"known_{column}")
    return PromptMetric(name, top, bottom, higher_is_better=False, missing=column)


def _latency(name: str, quantile: float) -> PromptMetric:
    top, bottom = pl.col("sum_latency_ms"), pl.col("known_latency_ms")
    return PromptMetric(name, top, bottom, higher_is_better=False, missing="latency_ms", quantile=quantile)


def _share(
    name: str, top: str, bottom: pl.Expr, higher_is_better: bool | None, margin: float = 0.01
) -> PromptMetric:
    return PromptMetric(name, pl.col(top), bottom, higher_is_better, margin, is_relative=False)


METRICS = (
    _per_call("cost_per_call_usd", "cost_usd"),
    PromptMetric(
        "cost_per_user_usd", pl.col("sum_cost_usd"), _HAS_COST, higher_is_better=False, missing="cost_usd"
    ),
    _per_call("input_tokens_per_call", "input_tokens"),
    _per_call("output_tokens_per_call", "output_tokens"),
    _latency("latency_p50_ms", 0.5),
    _latency("latency_p95_ms", 0.95),
    _share("error_share", "sum_is_error", pl.col("known_is_error"), False),
    _share("refusal_share", "sum_is_refused", pl.col("known_is_refused"), False),
    _share("feedback_score_mean", "sum_feedback_score", pl.col("known_feedback_score"), True, 0.05),
    _share("feedback_response_share", "known_feedback_score", _CALLS, None),
    _share("cached_token_share", "sum_cache_read_tokens", pl.col("sum_cached_input_tokens"), None),
    PromptMetric("calls_per_user", _CALLS, _ONE, higher_is_better=None),
)
"""What `compare_prompts` looks at, in the order of its table."""

NAMES = tuple(metric.name for metric in METRICS)
GUARDRAILS = ("error_share", "refusal_share", "latency_p95_ms")
"""Metrics that must not get worse, where a team names no others."""


def metrics_named(names: Iterable[str]) -> list[PromptMetric]:
    """The metrics of these names, in their order.

    Args:
        names: Names of metrics.

    Raises:
        ComparisonError: If there is none of a name; the message lists those there are.

    Example:
        >>> [metric.missing for metric in metrics_named(["latency_p95_ms", "cost_per_user_usd"])]
        ['latency_ms', 'cost_usd']
    """
    wanted, known = list(names), {metric.name: metric for metric in METRICS}
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        msg = f"found no metric {', '.join(unknown)}; there are {', '.join(NAMES)}"
        raise ComparisonError(msg)
    return [known[name] for name in wanted]
