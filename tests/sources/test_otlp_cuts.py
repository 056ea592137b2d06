"""Lines that are cut at their quotes are read as if they had been parsed, however damaged they are."""

import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from llmops_lib.sources.otlp import read_otlp

FIRST_NS = 1_791_158_492_000_000_000
PIECES = (
    *'"\\{}[]:,-+.0123456789eE /nu\t\r\n',
    "\x01",
    "\x02",
    "\x10",
    "\x10\xc0",
    "\x11",
    "é",
    "\\u00e9",
    "\\ud800",
    '\\"',
    "null",
    "true",
    '"key":',
    '{"traceId":',
    ',"value":{"stringValue":',
    '","value":{"stringValue":"',
    '"}},{"key":"',
    "NaN",
    "1e999",
    "12345678901234567890",
)


def attribute(name, value, kind="stringValue"):
    """An attribute as it is written."""
    return {"key": name, "value": {kind: value}}


def span(number, *, more=(), fields=None):
    """A model call that differs from its siblings in what it carries."""
    return {
        "traceId": f"{number + 1:016x}" * 2,
        "spanId": f"{number + 1:016x}",
        "parentSpanId": "",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": str(FIRST_NS + number),
        "endTimeUnixNano": str(FIRST_NS + 10**9),
        "attributes": [
            attribute("gen_ai.operation.name", "chat"),
            attribute("user.id", f"u-{number}"),
            attribute("gen_ai.usage.input_tokens", str(100 + number), "intValue"),
            attribute("gen_ai.output.messages", f'[{{"role":"assistant","parts":[{number}]}}]'),
            attribute("app.score", number + 0.5, "doubleValue"),
            attribute("app.list", {"values": [{"intValue": number}, {"stringValue": "x"}]}, "arrayValue"),
            *more,
        ],
        "status": {},
        **(fields or {}),
    }


def request(spans, *, scopes=1):
    """A request with these spans in each of some scopes."""
    scoped = [{"scope": {"name": f"s{number}"}, "spans": spans} for number in range(scopes)]
    resource = {"attributes": [attribute("service.name", "app")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": scoped}]}


def assert_same_both_ways(path):
    """The same spans, refused rows and counts, whether the lines of the file are cut or parsed."""
    cut, parsed = read_otlp(path, fewest_alike=1), read_otlp(path, fewest_alike=None)
    order = ["source_line", "trace_id", "span_id", "attributes"]
    assert_frame_equal(cut.spans.sort(order), parsed.spans.sort(order), check_exact=True)
    refused = ["source_line", "reason", "raw"]
    assert_frame_equal(cut.quarantine.sort(refused), parsed.quarantine.sort(refused))
    assert cut.rows_read == parsed.rows_read


@st.composite
def damaged_exports(draw):
    """An export with a few pieces of text put in, put in the place of others, or taken out."""
    separators = draw(st.sampled_from(((",", ":"), (", ", ": "))))
    requests = [request([span(number) for number in range(3)], scopes=draw(st.integers(1, 2)))]
    requests += [request([span(9)])] * draw(st.integers(0, 2))
    text = "\n".join(json.dumps(value, separators=separators) for value in requests)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(text)))
        removed = draw(st.sampled_from((0, 0, 1, 1, 2, 9)))
        text = text[:place] + draw(st.sampled_from(("", *PIECES))) + text[place + removed :]
    return text


@given(text=damaged_exports())
@example(text=json.dumps(request([span(1)])).replace('"chat"', '"a","key":"b"'))
@example(
    text=json.dumps(request([span(1)]), separators=(",", ":")).replace(
        '"u-1"', '"u","value":{"stringValue":"1"'
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_lines_are_read_as_if_parsed(tmp_path_factory, text):
    """What only looks like JSON must not be taken for JSON, and nothing beside it may suffer."""
    path = tmp_path_factory.mktemp("cut") / "export.jsonl"
    path.write_bytes(text.encode())
    assert_same_both_ways(path)
