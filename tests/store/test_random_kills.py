"""An ingest that is killed at any moment, and run again, gives the store of an undisturbed run."""

import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from llmops_lib.demo import write_demo
from llmops_lib.store import ingest, open_source

INGEST = """
import sys
from llmops_lib.store import ingest
import llmops_lib.sources.otlp
print("begins", flush=True)
ingest(sys.argv[3:], sys.argv[1], workers=int(sys.argv[2]))
"""
KILLS = 20
SIDE_BY_SIDE = 5
"""Of so many kills, one hits an ingest whose files are read by processes of their own."""


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Eight exports that share traces and days: the lines of a synthetic one, dealt out."""
    folder = tmp_path_factory.mktemp("exports")
    write_demo(folder / "whole.jsonl", calls_per_week=15)
    lines = (folder / "whole.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "whole.jsonl").unlink()
    for number in range(8):
        (folder / f"{number}.jsonl").write_bytes(b"".join(lines[number::7]))
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def begun(exports, tmp_path_factory):
    """A store that holds three of the exports."""
    store = tmp_path_factory.mktemp("begun") / "store"
    ingest(exports[:3], store)
    return store


@pytest.fixture(scope="module")
def unharmed(exports, begun, tmp_path_factory):
    """The store of an undisturbed run."""
    store = shutil.copytree(begun, tmp_path_factory.mktemp("unharmed") / "store")
    ingest(exports, store)
    return open_source(store)


def killed_after(seconds, store, exports, workers):
    """Whether an ingest still ran when it was killed so long after it began; and how long it ran."""
    command = [sys.executable, "-c", INGEST, str(store), str(workers), *map(str, exports)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        began = time.monotonic()
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait() == -signal.SIGKILL, time.monotonic() - began


def test_twenty_kills_at_random_moments_leave_no_trace(tmp_path, exports, begun, unharmed):
    """Power, the kernel and impatient people kill at any moment, not only at the ones a test foresees."""
    longest_s = {
        workers: killed_after(600, shutil.copytree(begun, tmp_path / f"timed-{workers}"), exports, workers)[1]
        for workers in (1, 2)
    }
    rng = random.Random(20)  # noqa: S311 - moments of kills, no secret
    for number in range(KILLS):
        store = tmp_path / f"store-{number}"
        workers = 1 if number % SIDE_BY_SIDE else 2
        is_killed = False
        while not is_killed:
            shutil.copytree(begun, store)
            moment_s = rng.uniform(0, 0.9 * longest_s[workers])
            is_killed, ran_s = killed_after(moment_s, store, exports, workers)
            if not is_killed:
                # The machine has less to do than before, and the next kill has to come sooner.
                longest_s[workers] = min(longest_s[workers], ran_s)
                shutil.rmtree(store)
        ingest(exports, store)
        mended = open_source(store)
        assert mended.spans.collect().equals(unharmed.spans.collect())
        assert mended.files.equals(unharmed.files)
        assert mended.quarantine.equals(unharmed.quarantine)
        assert not list(store.rglob("*.tmp"))
