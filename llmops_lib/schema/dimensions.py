"""The columns that spend and traffic may be broken down by."""

from llmops_lib.errors import ParameterError

DIMENSIONS = (
    "model",
    "request_model",
    "response_model",
    "provider",
    "operation",
    "feature",
    "tenant",
    "user_id",
    "session_id",
    "environment",
    "service",
    "release",
    "prompt_name",
    "prompt_version",
    "prompt_hash",
    "error_type",
    "finish_reason",
    "source_format",
    "source_file",
)
"""Text columns of SPANS with few enough values to group by."""

REST_NAME = "(all others)"
"""Stands for the groups below the largest few, in measures and in the colours of charts."""

REPORT_COLUMNS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "is_model_call",
    "started_at",
    "time_to_first_token_ms",
    "latency_ms",
    *DIMENSIONS,
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "reported_cost_usd",
    "is_error",
    "error_message",
    "http_status",
    "cost_usd",
    "is_priced",
    "price_basis",
)
"""Columns of priced spans that a report computes with: all but texts, which are most of an export."""

SPENDER_COLUMNS = (
    *REPORT_COLUMNS,
    "input_cost_usd",
    "cache_read_cost_usd",
    "cache_write_cost_usd",
    "output_cost_usd",
    "is_retried",
    "is_retry",
    "system_chars",
    "input_chars",
)
"""Columns of priced spans that a review of spenders computes with: the parts of each cost, and in place of
texts what `with_retries` and `with_text_lengths` tell of them."""

COMPARED_COLUMNS = (*REPORT_COLUMNS, "feedback_score", "is_refused")
"""Columns of priced spans that a comparison of prompts computes with: feedback, and what `with_refusals` says
of the answers. Arms of an experiment stand in `attributes`, which are long."""
INCIDENT_COLUMNS = (
    *REPORT_COLUMNS,
    "tool_name",
    "feedback_score",
    "is_retried",
    "is_retry",
    "is_refused",
    "region",
)
"""Columns of priced spans that a postmortem computes with: in place of answers whether they refuse, and
in place of attributes what `with_region` reads in them."""

WHAT_IF_COLUMNS = (*REPORT_COLUMNS, "feedback_score", "difficulty_score", "system_chars", "input_chars")
"""Columns of priced spans that a what-if computes with: what answers were worth, what `with_difficulty` says
of the questions, and in place of texts their lengths."""


def dimension_names(by: str) -> list[str]:
    """The dimensions named in a list with commas.

    Args:
        by: Such as `"tenant,feature"`; spaces do not matter and a name counts once.

    Returns:
        Column names in the order given.

    Raises:
        ParameterError: If a name is no dimension, or there is none; the message lists them all.

    Example:
        >>> dimension_names("tenant, feature,tenant")
        ['tenant', 'feature']
    """
    names = list(dict.fromkeys(name.strip() for name in by.split(",") if name.strip()))
    unknown = [name for name in names if name not in DIMENSIONS]
    if unknown or not names:
        msg = f"by: found {unknown or 'no dimension'}; expected some of {', '.join(DIMENSIONS)}"
        raise ParameterError(msg)
    return names
