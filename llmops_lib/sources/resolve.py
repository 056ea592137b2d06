"""Rows of many files as one table of spans: a trace is spread over lines and files in any order."""

from dataclasses import dataclass

import polars as pl

from llmops_lib.evidence.overlaps import counted_overlaps
from llmops_lib.schema import QUARANTINE, SPANS
from llmops_lib.sources.ancestry import parent_rows
from llmops_lib.sources.duplicates import KEY, best_first, split_repeated
from llmops_lib.sources.failures import told_status
from llmops_lib.sources.fold import fold_repeated_calls
from llmops_lib.sources.inherit import inherit
from llmops_lib.sources.log_contents import fill_from_logs, log_reasons


@dataclass(frozen=True)
class Resolved:
    """Rows that were loaded together, as they stand in the table.

    Attributes:
        spans: SPANS, ordered by start.
        quarantine: QUARANTINE: the rows that another row of the same span replaced, and log records.
        overlaps: `OVERLAPS`: from which file to which other rows were replaced.
    """

    spans: pl.DataFrame
    quarantine: pl.DataFrame
    overlaps: pl.DataFrame


def resolve(rows: pl.DataFrame, messages: pl.DataFrame) -> Resolved:
    """The table of spans that rows make together, and the rows that are not in it.

    The same rows in any order, and with any of them repeated, give the same table.

    Args:
        rows: SPANS columns and `feature_hint`, as readers return them.
        messages: LOG_MESSAGES, as readers return them.

    Returns:
        `spans` and `quarantine`, together as many rows as `rows` and `messages`.
    """
    once, repeated = split_repeated(rows)
    ordered = best_first(repeated)
    is_kept = ordered.select(pl.struct(KEY).is_first_distinct()).to_series()
    spans = complete(pl.concat([once, ordered.filter(is_kept)]), messages)
    quarantine = pl.concat([duplicate_rows(ordered.filter(~is_kept)), log_reasons(messages, spans)])
    return Resolved(spans.select(SPANS.names), quarantine, _overlaps(ordered, is_kept))


def _overlaps(ordered: pl.DataFrame, is_kept: pl.Series) -> pl.DataFrame:
    place = pl.col("source_file")
    kept = ordered.filter(is_kept).select(*KEY, place.alias("other_file"))
    lost = ordered.filter(~is_kept).select(*KEY, place, "started_at").join(kept, on=KEY)
    return counted_overlaps(lost)


def complete(rows: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """The rows with what other rows of their traces add: messages, inherited values, folded calls.

    Args:
        rows: SPANS columns, `feature_hint` and any others, each key once.
        messages: LOG_MESSAGES.

    Returns:
        The same rows and columns, ordered by start.
    """
    rows = fill_from_logs(rows.sort("started_at", *KEY), messages).with_columns(told_status())
    parents = parent_rows(rows)
    return fold_repeated_calls(inherit(rows, parents), parents)


def duplicate_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that lost to another row of the same span, as rows of the quarantine.

    Args:
        rows: Uses `source_file`, `source_line`.
    """
    return rows.select(
        "source_file",
        "source_line",
        pl.lit(None, dtype=pl.Int64).alias("byte_offset"),
        pl.lit("duplicate").alias("reason"),
        pl.lit(None, dtype=pl.String).alias("raw"),
    ).cast(QUARANTINE.polars_schema)
