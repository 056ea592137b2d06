import gzip
import json
from datetime import UTC, datetime

import pytest

from llmops_lib.sources.otlp import matches, read_otlp
from llmops_lib.sources.sample import Sample

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
START, END = 1772445600_000_000_000, 1772445601_500_000_000


def _attributes(**values):
    return [{"key": name.replace("__", "."), "value": value} for name, value in values.items()]


def _span(**fields):
    span = {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(END),
        "attributes": _attributes(
            gen_ai__operation__name={"stringValue": "chat"}, gen_ai__usage__input_tokens={"intValue": "120"}
        ),
    }
    return {name: value for name, value in (span | fields).items() if value is not ...}


def _request(*spans, **resource):
    return {
        "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "s"}, "spans": [*spans]}]}]
    }


def _read(tmp_path, *requests, indent=None):
    path = tmp_path / "traces.jsonl"
    path.write_text("\n".join(json.dumps(request, indent=indent) for request in requests))
    return read_otlp(path)


def _only(tmp_path, *requests):
    found = _read(tmp_path, *requests)
    assert found.quarantine.is_empty(), found.quarantine["reason"].to_list()
    return found.spans.row(0, named=True)


def test_a_span_becomes_a_row(tmp_path):
    """The whole way from the envelope to the columns."""
    row = _only(tmp_path, _request(_span(), attributes=_attributes(service__name={"stringValue": "bot"})))
    expected = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "parent_span_id": None,
        "name": "chat gpt-4o",
        "operation": "chat",
        "is_model_call": True,
        "started_at": datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC),
        "latency_ms": 1_500.0,
        "input_tokens": 120,
        "output_tokens": None,
        "service": "bot",
        "source_format": "otlp",
        "source_line": 1,
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["attributes"])["otel.scope.name"] == "s"


@pytest.mark.parametrize("parent", [..., None, "", "0" * 16, "AAAAAAAAAAA="])
def test_a_root_is_a_root_in_every_dialect(tmp_path, parent):
    """Roots carry what their children inherit."""
    assert _only(tmp_path, _request(_span(parentSpanId=parent)))["parent_span_id"] is None


@pytest.mark.parametrize("start", [str(START), START, {"low": START & 0xFFFFFFFF, "high": START >> 32}])
def test_times_are_text_numbers_or_halves(tmp_path, start):
    """Protobuf writes text, JavaScript numbers or pairs."""
    assert _only(tmp_path, _request(_span(startTimeUnixNano=start)))["latency_ms"] == 1_500.0


@pytest.mark.parametrize("end", [..., None, "0", 0])
def test_a_span_without_an_end_is_open(tmp_path, end):
    """A process that died leaves open spans; they were still paid for."""
    row = _only(tmp_path, _request(_span(endTimeUnixNano=end)))
    assert (row["ended_at"], row["latency_ms"]) == (None, None)


@pytest.mark.parametrize("code", [2, "2", "STATUS_CODE_ERROR"])
def test_a_failed_status_is_an_error(tmp_path, code):
    """Enums are numbers or names."""
    row = _only(tmp_path, _request(_span(status={"code": code, "message": "no"})))
    assert (row["is_error"], row["error_message"]) == (True, "no")


@pytest.mark.parametrize("status", [..., None, {}, {"code": 0}, {"code": 1}, {"code": "STATUS_CODE_OK"}])
def test_any_other_status_is_none(tmp_path, status):
    """Unset is the ordinary status."""
    assert _only(tmp_path, _request(_span(status=status)))["is_error"] is False


def test_protobuf_names_and_old_collectors_are_read(tmp_path):
    """Converters write snake_case, collectors before 2022 another name for scopes."""
    snake = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "start_time_unix_nano": START,
        "end_time_unix_nano": END,
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"string_value": "chat", "int_value": None}}
        ],
    }
    old = {
        "resourceSpans": [{"instrumentationLibrarySpans": [{"spans": [_span(spanId="b7ad6b7169203332")]}]}]
    }
    found = _read(tmp_path, {"resource_spans": [{"scope_spans": [{"spans": [snake]}]}]}, old)
    assert found.quarantine.is_empty()
    assert found.spans["operation"].to_list() == ["chat", "chat"]
    assert found.spans["latency_ms"].to_list() == [1_500.0, 1_500.0]


