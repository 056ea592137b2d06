"""Rows on their way into the tables: each one checked alone, kept or refused with a reason."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import itemgetter
from typing import Any

import polars as pl

from llmops_lib.errors import SchemaError
from llmops_lib.schema import QUARANTINE, RAW_LIMIT
from llmops_lib.secrets import hide_secrets, secrets_hidden
from llmops_lib.sources.announced import Announced, joined
from llmops_lib.sources.checks import COLUMNS
from llmops_lib.sources.held import Pieces
from llmops_lib.sources.hiding import KEPT_AS_IS, hides_secrets, raw_limit
from llmops_lib.sources.pieces import checked_columns
from llmops_lib.sources.reading import took_rows
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.source_rows import (
    DEALT,
    LOG_MESSAGES,
    PART,
    PIECE_SCHEMA,
    ROW_SCHEMA,
    TRACE_COLUMNS,
    SourceRows,
)

__all__ = [
    "DEALT",
    "LOG_MESSAGES",
    "PART",
    "PIECE_SCHEMA",
    "ROW_SCHEMA",
    "TRACE_COLUMNS",
    "Refused",
    "RowCollector",
    "SourceRows",
]

Raw = bytes | str | Callable[[], bytes]
"""The text of a row, or what writes it: writing every good row back would cost more than reading it."""

# Rows become a frame piece by piece, so that memory holds few Python objects.
_PIECE = 4_000
_PIECE_BYTES = 32 << 20
_KNOWN = frozenset(COLUMNS)


class RowCollector:
    """Collects the rows of one file; bad data is refused into the quarantine and never raises.

    Args:
        source_format: Format of the file.
        source_file: Path of the file as it should appear in the tables.
    """

    def __init__(self, source_format: str, source_file: str) -> None:
        self._source_format = source_format
        self._source_file = source_file
        self._rows: list[Mapping[str, Any]] = []
        self._places: list[tuple[int, int | None, int | None, Raw]] = []
        self._refused: list[tuple[int, int | None, int | None, str, str]] = []
        self._messages: list[dict[str, Any]] = []
        self._message_bytes = 0
        self._announced: list[Announced] = []
        self._given_count = 0
        self._held_bytes = 0
        self._hides_secrets = hides_secrets()
        self._secret_count = 0
        self._taken = SourceRows(
            Pieces(PIECE_SCHEMA, key=PART),
            Pieces(QUARANTINE.polars_schema),
            Pieces(LOG_MESSAGES, key=PART),
        )

    def accept(
        self, row: Mapping[str, Any], *, line: int | None, offset: int | None = None, raw: Raw = b""
    ) -> None:
        """Takes a row, or refuses it if a value cannot be right.

        Rows are checked many at a time: neither a row nor what it holds may be changed once it is given.

        Args:
            row: SPANS columns, and `feature_hint`, to Python values: aware datetimes or nanoseconds since
                1970, numbers or digit text, text. `attributes`, `input`, `output`, `system_instructions`
                and `tool_calls` may be lists, dicts or text; text that is no JSON list, object or string
                is encoded as a JSON string.
                `latency_ms` counts only while `started_at` or `ended_at` is unknown.
            line: Line or row in the file, counted from 1.
            offset: Byte offset of that line.
            raw: Text of the row, for the quarantine.

        Raises:
            SchemaError: If a key is no column: a mistake of the reader, not of the data.
        """
        if not _KNOWN.issuperset(row):
            msg = f"a reader gave the columns {sorted(set(row) - _KNOWN)}; expected only {COLUMNS}"
            raise SchemaError(msg)
        self._rows.append(row)
        self._places.append((self._given_count, line, offset, raw))
        self._given_count += 1
        self.hold(0 if callable(raw) else len(raw))

    def accept_checked(self, rows: pl.DataFrame, *, lines: pl.Series) -> None:
        """Takes rows that a reader has checked as columns, as `pieces.checked_columns` returns them.

        Args:
            rows: `checks.COLUMNS`, every value as `checks` demands.
            lines: Line of each row in the file, Int64, counted from 1.
        """
        self._add_piece(rows, lines)
        self._given_count += rows.height

    def order_by_line(self) -> None:
        """Puts what was given so far in the order of its lines, where a reader took some of them ahead."""
        self._close_piece()
        self._close_refused()
        taken = self._taken
        self._taken = replace(taken, by_line=(taken.span_pieces.height, taken.refused_pieces.height))

    def hold(self, size: int) -> None:
        """Counts bytes that accepted rows keep in memory, which bounds how many wait to be checked.

        Args:
            size: Bytes of text that a reader has parsed; texts given as `raw` are counted already.
        """
        self._held_bytes += size
        if len(self._rows) >= _PIECE or self._held_bytes >= _PIECE_BYTES:
            self._close_piece()

    def refuse(self, reason: str, *, line: int | None, offset: int | None = None, raw: Raw = b"") -> None:
        """Sends a row to the quarantine.

        Args:
            reason: A key of `schema.REASONS`, with a detail after a colon if there is one.
            line: Line or row in the file, counted from 1.
            offset: Byte offset of that line.
            raw: Text of the row.
        """
        self._refused.append((self._given_count, line, offset, _storable(reason), _raw_text(raw)))
        self._given_count += 1
        if len(self._refused) >= _PIECE:
            self._close_piece()

    def add_message(self, message: Mapping[str, Any], *, line: int | None, raw: Raw = b"") -> None:
        """Takes a record that tells something of a span or of a whole trace.

        Args:
            message: Columns of `LOG_MESSAGES`; absent ones are null.
            line: Line in the file, counted from 1.
            raw: Text of the record.
        """
        self._messages.append(
            {**message, "source_file": self._source_file, "source_line": line, "raw": _raw_text(raw)}
        )
        self._message_bytes += sum(len(value) for value in message.values() if isinstance(value, str))
        if len(self._messages) >= _PIECE or self._message_bytes >= _PIECE_BYTES:
            self._close_messages()

    def announce(self, said: Announced) -> None:
        """Notes what the file says of how many rows there should be.

        Args:
            said: Of one page or trace, or of one file in a manifest.
        """
        if self._hides_secrets and said.about is not None:
            said = replace(said, about=hide_secrets(said.about))
        self._announced.append(said)

    def finish(self) -> SourceRows:
        """Everything collected."""
        self._close_piece()
        self._close_refused()
        self._close_messages()
        return replace(self._taken, announced=joined(self._announced), secret_count=self._secret_count)

    def _close_piece(self) -> None:
        if self._rows:
            self._check_piece()
        if len(self._refused) >= _PIECE:
            self._close_refused()

    def _check_piece(self) -> None:
        piece, refused = checked_columns(self._rows)
        for number, why in refused.items():
            given, line, offset, raw = self._places[number]
            self._refused.append((given, line, offset, _storable(str(why)), _raw_text(raw)))
        lines = [place[1] for number, place in enumerate(self._places) if number not in refused]
        self._add_piece(piece, pl.Series(lines, dtype=pl.Int64))
        self._rows, self._places, self._held_bytes = [], [], 0

    def _close_refused(self) -> None:
        # Whoever calls this has closed the piece before: no row that was given earlier still waits.
        in_order = sorted(self._refused, key=itemgetter(0))
        refused = [(self._source_file, *refused[1:]) for refused in in_order]
        rows = self.hidden(pl.DataFrame(refused, schema=QUARANTINE.polars_schema, orient="row"))
        self._taken.refused_pieces.add(rows.with_columns(pl.col("raw").str.head(RAW_LIMIT)))
        self._refused = []

    def _close_messages(self) -> None:
        rows = self.hidden(pl.DataFrame(self._messages, schema=LOG_MESSAGES))
        self._taken.message_pieces.add(rows.with_columns(pl.col("raw").str.head(RAW_LIMIT)))
        self._messages, self._message_bytes = [], 0

    def _add_piece(self, piece: pl.DataFrame, lines: pl.Series) -> None:
        took_rows(piece.height)
        self._taken.span_pieces.add(
            self.hidden(piece)
            .with_columns(
                source_format=pl.lit(self._source_format),
                source_file=pl.lit(self._source_file),
                source_line=lines,
                row_number=pl.int_range(pl.len()) + self._taken.span_pieces.height,
            )
            .select(PIECE_SCHEMA.names())
        )

    def hidden(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows as they may be kept: where they are to be stored, keys are replaced, and counted.

        Args:
            rows: Rows of any table, before any of them goes to a disk.
        """
        if not self._hides_secrets:
            return rows
        shown, count = secrets_hidden(rows, but=KEPT_AS_IS)
        self._secret_count += count
        return shown


def _raw_text(raw: Raw) -> str:
    text, limit = raw() if callable(raw) else raw, raw_limit()
    if isinstance(text, bytes):
        text = text[: 4 * limit].decode(errors="replace")
    return _storable(text[:limit])


def _storable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()
