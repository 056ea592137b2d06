"""Langfuse lines taken as columns, held to the same lines read one by one."""

import json
from base64 import b64decode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from llmops_lib.sources import langfuse_lines
from llmops_lib.sources.langfuse import read_langfuse

EXPORTS = (
    "observations_blob_export.jsonl",
    "observations_ui_export.jsonl",
    "scores_blob_export.jsonl",
    "traces_blob_export.jsonl",
)
ORDINARY = {
    "id": "g-1",
    "traceId": "t-1",
    "parentObservationId": "s-1",
    "type": "GENERATION",
    "name": "chat",
    "startTime": "2025-09-01T10:00:00.000Z",
    "endTime": "2025-09-01T10:00:02.500Z",
    "completionStartTime": "2025-09-01T10:00:00.333Z",
    "model": "gpt-4o",
    "level": "DEFAULT",
    "environment": "production",
    "input": [{"role": "user", "content": 'say "hi"'}],
    "output": {"role": "assistant", "content": "hi"},
    "usageDetails": {"input": 12, "output": 8, "total": 20},
    "costDetails": {"total": 0.25},
    "metadata": {"tenant": "acme", "attempt": 1},
}
SENT = (
    {"messages": [{"role": "user", "content": "q"}], "tools": [], "model": "gpt-4o", "stream": True},
    {"contents": [{"parts": [{"text": "q"}]}], "config": {"system_instruction": "s"}},
    [[{"role": "user", "content": "q"}]],
    [{"role": "user", "content": "q"}, {"type": "function_call_output", "call_id": "c", "output": "r"}],
    {
        "id": "a",
        "model": "m",
        "choices": [{"text": "hi", "finish_reason": "stop"}],
        "service_tier": "flex",
    },
    {"type": "message", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"},
    {"object": "response", "output": [{"type": "message", "content": []}]},
    [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}],
    {"candidates": [{"content": {"parts": []}, "finish_reason": 1}]},
    {"content": {"role": "model", "parts": [{"text": "hi"}]}},
    {"output": {"message": {"content": [{"text": "hi"}]}}},
    {"generations": [[{"text": "hi"}]]},
    {"content": [{"type": "text", "text": "hi"}]},
    {"content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}], "n": [[{"a": 1}]]},
    {"text": "hi", "finishReason": "stop"},
    {"type": "ai", "content": "hi", "response_metadata": {"finish_reason": "stop"}},
    {"role": "assistant", "content": [], "stop_reason": "end_turn"},
    {"type": "ai", "content": "hi", "additional_kwargs": {}},
    {"messages": [{"type": "human", "content": "q", "additional_kwargs": {}, "id": "m"}]},
)
BLOB_NAMES = {"traceId": "trace_id", "startTime": "start_time", "model": "provided_model_name"}

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        (
            "",
            "0" * 16,
            "0" * 17 + "7",
            "x" * 1_025,
            " x",
            "\u2028x",
            "null",
            "a:b",
            '","content":"',
            '"},{"role":"',
            "{x",
            '{"role": "user", "content": "q"}',
            '[{"role": "user", "content": "q"}, {"role": "tool", "content": "r"}]',
            '"\\"deep\\""',
            '""',
            "12",
            "tool_call",
        )
    ),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
