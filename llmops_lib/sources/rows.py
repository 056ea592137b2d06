"""Rows on their way into the tables: each one checked alone, kept or refused with a reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from llmops_lib.schema import QUARANTINE, RAW_LIMIT, SPANS, UTC_DATETIME
from llmops_lib.sources.checks import COLUMNS, checked_row
from llmops_lib.sources.refusals import Refused

__all__ = ["LOG_MESSAGES", "ROW_SCHEMA", "TRACE_COLUMNS", "Refused", "RowCollector", "SourceRows"]

ROW_SCHEMA = pl.Schema([*SPANS.polars_schema.items(), ("feature_hint", pl.String)])
"""SPANS with `feature_hint`, weak evidence of the feature: an agent name, a workflow, a route."""

TRACE_COLUMNS = (
    "session_id",
    "user_id",
    "tenant",
    "feature",
    "environment",
    "release",
    "tags",
    "feature_hint",
)
"""What a record about a whole trace can tell of its spans."""

_CONTENTS = ("trace_id", "span_id", "input", "output", "system_instructions", "source_file", "source_line")

LOG_MESSAGES = pl.Schema(
    [
        *((name, ROW_SCHEMA[name]) for name in _CONTENTS),
        ("raw", pl.String()),
        *((name, ROW_SCHEMA[name]) for name in TRACE_COLUMNS),
    ]
)
"""One record about a span that is no span: a log record with messages, each a JSON message list or null;
or, where `span_id` is null, a record about a whole trace, with what it tells of all its spans."""

Raw = bytes | str | Callable[[], bytes]
"""The text of a row, or what writes it: writing every good row back would cost more than reading it."""

# Rows become a frame piece by piece, so that memory holds few Python objects.
_PIECE = 20_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class SourceRows:
    """What one file held: rows as each stands on its own (nothing inherited, folded, de-duplicated yet).

    Attributes:
        spans: SPANS columns and `feature_hint`.
        quarantine: QUARANTINE.
        log_messages: `LOG_MESSAGES`, usually empty.
        rows_read: Rows of the three tables together.
    """

    spans: pl.DataFrame
    quarantine: pl.DataFrame
    log_messages: pl.DataFrame
    rows_read: int


class RowCollector:
    """Collects the rows of one file; bad data is refused into the quarantine and never raises.

    Args:
        source_format: Format of the file.
        source_file: Path of the file as it should appear in the tables.
    """

    def __init__(self, source_format: str, source_file: str) -> None:
        self._source_format = source_format
        self._source_file = source_file
        self._rows: list[list[Any]] = []
        self._lines: list[int | None] = []
        self._pieces: list[pl.DataFrame] = []
        self._refused: list[tuple[int | None, int | None, str, str]] = []
        self._messages: list[dict[str, Any]] = []

    def accept(
        self, row: Mapping[str, Any], *, line: int | None, offset: int | None = None, raw: Raw = b""
    ) -> None:
        """Takes a row, or refuses it if a value cannot be right.

        Args:
            row: SPANS columns, and `feature_hint`, to Python values: aware datetimes, numbers or digit
                text, text. `attributes`, `input`, `output`, `system_instructions` and `tool_calls` may be
                lists, dicts or text; text that is no JSON list, object or string is encoded as a JSON string.
                `latency_ms` counts only while `started_at` or `ended_at` is unknown.
            line: Line or row in the file, counted from 1.
            offset: Byte offset of that line.
            raw: Text of the row, for the quarantine.

        Raises:
            SchemaError: If a key is no column: a mistake of the reader, not of the data.
        """
        try:
            checked = checked_row(row)
        except Refused as refused:
            self.refuse(str(refused), line=line, offset=offset, raw=raw)
            return
        self._rows.append(checked)
        self._lines.append(line)
        if len(self._rows) >= _PIECE:
            self._close_piece()

    def refuse(self, reason: str, *, line: int | None, offset: int | None = None, raw: Raw = b"") -> None:
        """Sends a row to the quarantine.

        Args:
            reason: A key of `schema.REASONS`, with a detail after a colon if there is one.
            line: Line or row in the file, counted from 1.
            offset: Byte offset of that line.
            raw: Text of the row.
        """
        self._refused.append((line, offset, _storable(reason), _raw_text(raw)))

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

    def finish(self) -> SourceRows:
        """Everything collected."""
        self._close_piece()
        spans = pl.concat(self._pieces, rechunk=True)
        messages = pl.DataFrame(self._messages, schema=LOG_MESSAGES)
        quarantine = pl.DataFrame(
            [(self._source_file, *refused) for refused in self._refused],
            schema=QUARANTINE.polars_schema,
            orient="row",
        )
        rows_read = spans.height + quarantine.height + messages.height
        return SourceRows(spans, quarantine, messages, rows_read)

    def _close_piece(self) -> None:
        columns = zip(*self._rows, strict=True) if self._rows else (() for _ in COLUMNS)
        piece = pl.DataFrame([_series(name, values) for name, values in zip(COLUMNS, columns, strict=True)])
        self._pieces.append(
            piece.with_columns(
                source_format=pl.lit(self._source_format),
                source_file=pl.lit(self._source_file),
                source_line=pl.Series(self._lines, dtype=pl.Int64),
            ).select(ROW_SCHEMA.names())
        )
        self._rows = []
        self._lines = []


def _series(name: str, values: tuple[Any, ...]) -> pl.Series:
    dtype = ROW_SCHEMA[name]
    if values.count(None) == len(values):
        return pl.repeat(None, len(values), dtype=dtype, eager=True).alias(name)
    if dtype == UTC_DATETIME:
        # polars takes five times as long for datetimes as for the integers behind them.
        micros = [None if value is None else (value - _EPOCH) // _MICROSECOND for value in values]
        return pl.Series(name, micros, dtype=pl.Int64).cast(dtype)
    return pl.Series(name, values, dtype=dtype)


def _raw_text(raw: Raw) -> str:
    text = raw() if callable(raw) else raw
    if isinstance(text, bytes):
        text = text[: 4 * RAW_LIMIT].decode(errors="replace")
    return _storable(text[:RAW_LIMIT])


def _storable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()
