"""The two APIs of Langfuse, and what is asked of them."""

import base64
import json

import pytest

from llmops_lib.errors import FetchError
from llmops_lib.sources.detect import detect_format
from llmops_lib.sources.fetch.langfuse import fetch_langfuse
from llmops_lib.sources.load import load_traces
from tests.sources.fetch.conftest import (
    END,
    SECRET,
    START,
    langfuse,
    observation,
    older_langfuse,
    quick,
    reply,
)

ROWS = [observation(number) for number in range(250)]
TRACES = [
    {
        "id": f"trace-{number}",
        "timestamp": "2026-11-10T09:59:00Z",
        "public": False,
        "sessionId": f"s-{number}",
    }
    for number in range(84)
]


def pull(path, server, **settings):
    """The outcome of a pull of one week."""
    return fetch_langfuse(path, start=START, end=END, settings=quick(server, **settings))


def test_every_page_asks_for_the_window_all_fields_and_no_more_than_the_server_gives(serve, tmp_path):
    """Without a window large projects time out, without fields there are no tokens, over 1,000 is a 400."""
    server = serve(langfuse(ROWS))
    pull(tmp_path / "rows.jsonl", server, page_size=5_000)
    asked = server.asked[0].query
    assert asked["fromStartTime"] == "2026-11-09T00:00:00.000Z"
    assert asked["toStartTime"] == "2026-11-16T00:00:00.000Z"
    assert asked["limit"] == "1000"
    assert {"io", "metadata", "model", "usage", "trace_context"} <= set(asked["fields"].split(","))


def test_the_metrics_are_asked_for_the_same_half_open_window(serve, tmp_path):
    """Their end is inclusive: a call at midnight would be announced and not given."""
    server = serve(langfuse(ROWS))
    outcome = pull(tmp_path / "rows.jsonl", server)
    asked = json.loads(server.asked[-1].query["query"])
    assert (asked["fromTimestamp"], asked["toTimestamp"]) == (
        "2026-11-09T00:00:00.000Z",
        "2026-11-15T23:59:59.999Z",
    )
    assert (outcome.rows_expected, outcome.announced_by) == (250, "the metrics API")


def test_what_was_pulled_loads_as_it_is(serve, tmp_path):
    """The file is an export like any other."""
    pull(tmp_path / "rows.jsonl", serve(langfuse(ROWS)), page_size=100)
    assert detect_format(tmp_path / "rows.jsonl") == "langfuse"
    spans = load_traces(tmp_path / "rows.jsonl")
    assert spans.height == 250
    assert spans["input_tokens"].sum() == sum(100 + number for number in range(250))


def test_a_window_without_rows_gives_a_file_without_rows_that_loads(serve, tmp_path):
    """A quiet week is no error, and neither is a folder of weeks with a quiet one in it."""
    outcome = pull(tmp_path / "quiet.jsonl", serve(langfuse([])))
    assert (outcome.rows_expected, outcome.rows_received, outcome.is_complete) == (0, 0, True)
    assert load_traces(tmp_path / "quiet.jsonl").height == 0
    pull(tmp_path / "week.jsonl", serve(langfuse(ROWS)))
    assert load_traces(tmp_path).height == 250


def test_an_empty_page_in_the_middle_is_not_the_end(serve, tmp_path):
    """Only a missing cursor is."""

    def answer(asked):
        if asked.path.endswith("metrics"):
            return reply({"data": [{"count_count": 2}]})
        number = int(asked.query.get("cursor", 0))
        rows = ([ROWS[0]], [], [ROWS[1]])[number]
        return reply({"data": rows, "meta": {"cursor": str(number + 1)} if number < 2 else {}})

    assert pull(tmp_path / "rows.jsonl", serve(answer)).rows_received == 2


def test_metadata_that_the_server_shortens_is_asked_for_whole(serve, tmp_path):
    """200 characters of a JSON text are no JSON; a key with a comma cannot be asked for, and is counted."""
    long = "x" * 300
    rows = [observation(0, metadata={"prompt": long, "a,b": long, "short": "y"}), observation(1)]
    outcome = pull(tmp_path / "rows.jsonl", serve(langfuse(rows)))
    first = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert first["metadata"] == {"prompt": long, "a,b": long[:200], "short": "y"}
    assert (outcome.truncated_metadata_count, outcome.rows_received) == (1, 2)


