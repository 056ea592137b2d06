"""Exports of any known format as one table of spans, with an account of every row that was read."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import polars as pl

from llmops_lib.errors import SourceError
from llmops_lib.evidence.statement import completeness_statement, doubts
from llmops_lib.schema import QUARANTINE, conform
from llmops_lib.sources.account import FileFacts, Load
from llmops_lib.sources.detect import detect_format
from llmops_lib.sources.export_files import export_files, store_of
from llmops_lib.sources.file_rows import Columns, FileRows, ReadOptions
from llmops_lib.sources.reading import OnRead
from llmops_lib.sources.refused_rows import check_on_bad, counted_reasons, raise_first, refused_rows
from llmops_lib.sources.resolved_load import resolved_load
from llmops_lib.sources.table import FORMAT as TABLE
from llmops_lib.sources.waiting import waiting
from llmops_lib.sources.workers import read_files

__all__ = ["FileFacts", "Load", "detect_format", "load_traces", "read_exports", "read_quarantine"]

_logger = logging.getLogger("llmops_lib")

_HELD_TIMES = 16
"""A load holds all rows in the end, so that most may wait in memory too: half a gigabyte, twice as fast."""

Paths = str | Path | Iterable[str | Path]


def load_traces(  # noqa: PLR0913 - where from, and how to read it
    path: Paths,
    *,
    source_format: str | None = None,
    on_bad: Literal["quarantine", "raise"] = "quarantine",
    timezone: str | None = None,
    columns: Columns | None = None,
    workers: int | None = None,
) -> pl.DataFrame:
    """The spans of exports, one row per span, ordered by start.

    A row that cannot become a span is set aside and counted in one warning of the logger `llmops_lib`;
    `read_quarantine` shows it with its reason. No other row is lost with it. A second warning counts
    what speaks against the completeness of the load; `completeness` shows it.

    Args:
        path: A file, a directory (taken with all that is below), a pattern such as `exports/**`, or several.
        source_format: Such as `otlp` or `table`; found by content when None. An unknown name lists them all.
        on_bad: `raise` stops at rows that `quarantine` sets aside.
        timezone: IANA zone of times that name none.
        columns: Column mapping of plain tables, a dict or the path of a YAML file, such as
            `{"started_at": "TIMESTAMP", "input_tokens": "ContextTokens"}`.
        workers: Processes that read several files side by side, with the same result; as many as there are
            cores when None and the files are large, 1 to start none.

    Returns:
        SPANS.

    Raises:
        SourceNotFoundError: If a path does not exist or a pattern matches nothing.
        UnknownFormatError: If a named file is in no known format. In a directory such a file is quarantined.
        SourceError: If a file, the mapping or the zone cannot be used.
        BadLineError: If a row is bad and `on_bad` is `raise`; the message names file, line and reason.
    """
    check_on_bad(on_bad)
    load = read_exports(
        path, source_format=source_format, timezone=timezone, columns=columns, workers=workers
    )
    refused = refused_rows(load.quarantine)
    if not refused.is_empty():
        if on_bad == "raise":
            raise_first(refused, "rows cannot become spans")
        _warn(load, refused)
    _warn_of_doubts(load)
    return load.spans


def read_exports(  # noqa: PLR0913 - as above
    paths: Paths,
    *,
    source_format: str | None = None,
    timezone: str | None = None,
    columns: Columns | None = None,
    workers: int | None = None,
    on_read: OnRead | None = None,
) -> Load:
    """The spans, the quarantined rows and the files of exports.

    Args:
        paths: As `load_traces` takes them.
        source_format: As `load_traces` takes it.
        timezone: As `load_traces` takes it.
        columns: As `load_traces` takes them.
        workers: As `load_traces` takes it.
        on_read: Called as reading goes on, with bytes read, bytes of all files, rows read, and the file.

    Returns:
        The load; rows read are spans and quarantined rows together, for each file.

    Raises:
        SourceError: As `load_traces` does.
    """
    options = ReadOptions(source_format, timezone, columns)
    found = export_files(paths)
    with waiting(None, SourceError, held_times=_HELD_TIMES):
        read = list(read_files([(file, None) for file in found], options, workers, on_read))
        _unused_columns(options, read)
        return resolved_load(read)


def read_quarantine(
    path: Paths,
    *,
    source_format: str | None = None,
    timezone: str | None = None,
    columns: Columns | None = None,
) -> pl.DataFrame:
    """The rows that became no span, with file, line and reason.

    Args:
        path: A span store, whose stored rows are returned; or exports, which are read again.
        source_format: As `load_traces` takes it.
        timezone: As `load_traces` takes it.
        columns: As `load_traces` takes them.

    Returns:
        QUARANTINE. Reasons `duplicate`, `merged` and `not_a_span` mean that nothing was lost.

    Raises:
        SourceError: As `load_traces` does.
    """
    if (store := store_of(path)) is not None:
        stored = [pl.read_parquet(file) for file in sorted(store.joinpath("quarantine").glob("*.parquet"))]
        quarantine = pl.concat([QUARANTINE.empty(), *(conform(rows, QUARANTINE) for rows in stored)])
        return quarantine.sort("source_file", "source_line", "reason", maintain_order=True)
    return read_exports(path, source_format=source_format, timezone=timezone, columns=columns).quarantine


def _unused_columns(options: ReadOptions, read: list[FileRows]) -> None:
    formats = sorted({file.source_format for file in read})
    if options.columns is not None and TABLE not in formats:
        msg = (
            f"a column mapping was given, but the files were recognised as {formats}, which need none; "
            "leave it out, or pass source_format='table' to read them as plain tables"
        )
        raise SourceError(msg)


def _warn(load: Load, refused: pl.DataFrame) -> None:
    _logger.warning(
        "%d of %d rows in %d files were refused (%s); read_quarantine() shows them",
        refused.height,
        sum(file.rows_read for file in load.files),
        len(load.files),
        counted_reasons(refused),
    )


def _warn_of_doubts(load: Load) -> None:
    files = load.files_table()
    statement = completeness_statement(
        load.spans.lazy(), files=files, quarantine=load.quarantine, overlaps=load.overlaps
    )
    if found := doubts(statement.filter(pl.col("check") != "refused_rows")):
        _logger.warning("the load may be incomplete (%s); completeness() shows it", found)
