"""A pull that is killed at any moment and run again gives the file of an undisturbed one."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from llmops_lib.errors import FetchError, IncompleteFetchError
from llmops_lib.sources.fetch.langfuse import fetch_langfuse
from llmops_lib.sources.load import load_traces
from tests.sources.fetch.conftest import END, START, langfuse, observation, quick, reply

ROWS = [observation(number, metadata={"text": "z" * 150}) for number in range(60)]
HUNG_S = 600
"""After so long a process is taken to hang."""

PULL = """
import sys
from datetime import UTC, datetime
from llmops_lib import FetchSettings, fetch_langfuse
settings = FetchSettings(server=sys.argv[1], page_size=5, first_wait_seconds=0.01)
window = {"start": datetime(2026, 11, 9, tzinfo=UTC), "end": datetime(2026, 11, 16, tzinfo=UTC)}
fetch_langfuse(sys.argv[2], **window, settings=settings)
"""

# Dies at the n-th time that it touches the disk, half of a page written.
DYING = (
    """
import os, pathlib, signal, sys
left = int(sys.argv[3])
def count():
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
def dying(method):
    def call(*arguments, **named):
        count()
        return method(*arguments, **named)
    return call
sync = os.fsync
def torn(descriptor):
    if left == 0:
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - 40)
    count()
    sync(descriptor)
os.fsync = torn
pathlib.Path.replace = dying(pathlib.Path.replace)
pathlib.Path.unlink = dying(pathlib.Path.unlink)
"""
    + PULL
)


def run(code, *arguments, **options):
    """A pull in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], **options)


def undisturbed(serve, folder):
    """The bytes of a pull that nothing disturbed."""
    path = folder / "undisturbed" / "rows.jsonl"
    fetch_langfuse(path, start=START, end=END, settings=quick(serve(langfuse(ROWS)), page_size=5))
    return path.read_bytes()


@pytest.mark.parametrize("kill_at", [0, 3, 4, 5, 10, 27, 28, 29, 30])
def test_a_kill_at_any_touch_of_the_disk_costs_nothing(serve, tmp_path, kill_at):
    """Half a line may be on the disk, or a page that the state does not count yet."""
    server, path = serve(langfuse(ROWS)), tmp_path / "rows.jsonl"
    assert run(DYING, server.url, path, kill_at).wait(HUNG_S) == -signal.SIGKILL
    assert run(PULL, server.url, path).wait(HUNG_S) == 0
    assert path.read_bytes() == undisturbed(serve, tmp_path)
    left = sorted(file.name for file in tmp_path.iterdir() if file.is_file())
    assert left == ["rows.jsonl", "rows.jsonl.fetch.json"]
    assert load_traces(tmp_path / "rows.jsonl").height == 60


def test_kills_at_random_moments_cost_nothing(serve, tmp_path):
    """Six kills in a row, wherever the process happens to be."""
    rng = random.Random(7)  # noqa: S311 - moments, no secret
    plain, path = langfuse(ROWS), tmp_path / "rows.jsonl"
    asked_before = [0]
    asked = threading.Event()

    def answer(request):
        asked_before[0] += 1
        asked.set()
        time.sleep(0.01)
        return plain(request)

    server = serve(answer)
    for _ in range(6):
        asked.clear()
        process = run(PULL, server.url, path)
        while not asked.wait(0.05) and process.poll() is None:
            pass
        time.sleep(rng.uniform(0, 0.06))
        process.kill()
        process.wait(HUNG_S)
    assert run(PULL, server.url, path).wait(HUNG_S) == 0
    assert path.read_bytes() == undisturbed(serve, tmp_path)
    manifest = json.loads((tmp_path / "rows.jsonl.fetch.json").read_text())
    assert (manifest["rows_expected"], manifest["rows_received"]) == (60, 60)


def test_a_pull_goes_on_where_it_gave_up(serve, tmp_path):
    """An outage in the night costs no page that was read before it."""
    server, path = serve(langfuse(ROWS)), tmp_path / "rows.jsonl"
    server.faults = [None] * 8 + [reply({}, 503)] * 4
    with pytest.raises(IncompleteFetchError) as stopped:
        fetch_langfuse(path, start=START, end=END, settings=quick(server, page_size=5))
    kept = stopped.value.rows_received
    assert not path.exists()
    before = len(server.asked)
    outcome = fetch_langfuse(path, start=START, end=END, settings=quick(server, page_size=5))
    assert server.asked[before].query["cursor"] == str(kept)
    assert (outcome.is_complete, outcome.page_count) == (True, 12)
    assert path.read_bytes() == undisturbed(serve, tmp_path)


