"""What columns are called in front of a reader, and how unknown names are shown."""

import polars as pl

UNKNOWN_NAME = "(not recorded)"
"""Stands for a null name: the export does not say."""

_LABELS = {
    "started_on": "Day",
    "user_id": "User",
    "session_id": "Session",
    "trace_id": "Trace",
    "span_id": "Span",
    "is_streaming": "Streaming",
    "request_model": "Model asked for",
    "response_model": "Model that answered",
    "prompt_name": "Prompt",
    "prompt_version": "Prompt version",
    "call_count": "Calls",
    "unpriced_count": "Unpriced",
    "error_count": "Failed",
    "error_share": "Failed share",
    "error_type": "Error class",
    "spend_usd": "Spend",
    "cost_usd": "Cost",
    "spend_share": "Share",
    "spend_usd_before": "Week before",
    "spend_usd_after": "Spend",
    "spend_usd_change": "Change",
    "spend_usd_change_share": "Change %",
    "call_count_after": "Calls",
    "call_count_before": "Calls before",
    "volume_effect_usd": "Volume",
    "mix_effect_usd": "Mix",
    "input_effect_usd": "Input per call",
    "output_effect_usd": "Output per call",
    "cache_effect_usd": "Cache",
    "price_effect_usd": "Price",
    "retry_effect_usd": "Retries",
    "unpriced_count_before": "Unpriced before",
    "unpriced_count_after": "Unpriced",
    "retried_count": "Failed, made again",
    "retried_unpriced_count": "Of unknown cost",
    "retried_spend_usd": "Cost of these",
    "retry_count": "Repeats",
    "retry_spend_usd": "Cost of repeats",
    "unknown_count": "Cannot be told",
    "group_count": "How many (n)",
    "top_1_share": "Top 1",
    "top_5_share": "Top 5",
    "top_20_share": "Top 20",
    "herfindahl": "Herfindahl",
    "unnamed_share": "Not recorded",
    "spend_rank": "Rank by spend",
    "tokens_rank": "Rank by tokens",
    "cost_per_call_usd": "Cost per call",
    "tokens_per_call": "Tokens per call",
    "input_tokens_per_call": "Input per call",
    "output_tokens_per_call": "Output per call",
    "saving_usd": "Saving",
    "how": "Rests on",
    "latency_ms": "Latency",
    "latency_p50_ms": "p50",
    "latency_p95_ms": "p95",
    "latency_p99_ms": "p99",
    "time_to_first_token_p50_ms": "First token p50",
    "time_to_first_token_p95_ms": "First token p95",
    "time_to_first_token_p99_ms": "First token p99",
    "input_tokens": "Input tokens",
    "output_tokens": "Output tokens",
    "started_at": "Started (UTC)",
    "first_at": "First (UTC)",
    "last_at": "Last (UTC)",
    "http_status": "HTTP status",
    "calls_without_usage_count": "Without token counts",
    "cached_call_count": "With cache",
    "converted_count": "Converted",
    "impossible_count": "Impossible",
    "convention_effect_usd": "Other reading",
    "case_count": "Found",
    "file_count": "Files",
    "reported_only_count": "Only reported",
    "calls_per_hour": "Calls per hour",
    "input_tokens_per_second": "Input tokens/s",
    "output_tokens_per_second": "Output tokens/s",
    "generation_p50_tokens_per_second": "Tokens/s of a call (median)",
    "error_share_of_errors": "Share of failures",
    "price_basis": "Why",
    "missing_count": "Not recorded",
    "missing_share": "Share",
    "row_count": "Rows",
    "is_lost": "Content lost",
    "first_line": "First place",
    "input_excerpt": "Input",
    "output_excerpt": "Output",
    "error_excerpt": "Error",
}


def label(column: str) -> str:
    """A column's name as a reader reads it.

    Example:
        >>> label("user_id"), label("feature"), label("cache_read_share")
        ('User', 'Feature', 'Cache read share')
    """
    if column in _LABELS:
        return _LABELS[column]
    words = column
    for ending in ("_usd", "_ms", "_count", "_at", "_on"):
        words = words.removesuffix(ending)
    return words.replace("_", " ").capitalize()


def named(table: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The table with unknown names spelled out, so that they are drawn and not dropped."""
    return table.with_columns(pl.col(name).cast(pl.String).fill_null(UNKNOWN_NAME) for name in columns)
