"""Span trees: every span once, whatever the parents say."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_lib.errors import SearchError
from llmops_lib.measures.span_tree import span_tree

START = datetime(2026, 11, 9, tzinfo=UTC)


def spans(parents):
    """Spans named by their place, a second apart, with the given parents."""
    return pl.DataFrame(
        {
            "trace_id": ["t"] * len(parents),
            "span_id": [str(place) for place in range(len(parents))],
            "parent_span_id": [None if parent is None else str(parent) for parent in parents],
            "started_at": [START + timedelta(seconds=place) for place in range(len(parents))],
        },
        schema_overrides={"parent_span_id": pl.String},
    )


def shape(parents):
    """Span, depth and link, in order."""
    return span_tree(spans(parents)).select("span_id", "depth", "link").rows()


def test_children_follow_their_parent_by_start(engine):
    """Depth first, as it is read."""
    table = spans([None, 0, 1, 0])
    expected = [("0", 0), ("1", 1), ("2", 2), ("3", 1)]
    assert span_tree(engine(table)).select("span_id", "depth").rows() == expected


def test_a_span_whose_parent_is_missing_begins_a_tree():
    """An export may have lost the parent; the child is no less there."""
    assert shape([None, 9]) == [("0", 0, "root"), ("1", 0, "orphan")]


def test_a_circle_is_cut_at_its_earliest_span():
    """Spans that are each other's ancestors must not vanish, nor go round for ever."""
    assert shape([2, 2, 1]) == [("1", 0, "cycle"), ("2", 1, "child"), ("0", 2, "child")]


def test_a_span_that_is_its_own_parent_is_shown():
    """Seen in exports where the ids were mixed up."""
    assert shape([0]) == [("0", 0, "cycle")]


def test_a_thousand_levels_are_a_tree_like_any_other():
    """Agents that call agents go deep; recursion would not."""
    tree = span_tree(spans([None, *range(4_999)]))
    assert tree["depth"].to_list() == list(range(5_000))


def test_times_count_from_the_first_start():
    """What a reader compares."""
    assert span_tree(spans([None, 0]))["offset_ms"].to_list() == [0.0, 1000.0]


@given(st.lists(st.none() | st.integers(0, 30), min_size=1, max_size=30))
def test_every_span_is_there_once_and_below_its_parent(parents):
    """Whatever the parents say: nothing lost, nothing twice, and links that tell the truth."""
    tree = span_tree(spans(parents))
    assert sorted(tree["span_id"].to_list()) == sorted(str(place) for place in range(len(parents)))
    place = {span: row for row, span in enumerate(tree["span_id"])}
    depth = dict(tree.select("span_id", "depth").iter_rows())
    for span, parent, link in tree.select("span_id", "parent_span_id", "link").iter_rows():
        if link == "child":
            assert place[parent] < place[span]
            assert depth[parent] == depth[span] - 1
        else:
            assert depth[span] == 0
            assert (parent is None) == (link == "root")
            assert (link == "orphan") == (parent is not None and parent not in place)


def test_several_traces_must_be_told_apart():
    """Mixing them would draw a tree that never was."""
    two = pl.concat([spans([None]), spans([None]).with_columns(trace_id=pl.lit("u"))])
    with pytest.raises(SearchError, match="2 traces"):
        span_tree(two)
    assert span_tree(two, trace_id="u")["trace_id"].to_list() == ["u"]


def test_a_trace_that_is_not_there_is_named():
    """An empty tree would look like an empty trace."""
    with pytest.raises(SearchError, match="'gone'"):
        span_tree(spans([None]), trace_id="gone")
