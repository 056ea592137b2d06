"""Servers that throttle, break down, lie or fall silent."""

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from llmops_lib.errors import FetchError, IncompleteFetchError
from llmops_lib.sources.fetch.langfuse import fetch_langfuse
from llmops_lib.sources.fetch.phoenix import fetch_phoenix
from llmops_lib.sources.fetch.retry_after import asked_wait_seconds
from llmops_lib.sources.fetch.settings import FetchSettings
from llmops_lib.sources.load import load_traces
from tests.sources.fetch.conftest import (
    BUSY_S,
    END,
    SECRET,
    START,
    drop,
    hang,
    langfuse,
    observation,
    phoenix,
    quick,
    reply,
    span,
    truncate,
)

ROWS = [observation(number) for number in range(7)]
HTML = (200, {"content-type": "text/html"}, b"<html>sign in</html>")


@pytest.fixture
def pulled(serve, tmp_path):
    """Pulls seven observations in pages of three from a server that has these faults first."""

    def run(*faults, **settings):
        server = serve(langfuse(ROWS))
        server.faults = list(faults)
        outcome = None
        try:
            outcome = fetch_langfuse(
                tmp_path / "rows.jsonl",
                start=START,
                end=END,
                settings=quick(server, **({"page_size": 3} | settings)),
            )
        finally:
            run.server = server
        return outcome

    return run


@pytest.mark.parametrize(
    "fault",
    [
        reply({}, 429, retry_after="0"),
        reply({}, 500),
        reply({}, 503),
        reply({}, 524),
        HTML,
        reply([]),
        reply({"data": None}),
        (200, {}, b'{"data": [{"id": '),
        (200, {"content-encoding": "gzip"}, b"no gzip"),
        truncate,
        drop,
        hang,
    ],
    ids=["429", "500", "503", "524", "html", "list", "null", "cut", "gzip", "truncated", "dropped", "silent"],
)
@pytest.mark.parametrize("before", [0, 2], ids=["first", "later"])
def test_one_fault_costs_a_retry_and_no_row(pulled, tmp_path, fault, before):
    """Any of them happens on any night, at the first request or in the middle."""
    outcome = pulled(*([None] * before), fault)
    assert outcome.retry_count == 1
    assert outcome.is_complete
    ids = [json.loads(line)["id"] for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert ids == [row["id"] for row in ROWS]


def test_a_wait_that_the_server_asks_for_is_kept(pulled):
    """Whoever asks sooner is throttled for longer."""
    began = time.monotonic()
    assert pulled(reply({}, 429, retry_after="1")).is_complete
    assert time.monotonic() - began >= 1


def test_a_wait_may_be_a_date_by_the_servers_own_clock():
    """A clock that is a day off must neither hammer the server nor sleep for a day."""
    now = datetime(2020, 1, 1, tzinfo=UTC)
    until = format_datetime(now + timedelta(seconds=2), usegmt=True)
    assert asked_wait_seconds({"retry-after": until, "date": format_datetime(now, usegmt=True)}) == 2
    assert asked_wait_seconds({"retry-after": until}) == 0


def test_a_wait_of_a_day_is_said_and_not_slept(pulled):
    """The rows so far are kept; tomorrow the same command goes on."""
    began = time.monotonic()
    with pytest.raises(IncompleteFetchError, match=r"asks to wait 86,400 s.*tried 1 times"):
        pulled(reply({}, 429, retry_after="86400"))
    assert time.monotonic() - began < BUSY_S
    assert len(pulled.server.asked) == 1


def test_a_server_that_stays_broken_is_given_up_after_four_attempts(pulled):
    """Endless retries hide an outage."""
    with pytest.raises(IncompleteFetchError, match=r"500 Internal Server Error; tried 4 times"):
        pulled(*[reply({}, 500)] * 10)
    assert len(pulled.server.asked) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 418])
def test_a_refusal_is_not_repeated_and_its_body_is_not_shown(pulled, status):
    """Servers repeat the key in their message, and a wrong key does not get right by asking again."""
    with pytest.raises(FetchError, match=f"answered {status}") as refused:
        pulled(reply({"error": f"Incorrect API key provided: {SECRET}"}, status))
    assert SECRET not in str(refused.value)
    assert not isinstance(refused.value, IncompleteFetchError)
    assert len(pulled.server.asked) == 1


def test_what_a_broken_server_says_is_not_shown(pulled):
    """The line that breaks the protocol may repeat the key."""

    def garble(handler):
        handler.wfile.write(f"HTTP/1.1 200 OK\r\n{SECRET}\r\n\r\n".encode())
        handler.close_connection = True

    with pytest.raises(IncompleteFetchError, match="RemoteProtocolError") as stopped:
        pulled(*[garble] * 4)
    assert SECRET not in str(stopped.value)


def test_a_server_that_is_not_there_is_said_so(tmp_path):
    """The port is wrong, or nothing was started."""
    with socket.socket() as deaf:  # holds its port without listening
        deaf.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{deaf.getsockname()[1]}"
        settings = FetchSettings(server=f"http://{place}", first_wait_seconds=0.01)
        with pytest.raises(IncompleteFetchError, match=rf"{place}.*ConnectError: .*refused"):
            fetch_langfuse(tmp_path / "rows.jsonl", start=START, end=END, settings=settings)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(pulled, serve, status):
    """The key would go along to whatever host the answer names."""
    other = serve(langfuse(ROWS))
    with pytest.raises(FetchError, match="redirects to") as refused:
        pulled((status, {"location": f"{other.url}/x?token={SECRET}"}, b""))
    assert other.asked == []
    assert SECRET not in str(refused.value)