junk = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(texts, st.sampled_from(("role", "content", "messages", "key", "value", "parts"))),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
times = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"),
    st.sampled_from(
        (
            "2025-09-01 10:00:00.123456",
            "2025-09-01T10:00:00Z",
            "2025-09-01T24:00:00.000Z",
            "2025-09-01T10:00:60.000Z",
            "2025-02-30T10:00:00.000Z",
            "2025-09-01T10:00:00.000+02:00",
            "2025-09-01T10:00:00.000Z ",
            "2099-09-01T10:00:00.000Z",
            "1756720800000",
        )
    ),
    st.integers(1_756_720_800_000, 1_756_720_900_000),
    scalars,
)
message = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(("user", "assistant", "tool", "")), "content": texts}),
    st.fixed_dictionaries({"content": texts, "role": texts}),
    st.fixed_dictionaries({"role": texts, "content": st.lists(junk, max_size=2)}),
    st.just({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}),
    st.just({"role": "user", "content": None, "additional_kwargs": {"tool_calls": []}}),
)
sent = st.sampled_from(SENT)
contents = st.one_of(
    sent,
    sent.map(json.dumps),
    message,
    st.lists(message, max_size=3),
    st.lists(message).map(json.dumps),
    junk,
)
count = st.one_of(st.integers(0, 50), scalars)
usage = st.dictionaries(
    st.sampled_from(("input", "output", "total", "input_cached_tokens", "cache_read", "Input", "reasoning")),
    count,
    max_size=4,
)
metadata = st.one_of(
    st.dictionaries(
        st.sampled_from(
            ("tenant", "team", "user_id", "sessionId", "feature", "step", "ls_provider", "env", "scope", "x")
        ),
        junk,
        max_size=3,
    ),
    st.just({"attributes": {"gen_ai.system": "openai", "gen_ai.request.model": "m"}}),
    st.just({"attributes.gen_ai.system": "openai", "scope.name": "agents", "tenant": "acme"}),
    junk,
)
MUTATIONS = {
    "id": junk,
    "traceId": st.one_of(st.just("t-2"), junk),
    "parentObservationId": junk,
    "type": st.one_of(
        st.sampled_from(("SPAN", "TOOL", "EMBEDDING", "generation", "AGENT", "NEW", "trace-create")), junk
    ),
    "name": junk,
    "startTime": times,
    "endTime": times,
    "completionStartTime": times,
    "model": junk,
    "providedModelName": junk,
    "level": st.one_of(st.sampled_from(("ERROR", "WARNING", "DEFAULT")), junk),
    "statusMessage": st.one_of(st.just("openai.RateLimitError: 429"), junk),
    "environment": junk,
    "input": contents,
    "output": contents,
    "usageDetails": st.one_of(usage, usage.map(json.dumps), junk),
    "usage": st.one_of(usage, st.just({"input": 1, "unit": "CHARACTERS"})),
    "unit": st.sampled_from(("TOKENS", "CHARACTERS")),
    "promptTokens": count,
    "costDetails": st.one_of(usage, junk),
    "totalCost": count,
    "calculatedTotalCost": count,
    "metadata": metadata,
    "modelParameters": st.one_of(
        st.just({"finishReason": "stop", "system": "openai.chat"}),
        st.just('{"finishReason": null, "system": "openai.chat"}'),
        junk,
    ),
    "promptName": junk,
    "promptVersion": count,
    "sessionId": junk,
    "userId": junk,
    "release": junk,
    "traceName": junk,
    "tags": junk,
    "traceTags": st.one_of(st.lists(texts, max_size=2), junk),
    "toolCalls": st.one_of(st.just([]), junk),
    "body": junk,
    "batch": junk,
    "data": junk,
    "trace": junk,
    "observations": junk,
    "trace_id": texts,
    "bookmarked": junk,
}


@st.composite
def observations(draw):
    """An ordinary observation of one dialect, with some fields replaced, added or left out."""
    found = dict(ORDINARY, id=draw(st.sampled_from(("g-1", "g-2", "g-3"))))
    for name in draw(st.lists(st.sampled_from(sorted(MUTATIONS)), max_size=4, unique=True)):
        found[name] = draw(MUTATIONS[name])
    for name in draw(st.lists(st.sampled_from(sorted(ORDINARY)), max_size=2)):
        found.pop(name, None)
    if draw(st.booleans()):
        found = {BLOB_NAMES.get(name, name): value for name, value in found.items()}
    return found


@st.composite
def lines(draw):
    """The line of an observation, written in one of several ways, or a line that is none."""
    found = draw(observations())
    written = json.dumps(
        found,
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from(((",", ":"), (", ", ": ")))),
    ).encode(errors="replace")
    return draw(
        st.sampled_from(
            (
                *(written,) * 12,
                written + b"\r",
                b"",
                written[:-1],
                written[:-1] + b',"name":"again"}',
                written.replace(b":", b"\\u003a", 1),
                written.replace(b'"chat"', b'"\\u003a \\ud800"'),
                b'{"a":[1',
                b"2]}",
                b"\xff" + written,
            )
        )
    )


def _assert_same(path, *, fewest_alike=1):
    columns = read_langfuse(path, fewest_alike=fewest_alike)
    alone = read_langfuse(path, fewest_alike=None)
    assert columns.rows_read == alone.rows_read
    assert_frame_equal(columns.spans, alone.spans, check_exact=True)
    order = ["source_line", "reason", "raw"]
    assert_frame_equal(columns.quarantine.sort(order), alone.quarantine.sort(order))
    assert_frame_equal(columns.log_messages, alone.log_messages)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_lines=st.lists(lines(), min_size=2, max_size=8), fewest=st.sampled_from((1, 2)))
def test_columns_give_the_rows_that_reading_one_by_one_gives(tmp_path_factory, given_lines, fewest):
    """A fast way with another answer would be worse than none."""
    path = tmp_path_factory.mktemp("lines") / "export.jsonl"
    first = json.dumps(ORDINARY).encode()
    path.write_bytes(b"\n".join([first, *given_lines, first, b""]))
    _assert_same(path, fewest_alike=fewest)


PIECES = (
    *'"\\{}[]:,-+.0123456789eE /nu\t\r\n',
    *(
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
        "NaN",
        "1e999",
    ),
    *('"name":', ',"traceId":', '"x","model":"', '"tenant" :', "12345678901234567890", '"x":1,"x":2,'),
)


