"""What a canonical table is: declared columns, and the two functions that hold a frame to them."""

from dataclasses import dataclass

import polars as pl

from llmops_lib.errors import SchemaError

UTC_DATETIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Column:
    """One declared column of a canonical table.

    Attributes:
        name: Column name; carries its unit (`_usd`, `_ms`, `_tokens`, `_at`, `_on`, `_share`).
        dtype: Polars dtype.
        meaning: One sentence; the only place where the column is documented.
        unit: Unit of a number, or None for text, flags and identifiers.
        is_nullable: False where a null would make the row useless; null always means unknown.
        otel_name: Name in the OpenTelemetry GenAI semantic conventions, where they have one.
    """

    name: str
    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    unit: str | None = None
    is_nullable: bool = True
    otel_name: str | None = None


@dataclass(frozen=True)
class Table:
    """A canonical table: its name, its grain, its key and its columns in order."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in declared order."""
        return tuple(column.name for column in self.columns)

    @property
    def polars_schema(self) -> pl.Schema:
        """Column names and dtypes in declared order."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """A frame of no rows that has every declared column."""
        return pl.DataFrame(schema=self.polars_schema)


def conform(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame with exactly the declared columns, in order, cast to their dtypes.

    A missing column is added as null (unknown); a column that is not declared is an error,
    because dropping it here would lose data silently.

    Args:
        frame: Rows whose columns are named as in `table`.
        table: `SPANS`, `SCORES`, `PRICES` or `QUARANTINE`.

    Returns:
        The same rows in declared shape.

    Raises:
        SchemaError: If a column is not declared or a value does not fit its dtype.
    """
    _reject_undeclared(frame, table)
    present = set(frame.columns)
    casts = [
        pl.col(column.name).cast(column.dtype)
        if column.name in present
        else pl.lit(None, dtype=column.dtype).alias(column.name)
        for column in table.columns
    ]
    try:
        return frame.select(casts)
    except pl.exceptions.PolarsError as error:
        msg = f"{table.name}: a value does not fit its declared dtype: {error}"
        raise SchemaError(msg) from error


def validate(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame itself, once it is known to hold what `table` declares.

    Args:
        frame: A frame in declared shape.
        table: The declaration it must meet.

    Returns:
        `frame`, unchanged.

    Raises:
        SchemaError: If columns or dtypes differ, a non-nullable column holds a null, or the key repeats.
    """
    if frame.schema != table.polars_schema:
        found = [f"{name}: {dtype}" for name, dtype in frame.schema.items()]
        wanted = [f"{name}: {dtype}" for name, dtype in table.polars_schema.items()]
        msg = f"{table.name}: found columns {found}, expected {wanted}; call conform() first"
        raise SchemaError(msg)
    _reject_nulls(frame, table)
    _reject_repeated_keys(frame, table)
    return frame


def _reject_undeclared(frame: pl.DataFrame, table: Table) -> None:
    undeclared = [name for name in frame.columns if name not in table.names]
    if undeclared:
        msg = (
            f"{table.name}: found undeclared columns {undeclared}; expected only {list(table.names)}. "
            "Rename them, or move them into `attributes`."
        )
        raise SchemaError(msg)


def _reject_nulls(frame: pl.DataFrame, table: Table) -> None:
    required = [column.name for column in table.columns if not column.is_nullable]
    counts = frame.select(pl.col(required).null_count()).row(0) if frame.height and required else ()
    holed = {name: count for name, count in zip(required, counts, strict=False) if count}
    if holed:
        msg = f"{table.name}: found nulls in columns that must be known: {holed} (column: rows)"
        raise SchemaError(msg)


def _reject_repeated_keys(frame: pl.DataFrame, table: Table) -> None:
    if not table.key or frame.height == frame.select(table.key).n_unique():
        return
    repeated = frame.group_by(table.key).len().filter(pl.col("len") > 1).sort(table.key).head(3)
    msg = f"{table.name}: key {table.key} repeats, first cases {repeated.rows()}; remove duplicates first"
    raise SchemaError(msg)
