"""Parents, cycles and nearest ancestors without walking a tree."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.sources.ancestry import jumps, nearest_holders, parent_rows

SCHEMA = {
    "trace_id": pl.String,
    "span_id": pl.String,
    "parent_span_id": pl.String,
    "started_at": pl.Datetime("us", "UTC"),
}


def tree(*links, trace_id="t"):
    """Spans from (span, parent) pairs, each a second after the one before."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        (trace_id, span, parent, start + timedelta(seconds=at)) for at, (span, parent) in enumerate(links)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("links", "parents"),
    [
        ([("a", None), ("b", "a"), ("c", "b")], [None, 0, 1]),
        ([("c", "b"), ("b", "a"), ("a", None)], [1, 2, None]),
        ([("a", "a"), ("b", "a")], [None, 0]),
        ([("a", "absent"), ("b", "a")], [None, 0]),
        ([("a", "c"), ("b", "a"), ("c", "b"), ("d", "c")], [None, 0, 1, 2]),
        ([("r", None), ("x", "y"), ("y", "x"), ("p", "q"), ("q", "p")], [None, None, 1, None, 3]),
        ([], []),
    ],
)
def test_every_span_has_its_parent_and_cycles_are_cut_at_the_earliest(links, parents):
    """Children come before parents, parents are missing, and hostile files hold cycles."""
    assert parent_rows(tree(*links)).to_list() == parents


def test_a_parent_is_looked_for_in_its_own_trace_only():
    """Short span ids repeat between traces."""
    both = pl.concat([tree(("a", None), trace_id="t1"), tree(("b", "a"), trace_id="t2")])
    assert parent_rows(both).to_list() == [None, None]


def test_the_nearest_holder_is_the_span_itself_or_the_closest_ancestor():
    """Of two sessions on the way up, the closer one is meant."""
    generations = jumps(parent_rows(tree(("a", None), ("b", "a"), ("c", "b"), ("d", "c"), ("e", None))))
    held = pl.Series([True, True, False, False, False])
    assert nearest_holders(held, generations).to_list() == [0, 1, 1, 1, None]


def test_a_chain_of_a_hundred_thousand_spans_takes_a_few_jumps():
    """A recursion or a loop per level would hang on a hostile trace."""
    count = 100_000
    chain = tree(("0", None), *((str(number), str(number - 1)) for number in range(1, count)))
    generations = jumps(parent_rows(chain))
    assert len(generations) == 17
    assert nearest_holders(pl.Series([True] + [False] * (count - 1)), generations).unique().to_list() == [0]


def test_a_ring_of_a_hundred_thousand_spans_terminates():
    """The same, closed into a cycle."""
    count = 100_000
    ring = tree(*((str(number), str((number - 1) % count)) for number in range(count)))
    assert parent_rows(ring).null_count() == 1


@given(
    parents=st.lists(st.integers(0, 9) | st.none(), min_size=1, max_size=10),
    holders=st.sets(st.integers(0, 9)),
)
@settings(max_examples=150, deadline=None)
def test_jumping_finds_what_walking_finds(parents, holders):
    """Any graph of parents, cycles included, against the loop that anyone would write."""
    links = [(str(row), None if parent is None else str(parent)) for row, parent in enumerate(parents)]
    found = parent_rows(tree(*links)).to_list()
    assert all(parent is None or str(parent) == link[1] for parent, link in zip(found, links, strict=True))
    held = pl.Series([row in holders for row in range(len(links))])
    jumped = nearest_holders(held, jumps(pl.Series(found, dtype=pl.Int64)))
    for row in range(len(links)):
        walked = row
        while walked is not None and walked not in holders:
            walked = found[walked]
        assert jumped[row] == walked
