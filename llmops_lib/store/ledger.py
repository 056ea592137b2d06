"""What a store knows of each file it took: the account that makes ingest idempotent."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.errors import StoreError
from llmops_lib.evidence.announcements import ANNOUNCED
from llmops_lib.sources.announced import Announced
from llmops_lib.store.layout import write_json

_FILE_DTYPES: dict[str, Any] = {
    "source_file": pl.String,
    "source_format": pl.String,
    "sha256": pl.String,
    "size_bytes": pl.Int64,
    "rows_read": pl.Int64,
    "span_count": pl.Int64,
    "quarantined_count": pl.Int64,
    "announced": ANNOUNCED,
}
FILES_SCHEMA = pl.Schema(_FILE_DTYPES)
"""One row per file of a source."""


@dataclass(frozen=True)
class Entry:
    """The account of one file.

    Attributes:
        source_file: Path that it was ingested from.
        source_format: Format it was read as.
        sha256: Hash of its bytes, its identity.
        size_bytes: Its size.
        rows_read: Rows in it.
        refused_count: Rows that its reader refused.
        message_count: Log records in it.
        duplicate_count: Rows that lost to another row of the same span; grows as later files come.
        is_synthetic: Whether a span in it says that it was generated.
        announced: What it says of how many rows there should be; empty in accounts of older versions.
        secret_count: Keys and passwords that were replaced in its texts.
        is_raw: Whether they were not looked for, as in accounts of older versions.
    """

    source_file: str
    source_format: str
    sha256: str
    size_bytes: int
    rows_read: int
    refused_count: int
    message_count: int
    duplicate_count: int
    is_synthetic: bool
    announced: tuple[Announced, ...] = ()
    secret_count: int = 0
    is_raw: bool = True

    @property
    def quarantined_count(self) -> int:
        """Rows that are in the quarantine."""
        return self.refused_count + self.message_count + self.duplicate_count

    @property
    def span_count(self) -> int:
        """Rows that are in the table of spans."""
        return self.rows_read - self.quarantined_count


def read_ledger(store: Path) -> dict[str, Entry]:
    """The files of a store by their hash, in the order of their paths.

    Raises:
        StoreError: If an entry cannot be read.
    """
    entries = [_read_entry(path) for path in (store / "files").glob("*.json")]
    return {
        entry.sha256: entry for entry in sorted(entries, key=lambda entry: (entry.source_file, entry.sha256))
    }


def write_entry(store: Path, entry: Entry) -> None:
    """Writes the account of a file."""
    write_json(asdict(entry), store / "files" / f"{entry.sha256}.json")


def files_table(ledger: dict[str, Entry]) -> pl.DataFrame:
    """The accounts as a table, one row per file."""
    rows = [
        {name: getattr(entry, name) for name in FILES_SCHEMA}
        | {"announced": [asdict(said) for said in entry.announced]}
        for entry in ledger.values()
    ]
    return pl.DataFrame(rows, schema=FILES_SCHEMA)


# Inside a text, the quotes would be escaped.
_IS_SYNTHETIC = pl.col("attributes").str.contains(r'"llmops\.synthetic"\s*:\s*"?true')


def has_synthetic(spans: pl.DataFrame) -> bool:
    """Whether a span, or the resource it ran on, says `llmops.synthetic`: that nobody really asked it.

    Args:
        spans: Uses `attributes`.
    """
    return bool(spans.select(_IS_SYNTHETIC.any()).item())


def synthetic_files(spans: pl.DataFrame) -> set[str]:
    """The files of which `has_synthetic` holds.

    Args:
        spans: Uses `attributes`, `source_file`.
    """
    return set(spans.filter(_IS_SYNTHETIC)["source_file"].unique())


def _read_entry(path: Path) -> Entry:
    try:
        fields = json.loads(path.read_bytes())
        announced = tuple(Announced(**said) for said in fields.pop("announced", ()))
        return Entry(**fields, announced=announced)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        msg = (
            f"{path}: the account of a file cannot be read ({error}); delete it and ingest that export again"
        )
        raise StoreError(msg) from error