def test_rows_reach_the_file_as_they_were_sent(serve, tmp_path):
    """Numbers beyond 64 bits and repeated keys are for the reader to judge."""
    text = '{"id": "a",\n "traceId": "t", "n": 123456789012345678901234567890, "n": 1.50, "x": "\\u00e9"}'
    half = '{"id": "b", "text": "\\ud800"}'

    def answer(asked):
        rows = [text] if "cursor" not in asked.query else [half]
        meta = "{}" if "cursor" in asked.query else '{"cursor": "2"}'
        if asked.path.endswith("metrics"):
            return reply({"data": [{"count_count": 2}]})
        return 200, {}, f'{{"data": [{",".join(rows)}], "meta": {meta}}}'.encode()

    pull(tmp_path / "rows.jsonl", serve(answer))
    assert (tmp_path / "rows.jsonl").read_text().splitlines() == [
        '{"id":"a","traceId":"t","n":123456789012345678901234567890,"n":1.50,"x":"\\u00e9"}',
        half,
    ]


def test_a_server_with_pages_only_gives_observations_and_their_traces(serve, tmp_path):
    """Session and user stand on the trace there, and both lists announce their length."""
    server = serve(older_langfuse(ROWS, TRACES))
    outcome = pull(tmp_path / "rows.jsonl", server)
    assert (outcome.rows_expected, outcome.rows_received, outcome.page_count) == (334, 334, 4)
    spans = load_traces(tmp_path / "rows.jsonl")
    assert spans.height == 250
    assert spans["session_id"].n_unique() == 84
    windows = [asked.query for asked in server.asked if asked.path == "/api/public/traces"]
    assert windows[0]["fromTimestamp"] == "2026-11-08T00:00:00.000Z"


def test_a_list_that_announces_more_than_it_gives_is_incomplete(serve, tmp_path):
    """It ends all the same, with both numbers."""
    server = serve(older_langfuse(ROWS, [], counted=400))
    with pytest.raises(FetchError, match="250 rows were received and 400 were announced"):
        pull(tmp_path / "rows.jsonl", server)


def test_a_heavy_page_of_the_older_api_shrinks_without_losing_rows(serve, tmp_path):
    """Page numbers count in pages, so a smaller page has another number."""
    server = serve(older_langfuse(ROWS, TRACES))
    server.faults = [None, None, reply({}, 504), reply({}, 504), reply({}, 504)]
    outcome = pull(tmp_path / "rows.jsonl", server)
    assert outcome.is_complete
    assert "12" in {asked.query.get("limit") for asked in server.asked}


def test_keys_go_in_the_header_and_nowhere_else(serve, tmp_path, caplog):
    """Not into addresses, logs, files or the outcome."""
    caplog.set_level("DEBUG")
    server = serve(langfuse(ROWS))
    server.faults = [reply({"error": SECRET}, 500)]
    outcome = pull(tmp_path / "rows.jsonl", server, page_size=100)
    expected = base64.b64encode(f"pk-lf-1:{SECRET}".encode()).decode()
    assert {asked.authorization for asked in server.asked} == {f"Basic {expected}"}
    written = "".join(path.read_text() for path in tmp_path.iterdir()) + caplog.text + repr(outcome)
    assert SECRET not in written
    assert expected not in written


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak"])
def test_a_key_that_cannot_be_one_is_named_and_not_shown(serve, tmp_path, monkeypatch, key):
    """The HTTP library would print it."""
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", key)
    with pytest.raises(FetchError, match="LANGFUSE_SECRET_KEY") as refused:
        pull(tmp_path / "rows.jsonl", serve(langfuse(ROWS)))
    assert not key or key not in str(refused.value)


def test_the_server_is_taken_from_the_environment_as_the_sdk_does(serve, tmp_path, monkeypatch):
    """LANGFUSE_BASE_URL wins over the older LANGFUSE_HOST."""
    server = serve(langfuse(ROWS))
    monkeypatch.setenv("LANGFUSE_BASE_URL", server.url)
    monkeypatch.setenv("LANGFUSE_HOST", "https://elsewhere.invalid")
    assert fetch_langfuse(tmp_path / "rows.jsonl", start=START, end=END).server == server.url


def test_a_moment_without_a_zone_is_refused(tmp_path):
    """A guessed zone moves calls between weeks."""
    with pytest.raises(FetchError, match="names no zone"):
        fetch_langfuse(tmp_path / "rows.jsonl", start=START.replace(tzinfo=None))


def test_rows_of_another_project_are_not_mixed_in(serve, tmp_path):
    """The keys decide the project, and they may change between two runs."""
    rows = [observation(0), observation(1, projectId="project-2")]
    with pytest.raises(FetchError, match="project-2"):
        pull(tmp_path / "rows.jsonl", serve(langfuse(rows)), page_size=1)
