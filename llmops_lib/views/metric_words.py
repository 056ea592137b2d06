"""What metrics of a comparison are called, and how their values, limits and p values are written."""

from llmops_lib.views.formats import change, formatter

METRIC_LABELS = {
    "cost_per_call_usd": "Cost per call",
    "cost_per_user_usd": "Cost per user",
    "input_tokens_per_call": "Input tokens per call",
    "output_tokens_per_call": "Output tokens per call",
    "latency_p50_ms": "Latency p50",
    "latency_p95_ms": "Latency p95",
    "error_share": "Failed calls",
    "refusal_share": "Refusals",
    "feedback_score_mean": "Feedback score",
    "feedback_response_share": "Calls rated",
    "cached_token_share": "Input from cache",
    "calls_per_user": "Calls per user",
    "latency_ms": "Latency of a call",
    "cost_usd": "Cost of a call",
    "output_tokens": "Output tokens of a call",
    "input_tokens": "Input tokens of a call",
}
"""What metrics and columns are called in front of a reader."""


def metric_text(metric: str, value: float | None) -> str:
    """A value of a metric in its own unit.

    Example:
        >>> metric_text("cost_per_call_usd", 0.0123), metric_text("error_share", None)
        ('$0.012', '–')
    """
    if metric in ("feedback_score_mean", "calls_per_user"):
        return "–" if value is None else f"{value:.3g}"
    return formatter(metric)[0](value)


def percent_range(lower: float | None, upper: float | None) -> str:
    """Two relative limits.

    Example:
        >>> percent_range(-0.02, 0.3)
        '-2.0% to +30%'
    """
    return "–" if lower is None or upper is None else f"{change(lower)} to {change(upper)}"


def plain_range(lower: float | None, upper: float | None) -> str:
    """Two limits of a score.

    Example:
        >>> plain_range(-0.02, 0.3)
        '-0.02 to +0.3'
    """
    return "–" if lower is None or upper is None else f"{lower:+.3g} to {upper:+.3g}"


def p_text(value: float | None) -> str:
    """A p value as people read it.

    Example:
        >>> p_text(0.02951), p_text(1e-9), p_text(None)
        ('0.030', '<0.001', '–')
    """
    if value is None:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
