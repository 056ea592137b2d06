"""`llmops trace show`: one trace as a tree, masked, with an answer also where there is none."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

START = datetime(2026, 11, 9, 10, tzinfo=UTC)


@pytest.fixture
def source(tmp_path):
    """A trace of three spans, the last of which failed."""
    path = tmp_path / "calls.jsonl"
    rows = {
        "trace_id": ["t1"] * 3,
        "span_id": ["s0", "s1", "s2"],
        "parent_span_id": [None, "s0", "s1"],
        "started_at": [(START + timedelta(seconds=place)).isoformat() for place in range(3)],
        "name": ["answer", "look up", "ask the model"],
        "operation": ["invoke_agent", "execute_tool", "chat"],
        "is_error": [False, False, True],
        "error_type": [None, None, "APITimeoutError"],
        "input": ["hello", "write to ann@example.com", "hello"],
        "latency_ms": [900.0, 40.0, 800.0],
    }
    pl.DataFrame(rows).write_ndjson(path)
    return path


def test_a_trace_is_read_as_a_tree_masked(run, source):
    """Someone pastes this into the channel of the incident."""
    code, out, _ = run("trace", "show", source, "t1")
    assert code == 0
    assert out.index("answer") < out.index("look up") < out.index("ask the model")
    assert "APITimeoutError" in out
    assert "ann@example.com" not in out


def test_only_failed_spans_without_texts(run, source):
    """At three in the morning the first question is what failed."""
    code, out, _ = run("trace", "show", source, "t1", "--failed", "--excerpt", "0", "--json")
    assert code == 0
    (span,) = json.loads(out)["spans"]
    assert (span["name"], span["depth"]) == ("ask the model", 2)
    assert "input_excerpt" not in span


def test_a_failure_beyond_what_is_shown_is_said(run, tmp_path):
    """Ten thousand spans are cut, and the one that matters may be the last."""
    count = 2_003
    rows = {
        "trace_id": ["t1"] * count,
        "span_id": [f"s{place:05d}" for place in range(count)],
        "started_at": [START.isoformat()] * count,
        "operation": ["chat"] * count,
        "is_error": [place == count - 1 for place in range(count)],
    }
    pl.DataFrame(rows).write_ndjson(tmp_path / "long.jsonl")
    _, out, _ = run("trace", "show", tmp_path / "long.jsonl", "t1", "--excerpt", "0")
    assert "... and 3 more spans, 1 of them failed: --failed shows those" in out


def test_a_trace_that_is_not_there_is_said(run, source):
    """A script must tell it from an empty trace."""
    code, out, _ = run("trace", "show", source, "t2")
    assert code == 1
    assert "no trace 't2'" in out
