"""Which calls failed and were made again.

No export says so. A failed call counts as made again where the next call of the same trace, parent, model
asked for and input started after it had ended.
"""

from typing import Any

import narwhals as nw

from llmops_lib.calls.engines import Frame
from llmops_lib.calls.rows import known_rows
from llmops_lib.frames import narwhal

RETRY_EVIDENCE = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "is_model_call",
    "is_error",
    "request_model",
    "model",
    "input",
    "started_at",
    "ended_at",
)
"""Columns of SPANS that tell a retry."""

_FLAGS = ("is_retried", "is_retry")
_NO, _YES, _UNKNOWN = 0, 1, 2
_KEY = ["trace_id", "_parent", "_asked", "input"]


def flagged_retries(table: Any) -> Frame:
    """All rows and columns of a table with `is_retried` and `is_retry`, which are kept where it has them.

    Args:
        table: SPANS, on any engine; uses `RETRY_EVIDENCE`.

    Raises:
        MissingColumnError: If the table has neither the flags nor the columns that tell a retry.
    """
    present = narwhal(table).collect_schema().names()
    if set(_FLAGS) <= set(present):
        return known_rows(table, present)
    frame = known_rows(table, [*present, *RETRY_EVIDENCE], hint="with_retries() takes a SPANS table.")
    # A key that repeats must not multiply the rows that it joins.
    marks: Any = _marked(frame).unique(["trace_id", "span_id"], keep="any")
    joined = frame.join(marks, on=["trace_id", "span_id"], how="left")
    flags = [_flag(f"_{name}").alias(name) for name in _FLAGS]
    kept = [name for name in present if name not in _FLAGS]
    flagged = joined.with_columns(flags)
    # Once more, since pandas makes flags with nulls objects.
    return known_rows(flagged.to_native(), [*kept, *_FLAGS])


def _marked(frame: Frame) -> Frame:
    calls = frame.filter(nw.col("is_model_call")).select(RETRY_EVIDENCE)
    # Few traces hold a failed call, so that few message texts are compared.
    failed: Any = calls.filter(nw.col("is_error")).select("trace_id").unique()
    asked = nw.coalesce("request_model", "model").fill_null("").alias("_asked")
    candidates = calls.join(failed, on="trace_id", how="semi").with_columns(
        asked, nw.col("parent_span_id").fill_null("").alias("_parent")
    )
    order = ["started_at", "span_id"]
    following = candidates.with_columns(
        nw.col("started_at").shift(-1).over(_KEY, order_by=order).alias("_next_at")
    )
    marked = following.with_columns(_mark().alias("_is_retried"))
    before = nw.col("_is_retried").shift(1).over(_KEY, order_by=order).fill_null(_NO)
    return marked.with_columns(before.alias("_is_retry")).select(
        "trace_id", "span_id", "_is_retried", "_is_retry"
    )


def _mark() -> nw.Expr:
    is_unknown = nw.col("input").is_null() | nw.col("ended_at").is_null()
    return (
        nw.when(~nw.col("is_error") | nw.col("_next_at").is_null())
        .then(nw.lit(_NO))
        .when(is_unknown)
        .then(nw.lit(_UNKNOWN))
        .when(nw.col("_next_at") >= nw.col("ended_at"))
        .then(nw.lit(_YES))
        .otherwise(nw.lit(_NO))
    )


def _flag(mark: str) -> nw.Expr:
    # A call that was no candidate has no mark after the join.
    known = nw.col(mark).fill_null(_NO)
    return nw.when(known != _UNKNOWN).then(known == _YES)
