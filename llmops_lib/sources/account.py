"""What became of exports that were loaded together."""

from dataclasses import asdict, dataclass

import polars as pl

from llmops_lib.evidence.announcements import ANNOUNCED
from llmops_lib.sources.announced import Announced


@dataclass(frozen=True)
class FileFacts:
    """What became of one file: `rows_read == span_count + quarantined_count`, always.

    Attributes:
        source_file: Its path as it was given.
        source_format: The format it was read as, or `unknown`.
        sha256: Hash of its bytes.
        size_bytes: Its size.
        rows_read: Rows in it.
        span_count: Rows that are in the table.
        quarantined_count: Rows that are in the quarantine.
        announced: What sources say of how many rows there should be.
    """

    source_file: str
    source_format: str
    sha256: str
    size_bytes: int
    rows_read: int
    span_count: int
    quarantined_count: int
    announced: tuple[Announced, ...] = ()


@dataclass(frozen=True)
class Load:
    """Exports that were loaded together.

    Attributes:
        spans: SPANS, ordered by start.
        quarantine: QUARANTINE.
        files: One entry per file.
        overlaps: `OVERLAPS`.
    """

    spans: pl.DataFrame
    quarantine: pl.DataFrame
    files: tuple[FileFacts, ...]
    overlaps: pl.DataFrame

    def files_table(self) -> pl.DataFrame:
        """The files as a table."""
        return pl.DataFrame([asdict(file) for file in self.files], schema_overrides={"announced": ANNOUNCED})
