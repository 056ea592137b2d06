"""CSV as blocks of text cells.

pyarrow reads it, because its reader hands over every row whose cells are too many or too few, where
polars fails on the whole file or fills in silently. But it gives up on a file with one byte that is not
UTF-8, so such bytes are marked on the way in, and the rows that bear a mark are refused.
"""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.csv

from llmops_lib.errors import SourceError
from llmops_lib.sources.encodings import Transcoded
from llmops_lib.sources.lines import open_decompressed
from llmops_lib.sources.rows import RowCollector
from llmops_lib.sources.sample import Sample
from llmops_lib.sources.table_text import TextBlock, json_objects, without_empty

_BLOCK_BYTES = 32 << 20
_CHUNK_BYTES = 1 << 20
# No character, and not meant to stand in any file.
_MARK = "\U0010fffe"
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


def csv_blocks(path: Path, sample: Sample, collector: RowCollector) -> Iterator[TextBlock]:
    """The rows of a CSV file in blocks; those that cannot be read go to the quarantine on the way.

    Args:
        path: A plain, gzip or zstd file.
        sample: Its beginning.
        collector: Takes the refused rows.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    refused: list[int] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        # pyarrow counts the header as row 1.
        refused.append(row.number - 1)
        reason = f"schema: {row.actual_columns} cells under a header of {row.expected_columns}"
        collector.refuse(reason, line=row.number - 1, raw=row.text.replace(_MARK, "\ufffd"))
        return "skip"

    last = 0
    names: list[str] | None = None
    try:
        with open_decompressed(path) as stream:
            for batch in _batches(_marked(stream), sample, refuse):
                block = pl.DataFrame(pl.from_arrow(batch))
                if names is None:
                    names, block = _header(block.row(0)), block.slice(1)
                numbers = _numbers_after(last, block.height, refused)
                last = numbers[-1] if block.height else last
                yield _block(block.rename(dict(zip(block.columns, names, strict=True))), numbers, collector)
    except pa.ArrowException as error:
        msg = f"{path}: is not a readable CSV table ({error}); look for a quote that is never closed"
        raise SourceError(msg) from error


def _marked(stream: BinaryIO) -> io.BufferedReader:
    """The bytes of a stream with a mark in place of each that is not UTF-8."""
    read = Transcoded(stream, encoding="utf-8", errors="surrogateescape", encode=_with_marks)
    return io.BufferedReader(read, _CHUNK_BYTES)


def _with_marks(text: str) -> bytes:
    return text.encode() if text.isascii() else _NOT_UTF8.sub(_MARK, text).encode()


def _batches(
    stream: BinaryIO, sample: Sample, refuse: Callable[[pyarrow.csv.InvalidRow], str]
) -> pyarrow.csv.CSVStreamingReader:
    # The header is read as a row, because only then a name may hold a line break. Threads are off
    # because row numbers are known only then.
    types = {f"f{position}": pa.large_string() for position in range(len(sample.columns) + 1)}
    return pyarrow.csv.open_csv(
        stream,
        read_options=pyarrow.csv.ReadOptions(
            autogenerate_column_names=True, block_size=_BLOCK_BYTES, use_threads=False
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=sample.separator, newlines_in_values=True, invalid_row_handler=refuse
        ),
        convert_options=pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
    )


def _header(cells: tuple[str, ...]) -> list[str]:
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column {position}"
        names.append(f"{name} ({position})" if name in names else name)
    return names


def _numbers_after(last: int, height: int, refused: list[int]) -> pl.Series:
    taken = pl.Series([number for number in refused if number > last], dtype=pl.Int64)
    numbers = pl.int_range(last + 1, last + 1 + height + taken.len(), eager=True)
    return numbers.filter(~numbers.is_in(taken.implode())).head(height)


def _block(cells: pl.DataFrame, numbers: pl.Series, collector: RowCollector) -> TextBlock:
    is_broken = pl.any_horizontal(pl.all().str.contains(_MARK, literal=True))
    broken = cells.select(is_broken).to_series()
    if broken.any():
        for number, row in zip(numbers.filter(broken), cells.filter(broken).rows(), strict=True):
            collector.refuse("encoding", line=number, raw=",".join(row).replace(_MARK, "\ufffd"))
        cells, numbers = cells.filter(~broken), numbers.filter(~broken)
    cells = without_empty(cells)
    return TextBlock(cells, numbers, json_objects(cells))
