"""Labels that people gave answers, from a file of theirs."""

from pathlib import Path

import orjson
import polars as pl

from llmops_lib.errors import SuiteError

_READ = ".jsonl, .csv or .parquet"


def load_labels(path: str | Path, *, label: str = "label", needs: tuple[str, ...] = ()) -> pl.DataFrame:
    """The rows of a file of labels, one per answer, in the order of the file.

    Args:
        path: JSON Lines, CSV with a header, or Parquet.
        label: Column of the label; it is named `label` in the table.
        needs: Other columns that must be there.

    Returns:
        Its columns; `label` as text (true and false, and 1 and 0, as `pass` and `fail`), `trial` as a number.

    Raises:
        SuiteError: If it cannot be read, a line is no object, or a column is missing.
    """
    file = Path(path)
    try:
        rows = _rows(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        msg = f"{file}: cannot be read as labels ({error}); expected {_READ}"
        raise SuiteError(msg) from error
    missing = [name for name in (label, *needs) if name not in rows.columns]
    if missing:
        msg = f"{file}: found no column {', '.join(missing)}; there are {', '.join(rows.columns) or 'none'}"
        raise SuiteError(msg)
    named = rows.drop("label", strict=False).rename({label: "label"}) if label != "label" else rows
    text = pl.col("label").cast(pl.String)
    told = {"true": "pass", "True": "pass", "1": "pass", "false": "fail", "False": "fail", "0": "fail"}
    values = set(named.select(text)["label"].drop_nulls())
    renamed = text.replace(told) if values <= set(told) else text
    casts = [pl.col("trial").cast(pl.Int64)] if "trial" in named.columns else []
    return named.with_columns(renamed, *casts)


def _rows(file: Path) -> pl.DataFrame:
    if file.suffix == ".parquet":
        return pl.read_parquet(file)
    if file.suffix == ".csv":
        return pl.read_csv(file, infer_schema=False)
    if file.suffix not in (".jsonl", ".ndjson"):
        msg = f"{file}: found a name that ends in {file.suffix or 'nothing'}, expected {_READ}"
        raise SuiteError(msg)
    found = []
    # Line by line, so that a bad one is named.
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            msg = f"{file}:{number}: no JSON ({error}); expected one object per line"
            raise SuiteError(msg) from error
        if not isinstance(row, dict):
            msg = f"{file}:{number}: found {type(row).__name__}, expected an object with a label"
            raise SuiteError(msg)
        found.append({name: _text(value) for name, value in row.items()})
    return pl.DataFrame(found, infer_schema_length=None)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
