"""The one bridge to dataframe libraries: what a measure does with the table it is given.

A measure is written once as Narwhals expressions. It takes a polars DataFrame or LazyFrame,
a pandas DataFrame, a DuckDB relation or another table that Narwhals knows, and what comes
back is of the same kind. Nothing is collected on the way.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.errors import EngineError, MissingColumnError
from llmops_lib.periods import Day, Period


def narwhal(
    table: Any, *, columns: Iterable[str] = (), hint: str = ""
) -> "nw.DataFrame[Any] | nw.LazyFrame[Any]":
    """The table as a Narwhals frame that is known to hold the columns a measure uses.

    Args:
        table: Any table that Narwhals supports, or a Narwhals frame.
        columns: Columns that the measure uses.
        hint: What to do where one is missing, such as `call price_calls() first`.

    Raises:
        EngineError: If the object is no supported table.
        MissingColumnError: If a column is missing; the message lists those there.
    """
    try:
        frame: nw.DataFrame[Any] | nw.LazyFrame[Any] = nw.from_native(table)
    except TypeError as error:
        msg = f"found a {type(table).__name__}, expected a polars, pandas or other Narwhals table"
        raise EngineError(msg) from error
    found = frame.collect_schema().names()
    missing = [name for name in columns if name not in found]
    if missing:
        msg = f"columns {missing} are missing; the table has {found}" + (f". {hint}" if hint else "")
        raise MissingColumnError(msg)
    return frame


def in_period(table: Any, period: Period) -> Any:
    """The rows that started in the period, as the same kind of table.

    Args:
        table: SPANS or SCORES; uses `started_at`.
        period: Half-open reporting period.

    Returns:
        The rows with `period.start <= started_at < period.end`.
    """
    frame = narwhal(table, columns=["started_at"])
    started_at = nw.col("started_at")
    return frame.filter((started_at >= period.start) & (started_at < period.end)).to_native()


def with_day(table: Any, period: Period) -> Any:
    """The rows of a period with `started_on`, the local day on which each started.

    SQL engines cannot convert time zones alike, so the bounds of the days are computed here
    and compared as UTC literals.

    Args:
        table: SPANS or SCORES; uses `started_at`.
        period: Period whose days are wanted; rows outside it are dropped.

    Returns:
        The rows in the period with `started_on` (text, `2026-11-09`).
    """
    frame = nw.from_native(in_period(table, period))
    started_on = _day_of(list(period.each_day()))
    return frame.with_columns(started_on=started_on).to_native()


def _day_of(days: list[Day]) -> nw.Expr:
    # Halving keeps the expression shallow: a year of nested conditions is too deep for some engines.
    if len(days) == 1:
        return nw.lit(days[0].on.isoformat())
    middle = len(days) // 2
    is_earlier = nw.col("started_at") < days[middle].start
    return nw.when(is_earlier).then(_day_of(days[:middle])).otherwise(_day_of(days[middle:]))


def with_content(calls: pl.DataFrame, spans: Any) -> pl.DataFrame:
    """A few calls with their input and output, fetched from the spans that they were measured on.

    Measures run without message texts, which are most of the bytes of an export; a report shows
    the texts of a few dozen calls.

    Args:
        calls: A few rows; uses `trace_id`, `span_id`.
        spans: SPANS, on any engine, that hold these calls.

    Returns:
        The rows of `calls` in their order, with `input` and `output` added.
    """
    key = ["trace_id", "span_id"]
    frame = narwhal(spans, columns=[*key, "input", "output"])
    # Equality with literals lets a Parquet store skip what it need not read; a join would read all texts.
    wanted = frame.filter(nw.col("trace_id").is_in(calls["trace_id"].unique().to_list()))
    content = collected(wanted.select([*key, "input", "output"]).to_native())
    without = calls.drop("input", "output", strict=False)
    return without.join(content, on=key, how="left", maintain_order="left")


def collected(table: Any) -> pl.DataFrame:
    """The table as a polars DataFrame: for small results on their way into a view.

    Args:
        table: A table of any engine.

    Returns:
        The same rows and columns.

    Example:
        >>> collected(pl.LazyFrame({"model": ["gpt-4o"]})).rows()
        [('gpt-4o',)]
    """
    frame = nw.from_native(table)
    eager: nw.DataFrame[Any] = frame.collect(backend="polars") if isinstance(frame, nw.LazyFrame) else frame
    return eager.to_polars()


def collected_in_parts(table: Any, *, rows: int = 10_000) -> Iterator[pl.DataFrame]:
    """The table as polars DataFrames of some thousand rows, in order: for texts, which are most of its bytes.

    Args:
        table: Any table; of a polars LazyFrame, as a store gives it, one part at a time is in memory.
        rows: Rows of a part.
    """
    native = nw.from_native(table).to_native()
    if isinstance(native, pl.LazyFrame):
        yield from native.collect_batches(chunk_size=rows, maintain_order=True)
    else:
        yield from collected(native).iter_slices(rows)


def by_columns(by: str | Sequence[str]) -> list[str]:
    """Grouping columns as a list, whether one name or several were given."""
    return [by] if isinstance(by, str) else list(by)
