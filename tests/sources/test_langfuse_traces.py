"""What Langfuse keeps on the trace, on its observations."""

import json

import pytest

from llmops_lib.sources.langfuse import read_langfuse

ROOT = {"id": "root", "traceId": "t-1", "type": "SPAN", "startTime": "2025-09-01T10:00:00Z"}
CALL = {
    "id": "call",
    "traceId": "t-1",
    "type": "GENERATION",
    "parentObservationId": "root",
    "startTime": "2025-09-01T10:00:01Z",
}
OTHER = {"id": "root", "traceId": "t-2", "type": "SPAN", "startTime": "2025-09-01T10:00:00Z"}
TRACE = {
    "id": "t-1",
    "timestamp": "2025-09-01T10:00:00Z",
    "name": "support",
    "sessionId": "s-1",
    "userId": "u-1",
    "tags": ["prod"],
    "release": "1.4",
    "environment": "live",
    "metadata": {"tenant": "acme", "feature": "refunds"},
}
COLUMNS = ("session_id", "user_id", "tags", "release", "environment", "tenant", "feature", "feature_hint")


def _read(tmp_path, *objects):
    path = tmp_path / "export.jsonl"
    path.write_text("\n".join(json.dumps(item) for item in objects))
    return read_langfuse(path)


def _score(**given):
    score = {"id": "sc", "traceId": "t-1", "name": "user-feedback", "value": 1, "dataType": "NUMERIC"}
    return {**score, "source": "API", "timestamp": "2025-09-01T11:00:00Z", **given}


def _feedback(rows):
    return dict(rows.spans.select("span_id", "feedback_score").rows())


def test_fields_of_a_trace_reach_its_observations_and_no_others(tmp_path):
    """Spend by user or tenant is wrong where the calls do not know theirs."""
    rows = _read(tmp_path, CALL, OTHER, TRACE)
    found = rows.spans.select("trace_id", *COLUMNS).rows()
    assert found == [
        ("t-1", "s-1", "u-1", ["prod"], "1.4", "live", "acme", "refunds", "support"),
        ("t-2", None, None, None, None, None, None, None, None),
    ]


def test_what_a_user_set_on_the_trace_wins_over_an_instrumentation(tmp_path):
    """Agents invent a conversation id of their own on every run."""
    metadata = {"attributes": {"gen_ai.conversation.id": "run-7", "app.feature": "search"}}
    rows = _read(tmp_path, {**CALL, "metadata": metadata}, TRACE)
    assert rows.spans.select("session_id", "feature").rows() == [("s-1", "search")]


def test_a_denormalised_observation_knows_its_trace(tmp_path):
    """The table export writes user, tags and name of the trace on every row."""
    rows = _read(tmp_path, {**CALL, "userId": "u-9", "traceTags": '["beta"]', "traceName": "chat"})
    assert rows.spans.select("user_id", "tags", "feature_hint").rows() == [("u-9", ["beta"], "chat")]


def test_feedback_on_a_trace_goes_to_its_root(tmp_path):
    """On every observation it would count as often as the trace has steps."""
    rows = _read(tmp_path, CALL, ROOT, OTHER, _score(value=-1))
    assert rows.spans.select("trace_id", "span_id", "feedback_score").rows() == [
        ("t-1", "call", None),
        ("t-1", "root", -1.0),
        ("t-2", "root", None),
    ]


def test_feedback_on_an_observation_goes_there(tmp_path):
    """A thumb under one answer is about that answer."""
    assert _feedback(_read(tmp_path, CALL, ROOT, _score(observationId="call"))) == {"call": 1.0, "root": None}


def test_the_latest_feedback_counts(tmp_path):
    """People change their minds; exports list scores in any order."""
    later = _score(value=0, timestamp="2025-09-01T12:00:00Z")
    assert _feedback(_read(tmp_path, ROOT, later, _score(value=1))) == {"root": 0.0}


@pytest.mark.parametrize(
    "score",
    [
        _score(source="EVAL"),
        _score(name="hallucination"),
        _score(name="generating"),
        _score(value=None, stringValue="good", dataType="CATEGORICAL"),
        _score(value=True),
    ],
)
def test_scores_that_are_no_feedback_of_people_are_left_out(tmp_path, score):
    """A judge's verdict in this column would be read as what users think."""
    assert _feedback(_read(tmp_path, ROOT, score)) == {"root": None}


@pytest.mark.parametrize(
    "name", ["user-feedback", "userFeedback", "Feedback", "rating", "star_rating", "userRating"]
)
def test_feedback_is_known_by_its_name(tmp_path, name):
    """Names are free text; these are how people write them."""
    assert _feedback(_read(tmp_path, ROOT, _score(name=name, source="ANNOTATION"))) == {"root": 1.0}


def test_traces_and_scores_count_as_rows_read(tmp_path):
    """Rows read are spans and quarantined rows together, always."""
    rows = _read(tmp_path, ROOT, TRACE, _score())
    assert (rows.rows_read, rows.spans.height) == (3, 1)
    assert sorted(rows.quarantine["reason"]) == ["not_a_span: langfuse score", "not_a_span: langfuse trace"]


def test_a_tenant_that_is_a_number_is_a_name_all_the_same(tmp_path):
    """Metadata is free: one number in it must not cost the file."""
    rows = _read(tmp_path, TRACE | {"metadata": {"tenant": 7, "feature": ["x"]}}, CALL)
    assert rows.spans.select("tenant", "feature").rows() == [("7", None)]
