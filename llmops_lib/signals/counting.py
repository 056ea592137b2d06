"""Flags and groups of the rows that signals count, on any engine."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import Frame, known_rows, quantile, with_group
from llmops_lib.frames import narwhal
from llmops_lib.refusals import is_refused
from llmops_lib.signals.regions import regional

WATCHED = ("request_model", "feature", "tenant")
"""Columns whose values are each watched as a stream of their own."""

CAUSES = (
    "request_model",
    "response_model",
    "provider",
    "feature",
    "tenant",
    "prompt_name",
    "prompt_version",
    "prompt_hash",
    "release",
    "service",
    "environment",
    "region",
)
"""Columns that an incident is explained by, those of tools and error classes aside."""

SLOW_PERCENTILE = 90
"""A call is slow, or dear, above this percentile of its own feature and model."""

_LARGE = {"latency_ms": "is_slow", "cost_usd": "is_dear"}

_NUMBERS = ("latency_ms", "cost_usd", "feedback_score")
_TEXTS = ("error_type", "tool_name", "operation", "trace_id", "session_id")


def flagged_calls(spans: Any, columns: Sequence[str] = ()) -> Frame:
    """All rows of a table with what signals count of each.

    Args:
        spans: SPANS, on any engine, with `cost_usd` of `price_calls` where spend is watched; uses `is_retry`
            and `is_refused` where the table has them, for the latter else finish reason and `output`.
        columns: Further columns to keep.

    Returns:
        The rows with `is_slow`, `is_dear` and `is_refused` (null where unknown), `request_model` (the model,
        where the export does not say which was asked for), and `hour_at` (UTC).

    Raises:
        MissingColumnError: If a column is missing.
    """
    needed = ["started_at", "is_model_call", "is_error", "request_model", "model", "feature"]
    optional = [*_NUMBERS, *_TEXTS, "finish_reason", "output", "is_refused", "is_retry"]
    if "region" in columns:
        spans = regional(spans)
    present = set(narwhal(spans).collect_schema().names())
    names = [*needed, *(name for name in optional if name in present), *columns]
    frame = known_rows(spans, names)
    asked = nw.coalesce("request_model", "model").alias("request_model")
    frame = frame.with_columns(
        asked, nw.col("started_at").dt.truncate("1h").alias("hour_at"), is_refused(present)
    )
    for value, flag in _LARGE.items():
        frame = _with_large(frame, value, flag) if value in present else frame
    return frame


def _with_large(frame: Frame, value: str, flag: str) -> Frame:
    """Whether a value of a call is above the percentile of the calls of its own feature and model."""
    own = nw.when(nw.col("is_model_call")).then(nw.col(value)).alias(value)
    usual = {f"_usual_{value}": quantile(value, SLOW_PERCENTILE)}
    grouped = with_group(frame.with_columns(own), ["request_model", "feature"], usual)
    return grouped.with_columns((nw.col(value) > nw.col(f"_usual_{value}")).alias(flag))
