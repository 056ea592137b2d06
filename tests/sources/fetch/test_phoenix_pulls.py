"""The API of Phoenix, and what is asked of it."""

import pytest

from llmops_lib.errors import FetchError
from llmops_lib.sources.detect import detect_format
from llmops_lib.sources.fetch.keys import phoenix_server
from llmops_lib.sources.fetch.phoenix import fetch_phoenix
from llmops_lib.sources.load import load_traces
from tests.sources.fetch.conftest import END, SECRET, START, Asked, phoenix, quick, reply, span

ROWS = [span(number) for number in range(2_500)]


def test_all_pages_are_read_and_load_as_they_are(serve, tmp_path):
    """The server gives 1,000 spans at most per answer."""
    server = serve(phoenix(ROWS))
    outcome = fetch_phoenix(tmp_path / "rows.jsonl", settings=quick(server))
    assert (outcome.rows_expected, outcome.rows_received, outcome.page_count) == (2_500, 2_500, 3)
    assert detect_format(tmp_path / "rows.jsonl") == "phoenix"
    assert load_traces(tmp_path / "rows.jsonl")["input_tokens"].sum() == sum(100 + n for n in range(2_500))
    assert {asked.authorization for asked in server.asked} == {f"Bearer {SECRET}"}


def test_the_window_is_sent_where_there_is_one(serve, tmp_path):
    """To the pages and to the count alike."""
    server = serve(phoenix(ROWS[:3]))
    fetch_phoenix(tmp_path / "rows.jsonl", start=START, end=END, settings=quick(server))
    page, count = server.asked[1], server.asked[2]
    assert (page.query["start_time"], page.query["end_time"]) == (
        "2026-11-09T00:00:00.000Z",
        "2026-11-16T00:00:00.000Z",
    )
    assert b'"start":"2026-11-09T00:00:00.000Z"' in count.body.replace(b" ", b"")


def test_a_project_that_does_not_exist_is_named(serve, tmp_path):
    """A typo would otherwise look like an empty project."""
    with pytest.raises(FetchError, match="no project 'supprt'"):
        fetch_phoenix(tmp_path / "rows.jsonl", project="supprt", settings=quick(serve(phoenix(ROWS))))
    assert not list(tmp_path.iterdir())


def test_a_name_with_a_slash_is_one_name(serve, tmp_path):
    """It must not become a path of the server."""
    server = serve(phoenix([]))
    with pytest.raises(FetchError):
        fetch_phoenix(tmp_path / "rows.jsonl", project="../users?a=b", settings=quick(server))
    assert server.asked[0].path == "/v1/projects/..%2Fusers%3Fa%3Db"


def test_a_server_without_the_newer_endpoint_is_read_from_the_older(serve, tmp_path):
    """Its spans have another shape, and load all the same."""
    newer = phoenix([])
    wrapped = {"array_value": None, "string_value": "gpt-4o"}
    rows = [
        {
            "trace_id": f"{number + 1:032x}",
            "span_id": f"{number + 1:016x}",
            "name": "chat",
            "start_time_unix_nano": 1_795_424_647_551_860_992,
            "end_time_unix_nano": 1_795_424_648_551_860_992,
            "attributes": [{"key": "llm.model_name", "value": wrapped}],
            "status": {"code": 1, "message": None},
        }
        for number in range(5)
    ]

    def answer(asked: Asked):
        if asked.path.endswith("/spans"):
            return reply({}, 404)
        if asked.path.endswith("/spans/otlpv1"):
            first = int(asked.query.get("cursor", 0))
            following = str(first + 2) if first + 2 < 5 else None
            return reply({"data": rows[first : first + 2], "next_cursor": following})
        if asked.path == "/graphql":
            return reply({"data": {"node": {"recordCount": 5}}})
        return newer(asked)

    outcome = fetch_phoenix(tmp_path / "rows.jsonl", settings=quick(serve(answer), page_size=2))
    assert (outcome.rows_received, outcome.is_complete) == (5, True)
    assert load_traces(tmp_path / "rows.jsonl").height == 5


@pytest.mark.parametrize(
    ("environment", "server"),
    [
        ({}, "http://localhost:6006"),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "https://p.example/v1/traces"}, "https://p.example"),
        ({"PHOENIX_HOST": "0.0.0.0"}, "http://127.0.0.1:6006"),  # noqa: S104 - what a server's setting says
        ({"PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": "7007"}, "http://127.0.0.1:7007"),
        ({"PHOENIX_ENDPOINT": "https://a.example", "PHOENIX_HOST": "https://b.example"}, "https://a.example"),
    ],
)
def test_the_server_is_taken_from_the_environment_as_the_client_does(environment, server):
    """What works for the client works here."""
    assert phoenix_server(environment) == server


def test_no_key_is_needed_where_the_server_asks_for_none(serve, tmp_path, monkeypatch):
    """As on most machines of developers."""
    monkeypatch.delenv("PHOENIX_API_KEY")
    server = serve(phoenix(ROWS[:1]))
    fetch_phoenix(tmp_path / "rows.jsonl", settings=quick(server))
    assert {asked.authorization for asked in server.asked} == {None}
