"""Files read side by side: the same rows as one after the other, and nobody left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from llmops_lib.demo import write_demo
from llmops_lib.errors import SourceError
from llmops_lib.sources import workers
from llmops_lib.sources.export_files import export_files
from llmops_lib.sources.load import read_exports
from llmops_lib.store import ingest, scan_traces


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Four files with traces of their own and a span that two of them hold, and one that is no export."""
    folder = tmp_path_factory.mktemp("exports")
    for seed in range(3):
        write_demo(folder / f"{seed}.jsonl", seed=seed, weeks=2, calls_per_week=200)
    lines = (folder / "0.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "again.jsonl").write_bytes(lines[0] + b'{"cut": \n')
    (folder / "README.md").write_text("# Exports\n")
    return folder


def alike(first, second):
    """Whether two loads are the same to the last row."""
    same = (first.spans.equals(second.spans), first.quarantine.equals(second.quarantine))
    return all((*same, first.files == second.files, first.overlaps.equals(second.overlaps)))


def test_side_by_side_gives_what_one_after_the_other_gives(demo):
    """Spans, quarantine, facts of files and overlaps, in their order."""
    alone = read_exports(demo, workers=1)
    assert alone.quarantine.height > 1
    assert alike(alone, read_exports(demo, workers=3))


def test_real_exports_of_all_formats_are_read_alike(shared):
    """Whatever a reader keeps of a file comes over from its process."""
    pattern = str(shared / "fixtures" / "l*" / "**")
    assert alike(read_exports(pattern, workers=1), read_exports(pattern, workers=2))


def test_a_store_does_not_depend_on_how_its_files_were_read(demo, tmp_path):
    """Nor on whether they came in one ingest."""
    reports = [ingest(demo, tmp_path / str(count), workers=count) for count in (1, 3)]
    assert reports[0] == reports[1]
    stores = [scan_traces(tmp_path / str(count)).collect() for count in (1, 3)]
    assert stores[0].equals(stores[1])


def test_the_first_bad_file_in_order_is_told(tmp_path):
    """As without processes: the message must not depend on which of them was faster."""
    for name in ("a", "b", "c", "d"):
        (tmp_path / f"{name}.csv").write_text(
            f"started_at,input_tokens\n2026-03-0{ord(name) % 9} 10:00:00,5\n"
        )
    said = []
    for count in (1, 3):
        with pytest.raises(SourceError) as error:
            read_exports(tmp_path, workers=count)
        said.append(str(error.value))
    assert said[0] == said[1]
    assert "a.csv" in said[0]


def test_a_process_that_is_killed_is_one_clear_error(demo, monkeypatch):
    """As the system kills one for lack of memory."""
    monkeypatch.setattr(workers, "_read", _die)
    with pytest.raises(SourceError, match="workers=1"):
        read_exports(demo, workers=2)


def _die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_little_work_starts_no_process(demo):
    """Starting them would take longer than reading."""
    files = export_files(demo)
    assert workers.worker_count(files, None) == 1
    assert workers.worker_count(files, 64) == len(files)
    assert workers.worker_count(files[:1], 64) == 1
    with pytest.raises(SourceError, match="0 workers"):
        workers.worker_count(files, 0)


ENDLESS = """
import os, pathlib, signal, sys, time
from llmops_lib import load_traces
from llmops_lib.sources import workers
# A process that was started in the background of a script ignores interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
place = sys.argv[2]
def read(*_):
    pathlib.Path(place, str(os.getpid())).touch()
    time.sleep(600)
workers._read = read
load_traces(sys.argv[1], workers=2)
"""
"""A load whose processes read for ever; each writes its number into a folder."""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nobody_reads_on_when_the_reader_has_ended(demo, tmp_path, how):
    """A killed or interrupted load leaves no process behind."""
    command = [sys.executable, "-c", ENDLESS, str(demo), str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as reader:
        while len(list(tmp_path.iterdir())) < 2:
            assert reader.poll() is None
            time.sleep(0.05)
        children = psutil.Process(reader.pid).children(recursive=True)
        reader.send_signal(how)
        try:
            reader.wait(120)
        finally:
            reader.kill()
    assert {int(path.name) for path in tmp_path.iterdir()} <= {child.pid for child in children}
    _, alive = psutil.wait_procs(children, timeout=120)
    assert not alive


def test_what_waited_in_files_is_gone_afterwards(demo, monkeypatch, tmp_path):
    """Of a load that worked and of one that failed."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    read_exports(demo, workers=2)
    monkeypatch.setattr(workers, "_read", _die)
    with pytest.raises(SourceError):
        read_exports(demo, workers=2)
    assert not list(Path(tmp_path).glob("llmops-*"))
