"""What a reader makes of one file: rows as each stands on its own, which may wait in files."""

from dataclasses import dataclass

import polars as pl

from llmops_lib.schema import SPANS
from llmops_lib.sources.announced import Announced
from llmops_lib.sources.held import Pieces

ROW_SCHEMA = pl.Schema([*SPANS.polars_schema.items(), ("feature_hint", pl.String)])
"""SPANS with `feature_hint`, weak evidence of the feature: an agent name, a workflow, a route."""

PIECE_SCHEMA = pl.Schema([*ROW_SCHEMA.items(), ("row_number", pl.Int64)])
"""`ROW_SCHEMA` with what tells a row from the others of its file: how many came before it."""

PARTS = 64
"""Into how many parts the rows of many traces are dealt, all rows of a trace into the same."""

PART = pl.col("trace_id").hash() % PARTS
"""The part of a row."""

DEALT = pl.col("trace_id").hash() // PARTS
"""What deals the rows of a part further, all rows of a trace alike."""

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


@dataclass(frozen=True)
class SourceRows:
    """What one file held: rows as each stands on its own (nothing inherited, folded, de-duplicated yet).

    Attributes:
        span_pieces: `PIECE_SCHEMA`, the parts of their traces as keys.
        refused_pieces: QUARANTINE.
        message_pieces: `LOG_MESSAGES`, usually empty; keys as those of the spans.
        announced: What the file says of how many rows there should be.
        by_line: How many spans, and how many refused rows, are to be put in the order of their lines.
        secret_count: Keys and passwords that were replaced in their texts.
    """

    span_pieces: Pieces
    refused_pieces: Pieces
    message_pieces: Pieces
    announced: tuple[Announced, ...] = ()
    by_line: tuple[int, int] = (0, 0)
    secret_count: int = 0

    @property
    def spans(self) -> pl.DataFrame:
        """All spans at once, in `ROW_SCHEMA`."""
        spans = self.span_pieces.whole().sort("row_number").select(ROW_SCHEMA.names())
        return _by_line(spans, self.by_line[0])

    @property
    def quarantine(self) -> pl.DataFrame:
        """All refused rows at once."""
        return _by_line(self.refused_pieces.whole(), self.by_line[1])

    @property
    def log_messages(self) -> pl.DataFrame:
        """All records beside the spans at once."""
        return self.message_pieces.whole()

    @property
    def rows_read(self) -> int:
        """Rows of the three tables together."""
        return self.span_pieces.height + self.refused_pieces.height + self.message_pieces.height


def _by_line(rows: pl.DataFrame, count: int) -> pl.DataFrame:
    in_order = rows[:count].sort("source_line", maintain_order=True)
    return pl.concat([in_order, rows[count:]]) if count else rows
