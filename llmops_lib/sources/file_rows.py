"""One file, whatever its format, as rows and facts about it."""

import contextlib
import gc
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError, UnknownFormatError
from llmops_lib.sources.announced import Announced, fetch_note
from llmops_lib.sources.detect import Reader, detect_reader, named_reader
from llmops_lib.sources.export_files import ExportFile
from llmops_lib.sources.hiding import hiding
from llmops_lib.sources.reading import opened
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.table import FORMAT as TABLE
from llmops_lib.sources.table_mapping import checked_timezone, read_mapping

UNKNOWN_FORMAT = "unknown"
"""Value of `source_format` of a file in a directory that no reader could read."""

Columns = Mapping[str, Any] | str | Path


@dataclass(frozen=True)
class FileRows:
    """The rows of one file as they stand on their own, and its identity.

    Attributes:
        source_file: Its path as it was given.
        source_format: The format it was read as, or `unknown`.
        sha256: Hash of its bytes.
        size_bytes: Its size.
        rows: Its rows.
        announced: What it, and the note of its fetch, say of how many rows there should be.
    """

    source_file: str
    source_format: str
    sha256: str
    size_bytes: int
    rows: SourceRows
    announced: tuple[Announced, ...] = ()


@dataclass(frozen=True)
class ReadOptions:
    """How files are read; checked once, before the first of them.

    Attributes:
        source_format: Format of every file; found by content when None.
        timezone: IANA zone of times that name none.
        columns: Column mapping of plain tables.
        is_raw: Whether keys and passwords stay in the texts, as for whoever holds them in memory only.
    """

    source_format: str | None = None
    timezone: str | None = None
    columns: Columns | None = None
    is_raw: bool = True

    def __post_init__(self) -> None:
        checked_timezone(self.timezone)
        if self.source_format is not None:
            named_reader(self.source_format)
        if self.columns is not None:
            read_mapping(self.columns)


def read_file(file: ExportFile, sha256: str, options: ReadOptions) -> FileRows:
    """The rows of one file; a file in a directory that is no export is one quarantined row.

    Args:
        file: The file.
        sha256: What `hash_file` says of it.
        options: How to read it.

    Raises:
        SourceError: If a file that the caller named cannot be read, or a plain table lacks a column or
            a zone: that is for the caller to mend, so it is never set aside.
    """
    with _without_cycle_search(), hiding(is_on=not options.is_raw):
        return _read_file(file, sha256, options)


@contextlib.contextmanager
def _without_cycle_search() -> Iterator[None]:
    # Parsed JSON holds no cycles, and looking for them among its many objects takes a fifth of a read.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_file(file: ExportFile, sha256: str, options: ReadOptions) -> FileRows:
    path = file.path
    try:
        reader = _reader(path, options)
        if reader.source_format != TABLE:
            return _facts(path, reader.source_format, sha256, reader.read(path, timezone=options.timezone))
    except SourceError as error:
        if file.is_named:
            raise
        collector = RowCollector(UNKNOWN_FORMAT, str(path))
        what = str(error).removeprefix(f"{path}: ").split("\n")[0].removesuffix(" Looked for:")
        collector.refuse(f"schema: {what}", line=None)
        return _facts(path, UNKNOWN_FORMAT, sha256, collector.finish())
    rows = reader.read(path, timezone=options.timezone, columns=options.columns)
    return _facts(path, TABLE, sha256, rows)


def hash_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex.

    Raises:
        SourceError: If it is no regular file or cannot be read.
    """
    if not path.is_file():
        msg = f"{path}: is no regular file; expected an export"
        raise SourceError(msg)
    try:
        with opened(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise SourceError(msg) from error


def _reader(path: Path, options: ReadOptions) -> Reader:
    if options.source_format is not None:
        return named_reader(options.source_format)
    try:
        return detect_reader(path)
    except UnknownFormatError:
        if options.columns is None:
            raise
        return named_reader(TABLE)


def _facts(path: Path, source_format: str, sha256: str, rows: SourceRows) -> FileRows:
    announced = (*rows.announced, *fetch_note(path))
    return FileRows(str(path), source_format, sha256, path.stat().st_size, rows, announced)