def test_a_body_beyond_the_bound_is_asked_for_in_smaller_pages(pulled):
    """One page of huge prompts must not fill the memory, nor end the pull."""
    outcome = pulled(page_bytes=800)
    sizes = [asked.query["limit"] for asked in pulled.server.asked if "limit" in asked.query]
    assert sizes[:2] == ["3", "1"]
    assert (outcome.is_complete, outcome.rows_received) == (True, 7)


def test_a_row_beyond_the_bound_ends_the_pull_with_the_bound(pulled):
    """It cannot be had in a smaller page."""
    with pytest.raises(IncompleteFetchError, match="longer than 100 bytes"):
        pulled(page_bytes=100)


def test_a_compressed_body_counts_as_long_as_it_unpacks(pulled):
    """A small answer can unpack to gigabytes."""
    import gzip

    bomb = gzip.compress(b" " * 50_000_000)
    with pytest.raises(IncompleteFetchError, match="longer than 1,000,000 bytes"):
        pulled(*[(200, {"content-encoding": "gzip"}, bomb)] * 4, page_bytes=1_000_000)


def test_a_cursor_that_repeats_ends_the_pull(serve, tmp_path):
    """It would go on forever, writing nothing new."""
    server = serve(lambda _: reply({"data": ROWS, "meta": {"cursor": "again"}}))
    with pytest.raises(IncompleteFetchError, match="pages without end") as stopped:
        fetch_langfuse(tmp_path / "rows.jsonl", start=START, end=END, settings=quick(server))
    assert stopped.value.rows_received == 7
    assert len(server.asked) < 6


def test_new_cursors_without_new_rows_end_the_pull(serve, tmp_path):
    """The same loop in disguise."""
    server = serve(lambda _: reply({"data": ROWS, "meta": {"cursor": str(len(server.asked))}}))
    with pytest.raises(IncompleteFetchError, match="without a new row"):
        fetch_langfuse(tmp_path / "rows.jsonl", start=START, end=END, settings=quick(server))
    assert len(server.asked) < 40


def test_pages_that_overlap_give_each_row_once(serve, tmp_path):
    """Rows that arrive meanwhile push others onto the next page."""
    pages = {"": (ROWS[:3], "1"), "1": (ROWS[2:5], "2"), "2": ([], "3"), "3": (ROWS[4:], None)}

    def answer(asked):
        if asked.path.endswith("metrics"):
            return reply({"data": [{"count_count": 7}]})
        rows, following = pages[asked.query.get("cursor", "")]
        return reply({"data": rows, "meta": {"cursor": following}})

    server = serve(answer)
    outcome = fetch_langfuse(tmp_path / "rows.jsonl", start=START, end=END, settings=quick(server))
    assert (outcome.rows_received, outcome.duplicates_dropped, outcome.is_complete) == (7, 2, True)
    assert load_traces(tmp_path / "rows.jsonl").height == 7


@pytest.mark.parametrize("counted", [6, 9])
def test_another_number_than_announced_is_an_error_with_both_numbers(serve, tmp_path, counted):
    """A server was seen to drop half of the traces without a word; the file and its manifest tell."""
    server = serve(phoenix([span(number) for number in range(7)], counted=counted))
    with pytest.raises(IncompleteFetchError, match=f"7 rows were received and {counted} were announced"):
        fetch_phoenix(tmp_path / "rows.jsonl", settings=quick(server))
    manifest = json.loads((tmp_path / "rows.jsonl.fetch.json").read_text())
    assert (manifest["rows_expected"], manifest["rows_received"]) == (counted, 7)
    assert manifest["is_complete"] is False
    assert load_traces(tmp_path / "rows.jsonl").height == 7


def test_a_server_that_announces_nothing_is_said_to(serve, tmp_path):
    """Unknown is not the same as whole."""
    server = serve(phoenix([span(number) for number in range(7)], counted=-1))
    outcome = fetch_phoenix(tmp_path / "rows.jsonl", settings=quick(server, page_size=2))
    assert (outcome.rows_expected, outcome.is_complete, outcome.rows_received) == (None, None, 7)


def test_the_faults_of_the_shared_list_end_as_it_states(shared, serve, tmp_path):
    """Ten scripts of statuses, headers and broken connections, each with its outcome."""
    broken = {"truncate": truncate, "reset": drop, "hang": hang}
    lines = (shared / "corpora" / "api_faults.jsonl").read_text(encoding="utf-8").splitlines()
    held = 0
    for case in map(json.loads, lines):
        if not all(
            isinstance(step, list) and (step[0] != 200 or step[2] in ("ok", "<html>"))
            for step in case["script"]
        ):
            continue
        held += 1
        server = serve(langfuse(ROWS))
        server.faults = [broken.get(step[0]) or _step(*step) for step in case["script"]]
        message = ""
        try:
            fetch_langfuse(tmp_path / f"{case['id']}.jsonl", start=START, end=END, settings=quick(server))
        except FetchError as error:
            message = str(error)
        pages = [asked for asked in server.asked if asked.path.endswith("observations")]
        assert bool(message) == (case["expect"]["result"] == "error"), case["name"]
        assert len(pages) == case["expect"]["calls"], case["name"]
        assert case["expect"].get("never_contains", "evil.example/x?") not in message
    assert held > 10


def _step(status, headers, body):
    if body == "ok":
        return None
    wait = headers.get("retry-after", "")
    if wait.startswith("@+"):
        until = datetime.now(UTC) + timedelta(seconds=int(wait.strip("@+s")))
        headers = {"retry-after": format_datetime(until, usegmt=True)}
    return status, headers, body.encode()
