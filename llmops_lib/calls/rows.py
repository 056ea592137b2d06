"""The rows that a measure works on: which count, which columns, in which order."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls.engines import Frame, with_pandas_dtypes
from llmops_lib.errors import EngineError
from llmops_lib.frames import narwhal
from llmops_lib.schema import OTHER_CONVENTION, PRICED_COLUMNS, REGION, RETRY_COLUMNS, SPANS

CALL_COLUMNS = (
    "trace_id",
    "span_id",
    "started_at",
    "model",
    "tenant",
    "feature",
    "user_id",
    "latency_ms",
    "cost_usd",
    "input_tokens",
    "output_tokens",
)
"""What a list of calls tells of each."""

PRICE_HINT = "Call price_calls() on the table first."
"""What to do where a column of money is missing."""

_DECLARED: Mapping[str, Any] = {
    column.name: column.dtype
    for column in (*SPANS.columns, *PRICED_COLUMNS, OTHER_CONVENTION, REGION, *RETRY_COLUMNS)
}
_PANDAS_DTYPES: Mapping[Any, str] = {
    pl.Int64: "Int64",
    pl.Int32: "Int32",
    pl.Float64: "Float64",
    pl.Boolean: "boolean",
    pl.String: "str",
}


def known_rows(table: Any, columns: Iterable[str], *, hint: str = "") -> Frame:
    """All rows of a table with the columns that a measure uses, and no NaN among them.

    Args:
        table: Any table that Narwhals supports.
        columns: Columns to keep.
        hint: What to do where one is missing.

    Returns:
        The columns in the order given. A pandas frame gets nullable dtypes in the columns that
        SPANS declares, so that its integers stay integers beside unknown values.

    Raises:
        EngineError: If the object is no supported table.
        MissingColumnError: If a column is missing.
        SchemaError: If a pandas column does not fit its declared dtype.
    """
    names = list(dict.fromkeys(columns))
    frame = narwhal(table, columns=names, hint=hint).select(names)
    if frame.implementation.is_pandas_like():
        return with_pandas_dtypes(
            frame,
            {
                name: _PANDAS_DTYPES[_DECLARED[name]]
                for name in names
                if _DECLARED.get(name) in _PANDAS_DTYPES
            },
        )
    schema = frame.collect_schema()
    floats = [name for name in names if schema[name].is_float()]
    # Where there are rows to look at: a sum is NaN if a value is, and takes less than copying a column.
    if isinstance(frame, nw.DataFrame):
        floats = [name for name in floats if math.isnan(frame[name].sum() or 0.0)]
    known = [nw.when(~nw.col(name).is_nan()).then(nw.col(name)) for name in floats]
    return frame.with_columns(known) if known else frame


def model_calls(table: Any, columns: Iterable[str], *, by: Sequence[str] = (), hint: str = "") -> Frame:
    """The rows that are model calls, with the columns that a measure uses.

    Args:
        table: SPANS, on any engine; uses `is_model_call`.
        columns: Columns that the measure uses.
        by: Grouping columns.
        hint: What to do where a column is missing.

    Returns:
        `by`, then `columns`, of the rows where `is_model_call` is true.
    """
    names = list(dict.fromkeys([*by, *columns]))
    frame = known_rows(table, [*names, "is_model_call"], hint=hint)
    return frame.filter(nw.col("is_model_call")).select(names)


def ordered(frame: Frame, columns: Sequence[str], *, largest_first: Sequence[str] = ()) -> Frame:
    """The rows sorted by columns, unknown values last.

    Args:
        frame: Rows to sort.
        columns: Columns to sort by, the first one foremost; none leaves the rows as they are.
        largest_first: Those of `columns` that sort downwards.
    """
    if not columns:
        return frame
    return frame.sort(*columns, descending=[name in largest_first for name in columns], nulls_last=True)


def stacked(frames: Sequence[Frame]) -> Frame:
    """The rows of all frames; null where a frame lacks a column.

    Raises:
        EngineError: If the frames are of different kinds.
    """
    kinds = sorted({f"{type(native).__module__}.{type(native).__qualname__}" for native in _natives(frames)})
    if len(kinds) > 1:
        msg = f"found tables of {' and '.join(kinds)}, expected tables of one kind; convert one of them first"
        raise EngineError(msg)
    # That all are of one kind cannot be said in types where each may be eager or lazy.
    return nw.concat(frames, how="diagonal")  # type: ignore[type-var]


def _natives(frames: Sequence[Frame]) -> list[Any]:
    return [frame.to_native() for frame in frames]