def test_one_document_over_many_lines_is_read_like_lines(tmp_path):
    """Files that people send around are pretty-printed."""
    requests = [_request(_span(spanId=f"{number:016x}")) for number in (1, 2, 3)]
    pretty = _read(tmp_path, *requests, indent=2).spans.drop("source_line")
    assert pretty.equals(_read(tmp_path, *requests).spans.drop("source_line"))


def test_a_list_of_requests_is_read(tmp_path):
    """Some tools wrap requests into a list."""
    path = tmp_path / "traces.json"
    path.write_text(json.dumps([_request(_span()), _request(_span(spanId="b7ad6b7169203332"))]))
    assert read_otlp(path).spans.height == 2


def test_compressed_files_are_read(tmp_path):
    """Collectors rotate and compress."""
    path = tmp_path / "traces.jsonl"
    path.write_bytes(gzip.compress(json.dumps(_request(_span())).encode()))
    assert read_otlp(path).spans.height == 1


def test_unknown_keys_are_ignored(tmp_path):
    """The protocol grows."""
    request = _request(_span(newField={"x": 1}))
    request["resourceSpans"][0]["schemaUrl"] = "u"
    assert _only(tmp_path, request | {"extra": 1})["input_tokens"] == 120


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"traceId": ...}, "missing_field: trace_id"),
        ({"traceId": "0" * 32}, "invalid_id: trace_id is all zeros"),
        ({"traceId": 5}, "type: traceId is int, not text"),
        ({"spanId": "xyz"}, "invalid_id: spanId 'xyz' is neither hex nor base64 of an id"),
        ({"startTimeUnixNano": "0"}, "missing_field: started_at"),
        ({"startTimeUnixNano": "soon"}, "time: soon"),
        ({"startTimeUnixNano": START // 10**9}, "time_range: 1772445600"),
        ({"attributes": [1]}, "type: an attribute is no object with a key"),
        (
            {
                "attributes": _attributes(
                    gen_ai__operation__name={"stringValue": "chat"}, x={"intValue": "1"}
                )
                * 2
            },
            None,
        ),
        ({"events": [1]}, "type: events is no list of objects"),
        ({"name": "n" * 1_025}, "too_long: name has 1025 characters"),
        ({"name": {"a": 1}}, "type: name is dict, not text"),
    ],
)
def test_a_bad_span_is_refused_alone(tmp_path, fields, reason):
    """A batch of 500 must not be lost for one of them."""
    found = _read(
        tmp_path,
        _request(_span(spanId="b7ad6b7169203332"), _span(**fields), _span(spanId="b7ad6b7169203333")),
    )
    assert found.quarantine["reason"].to_list() == ([reason] if reason else [])
    assert found.spans.height == (2 if reason else 3)


def test_a_refused_span_can_be_found_again(tmp_path):
    """Its line and its own text, not the text of the batch."""
    bad = _span(traceId=None)
    refused = _read(tmp_path, _request(_span()), _request(bad)).quarantine.row(0, named=True)
    assert (refused["source_line"], refused["byte_offset"]) == (2, len(json.dumps(_request(_span()))) + 1)
    assert json.loads(refused["raw"]) == bad


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1, 2]", "not_object: found list"),
        ("[]", "not_object: found list"),
        ("null", "not_object: found NoneType"),
        ("{}", "schema: no OTLP request and no span as an SDK prints it"),
        ('{"traceId": "x", "spanId": "y"}', "schema: no OTLP request and no span as an SDK prints it"),
        ('{"resourceSpans": 5}', "schema: resourceSpans holds int, not an object"),
        ('{"resourceSpans": [{"scopeSpans": [{"spans": ["x"]}]}]}', "schema: spans holds str, not an object"),
        ('{"resourceSpans": [{"ScopeSpans": [{}]}]}', "schema: neither scopeSpans nor another name of them"),
        (
            '{"resourceSpans": [{"scopeSpans": [{"Spans": [{}]}]}]}',
            "schema: neither spans nor another name of them",
        ),
    ],
)
def test_a_line_of_another_shape_is_refused(tmp_path, line, reason):
    """Files are concatenated by hand, and headers of other tools end up in them."""
    path = tmp_path / "traces.jsonl"
    path.write_text(json.dumps(_request(_span())) + "\n" + line + "\n")
    found = read_otlp(path)
    assert (found.spans.height, found.quarantine["reason"].to_list()) == (1, [reason])


