"""Any export file as a stream of records: one JSON value, JSON Lines, CSV or Parquet.

- A JSON value gives one record, or one per item where it is a list or a table; JSON Lines one per line.
- CSV is read by the standard library: polars refuses a whole file for one row of too many cells or
  of broken UTF-8, or drops the cells silently. Every cell stays text, so `00123` keeps its zeros.
- Parquet is read in batches, and never more of it than the file can explain.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import polars as pl

from llmops_lib.errors import SourceError
from llmops_lib.sources.announced import page_of
from llmops_lib.sources.column_json import by_column
from llmops_lib.sources.json_stream import iter_values
from llmops_lib.sources.lines import LINE_LIMIT, open_decompressed, parse_json, read_json_document
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector
from llmops_lib.sources.sample import Sample, take_sample

_BATCH_ROWS = 2_000
# A Parquet file of 212 kB was seen to hold 2 GB; its own footer declares what it likes.
_RATIO_LIMIT = 200
_ALLOWANCE = 128 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file.

    Attributes:
        value: The JSON value, or the row of a table as a dictionary without its empty cells.
        line: Line, row of the table or position in the list, counted from 1; None in a file that has none.
        raw: Text of the record, or what writes it.
        offset: Byte offset of its line.
    """

    value: Any
    line: int | None = None
    raw: bytes | Callable[[], bytes] = b""
    offset: int | None = None

    def part(self, value: Any) -> "Record":
        """A record for one object inside this one."""
        return Record(value, self.line, partial(_written, value), self.offset)

    def items(self, values: list[Any]) -> Iterator["Record"]:
        """The records that this one holds in a list, numbered by position where it has no line."""
        for position, value in enumerate(values, start=1):
            yield Record(value, self.line or position, partial(_written, value), self.offset)


def iter_records(
    path: Path, collector: RowCollector, *, parse: Callable[[bytes], Any] = parse_json
) -> Iterator[Record]:
    """The records of a file; those that cannot be read go to the quarantine on the way.

    What the envelopes of pages say of their number is noted in the collector.

    Args:
        path: A JSON, JSON Lines, CSV (each also as gzip or zstd) or Parquet file.
        collector: Takes the refused records.
        parse: What reads one JSON value and raises Refused.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    return with_pages_noted(_records(path, collector, parse), collector)


def with_pages_noted(records: Iterable[Record], collector: RowCollector) -> Iterator[Record]:
    """The same records, once the collector knows what the envelopes of pages among them announce.

    Args:
        records: Of one file.
        collector: Takes what is announced.
    """
    for record in records:
        if (page := page_of(record.value)) is not None:
            collector.announce(page)
        yield record


def _records(path: Path, collector: RowCollector, parse: Callable[[bytes], Any]) -> Iterator[Record]:
    sample = take_sample(path)
    if sample.kind == "parquet":
        yield from _parquet_records(path)
    elif sample.kind == "csv":
        yield from _csv_records(path, sample, collector)
    elif sample.kind == "document":
        value = read_json_document(path, parse=parse)
        value = by_column(value) or value
        yield from Record(value).items(value) if isinstance(value, list) else [Record(None).part(value)]
    else:
        yield from _line_records(path, collector, parse)


def _line_records(path: Path, collector: RowCollector, parse: Callable[[bytes], Any]) -> Iterator[Record]:
    for found in iter_values(path, parse=parse):
        line = found.line
        if found.refused is not None:
            collector.refuse(str(found.refused), line=line.number, offset=line.offset, raw=line.raw)
        else:
            yield Record(found.value, line.number, line.raw, line.offset)


def _csv_records(path: Path, sample: Sample, collector: RowCollector) -> Iterator[Record]:
    # The limit belongs to the whole process; a prompt is easily longer than the default of 128 kB.
    csv.field_size_limit(LINE_LIMIT)
    with open_decompressed(path) as stream:
        rows = csv.reader(_text_lines(stream), delimiter=sample.separator)
        header = csv_header(path, rows)
        for number, cells in enumerate(_csv_cells(rows), start=1):
            if isinstance(cells, str):
                collector.refuse(cells, line=number)
                continue
            try:
                yield _csv_record(header, cells, number)
            except Refused as refused:
                collector.refuse(str(refused), line=number, raw="\t".join(cells))


def csv_header(path: Path, rows: Iterator[list[str]]) -> list[str]:
    """The names of the columns of a table; a name that is not UTF-8 names its cells all the same.

    Args:
        path: The file, for the error.
        rows: What `csv.reader` gives, from the beginning.

    Raises:
        SourceError: If the first row cannot be read.
    """
    try:
        names = next(rows, [])
    except csv.Error as error:
        msg = f"{path}: the header of the table cannot be read ({error}); expected names on one line"
        raise SourceError(msg) from error
    return [name.encode(errors="surrogateescape").decode(errors="replace") for name in names]


def _csv_cells(rows: Iterator[list[str]]) -> Iterator[list[str] | str]:
    """The cells of each row, or the reason to refuse it."""
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield "line_too_long" if "limit" in str(error) else f"schema: {error}"
            continue
        if cells:
            yield cells


def _text_lines(stream: BinaryIO) -> Iterator[str]:
    is_first = True
    while raw := stream.readline(LINE_LIMIT):
        yield (raw.removeprefix(b"\xef\xbb\xbf") if is_first else raw).decode(errors="surrogateescape")
        is_first = False


def _csv_record(header: list[str], cells: list[str], number: int) -> Record:
    if len(cells) != len(header):
        raise Refused(reason="schema", detail=f"{len(cells)} cells under a header of {len(header)}")
    for cell in cells:
        if not cell.isascii() and not _is_unicode(cell):
            raise Refused(reason="encoding")
    # Of two columns of one name the last counts; an index written twice holds the same values.
    value = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
    return Record(value, number, partial(_written, value))


def _is_unicode(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parquet_records(path: Path) -> Iterator[Record]:
    allowed: float = _ALLOWANCE + _RATIO_LIMIT * path.stat().st_size
    number = 0
    try:
        table = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        # As text, so that a value that a dictionary repeats counts as often as it is repeated.
        as_text = table.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
        for batch in as_text.collect_batches(chunk_size=_BATCH_ROWS):
            allowed -= batch.estimated_size()
            _refuse_bomb(path, allowed)
            for row in batch.iter_rows(named=True):
                number += 1
                value = {name: cell for name, cell in row.items() if cell is not None}
                yield Record(value, number, partial(_written, value))
    except pl.exceptions.PolarsError as error:
        msg = f"{path}: is not a readable Parquet file ({error}); expected a whole one. Export it again."
        raise SourceError(msg) from error


def _refuse_bomb(path: Path, allowed: float) -> None:
    if allowed < 0:
        msg = (
            f"{path}: {path.stat().st_size:,} bytes of Parquet unpack to over {_RATIO_LIMIT} times as many. "
            "If you trust the file, write it again without dictionary compression and load the result."
        )
        raise SourceError(msg)


def _written(value: Any) -> bytes:
    return orjson.dumps(value, default=repr, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_NAIVE_UTC)
