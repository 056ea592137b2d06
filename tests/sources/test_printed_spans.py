"""Spans that the JavaScript SDK prints or files, and spans whose attributes are a plain object."""

import json

import pytest

from llmops_lib.sources.detect import detect_format
from llmops_lib.sources.otlp import read_otlp

TRACE_ID, SPAN_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 120}
START, END = [1772445600, 0], [1772445601, 500_000_000]
FAILED = {"code": 2, "message": "no quota"}
EXCEPTION = {"name": "exception", "attributes": {"exception.type": "RateLimitError"}, "time": START}
COMMON = {"name": "chat", "attributes": CHAT, "status": FAILED, "events": [EXCEPTION], "links": []}

SHAPES = {
    "console exporter of SDK 1": {
        **COMMON,
        "resource": {"attributes": {"service.name": "bot"}},
        "traceId": TRACE_ID,
        "parentId": PARENT_ID,
        "id": SPAN_ID,
        "kind": 2,
        "timestamp": 1772445600_000_000,
        "duration": 1_500_000.25,
    },
    "file of VS Code": {
        **COMMON,
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "parentSpanContext": {"traceId": TRACE_ID, "spanId": PARENT_ID},
        "kind": 2,
        "startTime": START,
        "endTime": END,
        "duration": [1, 500_000_000],
        "resource": {"attributes": {"service.name": "bot"}, "schemaUrl": None},
        "instrumentationScope": {"name": "chat", "version": "1"},
    },
    "span as it is in memory": {
        **COMMON,
        "_spanContext": {"traceId": TRACE_ID, "spanId": SPAN_ID, "traceFlags": 1},
        "parentSpanId": PARENT_ID,
        "kind": 2,
        "startTime": START,
        "endTime": END,
        "resource": {"_rawAttributes": [["service.name", "bot"]]},
    },
    "CloudWatch": {
        **COMMON,
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "parentSpanId": PARENT_ID,
        "kind": "CLIENT",
        "startTimeUnixNano": 1772445600_000_000_000,
        "endTimeUnixNano": 1772445601_500_000_000,
        "durationNano": 1_500_000_000,
        "status": {"code": "ERROR", "message": "no quota"},
        "events": [{**EXCEPTION, "time": None, "timeUnixNano": 1772445600_000_000_000}],
        "resource": {"attributes": {"service.name": "bot"}},
    },
}


def _read(tmp_path, *records, indent=None):
    path = tmp_path / "spans.jsonl"
    path.write_text("\n".join(json.dumps(record, indent=indent) for record in records))
    assert detect_format(path) == "otlp"
    return read_otlp(path)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("indent", [None, 2])
def test_every_shape_is_the_same_row(tmp_path, shape, indent):
    """Each has its own place for ids and its own way to write a time."""
    row = _read(tmp_path, SHAPES[shape], indent=indent).spans.row(0, named=True)
    expected = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "parent_span_id": PARENT_ID,
        "operation": "chat",
        "input_tokens": 120,
        "latency_ms": 1_500.0,
        "is_error": True,
        "error_type": "RateLimitError",
        "error_message": "no quota",
        "service": "bot",
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["attributes"])["otel.kind"] == "client"


def test_fields_that_no_shape_has_are_kept(tmp_path):
    """Also those of the scope and of the resource."""
    span = SHAPES["file of VS Code"] | {"weight": 3}
    span["resource"] = span["resource"] | {"origin": "edge"}
    attributes = json.loads(_read(tmp_path, span).spans["attributes"].item())
    named = ("otel.span.weight", "otel.resource.origin", "otel.scope.name")
    assert [attributes[name] for name in named] == [3, "edge", "chat"]


def test_records_of_other_signals_are_no_spans(tmp_path):
    """The SDK writes all signals to one file, and logs and metrics repeat what spans say."""
    log = {"hrTime": START, "body": "asked", "resource": {"attributes": {}}}
    metrics = {"resource": {"attributes": {}}, "scopeMetrics": []}
    found = _read(tmp_path, log, SHAPES["file of VS Code"], metrics)
    assert found.spans.height == 1
    assert [reason.split(":")[0] for reason in found.quarantine["reason"]] == ["not_a_span"] * 2


@pytest.mark.parametrize(
    ("field", "junk", "reason"),
    [
        ("traceId", "trace-1", "invalid_id"),
        ("spanId", None, "missing_field"),
        ("startTime", [1772445600], "schema"),
        ("startTime", [1e300, True], "schema"),
        ("endTime", "soon", None),
        ("events", [7], "type"),
        ("resource", [7], "type"),
        ("status", "OK", None),
        ("attributes", [7], "schema"),
    ],
)
def test_a_broken_span_is_refused_alone_or_read_without_what_is_broken(tmp_path, field, junk, reason):
    """Its neighbours are whole."""
    whole = SHAPES["file of VS Code"]
    found = _read(tmp_path, whole, whole | {"spanId": "1" * 16, field: junk})
    assert [text.split(":")[0] for text in found.quarantine["reason"]] == [reason] * (reason is not None)
    assert found.spans.height == (1 if reason else 2)
