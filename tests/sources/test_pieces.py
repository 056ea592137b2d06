from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.sources.checks import COLUMNS, checked_row
from llmops_lib.sources.pieces import checked_columns
from llmops_lib.sources.refusals import Refused

STARTED_AT = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)
ROW = {
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "span_id": "b7ad6b7169203331",
    "started_at": STARTED_AT,
}

_ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.sampled_from(["", "0" * 32, "0" * 16, "x" * 1_100, "\ud800", "é" * 600, "NaN", "12", "true", "chat"]),
    st.integers(-(2**70), 2**70),
    st.sampled_from(
        [0, 1, 200, 700, 2**53, 2**53 + 1, 1_772_445_600, 1_772_445_600_123, 1_772_445_600 * 10**9]
    ),
    st.floats(),
    st.booleans(),
    st.lists(st.one_of(st.none(), st.text(max_size=3), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.datetimes(min_value=datetime(2014, 1, 1), max_value=datetime(2027, 1, 1)),  # noqa: DTZ001 - naive ones too
    st.integers(0, 10**9).map(lambda micros: STARTED_AT + timedelta(microseconds=micros)),
)
_NANOSECONDS = st.integers(0, 10**12).map(lambda more: 1_772_445_600 * 10**9 + more)
_PLAIN_ROWS = st.fixed_dictionaries(
    {"started_at": _NANOSECONDS},
    optional={
        "ended_at": _NANOSECONDS,
        "operation": st.sampled_from(["chat", "execute_tool", ""]),
        "input_tokens": st.integers(-1, 2**53),
        "request_model": st.sampled_from(["gpt-4o", "", None]),
        "is_error": st.booleans(),
    },
).map(lambda row: ROW | row)
_ROWS = st.lists(
    st.one_of(
        _PLAIN_ROWS,
        st.dictionaries(st.sampled_from(COLUMNS), _ANYTHING, max_size=6).map(lambda row: ROW | row),
    )
)


def _one_by_one(rows):
    kept, refused = [], {}
    for number, row in enumerate(rows):
        try:
            kept.append(checked_row(row))
        except Refused as found:
            refused[number] = str(found)
    return kept, refused


@settings(max_examples=400, deadline=None)
@given(_ROWS)
def test_rows_checked_as_columns_are_the_rows_checked_one_by_one(rows):
    """The fast path for clean columns must give what the careful check of each value gives, refusals too."""
    frame, refused = checked_columns(rows)
    kept, expected = _one_by_one(rows)
    assert {number: str(why) for number, why in refused.items()} == expected
    assert [list(row) for row in frame.select(COLUMNS).rows()] == kept


def test_the_latency_of_a_column_is_that_of_each_row_to_the_last_digit():
    """A scalar division in polars is a multiplication, and 29.987 ms would become 29.987000000000002 ms."""
    rows = [
        ROW | {"ended_at": STARTED_AT + timedelta(microseconds=micros)} for micros in (29_987, 42_297, 1_000)
    ]
    assert checked_columns(rows)[0]["latency_ms"].to_list() == [29.987, 42.297, 1.0]