def test_an_open_end_stays_where_the_first_run_put_it(serve, tmp_path):
    """The window must not grow between two runs of one pull."""
    server, path = serve(langfuse(ROWS)), tmp_path / "rows.jsonl"
    server.faults = [None] * 3 + [reply({}, 503)] * 4
    with pytest.raises(IncompleteFetchError):
        fetch_langfuse(path, start=START, settings=quick(server, page_size=5))
    time.sleep(0.01)
    fetch_langfuse(path, start=START, settings=quick(server, page_size=5))
    assert len({asked.query["toStartTime"] for asked in server.asked if "toStartTime" in asked.query}) == 1


def test_a_pull_that_is_done_is_not_done_again(serve, tmp_path):
    """Running the same twice asks nothing of the server."""
    server, path = serve(langfuse(ROWS)), tmp_path / "rows.jsonl"
    first = fetch_langfuse(path, start=START, end=END, settings=quick(server))
    before = len(server.asked)
    assert fetch_langfuse(path, start=START, end=END, settings=quick(server)) == first
    assert len(server.asked) == before


def test_another_file_is_not_replaced_unasked(serve, tmp_path):
    """It may be the only copy."""
    server, path = serve(langfuse(ROWS)), tmp_path / "rows.jsonl"
    path.write_text("precious\n")
    with pytest.raises(FetchError, match="overwrite"):
        fetch_langfuse(path, start=START, end=END, settings=quick(server))
    assert path.read_text() == "precious\n"
    fetch_langfuse(path, start=START, end=END, settings=quick(server, overwrite=True))
    assert load_traces(path).height == 60


def test_the_beginning_of_another_pull_is_not_mixed_in(serve, tmp_path):
    """Two windows in one file would look like one."""
    server, path = serve(langfuse(ROWS)), tmp_path / "rows.jsonl"
    server.faults = [None] * 3 + [reply({}, 503)] * 4
    with pytest.raises(IncompleteFetchError):
        fetch_langfuse(path, start=START, end=END, settings=quick(server, page_size=5))
    with pytest.raises(FetchError, match="beginning of another pull"):
        fetch_langfuse(path, start=START.replace(day=10), end=END, settings=quick(server))
    outcome = fetch_langfuse(
        path, start=START.replace(day=10), end=END, settings=quick(server, overwrite=True)
    )
    assert outcome.window["from"] == "2026-11-10T00:00:00.000Z"


def test_what_a_pull_keeps_beside_its_file_is_no_export(serve, tmp_path):
    """A folder is loaded whole, while a pull into it is on its way."""
    server = serve(langfuse(ROWS))
    fetch_langfuse(tmp_path / "whole.jsonl", start=START, end=END, settings=quick(server))
    server.faults = [None] * 3 + [reply({}, 503)] * 4
    with pytest.raises(IncompleteFetchError):
        fetch_langfuse(tmp_path / "half.jsonl", start=START, end=END, settings=quick(server, page_size=5))
    assert load_traces(tmp_path).height == 60
    assert load_traces(f"{tmp_path}/*").height == 60


def test_two_pulls_into_one_file_do_not_meet(serve, tmp_path):
    """A schedule may start before the last run has ended."""
    plain = langfuse(ROWS)

    def answer(request):
        if len(server.asked) == 2:
            with pytest.raises(FetchError, match="another process"):
                fetch_langfuse(tmp_path / "rows.jsonl", start=START, end=END, settings=quick(server))
            refused.append(os.getpid())
        return plain(request)

    refused = []
    server = serve(answer)
    fetch_langfuse(tmp_path / "rows.jsonl", start=START, end=END, settings=quick(server, page_size=5))
    assert refused


def test_a_disk_that_refuses_is_one_error(serve, tmp_path):
    """A folder that is a file cannot hold rows."""
    (tmp_path / "blocked").touch()
    with pytest.raises(FetchError, match="blocked"):
        fetch_langfuse(
            tmp_path / "blocked" / "rows.jsonl", start=START, end=END, settings=quick(serve(langfuse(ROWS)))
        )
