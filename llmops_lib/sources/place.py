"""Where in a file a row stands, for the tables and for the quarantine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import orjson

from llmops_lib.sources.lines import Line
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector

_Record = TypeVar("_Record")


@dataclass(frozen=True)
class Place:
    """A line of a file on its way into a collector.

    Attributes:
        collector: Takes what the line holds.
        line: The line.
        timezone: IANA zone of times that name none.
    """

    collector: RowCollector
    line: Line
    timezone: str | None = None

    def read(self, record: _Record, row_of: Callable[[_Record], Mapping[str, Any]]) -> None:
        """Takes the row that one record of the line makes, or refuses the record."""
        try:
            row = row_of(record)
        except Refused as refused:
            self.refuse(refused, record)
        else:
            self.accept(row, record)

    def accept(self, row: Mapping[str, Any], record: Any) -> None:
        """Takes a row that was made of `record`, one of the records of the line."""
        raw = partial(_written, record)
        self.collector.accept(row, line=self.line.number, offset=self.line.offset, raw=raw)

    def refuse(self, refused: Refused, record: Any = None) -> None:
        """Refuses one record of the line, or the whole line where none is given."""
        raw = self.line.raw if record is None else partial(_written, record)
        self.collector.refuse(str(refused), line=self.line.number, offset=self.line.offset, raw=raw)

    def add_message(self, message: Mapping[str, str | None], record: Any) -> None:
        """Takes a log record that carries messages of a span."""
        self.collector.add_message(message, line=self.line.number, raw=partial(_written, record))


def _written(record: Any) -> bytes:
    return orjson.dumps(record)
