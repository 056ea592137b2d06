from datetime import UTC, datetime

import pytest

from llmops_lib.sources.attributes import SpanState, canonical_row

STARTED_AT = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)
CHUNK = {"name": "gen_ai.content.completion.chunk", "time": 1772445600_080_000_000, "attributes": {}}


def _streaming(attributes, events=()):
    chat = {"gen_ai.operation.name": "chat", **attributes}
    row = canonical_row(chat, name="chat", events=events, state=SpanState(started_at=STARTED_AT))
    return row["is_streaming"], row.get("time_to_first_token_ms")


@pytest.mark.parametrize(
    ("attributes", "events", "expected"),
    [
        ({"gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": 0.25}, [], (True, 250.0)),
        (
            {"ai.operationId": "ai.streamText.doStream", "ai.response.msToFirstChunk": 164.5},
            [],
            (True, 164.5),
        ),
        ({"gen_ai.is_streaming": True}, [CHUNK, CHUNK | {"time": 1772445601_000_000_000}], (True, 80.0)),
        ({"llm.is_streaming": "true"}, [CHUNK | {"name": "llm.content.completion.chunk"}], (True, 80.0)),
        ({}, [CHUNK | {"name": "First Token Stream Event"}], (True, 80.0)),
        ({"langfuse.observation.completion_start_time": '"2026-03-02T10:00:00.080Z"'}, [], (True, 80.0)),
        ({"gen_ai.request.stream": True}, [], (True, None)),
        ({"gen_ai.is_streaming": False}, [], (False, None)),
        ({"ai.operationId": "ai.generateText.doGenerate"}, [], (False, None)),
        ({}, [], (None, None)),
    ],
)
def test_the_first_token_is_timed_in_every_dialect(attributes, events, expected):
    """Seconds, milliseconds and moments all mean the same wait."""
    assert _streaming(attributes, events) == expected


def test_a_call_that_did_not_stream_has_no_first_token():
    """OpenLIT writes the whole latency there, which would halve nothing and confuse everyone."""
    waited = {"gen_ai.server.time_to_first_token": 0.25}
    assert _streaming({**waited, "gen_ai.request.is_stream": False}) == (False, None)
    assert _streaming(waited) == (None, None)
    assert _streaming({**waited, "gen_ai.request.is_stream": True}) == (True, 250.0)


def test_without_a_start_events_tell_no_duration():
    """Two moments make a duration."""
    row = canonical_row({"gen_ai.operation.name": "chat"}, name="chat", events=[CHUNK])
    assert (row["is_streaming"], row["time_to_first_token_ms"]) == (True, None)


def test_a_broken_moment_is_unknown():
    """The span is good all the same."""
    assert _streaming({}, [CHUNK | {"time": "soon"}]) == (True, None)
