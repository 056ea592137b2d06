"""Rows with what is known of their group, and with their place in an order, on every engine."""

import duckdb
import narwhals as nw
import polars as pl
import pytest

from llmops_lib.calls import with_group, with_place
from llmops_lib.frames import collected

ROWS = pl.DataFrame(
    {"key": ["a", None, "a", None, "b"], "tokens": [3.0, 1.0, 2.0, 5.0, None], "row": [0, 1, 2, 3, 4]}
)


@pytest.fixture(params=["polars", "polars-lazy", "pandas", "duckdb"])
def frame(request):
    """The rows on one engine."""
    connection = duckdb.connect()
    convert = {
        "polars": lambda table: table,
        "polars-lazy": lambda table: table.lazy(),
        "pandas": lambda table: table.to_pandas().convert_dtypes(),
        "duckdb": lambda table: connection.from_arrow(table.to_arrow()),
    }
    # The connection must live as long as its relations.
    yield nw.from_native(convert[request.param](ROWS))
    connection.close()


def test_a_null_key_is_a_group_of_its_own(frame):
    """A join on the key alone would lose every call that names no feature."""
    joined = with_group(frame, ["key"], {"most": nw.col("tokens").max()})
    found = collected(joined.to_native()).sort("row")
    assert found["group_call_count"].to_list() == [2, 2, 2, 2, 1]
    assert found["most"].to_list() == [3.0, 5.0, 3.0, 5.0, None]


def test_places_count_from_one_in_each_group(frame):
    """The first of a group is what is kept of it."""
    placed = with_place(frame, "place", by=["key"], order_by=["tokens", "row"])
    found = collected(placed.to_native()).sort("row")
    assert found["place"].to_list() == [2, 1, 1, 2, 0]


def test_places_without_groups_count_all_rows(frame):
    """Unknown amounts take no place, so that the largest known one has the last."""
    found = collected(with_place(frame, "place", order_by=["tokens"]).to_native()).sort("row")
    assert found["place"].to_list()[:4] == [3, 1, 2, 4]
