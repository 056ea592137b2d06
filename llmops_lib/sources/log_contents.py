"""What came in records beside the spans: messages of one span, and the fields of a whole trace."""

import polars as pl

from llmops_lib.schema import QUARANTINE
from llmops_lib.sources.duplicates import KEY
from llmops_lib.sources.rows import TRACE_COLUMNS

CONTENTS = ("input", "output", "system_instructions")


def fill_from_logs(rows: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """The same rows, with messages of log records and fields of traces where a span has none of its own.

    Several records of one span are joined in the order of their files and lines; a file that repeats
    lines does not repeat messages. Of several records about one trace the last that states a field counts.

    Args:
        rows: SPANS columns, each key once.
        messages: LOG_MESSAGES.
    """
    if messages.is_empty():
        return rows
    of_span = _by_span(messages.filter(pl.col("span_id").is_not_null()))
    of_trace = _by_trace(messages.filter(pl.col("span_id").is_null()))
    filled = (
        rows.select(KEY)
        .join(of_span, on=KEY, how="left", maintain_order="left")
        .join(of_trace, on="trace_id", how="left", maintain_order="left")
    )
    names = (*CONTENTS, *TRACE_COLUMNS)
    return rows.with_columns(pl.coalesce(name, pl.lit(filled[name])).alias(name) for name in names)


def log_reasons(messages: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """The records as rows of the quarantine: none of them is a span, and most are now part of one.

    Args:
        messages: LOG_MESSAGES.
        spans: Uses the key of SPANS.
    """
    if messages.is_empty():
        return QUARANTINE.empty()
    found = spans.select(KEY).unique().with_columns(is_found=True)
    traces = spans.select("trace_id").unique().with_columns(is_trace_found=True)
    joined = messages.join(found, on=KEY, how="left", maintain_order="left").join(
        traces, on="trace_id", how="left", maintain_order="left"
    )
    is_trace = pl.col("span_id").is_null()
    reason = (
        pl.when(pl.when(is_trace).then("is_trace_found").otherwise("is_found"))
        .then(pl.lit("merged"))
        .when(is_trace)
        .then(pl.lit("not_a_span: the spans of this trace are absent"))
        .otherwise(pl.lit("not_a_span: the span of this log record is absent"))
    )
    return joined.select(
        "source_file",
        "source_line",
        pl.lit(None, dtype=pl.Int64).alias("byte_offset"),
        reason.alias("reason"),
        "raw",
    )


def _by_span(messages: pl.DataFrame) -> pl.DataFrame:
    place = ["source_file", "source_line"]
    by_line = (
        messages.sort(place, maintain_order=True)
        .group_by([*KEY, *place], maintain_order=True)
        .agg(**{name: _joined(pl.col(name)) for name in CONTENTS})
    )
    # The same line read twice holds the same lists.
    distinct = by_line.unique([*KEY, *CONTENTS], keep="first", maintain_order=True)
    return distinct.group_by(KEY, maintain_order=True).agg(
        **{name: _joined(pl.col(name)) for name in CONTENTS}
    )


def _by_trace(records: pl.DataFrame) -> pl.DataFrame:
    in_order = records.sort("source_file", "source_line", maintain_order=True)
    stated = [pl.col(name).drop_nulls().last() for name in TRACE_COLUMNS]
    return in_order.group_by("trace_id", maintain_order=True).agg(stated)


def _joined(lists: pl.Expr) -> pl.Expr:
    items = lists.str.strip_chars().str.slice(1).str.strip_suffix("]").str.strip_chars()
    items = items.filter(items != "")
    return pl.when(items.len() > 0).then(pl.concat_str(pl.lit("["), items.str.join(","), pl.lit("]")))
