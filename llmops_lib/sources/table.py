"""Plain tables of requests: CSV, Parquet, JSON Lines or a JSON array, with a column mapping.

What is odd about them, and what we do about it:

- Nothing says which column is which: a mapping does, or the columns bear the names of SPANS.
- A request log seldom says what an operation is. Rows that do not say are `chat` calls.
- Rows have no ids. A row's id is a hash of what it holds and of how many equal rows came before it, so
  that the row has the same id in an overlapping export, and two equal requests stay two.
- Times often lack a zone, or count from an origin; both are for the caller to state, never guessed.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from llmops_lib.errors import SourceError
from llmops_lib.schema import MADE_INCLUSIVE, TOKEN_CONVENTION
from llmops_lib.sources.held import Pieces
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import PART, PIECE_SCHEMA, ROW_SCHEMA, RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, take_sample
from llmops_lib.sources.table_cells import typed_column
from llmops_lib.sources.table_derived import derived_columns, with_digest, with_every_column, with_ids
from llmops_lib.sources.table_mapping import ColumnRule, TableMapping, canonical_mapping, read_mapping
from llmops_lib.sources.table_rows import iter_blocks
from llmops_lib.sources.table_text import TextBlock, json_objects, merged_objects

FORMAT = "table"
LOOKED_FOR = "table: CSV, Parquet, JSON Lines or a JSON array with a column started_at, or a column mapping"

_WAITING_SCHEMA = pl.Schema([*ROW_SCHEMA.items(), ("digest", pl.String)])

# Columns of tables that have a started_at and hold something else: scores, and calls of W&B Weave.
_OTHER_TABLES = ("scorer", "op_name")


def matches(sample: Sample) -> bool:
    """Whether the columns of a table bear the names of SPANS, so that no mapping is needed."""
    return "started_at" in sample.columns and not any(name in sample.columns for name in _OTHER_TABLES)


def read_table(
    path: Path,
    *,
    timezone: str | None = None,
    columns: Mapping[str, Any] | str | Path | None = None,
) -> SourceRows:
    """The rows of a plain table.

    Args:
        path: A CSV, JSON Lines or JSON file (each also as gzip or zstd), or a Parquet file.
        timezone: IANA zone of times that name none.
        columns: Column mapping, as `read_mapping` takes it; not needed where columns bear the names of SPANS.

    Raises:
        SourceError: If the file or the mapping cannot be read, a mapped column is absent, or times lack
            a zone that nobody stated.
    """
    mapping = canonical_mapping(timezone) if columns is None else read_mapping(columns, timezone=timezone)
    constants = _constants(mapping)
    sample = take_sample(path)
    collector = RowCollector(FORMAT, str(path))
    waiting = Pieces(_WAITING_SCHEMA)
    found: dict[str, None] = {}
    for block in iter_blocks(path, sample, collector):
        waiting.add(collector.hidden(_canonical_rows(path, block, mapping, constants, collector)))
        found |= dict.fromkeys(block.cells.columns)
    if found and columns is not None:
        # Rows of a JSON file differ in their keys, so only the whole file shows that a column is absent.
        mapping.checked_against(path, tuple(found))
    spans = Pieces(PIECE_SCHEMA, key=PART)
    for rows in with_ids(waiting):
        spans.add(rows.with_columns(row_number=pl.int_range(pl.len()) + spans.height))
    return replace(collector.finish(), span_pieces=spans)


def _constants(mapping: TableMapping) -> dict[str, pl.Series]:
    constants: dict[str, pl.Series] = {}
    for name, value in mapping.constants.items():
        text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
        values, refusals = typed_column(name, pl.Series([text]), ColumnRule(name), mapping.timezone)
        if refusals:
            msg = f"the mapping's constant {name} cannot be {value!r} ({refusals[0]})"
            raise SourceError(msg)
        constants[name] = values
    return constants


def _canonical_rows(
    path: Path,
    block: TextBlock,
    mapping: TableMapping,
    constants: Mapping[str, pl.Series],
    collector: RowCollector,
) -> pl.DataFrame:
    rows, refusals = _typed_columns(path, block, mapping)
    rows = rows.with_columns(_filled(rows, name, value) for name, value in constants.items())
    rows = derived_columns(with_every_column(rows), is_exclusive=mapping.is_exclusive)
    rows = rows.with_columns(
        _attributes(rows, block, mapping),
        source_line=block.numbers,
        feature_hint=pl.lit(None, dtype=pl.String),
    )
    for position in rows["started_at"].is_null().arg_true():
        refusals.setdefault(position, "missing_field: started_at")
    for position in sorted(refusals):
        line = block.numbers[position]
        collector.refuse(refusals[position], line=line, raw=block.content[position])
    kept = ~pl.int_range(rows.height, eager=True).is_in(list(refusals))
    rows = with_digest(rows.filter(kept), block.content.filter(kept))
    rows = rows.with_columns(source_format=pl.lit(FORMAT), source_file=pl.lit(str(path)))
    return rows.select(pl.col(name).cast(dtype) for name, dtype in _WAITING_SCHEMA.items())


def _typed_columns(
    path: Path, block: TextBlock, mapping: TableMapping
) -> tuple[pl.DataFrame, dict[int, str]]:
    columns: list[pl.Series] = [block.numbers.alias("source_line")]
    refusals: dict[int, str] = {}
    for name, rule in mapping.columns.items():
        if rule.column not in block.cells.columns:
            continue
        try:
            values, refused = typed_column(name, block.cells[rule.column], rule, mapping.timezone)
        except Refused as refusal:
            msg = (
                f"{path}: {name} holds times without a zone, such as {refusal.detail}; pass timezone='UTC', "
                "or the IANA zone that the system logged in, or put `timezone` into the column mapping"
            )
            raise SourceError(msg) from refusal
        columns.append(values)
        refusals = refused | refusals
    return pl.DataFrame(columns), refusals


def _filled(rows: pl.DataFrame, name: str, constant: pl.Series) -> pl.Expr:
    value = pl.lit(constant).first()
    return (pl.coalesce(name, value) if name in rows.columns else value).alias(name)


def _attributes(rows: pl.DataFrame, block: TextBlock, mapping: TableMapping) -> pl.Series:
    mapped = {rule.column for rule in mapping.columns.values()}
    rest = json_objects(block.cells.drop(mapped & set(block.cells.columns)))
    if mapping.is_exclusive:
        note = orjson.dumps({TOKEN_CONVENTION: MADE_INCLUSIVE}).decode()
        has_cache = pl.any_horizontal(pl.col("cache_read_tokens", "cache_write_tokens") > 0)
        noted = rows.select(pl.when(has_cache).then(pl.lit(note)).otherwise(pl.lit("{}"))).to_series()
        rest = merged_objects(noted, rest)
    return merged_objects(rows["attributes"], rest).alias("attributes")
