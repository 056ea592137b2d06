"""One table, on every engine that measures run on."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl
import pytest

from llmops_lib.schema import PRICED_COLUMNS, SPANS, conform

ENGINES = ("polars", "polars-lazy", "pandas", "pandas-arrow", "duckdb")
MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


@pytest.fixture(params=ENGINES)
def engine(request) -> Callable[[pl.DataFrame], Any]:
    """Puts a polars table on one engine; every test that asks for it runs on all of them."""
    connection = duckdb.connect()
    convert = {
        "polars": lambda table: table,
        "polars-lazy": lambda table: table.lazy(),
        "pandas": lambda table: table.to_pandas(),
        "pandas-arrow": lambda table: table.to_pandas(use_pyarrow_extension_array=True),
        "duckdb": lambda table: connection.from_arrow(table.to_arrow()),
    }
    # The connection must live as long as its relations.
    yield convert[request.param]
    connection.close()


@pytest.fixture
def calls() -> Callable[..., pl.DataFrame]:
    """Builds priced spans from the columns a test cares about; the others get plain values or null."""
    return _calls


def _calls(**columns: list[Any]) -> pl.DataFrame:
    height = len(next(iter(columns.values())))
    plain = {
        "trace_id": [f"t{row}" for row in range(height)],
        "span_id": [f"s{row}" for row in range(height)],
        "operation": ["chat"] * height,
        "is_model_call": [True] * height,
        "started_at": [MONDAY] * height,
        "is_error": [False] * height,
        "source_format": ["table"] * height,
        "source_file": ["traces.csv"] * height,
    }
    priced = {column.name: column.dtype for column in PRICED_COLUMNS}
    money = [pl.Series(name, columns.pop(name, [None] * height), dtype) for name, dtype in priced.items()]
    given = {**plain, **columns}
    schema = {name: SPANS.polars_schema[name] for name in given}
    return conform(pl.DataFrame(given, schema=schema), SPANS).with_columns(money)
