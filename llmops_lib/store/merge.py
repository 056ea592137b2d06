"""New rows into the days of a store, together with what is stored of the same traces."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from llmops_lib.errors import StoreError
from llmops_lib.schema import QUARANTINE
from llmops_lib.sources.duplicates import KEY
from llmops_lib.sources.file_rows import FileRows
from llmops_lib.sources.log_contents import log_reasons
from llmops_lib.sources.resolve import duplicate_rows
from llmops_lib.sources.rows import LOG_MESSAGES
from llmops_lib.store.layout import day_file, day_files, write_table
from llmops_lib.store.rows import OWN_SCHEMA, STORED_SCHEMA, merged_rows, own_rows, restored_rows, stored_rows


def merge_files(store: Path, files: Iterable[FileRows], known: list[str]) -> set[date]:
    """Puts the rows of files into their days; every trace they touch is worked out anew as a whole.

    Args:
        store: Directory of the store.
        files: What to add.
        known: Hashes of the files whose log records count: those of the store and these.

    Returns:
        The UTC days that were written.
    """
    files = list(files)
    for file in files:
        write_table(file.rows.log_messages, _message_file(store, file.sha256))
    traces = pl.concat(
        [rows["trace_id"] for file in files for rows in (file.rows.spans, file.rows.log_messages)]
    ).unique()
    stored = {on: _rows_of(path, traces) for on, path in day_files(store).items()}
    rows = pl.concat(
        [
            *(own_rows(file.rows, file.sha256) for file in files),
            *(restored_rows(old) for old in stored.values() if not old.is_empty()),
        ]
    )
    messages = _messages(store, known).filter(pl.col("trace_id").is_in(traces.implode()))
    done = stored_rows(merged_rows(rows, known), messages)
    return _write_days(store, done, {on: old for on, old in stored.items() if not old.is_empty()}, traces)


def write_losses(store: Path, known: list[str]) -> dict[str, int]:
    """Writes which rows of all files are duplicates or log records into the quarantine.

    They are worked out from the stored rows themselves, so that a killed ingest cannot leave them wrong.

    Args:
        store: Directory of the store.
        known: Hashes of the files that count.

    Returns:
        Duplicates of each file, by its hash.
    """
    lost = [_collected(pl.scan_parquet(path).select("_lost"), path) for path in day_files(store).values()]
    rows = pl.concat([pl.DataFrame(schema={"_lost": STORED_SCHEMA["_lost"]}), *lost])
    rows = rows.filter(pl.col("_lost").list.len() > 0).explode("_lost").unnest("_lost")
    rows = rows.unique(["file", "number"])
    messages = _messages(store, known)
    records = log_reasons(messages, _keys(store, messages["trace_id"]))
    quarantine = pl.concat([duplicate_rows(rows), records.cast(QUARANTINE.polars_schema)])
    quarantine = quarantine.sort("source_file", "source_line", "reason", "raw", nulls_last=True)
    write_table(quarantine, store / "quarantine" / "resolved.parquet")
    return dict(rows.group_by("file").len().rows())


def _rows_of(path: Path, traces: pl.Series) -> pl.DataFrame:
    return _collected(pl.scan_parquet(path).filter(pl.col("trace_id").is_in(traces.implode())), path)


def _write_days(
    store: Path, done: pl.DataFrame, stored: dict[date, pl.DataFrame], traces: pl.Series
) -> set[date]:
    dated = done.with_columns(pl.col("started_at").dt.date().alias("_on"))
    parts = dated.partition_by("_on", as_dict=True, include_key=False)
    by_day = {on: done.clear() for on in stored} | {on: part for (on,), part in parts.items()}
    days = sorted(by_day)
    moved = {on: old.join(by_day[on], on=KEY, how="anti") for on, old in stored.items()}
    # A span whose start was mended leaves its day only once it is in the other: a kill must not lose it.
    for on in days:
        _write_day(day_file(store, on), pl.concat([by_day[on], moved.get(on, done.clear())]), traces)
    for on in days:
        if on in moved and not moved[on].is_empty():
            _write_day(day_file(store, on), by_day[on], traces)
    return set(days)


def _write_day(path: Path, rows: pl.DataFrame, traces: pl.Series) -> None:
    if path.exists():
        others = pl.scan_parquet(path).filter(~pl.col("trace_id").is_in(traces.implode()))
        rows = pl.concat([_collected(others, path), rows])
    write_table(rows.sort("started_at", *KEY), path)


def _keys(store: Path, traces: pl.Series) -> pl.DataFrame:
    found = [pl.DataFrame(schema={name: OWN_SCHEMA[name] for name in KEY})]
    if not traces.is_empty():
        wanted = pl.col("trace_id").is_in(traces.unique().implode())
        days = day_files(store).values()
        found += [_collected(pl.scan_parquet(path).select(KEY).filter(wanted), path) for path in days]
    return pl.concat(found)


def _message_file(store: Path, sha256: str) -> Path:
    return store / "messages" / f"{sha256}.parquet"


def _messages(store: Path, known: list[str]) -> pl.DataFrame:
    # A file of messages may be that of a killed ingest; it counts once its own file is taken.
    paths = [path for path in (_message_file(store, sha256) for sha256 in sorted(known)) if path.exists()]
    found = [_collected(pl.scan_parquet(path), path) for path in paths]
    return pl.concat([pl.DataFrame(schema=LOG_MESSAGES), *found])


def _collected(rows: pl.LazyFrame, path: Path) -> pl.DataFrame:
    try:
        return rows.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        msg = f"{path}: cannot be read ({error}); move it away, delete files/ of the store, and ingest again"
        raise StoreError(msg) from error
