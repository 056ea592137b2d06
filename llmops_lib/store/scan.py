"""What reports read: the spans of a store or of exports, with an account of where they come from."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.evidence.statement import completeness_statement
from llmops_lib.frames import in_period
from llmops_lib.periods import Period
from llmops_lib.schema import SPANS
from llmops_lib.sources.export_files import store_of
from llmops_lib.sources.file_rows import Columns
from llmops_lib.sources.load import Paths, read_exports, read_quarantine
from llmops_lib.sources.reading_note import noted_reading
from llmops_lib.sources.refused_rows import refused_rows
from llmops_lib.store.layout import day_files, require_store
from llmops_lib.store.ledger import FILES_SCHEMA, files_table, has_synthetic, read_ledger
from llmops_lib.store.rows import stored_overlaps


@dataclass(frozen=True)
class TraceSource:
    """Spans to report on, and all that says how far they can be trusted.

    Attributes:
        spans: SPANS, ordered by start within a day.
        files: One row per file: `source_file`, `source_format`, `sha256`, `size_bytes`, `rows_read`,
            `span_count`, `quarantined_count`, `announced`.
        quarantine: QUARANTINE.
        fingerprint: SHA-256 over the hashes and row counts of the files: equal sources, equal fingerprint.
        is_synthetic: Whether a span says that it was generated.
        overlaps: `OVERLAPS`, collected when asked for.
        store: Directory of the store; None where exports were read.
    """

    spans: pl.LazyFrame
    files: pl.DataFrame
    quarantine: pl.DataFrame
    fingerprint: str
    is_synthetic: bool
    overlaps: pl.LazyFrame
    store: Path | None = None

    @property
    def refused_count(self) -> int:
        """How many rows could not be read, of which nothing that is made of the spans says a word."""
        return refused_rows(self.quarantine).height

    @property
    def rows_read(self) -> int:
        """How many rows there are, with those that could not be read."""
        return int(self.files["rows_read"].sum())

    def completeness(self) -> pl.DataFrame:
        """What proves, or puts in doubt, that everything is here: COMPLETENESS."""
        overlaps = self.overlaps.collect(engine="streaming")
        return completeness_statement(
            self.spans, files=self.files, quarantine=self.quarantine, overlaps=overlaps
        )

    def facts(self) -> dict[str, Any]:
        """What a report states of its input: `files` by name, `span_count`, `fingerprint`, `is_synthetic`."""
        name = pl.col("source_file").str.extract(r"([^/\\]+)$").alias("name")
        counts = ("sha256", "rows_read", "span_count", "quarantined_count")
        return {
            "files": self.files.select(name, *counts).to_dicts(),
            "span_count": int(self.files["span_count"].sum()),
            "fingerprint": self.fingerprint,
            "is_synthetic": self.is_synthetic,
        }


def scan_traces(store: str | Path, period: Period | None = None) -> pl.LazyFrame:
    """The spans of a store; files of days outside the period are not opened.

    Args:
        store: Directory of a store.
        period: Half-open reporting period; all spans when None.

    Returns:
        SPANS, one row per span that started in the period, ordered by start.

    Raises:
        StoreError: If the directory is no store.
    """
    days = day_files(require_store(Path(store)))
    if period is not None:
        last_on = (period.end - timedelta(microseconds=1)).date()
        days = {on: path for on, path in days.items() if period.start.date() <= on <= last_on}
    if not days:
        return SPANS.empty().lazy()
    spans = pl.scan_parquet(list(days.values()), glob=False, hive_partitioning=False).select(SPANS.names)
    if period is None:
        return spans
    within: pl.LazyFrame = in_period(spans, period)
    return within


def open_source(
    source: "Paths | TraceSource", *, timezone: str | None = None, columns: Columns | None = None
) -> TraceSource:
    """The spans of a store or of exports, and the account of their files.

    Args:
        source: Directory of a store; or exports, as `load_traces` takes them. What was opened already is
            returned as it is.
        timezone: As `load_traces` takes it; of no use for a store.
        columns: As `load_traces` takes them; of no use for a store.

    Returns:
        The source; of a store, no span is read yet.

    Raises:
        SourceError: As `load_traces` does.
        StoreError: If the store cannot be read.
    """
    if isinstance(source, TraceSource):
        return source
    if (store := store_of(source)) is not None:
        ledger = read_ledger(require_store(store))
        files = files_table(ledger)
        is_synthetic = any(entry.is_synthetic for entry in ledger.values())
        return TraceSource(
            scan_traces(store),
            files,
            read_quarantine(store),
            _fingerprint(files),
            is_synthetic,
            stored_overlaps(store),
            store,
        )
    load = read_exports(source, timezone=timezone, columns=columns, on_read=noted_reading())
    files = load.files_table().select(FILES_SCHEMA.names())
    return TraceSource(
        load.spans.lazy(),
        files,
        load.quarantine,
        _fingerprint(files),
        has_synthetic(load.spans),
        load.overlaps.lazy(),
    )


def _fingerprint(files: pl.DataFrame) -> str:
    lines: Iterable[tuple[str, int]] = sorted(files.select("sha256", "rows_read").rows())
    return hashlib.sha256("\n".join(f"{sha256} {rows}" for sha256, rows in lines).encode()).hexdigest()