def test_an_empty_request_holds_nothing(tmp_path):
    """Collectors flush on a timer."""
    described = {"resource": {}, "scopeSpans": [{"scope": {"name": "s"}, "schemaUrl": ""}]}
    empty = ([], None, [{"resource": {}, "schemaUrl": ""}], [described])
    assert _read(tmp_path, *({"resourceSpans": groups} for groups in empty)).rows_read == 0


def test_an_unreadable_resource_does_not_cost_its_spans(tmp_path):
    """It only names the service, and its text is kept."""
    row = _only(tmp_path, _request(_span(), attributes=[1]))
    assert row["service"] is None
    assert json.loads(row["attributes"])["otel.resource"] == {"attributes": [1]}


def test_metrics_are_refused_as_repetition(tmp_path):
    """Adding histograms to spans would count every token twice."""
    request = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "gen_ai.client.token.usage"}]}]}]}
    assert _read(tmp_path, request).quarantine["reason"].to_list() == [
        "not_a_span: metric gen_ai.client.token.usage"
    ]


def _log(name, body, **fields):
    record = {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "body": body,
        "attributes": _attributes(event__name=name),
    }
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record | fields]}]}]}


def test_message_records_are_collected_for_their_span(tmp_path):
    """The official Python instrumentation writes prompts into logs, not spans."""
    body = {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "hi"}}]}}
    found = _read(tmp_path, _log({"stringValue": "gen_ai.user.message"}, body))
    message = found.log_messages.row(0, named=True)
    assert (message["trace_id"], message["span_id"]) == (TRACE_ID, SPAN_ID)
    assert json.loads(message["input"]) == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    assert (message["output"], message["system_instructions"]) == (None, None)


def test_the_name_of_an_event_may_be_a_field(tmp_path):
    """Since 1.28 of the log data model it has a field of its own."""
    found = _read(tmp_path, _log({}, {"stringValue": "hi"}, eventName="gen_ai.user.message"))
    assert json.loads(found.log_messages["input"].item())[0]["parts"][0]["content"] == "hi"


@pytest.mark.parametrize(
    "log",
    [
        _log({"stringValue": "http.request"}, {}),
        _log({"arrayValue": {}}, {}),
        _log({"stringValue": "gen_ai.user.message"}, {}, spanId=""),
    ],
)
def test_other_log_records_are_refused(tmp_path, log):
    """They are no spans, and belong to none."""
    [reason] = _read(tmp_path, log).quarantine["reason"].to_list()
    assert reason.startswith("not_a_span: log record")


@pytest.mark.parametrize(
    ("first", "is_otlp"),
    [
        ({"resourceSpans": []}, True),
        ({"resource_spans": []}, True),
        ({"resourceLogs": []}, True),
        ({"resourceMetrics": []}, True),
        ([{"resourceSpans": []}], True),
        ({"name": "n", "context": {"trace_id": "0xab"}, "kind": "SpanKind.CLIENT"}, True),
        ({"context": {"trace_id": "ab", "span_id": "cd"}, "span_kind": "LLM"}, False),
        ({"traceId": "x"}, False),
        ([], False),
        (None, False),
    ],
)
def test_otlp_is_recognised_by_its_content(first, is_otlp):
    """Names of files say nothing."""
    assert matches(Sample("document", first)) is is_otlp


@pytest.mark.parametrize(
    ("name", "scope", "attributes", "expected"),
    [
        ("chat claude-sonnet-4-5", "openlit.otel.tracing", {}, ("chat", "claude-sonnet-4-5")),
        ("embeddings voyage-3", "openlit.otel.tracing", {}, ("embeddings", "voyage-3")),
        ("chat gpt-4o", "openlit", {}, ("chat", "gpt-4o")),
        ("chat gpt-4o", "openlittle", {}, ("other", None)),
        (
            "chat claude-sonnet-4-5",
            "openlit.otel.tracing",
            {"error__type": {"stringValue": "RateLimitError"}},
            ("chat", "claude-sonnet-4-5"),
        ),
        ("chat claude-sonnet-4-5", "someone.else", {}, ("other", None)),
        ("chat", "openlit.otel.tracing", {}, ("other", None)),
        ("POST /v1/messages", "openlit.otel.tracing", {}, ("other", None)),
    ],
)
def test_a_failed_call_that_openlit_only_named_is_a_call(tmp_path, name, scope, attributes, expected):
    """OpenLIT 1.45 describes a call to Anthropic once it is answered; without it error rates would be 0."""
    span = _span(name=name, attributes=_attributes(**attributes), status={"code": 2, "message": "overloaded"})
    scoped = {"scope": {"name": scope, "version": "1.45.0"}, "spans": [span]}
    row = _only(tmp_path, {"resourceSpans": [{"resource": {}, "scopeSpans": [scoped]}]})
    assert (row["operation"], row["request_model"]) == expected
    assert row["is_model_call"] == (expected[0] != "other")
    assert row["is_error"]


