"""Stored rows: the table as it is read, and beside it what each row was before other rows touched it.

A trace may arrive over days. What a span inherits, takes from a log record or a twin, and whether it is
folded, depend on the whole trace, so every row keeps its own values in `_own` and the rows that it
replaced in `_lost`. When more of a trace arrives, its rows are taken back to their own values and worked
out anew together: ingesting files one by one, in any order, gives what ingesting them at once gives.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from llmops_lib.evidence.overlaps import OVERLAPS, counted_overlaps
from llmops_lib.schema import SPANS
from llmops_lib.sources.duplicates import KEY, best_first, split_repeated
from llmops_lib.sources.fold import CHANGED, TAKEN
from llmops_lib.sources.resolve import complete
from llmops_lib.sources.rows import ROW_SCHEMA
from llmops_lib.store.layout import day_files

_LOST = pl.List(
    pl.Struct({"file": pl.String, "number": pl.Int64, "source_file": pl.String, "source_line": pl.Int64})
)
_IDENTITY = {"_file": pl.String(), "_number": pl.Int64(), "_lost": _LOST}
OWN_SCHEMA = pl.Schema({**ROW_SCHEMA, **_IDENTITY})
"""Rows on their own: `ROW_SCHEMA`, the file (its hash) and number of each row, and the rows it replaced."""

_RESTORED = [name for name in CHANGED if name != "is_model_call"]
_OWN = pl.Struct(
    {
        "file": pl.String,
        "number": pl.Int64,
        "feature_hint": pl.String,
        "filled": pl.List(pl.String),
        "is_folded": pl.Boolean,
        **{name: SPANS.polars_schema[name] for name in _RESTORED},
    }
)
STORED_SCHEMA = pl.Schema({**SPANS.polars_schema, "_own": _OWN, "_lost": _LOST})
"""Columns of a day file: SPANS, and the two that only this module reads."""


def own_rows(rows: pl.DataFrame, hashes: Mapping[str, str]) -> pl.DataFrame:
    """The rows of files with their identity, in `OWN_SCHEMA`.

    Args:
        rows: `PIECE_SCHEMA`.
        hashes: Hash of each of the files, by its path.
    """
    return rows.with_columns(
        pl.col("source_file").replace_strict(hashes, return_dtype=pl.String).alias("_file"),
        pl.col("row_number").alias("_number"),
        pl.lit([], dtype=_LOST).alias("_lost"),
    ).select(OWN_SCHEMA.names())


def restored_rows(stored: pl.DataFrame) -> pl.DataFrame:
    """Stored rows taken back to their own values, in `OWN_SCHEMA`."""
    own = pl.col("_own").struct
    is_folded = own.field("is_folded")
    return stored.with_columns(
        *(pl.when(~own.field("filled").list.contains(name)).then(name).alias(name) for name in TAKEN),
        *(pl.when(is_folded).then(own.field(name)).otherwise(name).alias(name) for name in _RESTORED),
        (pl.col("is_model_call") | is_folded).alias("is_model_call"),
        own.field("feature_hint"),
        own.field("file").alias("_file"),
        own.field("number").alias("_number"),
    ).select(OWN_SCHEMA.names())


def merged_rows(rows: pl.DataFrame, known: list[str]) -> pl.DataFrame:
    """One row per span; each remembers every row that it replaced, once.

    The order of the rows does not matter, nor whether a row comes twice.

    Args:
        rows: `OWN_SCHEMA`.
        known: Hashes of the files that count. A row of another one is what a killed ingest left of a file
            that has since changed; it stands back and is not counted.
    """
    once, repeated = split_repeated(rows)
    if repeated.is_empty():
        return once
    is_known = pl.col("_file").is_in(known)
    ordered = best_first(repeated.sort("_file", "_number")).sort(*KEY, ~is_known, maintain_order=True)
    kept = ordered.unique(KEY, keep="first", maintain_order=True)
    place = pl.struct(file="_file", number="_number", source_file="source_file", source_line="source_line")
    claims = pl.concat(
        [
            ordered.select(*KEY, place.alias("lost")),
            ordered.select(*KEY, pl.col("_lost").alias("lost"))
            .explode("lost", empty_as_null=False)
            .drop_nulls("lost"),
        ]
    ).with_columns(
        pl.col("lost").struct.field("file").alias("_file"),
        pl.col("lost").struct.field("number").alias("_number"),
    )
    identity = [*KEY, "_file", "_number"]
    lost = (
        claims.filter(is_known)
        .unique(identity)
        .join(kept.select(identity), on=identity, how="anti")
        .sort(identity)
    )
    by_span = lost.group_by(KEY, maintain_order=True).agg(pl.col("lost").alias("_lost"))
    kept = kept.drop("_lost").join(by_span, on=KEY, how="left", maintain_order="left")
    kept = kept.with_columns(pl.col("_lost").fill_null(pl.lit([], dtype=_LOST)))
    return pl.concat([once, kept.select(OWN_SCHEMA.names())])


def stored_rows(rows: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """The rows of whole traces as they are stored, in `STORED_SCHEMA`.

    Args:
        rows: `OWN_SCHEMA`, each key once.
        messages: LOG_MESSAGES of the same traces.
    """
    own = rows.sort("started_at", *KEY)
    done = complete(own, messages)
    is_folded = own["is_model_call"] & ~done["is_model_call"]
    filled = [
        pl.when(pl.lit(own[name].is_null() & done[name].is_not_null())).then(pl.lit(name)) for name in TAKEN
    ]
    before = own.select(
        file="_file",
        number="_number",
        feature_hint="feature_hint",
        filled=pl.concat_list(filled).list.drop_nulls(),
        is_folded=is_folded,
        **{name: pl.when(is_folded).then(name) for name in _RESTORED},
    )
    return done.with_columns(before.to_struct("_own")).select(STORED_SCHEMA.names()).cast(STORED_SCHEMA)


def stored_overlaps(store: Path) -> pl.LazyFrame:
    """Between which files rows were replaced, `OVERLAPS`.

    Args:
        store: Directory of the store.
    """
    days = list(day_files(store).values())
    if not days:
        return pl.LazyFrame(schema=OVERLAPS)
    rows = pl.scan_parquet(days, glob=False, hive_partitioning=False)
    lost = (
        rows.filter(pl.col("_lost").list.len() > 0)
        .select("started_at", pl.col("source_file").alias("other_file"), "_lost")
        .explode("_lost")
        .select(pl.col("_lost").struct.field("source_file"), "other_file", "started_at")
    )
    return counted_overlaps(lost)
