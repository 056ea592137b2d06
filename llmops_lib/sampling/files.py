"""Samples on disk: the drawn calls with their weights, and the plan that they were drawn by."""

from pathlib import Path

import polars as pl

from llmops_lib.errors import SchemaError
from llmops_lib.sampling.plan import SamplingPlan, write_plan
from llmops_lib.schema import SAMPLE_COLUMNS, SPANS
from llmops_lib.whole_files import write_whole

_NEEDED = ("trace_id", "span_id", "started_at", "is_error", "input", "output", "chance")


def write_sample(sample: pl.DataFrame, plan: SamplingPlan, folder: str | Path) -> Path:
    """Writes a sample as Parquet and JSON Lines with its plan, and returns the Parquet file.

    Texts are written as they are: the files are as confidential as the traces.

    Args:
        sample: Drawn calls, collected.
        plan: What they were drawn by.
        folder: Folder of the sample; made where it is not there.

    Raises:
        SchemaError: If it cannot be written.
    """
    own = Path(folder)
    try:
        own.mkdir(parents=True, exist_ok=True)
        write_plan(plan, own / "plan.json")
        write_whole(own / "sample.jsonl", sample.write_ndjson)
        write_whole(own / "sample.parquet", sample.write_parquet)
    except (OSError, pl.exceptions.PolarsError) as error:
        msg = f"{own}: the sample cannot be written ({error}); make room or give another folder"
        raise SchemaError(msg) from error
    return own / "sample.parquet"


def load_sample(path: str | Path) -> pl.DataFrame:
    """The calls of a sample, checked: every one with the chance that it was drawn with.

    Args:
        path: `sample.parquet`, `sample.jsonl`, or their folder.

    Raises:
        SchemaError: If it cannot be read, lacks a column, or holds a chance that is none.
    """
    file = Path(path) / "sample.parquet" if Path(path).is_dir() else Path(path)
    try:
        found = _read(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        what = type(error).__name__
        msg = f"{file}: cannot be read as a sample ({what}); expected what llmops eval sample wrote"
        raise SchemaError(msg) from error
    missing = [name for name in _NEEDED if name not in found.columns]
    if missing:
        msg = f"{file}: lacks the columns {missing}; expected what llmops eval sample wrote"
        raise SchemaError(msg)
    chances = found["chance"]
    if chances.null_count() or not chances.is_between(0, 1, closed="right").all():
        msg = f"{file}: holds chances that are not above 0 and at most 1; draw the sample again"
        raise SchemaError(msg)
    if found.select("trace_id", "span_id").is_duplicated().any():
        msg = f"{file}: holds a call twice; draw the sample again"
        raise SchemaError(msg)
    return found


def _read(file: Path) -> pl.DataFrame:
    if file.suffix == ".parquet":
        return pl.read_parquet(file)
    declared = {column.name: column.dtype for column in (*SPANS.columns, *SAMPLE_COLUMNS)}
    lines = pl.read_ndjson(file, schema_overrides=declared, infer_schema_length=None)
    return lines.with_columns(pl.col("started_at").cast(declared["started_at"]))
