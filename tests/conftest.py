"""Fixtures shared by all tests."""

import asyncio
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

PROJECT = Path(__file__).resolve().parents[1]

# The same examples in every run, and none fails for the time that it took: machines have other work too.
settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

BROWSER_MS = 180_000
"""How long a step in a browser may take; only what hangs takes longer, on the busiest machine."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many payloads each surface was tried with, where they are carried through in several rounds."""
    if int(os.environ.get("LLMOPS_HOSTILE_ROUNDS", "1")) == 1:
        return
    tried: dict[str, set[str]] = {}
    for report in terminalreporter.stats.get("passed", ()):
        for surface, texts in report.user_properties:
            tried.setdefault(surface, set()).update(json.loads(texts))
    terminalreporter.section("payloads by surface, of those tests that passed")
    for surface, texts in sorted(tried.items()):
        terminalreporter.write_line(f"{len(texts):>5}  {surface}")


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Callable[[str, list[str]], None]:
    """Notes with which payloads a surface was tried; as ASCII, since half characters leave no process."""
    return lambda surface, texts: record_property(surface, json.dumps(texts))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real exports beside the project; its tests skip where it is absent."""
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"real exports are not here: no folder {folder.name}/ beside the project")
    return folder


@pytest.fixture(autouse=True)
def _audit_log_of_tests(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests do is recorded beside them and not beside the project."""
    monkeypatch.setenv("LLMOPS_AUDIT", str(tmp_path_factory.getbasetemp() / "audit"))
    monkeypatch.delenv("LLMOPS_AUDIT_KEY", raising=False)


@pytest.fixture
def llmops(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs the command in this process and gives its exit code, standard output and standard error."""

    def run_command(*arguments: object) -> tuple[int, str, str]:
        from llmops_lib.cli import main

        monkeypatch.setattr(sys, "argv", ["llmops", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        written = capsys.readouterr()
        return code, written.out, written.err

    return run_command


@pytest.fixture(scope="module")
def answerer() -> Iterator[Any]:
    """The bundled answerer, running."""
    from llmops_lib.endpoints.baseline.server import BaselineServer

    with BaselineServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_running_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """A browser of another test keeps its event loop running in this thread; here it does not show.

    Which tests run in one process is up to chance, so that this holds for every test without a browser.
    """
    if "browser" in request.fixturenames:
        yield
        return
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@dataclass
class Opened:
    """What a browser did while a page was open."""

    text: str = ""
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    overflow_px: int = 0


OpenPage = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, or a skip that says why; CI requires it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        message = "no Chromium here; install Debian's package chromium to open reports in a browser"
        if os.environ.get("LLMOPS_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    quiet = [
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", *quiet], timeout=BROWSER_MS
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def open_page(browser) -> OpenPage:
    """Opens a file in headless Chromium and tells what it asked for, complained of and showed."""

    def open_file(
        path: Path, *, width: int = 1200, dark: bool = False, screenshot: Path | None = None
    ) -> Opened:
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        page.set_default_timeout(BROWSER_MS)
        opened = Opened()
        page.on("request", lambda request: opened.requests.append(request.url))
        page.on("console", lambda entry: opened.problems.append(f"console {entry.type}: {entry.text}"))
        page.on("pageerror", lambda error: opened.problems.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (opened.problems.append("dialog"), dialog.dismiss()))
        page.goto(path.resolve().as_uri())
        page.wait_for_load_state("networkidle")
        opened.text = page.inner_text("body")
        opened.overflow_px = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if screenshot:
            page.screenshot(path=screenshot, full_page=True)
        page.close()
        own = path.resolve().as_uri()
        opened.requests = [url for url in opened.requests if url != own and not url.startswith("data:")]
        return opened

    return open_file