def test_what_a_scope_says_beside_its_name_is_kept(tmp_path):
    """Instrumentations note there how they count."""
    scope = {
        "name": "s",
        "attributes": _attributes(mode={"stringValue": "full"}),
        "droppedAttributesCount": 2,
    }
    row = _only(tmp_path, {"resourceSpans": [{"scopeSpans": [{"scope": scope, "spans": [_span(note="x")]}]}]})
    kept = json.loads(row["attributes"])
    assert kept["otel.scope.attributes"] == {"mode": "full"}
    assert kept["otel.scope.droppedAttributesCount"] == 2
    assert kept["otel.span.note"] == "x"


def test_a_span_that_mlflow_sent_to_a_collector_is_a_call(tmp_path):
    """It has no word of the conventions: kind, model, messages and counts stand in JSON text of its own."""
    written = {
        "mlflow__spanType": '"CHAT_MODEL"',
        "mlflow__spanInputs": '{"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}',
        "mlflow__chat__tokenUsage": '{"input_tokens": 12, "output_tokens": 5}',
    }
    attributes = _attributes(**{name: {"stringValue": value} for name, value in written.items()})
    row = _only(tmp_path, _request(_span(attributes=attributes)))
    assert (row["trace_id"], row["operation"], row["is_model_call"]) == (TRACE_ID, "chat", True)
    assert (row["model"], row["input_tokens"], row["output_tokens"]) == ("gpt-4o", 12, 5)
    again = _read(
        tmp_path, *[_request(_span(spanId=f"{n:016x}", attributes=attributes)) for n in range(1, 41)]
    )
    assert again.spans["is_model_call"].sum() == 40


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda request, _: {"batches": request["resourceSpans"]},
        lambda request, _: {"trace": request, "status": "COMPLETE"},
        lambda request, _: {"traces": [request]},
        lambda _, span: span,
        lambda _, span: [span],
        lambda _, span: {"spans": [span]},
        lambda _, span: span | {"attributes": None},
    ],
    ids=["Tempo", "Tempo v2", "several", "span", "list of spans", "spans", "span without attributes"],
)
def test_what_stands_around_spans_does_not_hide_them(tmp_path, wrapped):
    """Trace stores answer with requests of their own, and scripts keep spans without one."""
    value = wrapped(_request(_span()), _span())
    assert matches(Sample("document", value))
    row = _only(tmp_path, value)
    assert (row["trace_id"], row["latency_ms"]) == (TRACE_ID, 1_500.0)


def test_what_a_wrapping_says_is_kept(tmp_path):
    """It may say that a trace is not complete."""
    row = _only(tmp_path, {"trace": _request(_span()), "status": "PARTIAL"})
    assert json.loads(row["attributes"])["otel.request.status"] == "PARTIAL"


MLFLOW_2 = {"context": {"trace_id": "0x1", "span_id": "0x2"}, "status_code": "OK", "attributes": {}}


@pytest.mark.parametrize(
    "value",
    [
        {"trace": 7},
        {"spans": []},
        {"batches": [7]},
        {"traces": [[7]]},
        {"traces": [{"spans": [7]}]},
        {"spans": [MLFLOW_2]},
        MLFLOW_2,
    ],
)
def test_a_wrapping_of_something_else_is_refused_whole(tmp_path, value):
    """Nothing of it is a span of OTLP, and all of it is in the quarantine."""
    assert not matches(Sample("document", value))
    found = _read(tmp_path, value)
    assert found.spans.is_empty()
    assert json.loads(found.quarantine["raw"].item()) == value
