"""Reading the vectors and the tables that they are about."""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
FILE = Path(os.environ.get("LLMOPS_STATS_VECTORS", REFERENCE / "stats_vectors.json"))


def vectors() -> list[dict[str, Any]]:
    """All vectors; none where the file is absent."""
    return json.loads(FILE.read_text(encoding="utf-8"))["vectors"] if FILE.is_file() else []


def whole_table(name: str) -> pl.DataFrame:
    """A data file, every row in file order."""
    found = next((folder / name for folder in (FILE.parent, REFERENCE) if (folder / name).is_file()), None)
    assert found is not None, f"{name} is neither beside the vectors nor in the reference folder"
    return pl.read_csv(found, infer_schema_length=None)


def table(inputs: dict[str, Any]) -> pl.DataFrame:
    """The rows that a vector is about: its file, filtered as its words say, in file order."""
    rows = whole_table(inputs["file"])
    told = inputs.get("filter", "")
    for column, value in re.findall(r"(\w+)\s*==\s*'?([\w.-]+)'?", told):
        rows = rows.filter(pl.col(column).cast(pl.String) == value)
    return spanned(f"{told} {inputs.get('stream', '')}", rows)


def spanned(told: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that words such as `positions 0..59`, `rows 9683..end` or `first 500 rows` choose."""
    span = re.search(r"(?:positions|rows) (\d+)\.\.(\w+)", told)
    if span:
        first, last = span.groups()
        return rows[int(first) :] if last == "end" else rows[int(first) : int(last) + 1]
    first_rows = re.search(r"first (\d+) rows", told)
    return rows[: int(first_rows[1])] if first_rows else rows


def scores(rows: pl.DataFrame, column: str, inputs: dict[str, Any]) -> pl.Series:
    """A score column; preferences between 1 and 2 become 0 to 1."""
    told = f"{inputs.get('recipe', '')} {inputs.get('transform', '')}"
    found = rows[column].cast(pl.Float64)
    if re.search(r"preference\s*-\s*1", told):
        return found - 1
    if re.search(r"\(score\s*-\s*1\)\s*/\s*9", told):
        return (found - 1) / 9
    return found


def known(series: pl.Series) -> np.ndarray:
    """Values without the missing ones, which the recipes drop."""
    return series.drop_nulls().drop_nans().to_numpy()
