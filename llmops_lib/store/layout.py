"""Where things lie in a store, and how they are written so that a kill leaves old or new, never broken.

```
llmops-store.json                            marker with the version of this layout
spans/started_on=2026-11-09/spans.parquet    the spans that started on that UTC day
messages/<sha256>.parquet                    log records of a file, kept for spans still to come
quarantine/<sha256>.parquet                  rows of a file that its reader refused
quarantine/resolved.parquet                  duplicates and merged log records of all files
.waiting/                                    rows that a running ingest has read and not yet stored
files/<sha256>.json                          what is known of a file; written last, when all else is done
```
"""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet
from filelock import FileLock, Timeout
from polars.io.plugins import register_io_source

from llmops_lib.errors import StoreError
from llmops_lib.sources.export_files import STORE_MARKER
from llmops_lib.whole_files import write_whole

VERSION = 1
_LOCK = ".lock"
_LOCK_SECONDS = 30
# So few that a slice of a day, or a period, can be read without the rest of it.
_ROW_GROUP = 20_000


def require_store(store: Path) -> Path:
    """The directory itself, once it is known to be a store of a version that this library reads.

    Raises:
        StoreError: If it is none.
    """
    try:
        marker = json.loads((store / STORE_MARKER).read_bytes())
        version = marker["version"]
    except FileNotFoundError as error:
        msg = f"{store}: is no span store: it holds no {STORE_MARKER}; ingest() makes one in a new directory"
        raise StoreError(msg) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{store / STORE_MARKER}: cannot be read ({error}); expected {{'version': {VERSION}}}"
        raise StoreError(msg) from error
    if version != VERSION:
        msg = f"{store}: is a span store of version {version!r}, expected {VERSION}; ingest into a new store"
        raise StoreError(msg)
    return store


@contextlib.contextmanager
def writing(store: Path) -> Iterator[None]:
    """Holds a store for one writer, makes it where there is none, and sweeps what a killed writer left.

    Raises:
        StoreError: If the directory holds other things, cannot be written, or another writer has it.
    """
    lock = FileLock(store / _LOCK)
    try:
        store.mkdir(parents=True, exist_ok=True)
        is_new = not any(entry.name != _LOCK for entry in store.iterdir())
        if not is_new:
            require_store(store)
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        msg = (
            f"{store}: another process has been writing for {_LOCK_SECONDS} s; wait for it, then ingest again"
        )
        raise StoreError(msg) from error
    except OSError as error:
        msg = f"{store}: cannot be made or written as a directory: {error.strerror or error}"
        raise StoreError(msg) from error
    try:
        if is_new:
            write_json({"version": VERSION}, store / STORE_MARKER)
        _sweep(store)
        yield
    finally:
        lock.release()


def _sweep(store: Path) -> None:
    # Whoever holds the lock is the only writer, so every temporary file is that of a killed one.
    for leftover in store.rglob(".*.tmp"):
        leftover.unlink(missing_ok=True)
    shutil.rmtree(waiting_folder(store), ignore_errors=True)


def waiting_folder(store: Path) -> Path:
    """Where rows wait while an ingest runs; whoever writes next removes it."""
    return store / ".waiting"


def day_file(store: Path, on: date) -> Path:
    """The file of the spans that started on a UTC day."""
    return store / "spans" / f"started_on={on.isoformat()}" / "spans.parquet"


def day_files(store: Path) -> dict[date, Path]:
    """The files of all days that hold spans, in order."""
    found = sorted((store / "spans").glob("started_on=*/spans.parquet"))
    return {date.fromisoformat(path.parent.name.removeprefix("started_on=")): path for path in found}


def message_file(store: Path, sha256: str) -> Path:
    """The file of the log records of an export."""
    return store / "messages" / f"{sha256}.parquet"


def message_files(store: Path, known: Iterable[str]) -> list[Path]:
    """The files of log records that count.

    Args:
        store: Directory of the store.
        known: Hashes of the files that count; another one may be that of a killed ingest.
    """
    paths = (message_file(store, sha256) for sha256 in sorted(known))
    return [path for path in paths if path.exists()]


def write_frames(frames: Iterable[pl.DataFrame], schema: pl.Schema, path: Path) -> None:
    """Writes a Parquet file in one step, frame after frame; without rows it is removed.

    Args:
        frames: Taken one by one, so that memory need not hold them all.
        schema: Of every frame.
        path: Where to.

    Raises:
        StoreError: If it cannot be written; the old file stays.
    """
    given = (frame for frame in frames if not frame.is_empty())
    first = next(given, None)
    if first is None:
        path.unlink(missing_ok=True)
        return
    source = register_io_source(lambda *_: chain([first], given), schema=schema)
    # So small that a slice of a day, or a period, can be read without the rest of it.
    _replace(
        path, lambda temporary: source.sink_parquet(temporary, compression="zstd", row_group_size=_ROW_GROUP)
    )


def scan_batches(path: Path, *wanted: pl.Expr, columns: list[str] | None = None) -> Iterator[pl.DataFrame]:
    """Rows of a Parquet file of a store, frame by frame in order.

    Args:
        path: A file of the store.
        wanted: What is true of them.
        columns: Only these.

    Raises:
        StoreError: If it cannot be read.
    """
    with _readable(path):
        rows = pl.scan_parquet(path, glob=False, hive_partitioning=False).filter(*wanted)
        rows = rows if columns is None else rows.select(columns)
        yield from rows.collect_batches(chunk_size=_ROW_GROUP, maintain_order=True)


def row_bytes(path: Path) -> float:
    """Bytes of a row of a Parquet file before it was compressed, in the mean.

    Raises:
        StoreError: If it cannot be read.
    """
    with _readable(path):
        found = pa.parquet.read_metadata(path)
    groups = (found.row_group(number) for number in range(found.num_row_groups))
    return float(sum(group.total_byte_size for group in groups) / max(found.num_rows, 1))


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
        msg = f"{path}: cannot be read ({error}); move it away, delete files/ of the store, and ingest again"
        raise StoreError(msg) from error


def write_json(value: Any, path: Path) -> None:
    """Writes a JSON file in one step.

    Raises:
        StoreError: If it cannot be written; the old file stays.
    """
    text = json.dumps(value, indent=1, sort_keys=True) + "\n"
    _replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, write)
    except (OSError, pl.exceptions.PolarsError) as error:
        msg = (
            f"{path}: cannot be written ({error}); what was stored before is intact. Make room, ingest again"
        )
        raise StoreError(msg) from error
