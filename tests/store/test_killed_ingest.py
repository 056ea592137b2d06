"""An ingest that is killed at any of its writes leaves a store that can be read and completed."""

import json
import signal
import subprocess
import sys

import pytest

from llmops_lib.sources.load import read_quarantine
from llmops_lib.store import ingest, open_source, scan_traces

# Dies at the n-th file that is about to take its name, which is where a kill could do the most harm.
DYING = """
import os, pathlib, signal, sys
from llmops_lib.store import ingest
left = int(sys.argv[1])
replace = pathlib.Path.replace
def dying(self, target):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return replace(self, target)
pathlib.Path.replace = dying
ingest(sys.argv[3:], sys.argv[2])
"""


def rows(trace_id, parent, day):
    """Two spans of a trace on two days, and a bad line."""
    facts = {"trace_id": trace_id, "session_id": f"s-{parent}"}
    first = {"span_id": "root", "started_at": f"2026-03-0{day}T10:00:00Z", **facts}
    second = {
        "span_id": f"call-{day}",
        "parent_span_id": "root",
        "started_at": f"2026-03-0{day + 1}T10:00:00Z",
    }
    return "\n".join([json.dumps(first), json.dumps({**second, "trace_id": trace_id}), "{broken"])


@pytest.mark.parametrize("kill_at", [0, 1, 2, 4, 6, 8])
def test_a_killed_ingest_is_completed_by_running_it_again(tmp_path, kill_at):
    """Power fails at night; in the morning the same command must give the same table."""
    old, new, other = tmp_path / "old.jsonl", tmp_path / "new.jsonl", tmp_path / "other.jsonl"
    old.write_text(rows("t1", "a", 1))
    new.write_text(rows("t1", "b", 2))
    other.write_text(rows("t2", "c", 1))
    ingest(old, tmp_path / "store")
    command = [sys.executable, "-c", DYING, str(kill_at), str(tmp_path / "store"), str(new), str(other)]
    run = subprocess.run(command, check=False)
    assert run.returncode == -signal.SIGKILL
    readable = scan_traces(tmp_path / "store").collect()
    assert {"t1"} <= set(readable["trace_id"])
    ingest([new, other], tmp_path / "store")
    ingest([old, new, other], tmp_path / "unharmed")
    mended, unharmed = open_source(tmp_path / "store"), open_source(tmp_path / "unharmed")
    assert mended.spans.collect().equals(unharmed.spans.collect())
    assert mended.files.equals(unharmed.files)
    assert mended.quarantine.equals(unharmed.quarantine)
    assert not list((tmp_path / "store").rglob("*.tmp"))
    assert mended.files["span_count"].sum() == mended.spans.collect().height


def test_a_file_that_changed_since_the_kill_does_not_upset_the_account(tmp_path):
    """A log that still grows is killed half way and taken again, longer and under another hash."""
    path = tmp_path / "growing.jsonl"
    path.write_text(rows("t1", "a", 1))
    command = [sys.executable, "-c", DYING, "3", str(tmp_path / "store"), str(path)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    path.write_text(path.read_text() + "\n" + rows("t2", "b", 1))
    ingest(path, tmp_path / "store")
    source = open_source(tmp_path / "store")
    assert source.files.select("rows_read", "span_count", "quarantined_count").row(0) == (6, 4, 2)
    assert source.spans.collect().height == 4
    assert read_quarantine(tmp_path / "store").height == 2
