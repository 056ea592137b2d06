"""The rows of files worked out together into one load, a part of the traces at a time.

No step looks across traces, so rows that wait in files are read back and resolved part by part. What is
resolved waits too, and is put in order column by column: memory holds the table that is asked for, one
column of it twice, and one part.
"""

from collections.abc import Iterator

import polars as pl

from llmops_lib.evidence.overlaps import OVERLAPS
from llmops_lib.schema import QUARANTINE, SPANS, conform, validate
from llmops_lib.sources.account import FileFacts, Load
from llmops_lib.sources.duplicates import KEY
from llmops_lib.sources.file_rows import FileRows
from llmops_lib.sources.held import Pieces, shares_of
from llmops_lib.sources.resolve import Resolved, resolve
from llmops_lib.sources.rows import DEALT, LOG_MESSAGES, PART, PIECE_SCHEMA

PART_BYTES = 32 << 20
"""Bytes of rows that are worked out at once, about, unless a trace has more by itself."""


class WaitingRows:
    """The rows of many files that will be worked out together.

    Attributes:
        spans: `PIECE_SCHEMA`.
        messages: `LOG_MESSAGES`.
    """

    def __init__(self) -> None:
        self.spans = Pieces(PIECE_SCHEMA, key=PART)
        self.messages = Pieces(LOG_MESSAGES, key=PART)

    def add(self, file: FileRows) -> None:
        """Takes the rows of a file."""
        self.spans.absorb(file.rows.span_pieces)
        self.messages.absorb(file.rows.message_pieces)


def resolved_load(read: list[FileRows]) -> Load:
    """The table that files make together, what is not in it, and what became of each file.

    Args:
        read: What the files hold.
    """
    parts = Pieces(SPANS.polars_schema)
    overlaps, quarantine = [pl.DataFrame(schema=OVERLAPS)], [QUARANTINE.empty()]
    for part in _resolved_parts(read):
        parts.add(validate(conform(part.spans, SPANS), SPANS))
        overlaps.append(part.overlaps)
        quarantine.append(part.quarantine)
    spans = _in_order(parts)
    # Of one line, records come in an order that does not depend on the parts.
    resolved = pl.concat(quarantine).sort("raw", maintain_order=True)
    refused = pl.concat([resolved, *(file.rows.quarantine for file in read)])
    refused = conform(refused, QUARANTINE).sort("source_file", "source_line", "reason", maintain_order=True)
    return Load(spans, refused, _facts(read, spans, refused), _counted(overlaps))


def _resolved_parts(read: list[FileRows]) -> Iterator[Resolved]:
    rows = WaitingRows()
    for file in read:
        rows.add(file)
    for share in shares_of([rows.spans, rows.messages], PART_BYTES):
        yield resolve(rows.spans.share(share, DEALT).drop("row_number"), rows.messages.share(share, DEALT))


def _in_order(parts: Pieces) -> pl.DataFrame:
    order = ["started_at", *KEY]
    rows = parts.whole(columns=order).select(pl.arg_sort_by(order)).to_series()
    if rows.is_sorted():
        return parts.whole()
    return pl.DataFrame([parts.whole(columns=[name]).to_series().gather(rows) for name in SPANS.names])


def _counted(overlaps: list[pl.DataFrame]) -> pl.DataFrame:
    return (
        pl.concat(overlaps)
        .group_by("source_file", "other_file")
        .agg(pl.col("row_count").sum(), pl.col("first_at").min(), pl.col("last_at").max())
        .sort("source_file", "other_file")
        .cast(OVERLAPS)
    )


def _facts(read: list[FileRows], spans: pl.DataFrame, quarantine: pl.DataFrame) -> tuple[FileFacts, ...]:
    span_counts, refused_counts = _counts(spans), _counts(quarantine)
    return tuple(
        FileFacts(
            file.source_file,
            file.source_format,
            file.sha256,
            file.size_bytes,
            file.rows.rows_read,
            span_counts.get(file.source_file, 0),
            refused_counts.get(file.source_file, 0),
            file.announced,
        )
        for file in read
    )


def _counts(rows: pl.DataFrame) -> dict[str, int]:
    return dict(rows.group_by("source_file").len().rows())
