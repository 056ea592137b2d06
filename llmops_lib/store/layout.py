"""Where things lie in a store, and how they are written so that a kill leaves old or new, never broken.

```
llmops-store.json                            marker with the version of this layout
spans/started_on=2026-11-09/spans.parquet    the spans that started on that UTC day
messages/<sha256>.parquet                    log records of a file, kept for spans still to come
quarantine/<sha256>.parquet                  rows of a file that its reader refused
quarantine/resolved.parquet                  duplicates and merged log records of all files
files/<sha256>.json                          what is known of a file; written last, when all else is done
```
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock, Timeout

from llmops_lib.errors import StoreError
from llmops_lib.sources.export_files import STORE_MARKER

VERSION = 1
_LOCK = ".lock"
_LOCK_SECONDS = 30


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


def day_file(store: Path, on: date) -> Path:
    """The file of the spans that started on a UTC day."""
    return store / "spans" / f"started_on={on.isoformat()}" / "spans.parquet"


def day_files(store: Path) -> dict[date, Path]:
    """The files of all days that hold spans, in order."""
    found = sorted((store / "spans").glob("started_on=*/spans.parquet"))
    return {date.fromisoformat(path.parent.name.removeprefix("started_on=")): path for path in found}


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Writes a Parquet file in one step; a table without rows removes it.

    Raises:
        StoreError: If it cannot be written; the old file stays.
    """
    if table.is_empty():
        path.unlink(missing_ok=True)
        return
    _replace(path, lambda temporary: table.write_parquet(temporary, compression="zstd"))


def write_json(value: Any, path: Path) -> None:
    """Writes a JSON file in one step.

    Raises:
        StoreError: If it cannot be written; the old file stays.
    """
    text = json.dumps(value, indent=1, sort_keys=True) + "\n"
    _replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except (OSError, pl.exceptions.PolarsError) as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        msg = (
            f"{path}: cannot be written ({error}); what was stored before is intact. Make room, ingest again"
        )
        raise StoreError(msg) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
