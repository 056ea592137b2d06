"""Search: every condition, in stores and exports alike; a text is never a pattern."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import SearchError, SourceNotFoundError
from llmops_lib.store import ingest
from llmops_lib.store.search import find_traces, search_traces
from llmops_lib.store.search_terms import literal

START = datetime(2026, 11, 9, 10, tzinfo=UTC)
ROWS = [
    {"user_id": "ann", "session_id": "s1", "request_id": "r1", "tenant": "acme", "feature": "chat"},
    {"user_id": "bob", "session_id": "s1", "request_id": "r2", "tenant": "acme", "feature": "search"},
    {"user_id": "bob", "session_id": "s2", "request_id": "r3", "tenant": "umbrella", "feature": "chat"},
    {"user_id": None, "session_id": None, "request_id": None, "tenant": None, "feature": None},
]


@pytest.fixture(params=["export", "store"])
def source(request, tmp_path):
    """Four calls on four days, as an export and as a store."""
    rows = [
        row
        | {
            "trace_id": f"t{place}",
            "span_id": f"a{place}",
            "started_at": (START + timedelta(days=place)).isoformat(),
            "model": "gpt-4o" if place < 3 else "no-such-model",
            "request_model": "gpt-4o" if place < 3 else "no-such-model",
            "response_model": "gpt-4o-2024-08-06" if place == 2 else None,
            "provider": "openai",
            "input_tokens": 1000 * (place + 1),
            "output_tokens": 100,
            "latency_ms": 500.0 * (place + 1),
            "is_error": place == 1,
            "error_type": "RateLimitError" if place == 1 else None,
            "error_message": "slow down (100%)" if place == 1 else None,
            "input": '[{"role": "user", "content": "Where is \\"Order 7\\"?\\nTh\\u00e9"}]'
            if place == 0
            else None,
            "output": "THE ORDER IS LATE" if place == 2 else None,
        }
        for place, row in enumerate(ROWS)
    ]
    path = tmp_path / "calls.jsonl"
    pl.DataFrame(rows).write_ndjson(path)
    if request.param == "export":
        return path
    ingest(path, tmp_path / "store")
    return tmp_path / "store"


def found(source, **conditions):
    """Traces that a search finds, in its order."""
    return search_traces(source, **conditions)["trace_id"].to_list()


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["t3", "t2", "t1", "t0"]),
        ({"user_id": "bob"}, ["t2", "t1"]),
        ({"session_id": "s1"}, ["t1", "t0"]),
        ({"request_id": "r3"}, ["t2"]),
        ({"trace_id": "t0"}, ["t0"]),
        ({"tenant": "acme", "feature": "chat"}, ["t0"]),
        ({"model": "gpt-4o"}, ["t2", "t1", "t0"]),
        ({"model": "gpt-4o-2024-08-06"}, ["t2"]),
        ({"error_type": "RateLimitError"}, ["t1"]),
        ({"is_error": False}, ["t3", "t2", "t0"]),
        ({"min_latency_ms": 1500}, ["t3", "t2"]),
        ({"since": START + timedelta(days=2)}, ["t3", "t2"]),
        ({"until": START + timedelta(days=2)}, ["t1", "t0"]),
        ({"since": START + timedelta(hours=1), "until": START + timedelta(days=2, hours=1)}, ["t2", "t1"]),
        ({"limit": 2}, ["t3", "t2"]),
        ({"limit": None}, ["t3", "t2", "t1", "t0"]),
        ({"user_id": "nobody"}, []),
        ({"text": "order"}, ["t2", "t0"]),
        ({"text": "the order is late"}, ["t2"]),
        ({"text": '"order 7"?'}, ["t0"]),
        ({"text": '7"?\nTh'}, ["t0"]),
        ({"text": "Thé"}, ["t0"]),
        ({"text": "(100%)"}, ["t1"]),
        ({"text": ".*"}, []),
        ({"text": "order", "user_id": "bob"}, ["t2"]),
    ],
)
def test_conditions_are_all_met_the_latest_first(source, conditions, expected):
    """What an export finds, a store finds."""
    assert found(source, **conditions) == expected


def test_least_cost_leaves_out_what_has_no_known_cost(source):
    """Unknown is neither dear nor cheap."""
    dear = search_traces(source, min_cost_usd=0)
    assert dear["trace_id"].to_list() == ["t2", "t1", "t0"]
    costs = dear["cost_usd"].to_list()
    assert found(source, min_cost_usd=costs[1]) == ["t2", "t1"]


def test_what_holds_the_text_is_named(source):
    """The reader must not look through three long texts."""
    rows = search_traces(source, text="order").select("trace_id", "found_in").rows()
    assert rows == [("t2", "output"), ("t0", "input")]


def test_a_limit_takes_the_latest_across_days(source):
    """Days are read from the last one back until there are enough."""
    assert found(source, limit=3, is_error=False) == ["t3", "t2", "t0"]


def test_traces_are_found_whole(source):
    """What a tree is drawn of."""
    assert find_traces(source, ["t1", "t3", "gone"])["trace_id"].to_list() == ["t1", "t3"]
    assert find_traces(source, "gone").is_empty()


def test_spans_of_other_days_are_not_even_opened(tmp_path):
    """That is why `since` makes a search of a large store quick."""
    pl.DataFrame(
        {
            "started_at": [START.isoformat(), (START + timedelta(days=1)).isoformat()],
            "model": "m",
            "user_id": "ann",
        }
    ).write_ndjson(tmp_path / "calls.jsonl")
    ingest(tmp_path / "calls.jsonl", tmp_path / "store")
    (tmp_path / "store" / "spans" / "started_on=2026-11-09" / "spans.parquet").write_bytes(b"broken")
    assert len(found(tmp_path / "store", since=START + timedelta(hours=20))) == 1
    assert len(found(tmp_path / "store", user_id="ann", limit=1)) == 1


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"text": ""}, "0 characters"),
        ({"text": "x" * 2000}, "2000 characters"),
        ({"limit": 0}, "limit is 0"),
        ({"since": datetime(2026, 11, 9)}, "no time zone"),  # noqa: DTZ001 - that is what is refused
        ({"since": START, "until": START}, "before it starts"),
    ],
)
def test_a_search_that_nothing_can_meet_is_refused(source, conditions, said):
    """An empty result would read as: there is none."""
    with pytest.raises(SearchError, match=said):
        search_traces(source, **conditions)


def test_a_source_that_is_not_there_is_named(tmp_path):
    """As everywhere else."""
    with pytest.raises(SourceNotFoundError, match="gone"):
        search_traces(tmp_path / "gone")


hostile = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30) | st.text(
    "(a+)*$.[]\\|?{}^é", min_size=1
)


@settings(max_examples=200)
@given(hostile, st.text(st.characters(codec="utf-8"), max_size=10))
def test_any_text_finds_itself_and_is_no_pattern(text, around):
    """A text of a user may hold every character that a pattern is made of."""
    holding, other = around + text + around, "zzz"
    hits = pl.Series([holding, other]).str.contains(literal(text)).to_list()
    assert hits[0]
    assert not hits[1] or set(text.lower()) <= {"z"}
