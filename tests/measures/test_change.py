"""Change between two periods."""

import polars as pl
import pytest

from llmops_lib.errors import MissingColumnError, SchemaError
from llmops_lib.frames import collected
from llmops_lib.measures.change import change_between
from llmops_lib.measures.cost import spend_by

BEFORE = pl.DataFrame(
    {"model": ["small", "old", None], "spend_usd": [2.0, 1.0, 0.25], "call_count": [7, 5, 3]}
)
AFTER = pl.DataFrame(
    {"model": [None, "small", "new"], "spend_usd": [0.5, 3.0, 0.75], "call_count": [4, 6, 1]}
)


def test_groups_of_either_table_stand_side_by_side(engine):
    """A model that is new or gone is the news; a null group is the same group in both."""
    change = collected(change_between(engine(BEFORE), engine(AFTER), on="model", columns=["spend_usd"]))
    assert change.columns == [
        "model",
        "spend_usd_before",
        "spend_usd_after",
        "spend_usd_change",
        "spend_usd_change_share",
    ]
    assert change.rows() == [
        ("small", 2.0, 3.0, 1.0, 0.5),
        ("new", None, 0.75, None, None),
        (None, 0.25, 0.5, 0.25, 1.0),
        ("old", 1.0, None, None, None),
    ]


def test_several_columns_are_compared_at_once(engine):
    """Spend may rise while calls fall."""
    columns = ["spend_usd", "call_count"]
    change = collected(change_between(engine(BEFORE), engine(AFTER), on=["model"], columns=columns))
    row = change.row(0, named=True)
    assert (row["call_count_before"], row["call_count_after"], row["call_count_change"]) == (7, 6, -1)
    assert row["call_count_change_share"] == pytest.approx(-1 / 7)


def test_change_from_zero_has_no_share(engine):
    """Anything is infinitely more than nothing, which says nothing."""
    before, after = pl.DataFrame({"spend_usd": [0.0]}), pl.DataFrame({"spend_usd": [4.0]})
    change = collected(change_between(engine(before), engine(after), columns="spend_usd"))
    assert change.rows() == [(0.0, 4.0, 4.0, None)]


def test_change_from_unknown_is_unknown(engine, calls):
    """An unpriced week is no week without spend."""
    before, after = spend_by(engine(calls(cost_usd=[None]))), spend_by(engine(calls(cost_usd=[2.0])))
    change = collected(change_between(before, after, columns="spend_usd"))
    assert change.rows() == [(None, 2.0, None, None)]


def test_measures_of_one_engine_can_be_compared(engine, calls):
    """What a measure returns is what this takes."""
    before = calls(model=["a", "b"], cost_usd=[1.0, 2.0])
    after = calls(model=["a", "b"], cost_usd=[1.5, 1.0])
    spends = [spend_by(engine(table), "model") for table in (before, after)]
    change = collected(change_between(*spends, on="model", columns="spend_usd"))
    assert change.select("model", "spend_usd_change").rows() == [("a", 0.5), ("b", -1.0)]


@pytest.mark.parametrize("kind", ["polars", "pandas"])
def test_several_rows_of_one_group_are_refused(kind):
    """Two rows would be compared as if they were one."""
    before = pl.DataFrame({"model": ["a", "a"], "spend_usd": [1.0, 2.0]})
    after = before.head(1)
    tables = (before, after) if kind == "polars" else (before.to_pandas(), after.to_pandas())
    with pytest.raises(SchemaError, match="before has several rows"):
        change_between(*tables, on="model", columns="spend_usd")


def test_missing_column_is_named(engine):
    """The message lists what is there."""
    with pytest.raises(MissingColumnError, match="cost"):
        change_between(engine(BEFORE), engine(AFTER), on="model", columns="cost")
