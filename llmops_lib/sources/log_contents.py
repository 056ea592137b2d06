"""Messages that came in log records, put into the spans they belong to."""

import polars as pl

from llmops_lib.sources.duplicates import KEY

CONTENTS = ("input", "output", "system_instructions")


def fill_from_logs(rows: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """The same rows, with the messages of log records where a span has none of its own.

    Several records of one span are joined in the order of their files and lines; a file that repeats
    lines does not repeat messages.

    Args:
        rows: SPANS columns, each key once.
        messages: LOG_MESSAGES.
    """
    if messages.is_empty():
        return rows
    filled = rows.select(KEY).join(_by_span(messages), on=KEY, how="left", maintain_order="left")
    return rows.with_columns(pl.coalesce(name, pl.lit(filled[name])).alias(name) for name in CONTENTS)


def log_reasons(messages: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """The log records as rows of the quarantine: none of them is a span, and most are now part of one.

    Args:
        messages: LOG_MESSAGES.
        spans: Uses the key of SPANS.
    """
    found = spans.select(KEY).unique().with_columns(is_found=True)
    joined = messages.join(found, on=KEY, how="left", maintain_order="left")
    reason = (
        pl.when("is_found")
        .then(pl.lit("merged"))
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


def _joined(lists: pl.Expr) -> pl.Expr:
    items = lists.str.strip_chars().str.slice(1).str.strip_suffix("]").str.strip_chars()
    items = items.filter(items != "")
    return pl.when(items.len() > 0).then(pl.concat_str(pl.lit("["), items.str.join(","), pl.lit("]")))
