"""A report from start to end: published as a whole or not at all, the same from the same input."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from llmops_lib.errors import EmptyPeriodError, ParameterError, ReportError
from llmops_lib.reports import run_notebook

FACTS = """
from llmops_lib.facts import Facts
rows = {"rows_read": 12, "span_count": 9, "quarantined_count": 3}
Facts(period=week, files=[{"name": "a.jsonl", "sha256": "52f1", **rows}],
      fingerprint="9f2c", is_synthetic=False, call_count=8, spend_usd=1.25)
"""
FAILING = "from llmops_lib.errors import EmptyPeriodError\nraise EmptyPeriodError('no spans')"
KEY = "ghp_" + "a1B2" * 9


RUN = """
import pathlib, sys
from llmops_lib.reports import run_notebook
run_notebook(pathlib.Path(sys.argv[1]), {}, name="weekly", output=sys.argv[2])
"""


def files(folder) -> list[str]:
    """Paths of all files in a folder, without locks."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not path.endswith(".lock"))


def test_a_report_is_published_with_its_notebook_and_manifest(write_notebook, tmp_path, monkeypatch):
    """And run again on the same input it is the same, byte for byte, but for the run itself."""
    monkeypatch.chdir(tmp_path)
    notebook = write_notebook("## Spend", FACTS, "print(sorted({'b', 'a', 'c'}), list({'x', 'y', 'z'}))")
    first = run_notebook(notebook, {"source": "a.jsonl"}, name="weekly", output="reports")
    page = first.html.read_bytes()
    assert files(tmp_path / "reports") == [
        "index.html",
        "weekly/2026-W46/manifest.json",
        "weekly/2026-W46/report.html",
        "weekly/2026-W46/report.ipynb",
    ]
    assert json.loads(first.manifest_file.read_text("utf-8")) == first.manifest
    assert first.manifest["parameters"] == {"week": "2026-W46", "source": "a.jsonl", "top": 10}
    assert first.manifest["html_sha256"] == hashlib.sha256(page).hexdigest()
    assert str(tmp_path / "a.jsonl") in first.notebook.read_text("utf-8")
    assert "weekly/2026-W46/report.html" in (tmp_path / "reports" / "index.html").read_text("utf-8")
    again = run_notebook(notebook, {"source": "a.jsonl"}, name="weekly", output="reports")
    assert again.html.read_bytes() == page
    assert {**again.manifest, "run": None} == {**first.manifest, "run": None}


def test_a_failed_run_keeps_the_old_report_and_its_own_notebook(write_notebook, tmp_path):
    """The reader has last week's page, the engineer has the notebook as it stopped."""
    output = tmp_path / "reports"
    made = run_notebook(write_notebook(FACTS), {}, name="weekly", output=output)
    page = made.html.read_bytes()
    with pytest.raises(EmptyPeriodError, match="no spans") as caught:
        run_notebook(write_notebook(f"print('{KEY}')", FAILING), {}, name="weekly", output=output)
    kept = output / "weekly" / "failed" / "2026-W46.ipynb"
    assert str(caught.value) == "no spans"
    assert caught.value.__notes__ == [f"the notebook as it stopped: {kept}"]
    assert "EmptyPeriodError" in kept.read_text("utf-8")
    assert KEY not in kept.read_text("utf-8")
    assert made.html.read_bytes() == page
    assert not list((output / "weekly").glob(".run-*"))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1"], "displayed 0 Facts objects"),
        ([FACTS.replace("9,", "8,")], "8 spans and 3 quarantined rows do not add up"),
        ([FACTS.replace("=week", "='../../etc'")], "cannot name the folder"),
        ([FACTS, f"print('{KEY}')"], "looks like a key or password"),
        (
            [FACTS, "class X:\n    def _repr_html_(self): return '<script>1</script>'\nX()"],
            "a <script> element",
        ),
    ],
    ids=["no facts", "open sums", "traversal", "a key", "a script"],
)
def test_an_unsound_report_is_not_published(cells, message, write_notebook, tmp_path):
    """Each of these ran without an error in any cell."""
    with pytest.raises(ReportError, match=message):
        run_notebook(write_notebook(*cells), {}, name="weekly", output=tmp_path / "reports")
    assert files(tmp_path / "reports") == ["weekly/failed/2026-W46.ipynb"]
    assert KEY not in (tmp_path / "reports" / "weekly" / "failed" / "2026-W46.ipynb").read_text("utf-8")


def test_nothing_is_written_for_parameters_that_do_not_pass(write_notebook, tmp_path):
    """They are checked before a kernel is started or a folder made."""
    with pytest.raises(ParameterError, match="did you mean 'week'"):
        run_notebook(write_notebook(FACTS), {"weeks": "x"}, name="weekly", output=tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_an_output_that_cannot_be_written_is_found_before_the_run(write_notebook, tmp_path):
    """Minutes of computing for nothing would be the other way."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(ReportError, match=r"file.*cannot be written"):
        run_notebook(write_notebook("raise SystemExit(1)"), {}, name="weekly", output=tmp_path / "file")


def test_a_report_can_be_made_from_a_running_notebook(write_notebook, tmp_path):
    """Jupyter runs an event loop; the run must not need the one that is there."""

    async def in_a_loop():
        return run_notebook(write_notebook(FACTS), {}, name="weekly", output=tmp_path / "{reports}")

    # In a thread of its own: in this one a browser test may have left its loop running.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(in_a_loop())).result().html.is_file()


def test_a_killed_run_leaves_the_old_report_and_no_kernel(write_notebook, tmp_path):
    """Kill -9 in the middle; the next run cleans up."""
    output = tmp_path / "reports"
    made = run_notebook(write_notebook(FACTS), {}, name="weekly", output=output)
    page = made.html.read_bytes()
    beacon = tmp_path / "pid"
    tell = f"import os, pathlib, time\npathlib.Path({str(beacon)!r}).write_text(str(os.getpid()))"
    slow = write_notebook(f"{tell}\ntime.sleep(600)")
    with subprocess.Popen([sys.executable, "-c", RUN, str(slow), str(output)]) as process:
        wait_until(lambda: beacon.exists() and beacon.read_text())
        process.send_signal(signal.SIGKILL)
    assert made.html.read_bytes() == page
    assert len(list((output / "weekly").glob(".run-*"))) == 1
    wait_until(lambda: not is_alive(int(beacon.read_text())))
    run_notebook(write_notebook(FACTS), {}, name="weekly", output=output)
    assert not list((output / "weekly").glob(".run-*"))


def wait_until(is_true, timeout_s: float = 300) -> None:
    """Waits for a condition; fails after the time limit."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return not status.stdout.startswith("Z") and bool(status.stdout)
