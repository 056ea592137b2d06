"""Batches of the Langfuse SDK 2: events merged into observations."""

import json

from llmops_lib.sources.langfuse import read_langfuse

BODY = {"id": "g-1", "traceId": "t-1", "startTime": "2025-09-01T10:00:00Z", "model": "gpt-4o"}


def _event(kind, **body):
    return {"id": f"e-{kind}", "type": kind, "timestamp": "2025-09-01T10:00:00Z", "body": body}


def _read(tmp_path, *events):
    path = tmp_path / "batch.json"
    path.write_text(json.dumps({"batch": events, "metadata": {"batch_size": len(events)}}))
    return read_langfuse(path)


def test_creation_and_updates_are_one_observation(tmp_path):
    """The usage comes with the update; as two rows one call would have no tokens."""
    rows = _read(
        tmp_path,
        _event("generation-create", **BODY, metadata={"tenant": "acme"}),
        _event("generation-update", id="g-1", endTime="2025-09-01T10:00:03Z", usageDetails={"input": 12}),
        _event("generation-update", id="g-1", model=None, metadata={"feature": "qa"}),
    )
    columns = (
        "span_id",
        "operation",
        "model",
        "input_tokens",
        "latency_ms",
        "tenant",
        "feature",
        "source_line",
    )
    assert rows.spans.select(columns).rows() == [("g-1", "chat", "gpt-4o", 12, 3000.0, "acme", "qa", 1)]
    assert rows.quarantine.select("source_line", "reason").rows() == [
        (2, "merged: into the row at line 1"),
        (3, "merged: into the row at line 1"),
    ]
    assert rows.rows_read == 3


def test_an_update_before_its_creation_still_counts_as_later(tmp_path):
    """Batches are sent in parallel, so the order in a file says little."""
    rows = _read(
        tmp_path,
        _event("generation-update", id="g-1", model="gpt-4o-2024-08-06"),
        _event("generation-create", **BODY),
    )
    assert rows.spans["model"].to_list() == ["gpt-4o-2024-08-06"]


def test_an_observation_without_a_start_began_when_its_creation_was_sent(tmp_path):
    """Clients that post batches by themselves leave the time to Langfuse."""
    body = {"id": "g-2", "traceId": "t-1"}
    rows = _read(
        tmp_path,
        _event("generation-create", **body),
        {**_event("generation-create", **body), "timestamp": "2025-09-01T10:00:05Z"},
        {**_event("generation-create", **BODY), "timestamp": "2025-09-01T10:00:09Z"},
    )
    assert rows.spans["started_at"].dt.second().to_list() == [0, 0]


def test_an_update_alone_is_refused(tmp_path):
    """Without its creation it has neither trace nor start."""
    rows = _read(tmp_path, _event("span-update", id="s-1", endTime="2025-09-01T10:00:03Z"))
    assert rows.quarantine["reason"].to_list() == ["missing_field: trace_id"]


def test_batches_on_lines_are_merged_across_lines(tmp_path):
    """A proxy that records what the SDK sends writes one batch a line."""
    path = tmp_path / "batches.jsonl"
    batches = [
        {"batch": [_event("generation-create", **BODY)]},
        {"batch": [_event("generation-update", id="g-1", usageDetails={"output": 7})]},
    ]
    path.write_text("\n".join(map(json.dumps, batches)))
    assert read_langfuse(path).spans.select("output_tokens", "source_line").rows() == [(7, 1)]


def test_trace_score_and_log_events_are_rows_that_are_no_spans(tmp_path):
    """They are counted, and their fields reach the observation."""
    rows = _read(
        tmp_path,
        _event("trace-create", id="t-1", userId="u-1"),
        _event("generation-create", **BODY),
        _event("score-create", id="sc", traceId="t-1", observationId="g-1", name="feedback", value=0.5),
        _event("sdk-log", log="hello"),
    )
    assert rows.spans.select("user_id", "feedback_score").rows() == [("u-1", 0.5)]
    assert sorted(rows.quarantine["reason"]) == [
        "not_a_span: langfuse log",
        "not_a_span: langfuse score",
        "not_a_span: langfuse trace",
    ]


def test_a_later_trace_event_completes_the_trace(tmp_path):
    """The SDK sends the trace again with its output when it ends."""
    rows = _read(
        tmp_path,
        _event("trace-create", id="t-1", userId="u-1"),
        _event("trace-create", id="t-1", sessionId="s-1"),
        _event("generation-create", **BODY),
    )
    assert rows.spans.select("user_id", "session_id").rows() == [("u-1", "s-1")]


def test_observations_of_new_types_keep_their_type(tmp_path):
    """The event name says what the body does not."""
    rows = _read(
        tmp_path,
        _event("tool-create", **{**BODY, "id": "a", "name": "search"}),
        _event("observation-create", **{**BODY, "id": "b", "type": "GENERATION"}),
    )
    assert rows.spans.select("operation", "tool_name").rows() == [("execute_tool", "search"), ("chat", None)]