@st.composite
def damaged_exports(draw):
    """Observations that differ only in what they carry, with a few pieces of text put in or taken out."""
    separators = draw(st.sampled_from(((",", ":"), (", ", ": "))))
    changes = {
        name: draw(MUTATIONS[name]) for name in draw(st.lists(st.sampled_from(sorted(MUTATIONS)), max_size=2))
    }
    more = {
        "comments": {"x": 1, "y": [1.50, {"z": "{"}]},
        "level": draw(st.sampled_from(("DEFAULT", "ERROR", None))),
    }
    rows = [ORDINARY | more | changes | {"id": f"g-{number}", "latency": number + 0.5} for number in range(4)]
    text = "\n".join(json.dumps(row, separators=separators) for row in rows)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        removed = draw(st.sampled_from((0, 0, 1, 1, 2, 9)))
        text = text[:place] + draw(st.sampled_from(("", *PIECES))) + text[place + removed :]
    return text


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=damaged_exports())
def test_damaged_lines_are_read_as_if_parsed(tmp_path_factory, text):
    """What only looks like JSON must not be taken for JSON, and nothing beside it may suffer."""
    path = tmp_path_factory.mktemp("lines") / "export.jsonl"
    path.write_bytes(json.dumps(ORDINARY).encode() + b"\n" + text.encode(errors="replace"))
    _assert_same(path)


@pytest.mark.parametrize("name", EXPORTS)
def test_a_real_export_gives_the_same_rows_both_ways(shared, name):
    """Of shapes that no strategy thought of."""
    _assert_same(shared / "fixtures/langfuse/projected_exports" / name)


@pytest.mark.parametrize("field", ["id", "name", "input", "output", "model", "metadata", "statusMessage"])
def test_hostile_text_gives_the_same_rows_both_ways(shared, tmp_path, field):
    """Blanks, controls, reversed text and JSON in text are where two ways would part."""
    naughty = (shared / "corpora" / "naughty_strings.jsonl").read_text().splitlines()
    path = tmp_path / "export.jsonl"
    found = [ORDINARY | {"level": "ERROR", field: json.loads(line)["text"]} for line in naughty]
    path.write_text("".join(json.dumps(value) + "\n" for value in [ORDINARY, *found]))
    _assert_same(path)


def test_hostile_lines_are_refused_both_ways(shared, tmp_path):
    """A batch must be judged as strictly as a line."""
    cases = map(json.loads, (shared / "corpora" / "json_parsing.jsonl").read_text().splitlines())
    raws = [b64decode(case["b64"]).replace(b"\n", b" ") for case in cases if "b64" in case]
    path = tmp_path / "export.jsonl"
    ordinary = json.dumps(ORDINARY).encode()
    path.write_bytes(b"".join(ordinary + b"\n" + raw + b"\n" for raw in raws))
    _assert_same(path)


def test_ordinary_observations_are_taken_as_columns(tmp_path, monkeypatch):
    """The test above would also pass if no line ever took the fast way."""
    taken = []
    frame_of = langfuse_lines.frame_of

    def spy(group):
        frame, rows = frame_of(group)
        taken.append((len(group.numbers), len(rows)))
        return frame, rows

    monkeypatch.setattr(langfuse_lines, "frame_of", spy)
    path = tmp_path / "export.jsonl"
    path.write_text("".join(json.dumps(ORDINARY | {"id": f"g-{n}"}) + "\n" for n in range(40)))
    assert read_langfuse(path).spans.height == 40
    assert taken == [(40, 40)]


def test_a_trace_waits_for_its_observations_only_where_the_file_has_none(tmp_path):
    """Session and user of a trace stand in its record; exports of traces and observations come apart."""
    path = tmp_path / "export.jsonl"
    observed = [ORDINARY | {"id": f"g-{n}", "traceId": f"t-{n}"} for n in range(40)]
    odd = ORDINARY | {"id": "g-odd", "traceId": "t-odd", "startTime": "no time"}
    traces = [
        {"id": name, "timestamp": "2025-09-01T10:00:00.000Z", "userId": "u"}
        for name in ("t-7", "t-odd", "t-99")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*traces, *observed, odd]))
    rows = read_langfuse(path)
    assert rows.log_messages["trace_id"].to_list() == ["t-99"]
    assert sorted(rows.quarantine["reason"].str.head(4)) == ["not_", "not_", "time"]
    assert (rows.spans.height, rows.rows_read) == (40, 44)


@pytest.mark.parametrize("kind", ["GENERATION", "SPAN"])
@pytest.mark.parametrize("written", [lambda value: value, json.dumps], ids=["object", "text"])
def test_what_was_sent_gives_the_same_rows_both_ways(tmp_path, kind, written):
    """Requests and answers tell model, id and finish reason, which columns alone would not show."""
    path = tmp_path / "export.jsonl"
    found = [
        ORDINARY | {"type": kind, field: written(value), "id": f"g-{number}"}
        for field in ("input", "output")
        for number, value in enumerate(SENT)
    ]
    path.write_text("".join(json.dumps(value) + "\n" for value in [ORDINARY, *found]))
    _assert_same(path)
