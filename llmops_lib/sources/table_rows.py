"""Plain tables as blocks of text cells, whatever file they come from.

CSV, Parquet and JSON rows all become text first and are typed later, in one place: what a column
holds then does not depend on which other rows a reader happened to infer its type from.

- JSON Lines are parsed one by one, because only a strict parser sees a repeated key or a lone
  surrogate; the good ones become cells in one columnar step.
- Parquet is read in batches of bounded size, and never more of it than the file can explain.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from llmops_lib.errors import SourceError
from llmops_lib.sources.column_json import by_column
from llmops_lib.sources.json_stream import iter_values
from llmops_lib.sources.lines import read_json_document
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector
from llmops_lib.sources.sample import Sample
from llmops_lib.sources.table_csv import csv_blocks
from llmops_lib.sources.table_text import TextBlock, cells_as_text, json_objects, without_empty

_BLOCK_BYTES = 32 << 20
_PROBE_ROWS = 64
_RATIO_LIMIT = 200
_ALLOWANCE = 128 << 20


def iter_blocks(path: Path, sample: Sample, collector: RowCollector) -> Iterator[TextBlock]:
    """The rows of a table in blocks; those that cannot be read go to the quarantine on the way.

    Args:
        path: A CSV, JSON Lines or JSON file (each also as gzip or zstd), or a Parquet file.
        sample: Its beginning.
        collector: Takes the refused rows.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    if sample.kind == "parquet":
        yield from _parquet_blocks(path)
    elif sample.kind == "csv":
        yield from csv_blocks(path, sample, collector)
    elif sample.kind == "document":
        yield from _document_blocks(path, collector)
    else:
        yield from _line_blocks(path, collector)


def _line_blocks(path: Path, collector: RowCollector) -> Iterator[TextBlock]:
    rows: list[tuple[int, bytes, Any]] = []
    size = 0
    for found in iter_values(path):
        line, refused = found.line, found.refused
        if refused is None and not isinstance(found.value, dict):
            refused = Refused(reason="not_object", detail=type(found.value).__name__)
        if refused is not None:
            collector.refuse(str(refused), line=line.number, offset=line.offset, raw=line.raw)
            continue
        rows.append((line.number, line.raw, found.value))
        size += len(line.raw)
        if size > _BLOCK_BYTES:
            yield _json_block(rows)
            rows, size = [], 0
    if rows:
        yield _json_block(rows)


def _document_blocks(path: Path, collector: RowCollector) -> Iterator[TextBlock]:
    value = read_json_document(path)
    value = by_column(value) or value
    rows: list[tuple[int, bytes, Any]] = []
    for number, row in enumerate(value if isinstance(value, list) else [value], start=1):
        if isinstance(row, dict):
            rows.append((number, orjson.dumps(row), row))
        else:
            collector.refuse(f"not_object: {type(row).__name__}", line=number, raw=orjson.dumps(row))
    if rows:
        yield _json_block(rows)


def _json_block(rows: list[tuple[int, bytes, Any]]) -> TextBlock:
    names = dict.fromkeys(chain.from_iterable(row for _, _, row in rows))
    # polars reads an escaped lone surrogate as NUL; the parsed value holds U+FFFD in its place. An object
    # over many lines is written on one.
    raws = [orjson.dumps(row) if b"\n" in raw or b"\\ud" in raw.lower() else raw for _, raw, row in rows]
    try:
        cells = pl.read_ndjson(b"\n".join(raws), schema=dict.fromkeys(names, pl.String))
    except pl.exceptions.PolarsError:
        cells = pl.DataFrame([_cells_of(row) for _, _, row in rows], schema=dict.fromkeys(names, pl.String))
    numbers = pl.Series([number for number, _, _ in rows], dtype=pl.Int64)
    return TextBlock(
        without_empty(cells), numbers, pl.Series([raw.decode() for raw in raws], dtype=pl.String)
    )


def _cells_of(row: dict[str, Any]) -> dict[str, str | None]:
    return {
        name: value if isinstance(value, str) or value is None else orjson.dumps(value).decode()
        for name, value in row.items()
    }


def _parquet_blocks(path: Path) -> Iterator[TextBlock]:
    allowed: float = _ALLOWANCE + _RATIO_LIMIT * path.stat().st_size
    number = 1
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_batch_rows(table)):
                cells = _text_cells(batch)
                allowed -= _text_bytes(cells)
                _refuse_bomb(path, allowed)
                numbers = pl.int_range(number, number + cells.height, eager=True)
                number += cells.height
                yield TextBlock(cells, numbers, json_objects(cells))
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as error:
        msg = f"{path}: is not a readable Parquet table ({error}); export it again"
        raise SourceError(msg) from error


def _batch_rows(table: pyarrow.parquet.ParquetFile) -> int:
    # A dictionary lets few bytes stand for long texts, so only rows written out as text tell their size.
    probe = next(table.iter_batches(_PROBE_ROWS), None)
    if probe is None or not probe.num_rows:
        return 1
    return int(min(65_536, 1 + _BLOCK_BYTES * probe.num_rows / (1 + _text_bytes(_text_cells(probe)))))


def _text_cells(batch: pa.RecordBatch) -> pl.DataFrame:
    return without_empty(cells_as_text(pl.DataFrame(pl.from_arrow(batch))))


def _text_bytes(cells: pl.DataFrame) -> int:
    return sum(cells.select(pl.all().str.len_bytes().sum()).row(0))


def _refuse_bomb(path: Path, allowed: float) -> None:
    if allowed < 0:
        msg = (
            f"{path}: {path.stat().st_size:,} bytes of Parquet unpack to over {_RATIO_LIMIT} times as many. "
            "If you trust the file, write it again without dictionary compression and load the result."
        )
        raise SourceError(msg)
