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
from llmops_lib.sources.lines import iter_lines, parse_json, read_json_document
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
    for line in iter_lines(path):
        place: dict[str, Any] = {"line": line.number, "offset": line.offset}
        if line.is_too_long:
            collector.refuse("line_too_long", **place)
            continue
        try:
            rows.append((line.number, line.raw, _json_object(parse_json(line.raw))))
        except Refused as refused:
            collector.refuse(str(refused), raw=line.raw, **place)
            continue
        size += len(line.raw)
        if size > _BLOCK_BYTES:
            yield _json_block(rows)
            rows, size = [], 0
    if rows:
        yield _json_block(rows)


def _document_blocks(path: Path, collector: RowCollector) -> Iterator[TextBlock]:
    value = read_json_document(path)
    rows: list[tuple[int, bytes, Any]] = []
    for number, row in enumerate(value if isinstance(value, list) else [value], start=1):
        try:
            rows.append((number, orjson.dumps(_json_object(row)), row))
        except Refused as refused:
            collector.refuse(str(refused), line=number, raw=orjson.dumps(row))
    if rows:
        yield _json_block(rows)


def _json_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise Refused(reason="not_object", detail=type(value).__name__)
    return value


def _json_block(rows: list[tuple[int, bytes, Any]]) -> TextBlock:
    names = dict.fromkeys(chain.from_iterable(row for _, _, row in rows))
    # polars reads an escaped lone surrogate as NUL; the parsed value holds U+FFFD in its place.
    raws = [orjson.dumps(row) if b"\\ud" in raw.lower() else raw for _, raw, row in rows]
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
