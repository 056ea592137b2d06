"""JupyterLab and Voila on loopback, serving the what-if notebooks over a small synthetic export."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmops_lib import write_demo
from tests.processes import end_process
from tests.reports.hostile import payloads, write_hostile

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
START_S = 300


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory) -> Path:
    """A folder with the notebooks as a user would have them: `source` names an export of their own."""
    folder = tmp_path_factory.mktemp("notebooks")
    export = folder / "traces" / "export.jsonl"
    write_demo(export, weeks=5, calls_per_week=250, last_week="2026-W44")
    for path in NOTEBOOKS.glob("0[567]_*.ipynb"):
        (folder / path.name).write_text(_over(export, path), "utf-8")
    hostile = write_hostile(folder / "traces" / "hostile.jsonl", hostile_texts())
    (folder / "hostile.ipynb").write_text(_all_over(hostile), "utf-8")
    shutil.copy(ROOT / "voila.json", folder)
    return folder


def hostile_texts() -> list[str]:
    """Payloads of every corpus, as many as a dashboard can name."""
    return [text for text in payloads(ROOT) if len(text) < 200][::12]


def _over(export: Path, path: Path) -> str:
    """A notebook whose `source` is an export of one's own."""
    notebook = json.loads(path.read_text("utf-8"))
    cell = next(cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", ()))
    cell["source"] = "".join(cell["source"]).replace('source: str = ""', f"source: str = {str(export)!r}", 1)
    return json.dumps(notebook)


def _all_over(export: Path) -> str:
    """The what-if notebooks one after the other in a single one, which takes one kernel."""
    first, *others = [json.loads(_over(export, path)) for path in sorted(NOTEBOOKS.glob("0[567]_*.ipynb"))]
    for notebook in others:
        first["cells"] += notebook["cells"]
    for number, cell in enumerate(first["cells"]):
        cell["id"] = str(number)
    # A breaker names those whom it refuses, and so it must refuse somebody.
    return json.dumps(first).replace("breaker_usd: float = 0.5", "breaker_usd: float = 0.001")


@contextmanager
def _served(folder: Path, arguments: list[str], ready: str) -> Iterator[str]:
    """A server of our own on a free port of loopback; only its own process is ended."""
    # Another process may take the port before the server does, which then ends.
    for _ in range(3):
        port = _free_port()
        state = folder / f".state-{port}"
        process = _started([*arguments, f"--port={port}"], folder, state)
        try:
            if _is_up(f"http://127.0.0.1:{port}{ready}", process):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            end_process(process)
            said = (state / "log").read_text("utf-8")[-2000:]
            shutil.rmtree(state, ignore_errors=True)
    pytest.fail(f"no server within {START_S} s: {said}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _started(arguments: list[str], folder: Path, state: Path) -> subprocess.Popen:
    homes = {f"JUPYTER_{name}_DIR": str(state / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment = {
        **os.environ,
        **homes,
        "IPYTHONDIR": str(state / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    state.mkdir()
    with (state / "log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=folder, env=environment, stdout=log, stderr=log
        )


def _is_up(address: str, process: subprocess.Popen) -> bool:
    end = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=60).close()  # noqa: S310 - our own server on loopback
        except OSError:
            time.sleep(0.2)
        else:
            return True
    return False


@pytest.fixture(scope="session")
def jupyterlab(browser, notebooks) -> Iterator[str]:  # noqa: ARG001 - no server without a browser
    """JupyterLab without a token: it lives for these tests, on loopback, in a temporary folder."""
    arguments = ["jupyterlab", "--no-browser", "--ip=127.0.0.1", "--IdentityProvider.token=", "--allow-root"]
    settings = ["--LabApp.news_url=None", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={notebooks}"]
    with _served(notebooks, [*arguments, *settings], "/api") as address:
        yield address


@pytest.fixture(scope="session")
def voila(browser, notebooks) -> Iterator[str]:  # noqa: ARG001 - as above
    """Voila over the same folder."""
    pytest.importorskip("voila", reason="Voila is not installed; the extra `dashboard` has it")
    arguments = ["voila", "--no-browser", "--Voila.ip=127.0.0.1", "--Voila.port_retries=0", str(notebooks)]
    with _served(notebooks, arguments, "/") as address:
        yield address
