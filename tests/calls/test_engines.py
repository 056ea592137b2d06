"""What a frame must be to be measured, one of pandas above all."""

import math

import pandas as pd
import polars as pl
import pytest

from llmops_lib.calls import known_rows, model_calls
from llmops_lib.errors import MissingColumnError, SchemaError
from llmops_lib.frames import collected


def test_pandas_integers_stay_integers_beside_unknown_values():
    """Pandas turns a column of integers into floats as soon as one is unknown."""
    table = pd.DataFrame({"input_tokens": [1, None], "is_streaming": [True, None]})
    dtypes = known_rows(table, ["input_tokens", "is_streaming"]).to_native().dtypes.astype(str)
    assert dtypes.to_dict() == {"input_tokens": "Int64", "is_streaming": "boolean"}


def test_pandas_columns_of_other_tables_are_left_alone():
    """Only what SPANS declares has a known dtype."""
    table = pd.DataFrame({"started_on": ["2026-11-09"], "bucket": [3]})
    dtypes = known_rows(table, ["started_on", "bucket"]).to_native().dtypes.astype(str)
    assert dtypes.to_dict() == {"started_on": "str", "bucket": "int64"}


def test_pandas_column_that_does_not_fit_is_named():
    """Text where milliseconds were expected cannot be measured."""
    table = pd.DataFrame({"latency_ms": ["fast"]})
    with pytest.raises(SchemaError, match=r"latency_ms.*Float64"):
        known_rows(table, ["latency_ms"])


def test_only_model_calls_are_kept_with_the_columns_asked_for():
    """Parents repeat their children; the flag itself is not a column of the result."""
    table = pd.DataFrame({"is_model_call": [True, False], "model": ["a", "b"], "name": ["x", "y"]})
    native = model_calls(table, ["name"], by=["model"]).to_native()
    assert native.to_dict("list") == {"model": ["a"], "name": ["x"]}


def test_missing_column_comes_with_the_hint():
    """The message says what is there and what to do."""
    with pytest.raises(MissingColumnError, match=r"'cost_usd'.*'model'.*Price it"):
        model_calls(pd.DataFrame({"is_model_call": [True], "model": ["a"]}), ["cost_usd"], hint="Price it.")


@pytest.mark.parametrize("make", [pl.DataFrame, pl.LazyFrame], ids=["eager", "lazy"])
def test_nan_is_unknown_and_infinities_stay(make):
    """Rows that can be looked at are asked by a sum, which two infinities make NaN as well."""
    columns = {"latency_ms": [1.0, math.nan, None], "cost_usd": [math.inf, -math.inf, 2.0]}
    found = collected(known_rows(make(columns), list(columns)).to_native())
    assert found.rows() == [(1.0, math.inf), (None, -math.inf), (None, 2.0)]
