import json

import pytest

from llmops_lib.sources.detect import detect_format
from llmops_lib.sources.otlp import read_otlp

SPAN = {
    "name": "chat gpt-4o",
    "context": {
        "trace_id": "0x0af7651916cd43dd8448eb211c80319c",
        "span_id": "0xb7ad6b7169203331",
        "trace_state": "[]",
    },
    "kind": "SpanKind.CLIENT",
    "parent_id": None,
    "start_time": "2026-03-02T10:00:00.000000Z",
    "end_time": "2026-03-02T10:00:01.500000Z",
    "status": {"status_code": "UNSET"},
    "attributes": {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 120},
    "events": [],
    "links": [],
    "resource": {"attributes": {"service.name": "bot"}, "schema_url": ""},
}


def _read(tmp_path, *spans, indent=4):
    path = tmp_path / "console.log"
    path.write_text("\n".join(json.dumps(span, indent=indent) for span in spans) + "\n")
    return read_otlp(path)


def test_printed_spans_are_rows(tmp_path):
    """It is what everybody saves first when trying out tracing."""
    row = _read(tmp_path, SPAN).spans.row(0, named=True)
    expected = {
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "parent_span_id": None,
        "operation": "chat",
        "latency_ms": 1_500.0,
        "input_tokens": 120,
        "service": "bot",
        "is_error": False,
    }
    assert {name: row[name] for name in expected} == expected


def test_short_ids_are_filled_up(tmp_path):
    """Old SDKs print them without leading zeros, and a parent with them must still be found."""
    context = {"trace_id": "0xab", "span_id": "0xcd"}
    row = _read(tmp_path, SPAN | {"context": context, "parent_id": "0x0e0a4d0fbea9e4e4"}).spans.row(
        0, named=True
    )
    assert (row["trace_id"], row["span_id"]) == ("ab".zfill(32), "cd".zfill(16))
    assert row["parent_span_id"] == "0e0a4d0fbea9e4e4"


def test_a_parent_may_have_the_name_that_documents_give_it(tmp_path):
    """Pages about spans print them with `parent_span_id`, and such pages are copied."""
    span = {name: value for name, value in SPAN.items() if name != "parent_id"}
    row = _read(tmp_path, span | {"parent_span_id": "0x7eb5df0046c77cd2"}).spans.row(0, named=True)
    assert row["parent_span_id"] == "7eb5df0046c77cd2"


def test_ids_need_not_say_that_they_are_hex(tmp_path):
    """Services that take printed spans want them without, and times as numbers."""
    context = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
    times = {"start_time": 1772445600_000_000_000, "end_time": 1772445601_500_000_000}
    scope = {"scope": {"name": "strands.telemetry.tracer"}}
    row = _read(tmp_path, SPAN | {"context": context} | times | scope).spans.row(0, named=True)
    assert (row["trace_id"], row["latency_ms"]) == (context["trace_id"], 1_500.0)
    assert json.loads(row["attributes"])["otel.scope.name"] == "strands.telemetry.tracer"


def test_spans_between_the_lines_of_a_program_are_read(tmp_path):
    """The console belongs to the program too; its own lines are refused one by one."""
    path = tmp_path / "app.log"
    printed = json.dumps(SPAN, indent=4)
    path.write_text(f"10:00:00,123 INFO up\n{printed}\nthe answer is 42\n")
    assert detect_format(path) == "otlp"
    found = read_otlp(path)
    assert found.spans.height == 1
    assert found.quarantine["source_line"].to_list() == [1, 2 + len(printed.splitlines())]


def test_a_failure_is_an_error(tmp_path):
    """The description explains it, the exception event names its class."""
    event = {
        "name": "exception",
        "timestamp": "2026-03-02T10:00:01Z",
        "attributes": {"exception.type": "openai.E"},
    }
    failed = SPAN | {"status": {"status_code": "ERROR", "description": "no"}, "events": [event]}
    row = _read(tmp_path, failed).spans.row(0, named=True)
    assert (row["is_error"], row["error_type"], row["error_message"]) == (True, "E", "no")


def test_an_old_resource_has_its_attributes_at_the_top(tmp_path):
    """The shape changed once."""
    assert _read(tmp_path, SPAN | {"resource": {"service.name": "bot"}}).spans["service"].item() == "bot"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"context": {"trace_id": "0xzz", "span_id": "0x1"}}, "invalid_id"),
        ({"context": {"trace_id": "0x1", "span_id": 5}}, "type"),
        ({"context": {"trace_id": "0x1"}}, "missing_field"),
        ({"start_time": "2026-03-02T10:00:00"}, "naive_time"),
        ({"start_time": None}, "missing_field"),
        ({"attributes": [1]}, "type"),
        ({"events": 5}, "type"),
        ({"status": "OK"}, "type"),
    ],
)
def test_a_broken_span_is_refused_alone(tmp_path, fields, reason):
    """Its neighbours are whole."""
    found = _read(tmp_path, SPAN, SPAN | fields, SPAN | {"context": {"trace_id": "0x1", "span_id": "0x2"}})
    assert [text.split(":")[0] for text in found.quarantine["reason"]] == [reason]
    assert found.spans.height == 2
