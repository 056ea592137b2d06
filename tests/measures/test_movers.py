"""What moved most between two periods."""

import polars as pl
import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.change import change_between
from llmops_lib.measures.movers import fastest_changes, largest_changes, new_and_gone

BEFORE = pl.DataFrame(
    {
        "dimension": ["tenant"] * 5,
        "value": ["big", "fast", "tiny", "left", "dark"],
        "spend_usd": [90.0, 2.0, 0.01, 5.0, None],
        "call_count": [9, 2, 1, 5, 1],
    }
)
AFTER = pl.DataFrame(
    {
        "dimension": ["tenant"] * 5,
        "value": ["big", "fast", "tiny", "came", "dark"],
        "spend_usd": [100.0, 8.0, 0.1, 3.0, 1.0],
        "call_count": [10, 2, 1, 5, 1],
    }
)


@pytest.fixture
def change(engine):
    """The change in spend and calls, on each engine."""
    return change_between(
        engine(BEFORE), engine(AFTER), on=["dimension", "value"], columns=["spend_usd", "call_count"]
    )


def test_changes_in_dollars_count_a_missing_side_as_nothing(change):
    """Who left saved all their spend."""
    rows = collected(largest_changes(change)).select("value", "spend_usd_change").rows()
    assert rows[:3] == [("big", 10.0), ("fast", 6.0), ("left", -5.0)]


def test_changes_in_proportion_leave_out_the_trivial_and_the_one_sided(change):
    """A tenth of a dollar times ten is no news, and from nothing there is no proportion."""
    assert collected(fastest_changes(change))["value"].to_list() == ["fast", "big"]


def test_a_group_without_a_known_cost_is_not_new(change):
    """It made calls in both periods; only its price is new."""
    found = collected(new_and_gone(change))
    assert found.rows() == [("tenant", "left", "gone", 5.0, None), ("tenant", "came", "new", None, 3.0)]


def test_nothing_is_new_where_no_call_came_before(engine):
    """An export that begins this month says nothing of the last one."""
    change = change_between(
        engine(BEFORE.clear()), engine(AFTER), on=["dimension", "value"], columns=["spend_usd", "call_count"]
    )
    assert collected(new_and_gone(change)).is_empty()
