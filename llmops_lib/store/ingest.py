"""Exports into a store: idempotent by file and by span, and safe to kill at any moment."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from llmops_lib.errors import StoreError
from llmops_lib.schema import QUARANTINE, conform
from llmops_lib.sources.export_files import ExportFile, export_files
from llmops_lib.sources.file_rows import UNKNOWN_FORMAT, Columns, FileRows, ReadOptions
from llmops_lib.sources.load import Paths
from llmops_lib.sources.reading import OnRead
from llmops_lib.sources.resolved_load import WaitingRows
from llmops_lib.sources.rows import LOG_MESSAGES
from llmops_lib.sources.waiting import waiting
from llmops_lib.sources.workers import Sourced, hash_files, read_files
from llmops_lib.store.layout import message_file, waiting_folder, write_frames, writing
from llmops_lib.store.ledger import Entry, read_ledger, write_entry
from llmops_lib.store.losses import write_losses
from llmops_lib.store.merge import Merged, merge_rows, touched_traces

# Files are merged together until they hold so many rows: a day is then rewritten once for many small
# files, and a kill costs no more than the reading of these.
_BATCH_ROWS = 1_000_000


@dataclass(frozen=True)
class IngestReport:
    """What an ingest changed: `rows_read == span_count_added + quarantined_count + duplicate_count`.

    Attributes:
        files: Files taken.
        rows_read: Rows in them.
        span_count_added: Spans that the store did not hold before.
        quarantined_count: Rows that became no span, duplicates aside.
        duplicate_count: Rows of spans that another row holds, in these files or in earlier ones.
        skipped_files: Files that the store had taken before.
        days: UTC days whose spans were written, ISO dates in order.
        secret_count: Keys and passwords that were replaced in the texts of these files.
    """

    files: int
    rows_read: int
    span_count_added: int
    quarantined_count: int
    duplicate_count: int
    skipped_files: int
    days: tuple[str, ...]
    secret_count: int = 0


def ingest(  # noqa: PLR0913 - what load_traces takes, and the store
    paths: Paths,
    store: str | Path,
    *,
    source_format: str | None = None,
    timezone: str | None = None,
    columns: Columns | None = None,
    workers: int | None = None,
    is_raw: bool = False,
    on_read: OnRead | None = None,
) -> IngestReport:
    """Adds exports to a store, which is made if it is not there.

    The same file again changes nothing, whatever its name; a span that comes again is stored once; a
    span that comes late lands in its day and is joined to its trace. The order of the files does not
    matter. A killed ingest leaves a store that can be read, and is completed by running it again.

    Keys and passwords are replaced before anything is written, by `<SECRET_1>` and so on, the same for the
    same value in one text. Trace and span ids stay, and so does the file itself.

    Args:
        paths: Files, directories or patterns, as `load_traces` takes them.
        store: Directory of the store.
        source_format: As `load_traces` takes it.
        timezone: As `load_traces` takes it.
        columns: As `load_traces` takes them.
        workers: As `load_traces` takes it.
        is_raw: Whether keys and passwords are stored as they came; the account of each file keeps which.
        on_read: Called as reading goes on, with bytes read, bytes of all new files, rows read, and the file;
            before that, while it is found out which files are new, with bytes of all files, and no rows.

    Returns:
        What was added.

    Raises:
        SourceError: If an export cannot be read; files taken before it stay.
        StoreError: If the directory is no store or cannot be written; what was stored stays.
    """
    options = ReadOptions(source_format, timezone, columns, is_raw=is_raw)
    found = export_files(paths)
    folder = Path(store)
    with writing(folder), waiting(waiting_folder(folder), StoreError):
        before = read_ledger(folder)
        days: set[date] = set()
        taken = 0
        read = read_files(_new_files(found, before, on_read), options, workers, on_read)
        for batch in _batches(_worth_taking(read, before)):
            days |= _take(folder, batch, is_raw=is_raw)
            taken += len(batch)
        after = read_ledger(folder)
    rows, spans, duplicates, secrets = (_sum(after, name) - _sum(before, name) for name in _COUNTS)
    return IngestReport(
        files=taken,
        rows_read=rows,
        span_count_added=spans,
        quarantined_count=rows - spans - duplicates,
        duplicate_count=duplicates,
        skipped_files=len(found) - taken,
        days=tuple(on.isoformat() for on in sorted(days)),
        secret_count=secrets,
    )


_COUNTS = ("rows_read", "span_count", "duplicate_count", "secret_count")


def _sum(ledger: dict[str, Entry], name: str) -> int:
    return sum(getattr(entry, name) for entry in ledger.values())


def _new_files(found: list[ExportFile], ledger: dict[str, Entry], on_read: OnRead | None) -> list[Sourced]:
    seen: set[str] = set()
    new: list[Sourced] = []
    for file, sha256 in hash_files(found, on_read):
        # A file that no reader knew may be known by now.
        is_taken = sha256 in ledger and ledger[sha256].source_format != UNKNOWN_FORMAT
        if not is_taken and sha256 not in seen:
            new.append((file, sha256))
        seen.add(sha256)
    return new


def _worth_taking(files: Iterator[FileRows], ledger: dict[str, Entry]) -> Iterator[FileRows]:
    for file in files:
        if not (file.sha256 in ledger and file.source_format == UNKNOWN_FORMAT):
            yield file


def _batches(files: Iterator[FileRows]) -> Iterator[list[FileRows]]:
    batch: list[FileRows] = []
    for file in files:
        batch.append(file)
        if sum(file.rows.rows_read for file in batch) >= _BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _take(store: Path, batch: list[FileRows], *, is_raw: bool) -> set[date]:
    ledger = read_ledger(store)
    known = list({**ledger, **{file.sha256: None for file in batch}})
    waiting_rows = WaitingRows()
    for file in batch:
        write_frames(file.rows.message_pieces.frames(), LOG_MESSAGES, message_file(store, file.sha256))
        waiting_rows.add(file)
    merged = merge_rows(
        store,
        waiting_rows.spans,
        touched=touched_traces([waiting_rows.spans, waiting_rows.messages]),
        hashes={file.source_file: file.sha256 for file in batch},
        known=known,
    )
    for file in batch:
        refused = (conform(rows, QUARANTINE) for rows in file.rows.refused_pieces.frames())
        write_frames(refused, QUARANTINE.polars_schema, store / "quarantine" / f"{file.sha256}.parquet")
    lost = write_losses(store, known)
    # The accounts come last, those of this batch after the others: an account says that all else is done.
    entries = {**ledger, **{file.sha256: _entry(file, merged, is_raw=is_raw) for file in batch}}
    for sha256, entry in entries.items():
        current = replace(entry, duplicate_count=lost.get(sha256, 0))
        if ledger.get(sha256) != current:
            write_entry(store, current)
    return merged.days


def _entry(file: FileRows, merged: Merged, *, is_raw: bool) -> Entry:
    return Entry(
        source_file=file.source_file,
        source_format=file.source_format,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        rows_read=file.rows.rows_read,
        refused_count=file.rows.refused_pieces.height,
        message_count=file.rows.message_pieces.height,
        duplicate_count=0,
        is_synthetic=file.source_file in merged.synthetic,
        announced=file.announced,
        secret_count=file.rows.secret_count,
        is_raw=is_raw,
    )
