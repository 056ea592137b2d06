"""Spans that are read through one of them are read as if each had been read alone."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from llmops_lib.sources.otlp import read_otlp

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "otlp_json"
CORPORA = FIXTURES.parents[1] / "corpora"
FIRST_NS = 1_791_158_492_000_000_000

TEXTS = st.sampled_from(
    (
        '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
        '[{"role":"assistant","parts":[],"finish_reason":"length"}]',
        '[{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{"a":1}}]}]',
        '["\\ud800"]',
        "[1e999]",
        '[{"role":"user","content":"hi"}]',
        '{"messages":[{"role":"user","content":"hi"}],"n":1}',
        "[1,",
        "plain words",
        "",
        " ",
    )
)
COUNTS = st.sampled_from(("0", "7", "120", "5000", 9, "-1", "12.5", "9" * 20, "x", "", None))
NAMES = st.sampled_from(("u-1", "u-2", "é", "", "n" * 5_000, "<b>", '"quoted"'))
VALUES = {
    "gen_ai.operation.name": st.sampled_from(("chat", "embeddings", "execute_tool", "invoke_agent", "")),
    "gen_ai.provider.name": st.sampled_from(("openai", "anthropic", "AWS")),
    "gen_ai.request.model": st.sampled_from(("gpt-4o-mini", "claude-sonnet-4", "")),
    "gen_ai.response.id": NAMES,
    "gen_ai.conversation.id": NAMES,
    "session.id": NAMES,
    "user.id": NAMES,
    "langfuse.user.id": NAMES,
    "tenant.id": NAMES,
    "gen_ai.input.messages": TEXTS,
    "gen_ai.output.messages": TEXTS,
    "gen_ai.system_instructions": TEXTS,
    "gen_ai.tool.call.result": TEXTS,
    "gen_ai.prompt.0.content": TEXTS,
    "gcp.vertex.agent.llm_response": st.sampled_from(('{"usage_metadata":{"prompt_token_count":7}}', "{}")),
    "litellm.cache_hit": st.sampled_from(("True", "False")),
    "litellm.provider.model": st.sampled_from(("openai/gpt-4o", "bedrock/nova", "gpt-4o")),
    "output.value": st.sampled_from(('{"usage":{"input_tokens":7,"cache_read_input_tokens":5}}', "text")),
    "metadata": st.sampled_from(('{"tenant":"acme","user_id":"u-9"}', "none")),
    "app.note": NAMES,
    "error.type": st.sampled_from(("openai.RateLimitError", "")),
    "server.address": NAMES,
}
INTEGERS = (
    "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.input_tokens.cache_write_1h",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.total_tokens",
    "http.response.status_code",
)
NUMBERS = ("gen_ai.response.time_to_first_chunk", "gen_ai.usage.cost")


def attributes(draw, names):
    """Attributes of these names, mostly of the kind that is usual for each."""
    found = []
    for name in names:
        if name in VALUES:
            value = {"stringValue": draw(VALUES[name])}
        elif name in INTEGERS:
            value = {"intValue": draw(COUNTS)}
        elif name in NUMBERS:
            value = {"doubleValue": draw(st.sampled_from((0.25, 0, 1.5, -1.0)))}
        else:
            value = {"boolValue": draw(st.booleans())}
        found.append({"key": name, "value": value})
    if draw(st.integers(0, 9)) == 0 and found:
        found[-1]["value"] = draw(st.sampled_from(({}, {"doubleValue": 3.0}, {"arrayValue": {"values": []}})))
    return found


TIMES = st.sampled_from((str(FIRST_NS + 2), str(FIRST_NS + 7_000), FIRST_NS, "0", "soon", None))
EVENTS = (
    "gen_ai.evaluation.result",
    "exception",
    "gen_ai.content.completion.chunk",
    "gen_ai.user.message",
    "note",
)


def events(draw, names):
    """Events of these names, mostly with a time, and with what decides something for one or the other."""
    return [
        {
            "timeUnixNano": draw(TIMES),
            "name": name,
            "attributes": [
                {"key": "gen_ai.evaluation.name", "value": {"stringValue": "user_feedback"}},
                {
                    "key": "gen_ai.evaluation.score.value",
                    "value": {"doubleValue": draw(st.sampled_from((1.0, 0.5)))},
                },
                {"key": "exception.message", "value": {"stringValue": draw(NAMES)}},
            ],
        }
        for name in names
    ]


@st.composite
def lines(draw):
    """Lines of a few sets of attributes, each borne by several spans whose values differ."""
    all_names = (*VALUES, *INTEGERS, *NUMBERS, "gen_ai.request.stream")
    written = []
    for kind in range(draw(st.integers(1, 2))):
        names = draw(st.lists(st.sampled_from(all_names), unique=True, max_size=12))
        happened = draw(st.lists(st.sampled_from(EVENTS), max_size=2))
        spans = [
            {
                "traceId": f"{kind + 1:016x}{number:016x}",
                "spanId": draw(st.sampled_from((f"{number + 1:016x}", f"{number + 1:016X}", "0" * 16, "x"))),
                "parentSpanId": draw(st.sampled_from(("", "00000000000000ff", "0" * 16))),
                "name": draw(st.sampled_from(("chat", "chat gpt-4o"))),
                "kind": 3,
                "startTimeUnixNano": draw(st.sampled_from((str(FIRST_NS), FIRST_NS + 1_500, "0", "soon"))),
                "endTimeUnixNano": draw(st.sampled_from((str(FIRST_NS + 10**9), str(FIRST_NS - 1), "0"))),
                "attributes": attributes(draw, names),
                "events": events(draw, happened),
                "status": draw(st.sampled_from(({}, {}, {}, {"code": 2, "message": "Error code: 429"}))),
            }
            for number in range(draw(st.integers(1, 8)))
        ]
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": f"app-{kind}"}}]}
        scopes = [{"scope": {"name": "s"}, "spans": spans}]
        written.append({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]})
    return "\n".join(map(json.dumps, written))


def assert_same_both_ways(path):
    """The same spans, refused rows and counts, however the spans of the file are read."""
    together, alone = read_otlp(path, fewest_alike=1), read_otlp(path, fewest_alike=None)
    order = ["source_line", "trace_id", "span_id", "attributes"]
    assert_frame_equal(together.spans.sort(order), alone.spans.sort(order), check_exact=True)
    refused = ["source_line", "reason", "raw"]
    assert_frame_equal(together.quarantine.sort(refused), alone.quarantine.sort(refused))
    assert together.rows_read == alone.rows_read


@given(text=lines())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_spans_read_together_are_those_read_alone(tmp_path_factory, text):
    """A faster way that gives another answer would be a wrong answer."""
    path = tmp_path_factory.mktemp("alike") / "export.jsonl"
    path.write_text(text, encoding="utf-8")
    assert_same_both_ways(path)


def test_every_event_keeps_its_own_time(tmp_path):
    """Spans that are alike but for when their events were must not change these times among each other."""
    spans = [
        {
            "traceId": "a" * 32,
            "spanId": f"{number + 1:016x}",
            "name": "chat",
            "startTimeUnixNano": str(FIRST_NS),
            "endTimeUnixNano": str(FIRST_NS + 1),
            "attributes": [],
            "events": [
                {"timeUnixNano": str(FIRST_NS + place * 1_000 + number), "name": name, "attributes": []}
                for place, name in enumerate(("sent", "answered"))
            ],
        }
        for number in range(8)
    ]
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}), encoding="utf-8")
    kept = [json.loads(text)["otel.events"] for text in read_otlp(path, fewest_alike=1).spans["attributes"]]
    times = [[event["time"] - FIRST_NS for event in events] for events in kept]
    assert times == [[number, 1_000 + number] for number in range(8)]
    assert_same_both_ways(path)


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="the real exports of ../shared are not here")
@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.jsonl")), ids=lambda path: path.name)
def test_real_exports_are_read_the_same_both_ways(path):
    """Instrumentations combine attributes as no generator would."""
    assert_same_both_ways(path)


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the hostile corpora of ../shared are not here")
def test_hostile_text_is_read_the_same_both_ways(tmp_path):
    """What an attacker writes into a span must not depend on the spans beside it."""
    rows = map(json.loads, (CORPORA / "naughty_strings.jsonl").read_text(encoding="utf-8").splitlines())
    texts = [text for row in rows for text in row.values() if isinstance(text, str)]
    names = ("user.id", "gen_ai.output.messages", "app.note", "gen_ai.response.id")
    spans = [
        {
            "traceId": f"{number + 1:016x}" * 2,
            "spanId": f"{number + 1:016x}",
            "name": "chat",
            "startTimeUnixNano": str(FIRST_NS),
            "endTimeUnixNano": str(FIRST_NS + 1),
            "attributes": [{"key": name, "value": {"stringValue": text}} for name in names],
        }
        for number, text in enumerate(texts)
    ]
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}), encoding="utf-8")
    assert len(texts) > 100
    assert_same_both_ways(path)
