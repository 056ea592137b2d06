"""Plain tables of scores: CSV, Parquet, JSON Lines or a JSON array, one row per score.

What is odd about them, and what we do about it:

- Nothing says which column is which: a mapping does, or the columns bear the names of SCORES.
- Where no column names the run, a hash of the content does; where none names the scorer, the name of the
  column that the score stands in does.
- Rows that repeat an example of a run with the same scorer are its trials, in their order.
- Columns without a place in SCORES stand in `metadata`.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError
from llmops_lib.schema import SCORES
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.score_mapping import ScoreMapping, canonical_scores, read_score_mapping
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows, content_run_id
from llmops_lib.sources.sample import Sample
from llmops_lib.sources.times import parse_time

FORMAT = "table"
LOOKED_FOR = (
    "table: CSV, Parquet, JSON Lines or a JSON array with the columns example_id and score, "
    "or a column mapping"
)
"""What tells this format, for the error that no format was found."""

_VERDICTS = ("score", "passed", "label")
_MISSING = ("nan", "null", "none", "n/a", "\\n")
_FLAGS = {
    **dict.fromkeys(("true", "yes", "1", "1.0", "pass", "passed"), True),
    **dict.fromkeys(("false", "no", "0", "0.0", "fail", "failed"), False),
}
_DTYPES = {name: str(dtype) for name, dtype in SCORES.polars_schema.items()}


def matches(sample: Sample) -> bool:
    """Whether the columns of a table bear the names of SCORES, so that no mapping is needed.

    Args:
        sample: The beginning of the file.
    """
    return "example_id" in sample.columns and any(name in sample.columns for name in _VERDICTS)


def read_score_table(path: Path, *, columns: Mapping[str, Any] | str | Path | None = None) -> ScoreRows:
    """The scores of a plain table; each of its rows is a record.

    Args:
        path: A CSV, JSON Lines or JSON file (each also as gzip or zstd), or a Parquet file.
        columns: Column mapping, as `read_score_mapping` takes it; not needed where columns bear the names
            of SCORES.

    Raises:
        SourceError: If the file or the mapping cannot be read, a mapped column is absent, or times lack
            a zone that nobody stated.
    """
    mapping = canonical_scores() if columns is None else read_score_mapping(columns)
    collector = ScoreCollector(FORMAT, str(path))
    run_id = content_run_id(path)
    found: dict[str, None] = {}
    for record in iter_records(path, collector.refusals):
        if not isinstance(record.value, dict):
            collector.refuse("not_object", line=record.line, raw=record.raw)
            continue
        found |= dict.fromkeys(record.value)
        _accept(path, record, mapping, run_id, collector)
    if found and columns is not None:
        # Empty cells are no keys, so only the whole file shows that a column is absent.
        mapping.checked_against(path, tuple(found))
    return collector.finish()


def _accept(
    path: Path, record: Record, mapping: ScoreMapping, run_id: str, collector: ScoreCollector
) -> None:
    try:
        row = _row(record.value, mapping)
    except Refused as refused:
        if refused.reason == "naive_time":
            msg = (
                f"{path}: started_at holds times without a zone, such as {refused.detail}; put "
                "`timezone: UTC`, or the IANA zone that they are in, into the column mapping"
            )
            raise SourceError(msg) from refused
        collector.refuse(str(refused), line=record.line, raw=record.raw)
        return
    if all(row.get(name) is None for name in (*_VERDICTS, "error")):
        collector.refuse("missing_field: score", line=record.line, raw=record.raw)
        return
    named = {"run_id": run_id, "scorer": mapping.scorer}
    missing = {name: value for name, value in named.items() if row.get(name) is None}
    collector.accept({**row, **missing}, line=record.line, raw=record.raw)


def _row(cells: Mapping[str, Any], mapping: ScoreMapping) -> dict[str, Any]:
    row: dict[str, Any] = dict(mapping.constants)
    mapped = {rule.column for rule in mapping.columns.values()}
    for name, rule in mapping.columns.items():
        value = _typed(name, cells.get(rule.column), rule.factor, mapping.timezone)
        if value is not None:
            row[name] = value
    rest = {name: value for name, value in cells.items() if name not in mapped}
    if rest:
        stated = json_value(row.get("metadata"))
        row["metadata"] = {**(stated if isinstance(stated, dict) else {}), **rest}
    return row


def _typed(name: str, cell: Any, factor: float, timezone: str | None) -> Any:
    dtype = _DTYPES[name]
    if dtype == "String" or cell is None:
        return cell
    if isinstance(cell, str) and (not cell.strip() or cell.strip().lower() in _MISSING):
        return None
    if name == "started_at":
        return parse_time(cell, timezone=timezone)
    if dtype == "Boolean":
        return _FLAGS.get(str(cell).strip().lower(), cell)
    number = float(cell) if isinstance(cell, Decimal) else cell
    return _scaled(number, factor) if factor != 1 else number


def _scaled(number: Any, factor: float) -> Any:
    try:
        return float(number) * factor
    except (TypeError, ValueError):
        # Left as it is, for the check of its column to refuse.
        return number
