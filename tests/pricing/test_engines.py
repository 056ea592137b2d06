"""Which tables price_calls takes, and that what it gives back is the same table with more columns."""

import duckdb
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from llmops_lib.errors import EngineError, MissingColumnError, SchemaError
from llmops_lib.pricing import price_calls
from llmops_lib.schema import PRICED_COLUMNS

USED = [
    "is_model_call",
    "operation",
    "started_at",
    "provider",
    "request_model",
    "response_model",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
]
SONNET = {"provider": "anthropic", "request_model": "claude-sonnet-4-5"}
O3 = {"request_model": "o3", "input_tokens": 1_000_000, "output_tokens": 1_000_000}


def test_pricing_twice_is_pricing_once(calls):
    """Notebook cells are run again; stale prices must not survive, nor columns multiply."""
    once = price_calls(calls({}, {"provider": "nobody"}, O3))
    stale = once.with_columns(cost_usd=pl.lit(99.0), price_basis=pl.lit("stale"))
    assert_frame_equal(price_calls(once), once)
    assert_frame_equal(price_calls(stale), once)


def test_the_rows_and_columns_of_the_table_stay_as_they_were(calls):
    """Pricing adds columns; it must not drop, reorder or change what is there, own columns included."""
    spans = calls(*(O3 | {"span_id": f"x{i % 7}{i}", "input_tokens": i} for i in range(50)))
    spans = spans.with_columns(tier=pl.lit("mine"), basis=pl.lit(1))
    priced = price_calls(spans)
    assert priced.columns == [*spans.columns, *(column.name for column in PRICED_COLUMNS)]
    assert_frame_equal(priced.select(spans.columns), spans)
    assert priced.schema["cost_usd"] == pl.Float64
    assert priced.schema["is_priced"] == pl.Boolean


def test_an_empty_table_has_the_priced_columns_too(calls):
    """A period without calls is an ordinary week."""
    priced = price_calls(calls({}).clear())
    assert priced.schema["price_basis"] == pl.String
    assert priced.height == 0


def test_a_lazy_table_stays_lazy_and_agrees_with_the_eager_one(calls):
    """A store of a year must not be collected in order to be priced."""
    spans = calls({}, O3, SONNET, {"is_model_call": False}, {"provider": None})
    lazy = price_calls(spans.lazy())
    assert isinstance(lazy, pl.LazyFrame)
    assert_frame_equal(lazy.collect(), price_calls(spans))
    assert_frame_equal(lazy.collect(engine="streaming"), price_calls(spans))


def test_planning_a_lazy_table_reads_the_model_names_only(calls):
    """Attributes are the bulk of a store; looking up prices must not read them."""

    def refuse(_):
        msg = "attributes were read"
        raise AssertionError(msg)

    lazy = calls({}).lazy().with_columns(pl.col("attributes").map_batches(refuse, return_dtype=pl.String))
    assert isinstance(price_calls(lazy), pl.LazyFrame)


def test_a_pandas_table_stays_one_with_its_index_and_dtypes(calls):
    """The index is the user's; costs must land on their own rows."""
    spans = calls({}, O3, {"provider": "nobody"})
    frame = spans.select(USED).to_pandas()
    frame.index = pd.Index([7, 7, 3])
    priced = price_calls(frame)
    assert isinstance(priced, pd.DataFrame)
    assert list(priced.index) == [7, 7, 3]
    assert priced["cost_usd"].tolist()[:2] == pytest.approx([0.0035, 10.0])
    assert priced["cost_usd"].isna().tolist() == [False, False, True]
    assert priced["is_priced"].dtype == bool
    assert "cost_usd" not in frame.columns


def test_counts_that_pandas_turned_into_floats_are_still_counts(calls):
    """A column with a gap becomes float in pandas; NaN is unknown there, not zero."""
    frame = calls({}, {"output_tokens": None}).to_pandas()
    assert str(frame["output_tokens"].dtype) == "float64"
    assert price_calls(frame)["is_priced"].tolist() == [True, False]


def test_another_engine_is_refused_with_the_way_out(calls):
    """Collecting a remote table silently is the thing the library never does."""
    spans = calls({}).select(USED)
    relation = duckdb.sql("select * from spans")
    with pytest.raises(EngineError, match=r"DuckDBPyRelation, expected .* `relation.pl\(\)` in DuckDB"):
        price_calls(relation)
    assert spans.height == 1


def test_a_missing_column_is_named_with_the_table_to_give(calls):
    """A scores table given by mistake must say so."""
    with pytest.raises(MissingColumnError, match=r"reasoning_tokens.*load_traces"):
        price_calls(calls({}).drop("reasoning_tokens"))


def test_a_time_without_a_zone_is_refused(calls):
    """The day of a price cut cannot be told without a zone, and a zone is never guessed."""
    with pytest.raises(SchemaError, match=r"expected Datetime with the time zone UTC"):
        price_calls(calls({}).with_columns(pl.col("started_at").dt.replace_time_zone(None)))


def test_text_columns_of_other_dtypes_are_understood(calls):
    """Parquet written elsewhere holds categories, and an all-empty column has no type at all."""
    spans = calls({}, {}).with_columns(
        pl.col("provider").cast(pl.Categorical), pl.lit(None).alias("response_model")
    )
    assert price_calls(spans)["cost_usd"].to_list() == pytest.approx([0.0035, 0.0035])
