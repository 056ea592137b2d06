"""An ingest that is killed at any moment, and run again, gives the store of an undisturbed run."""

import random
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
ingest(sys.argv[2:], sys.argv[1])
"""
KILLS = 20


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Eight exports that share traces and days: the lines of a synthetic one, dealt out."""
    folder = tmp_path_factory.mktemp("exports")
    write_demo(folder / "whole.jsonl", calls_per_week=150)
    lines = (folder / "whole.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "whole.jsonl").unlink()
    for number in range(8):
        (folder / f"{number}.jsonl").write_bytes(b"".join(lines[number::7]))
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def unharmed(exports, tmp_path_factory):
    """The store of an undisturbed run."""
    store = tmp_path_factory.mktemp("unharmed") / "store"
    ingest(exports[:3], store)
    ingest(exports, store)
    return open_source(store)


def killed_after(seconds, store, exports):
    """Whether the ingest still ran when it was killed so long after it began; and how long it ran."""
    command = [sys.executable, "-c", INGEST, str(store), *map(str, exports)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        began = time.monotonic()
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait() == -signal.SIGKILL, time.monotonic() - began


def test_twenty_kills_at_random_moments_leave_no_trace(tmp_path, exports, unharmed):
    """Power, the kernel and impatient people kill at any moment, not only at the ones a test foresees."""
    ingest(exports[:3], tmp_path / "timed")
    _, duration = killed_after(60, tmp_path / "timed", exports)
    rng = random.Random(20)  # noqa: S311 - moments of kills, no secret
    killed = 0
    for number in range(KILLS):
        store = tmp_path / f"store-{number}"
        ingest(exports[:3], store)
        killed += killed_after(rng.uniform(0, 0.9 * duration), store, exports)[0]
        ingest(exports, store)
        mended = open_source(store)
        assert mended.spans.collect().equals(unharmed.spans.collect())
        assert mended.files.equals(unharmed.files)
        assert mended.quarantine.equals(unharmed.quarantine)
        assert not list(store.rglob("*.tmp"))
    assert killed >= KILLS // 2
