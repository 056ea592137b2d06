"""Rows of all files that are in no table of spans: duplicates, and log records beside the spans."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from llmops_lib.schema import QUARANTINE
from llmops_lib.sources.duplicates import KEY
from llmops_lib.sources.log_contents import log_reasons
from llmops_lib.sources.resolve import duplicate_rows
from llmops_lib.store.layout import day_files, message_files, scan_batches, write_frames
from llmops_lib.store.rows import OWN_SCHEMA, STORED_SCHEMA

_RECORD = [*KEY, "source_file", "source_line", "raw"]


def write_losses(store: Path, known: list[str]) -> dict[str, int]:
    """Writes which rows of all files are duplicates or log records into the quarantine.

    They are worked out from the stored rows themselves, so that a killed ingest cannot leave them wrong.

    Args:
        store: Directory of the store.
        known: Hashes of the files that count.

    Returns:
        Duplicates of each file, by its hash.
    """
    lost = _lost(store)
    write_frames(
        _quarantine(store, lost, message_files(store, known)),
        QUARANTINE.polars_schema,
        store / "quarantine" / "resolved.parquet",
    )
    return dict(lost.group_by("file").len().rows())


def _lost(store: Path) -> pl.DataFrame:
    found = [pl.DataFrame(schema={"_lost": STORED_SCHEMA["_lost"]})]
    has_lost = pl.col("_lost").list.len() > 0
    for path in day_files(store).values():
        found += scan_batches(path, has_lost, columns=["_lost"])
    return pl.concat(found).explode("_lost").unnest("_lost").unique(["file", "number"])


def _quarantine(store: Path, lost: pl.DataFrame, messages: list[Path]) -> Iterator[pl.DataFrame]:
    # One file of records at a time, because each record comes with its text.
    yield duplicate_rows(lost).sort("source_file", "source_line")
    keys = _keys(store, messages)
    for path in messages:
        for records in scan_batches(path, columns=_RECORD):
            yield log_reasons(records, keys).cast(QUARANTINE.polars_schema)


def _keys(store: Path, messages: list[Path]) -> pl.DataFrame:
    """The keys of the spans of all traces that the records are about."""
    own_keys = pl.DataFrame(schema={name: OWN_SCHEMA[name] for name in KEY})
    if not messages:
        return own_keys
    traces = [rows for path in messages for rows in scan_batches(path, columns=["trace_id"])]
    wanted = pl.col("trace_id").is_in(pl.concat(traces)["trace_id"].unique().implode())
    found = [rows for path in day_files(store).values() for rows in scan_batches(path, wanted, columns=KEY)]
    return pl.concat([own_keys, *found])
