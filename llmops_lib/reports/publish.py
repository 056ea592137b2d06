"""Puts a finished report in its place as a whole: what is there is the old one or the new one.

A run writes into a folder of its own, `.run-<pid>-...` beside the periods of its report. Publishing
renames the old report aside into that folder and the new one into its place. A run that was killed
leaves its folder; the next one finds that nobody holds its lock, puts a report that was aside back
if its place is empty, and removes the rest.
"""

import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from llmops_lib.errors import ReportError
from llmops_lib.whole_files import synced

LOCK_WAIT_S = 60
"""Longest wait for another run to finish publishing; a report itself is made outside the lock."""

FAILED = "failed"
"""Folder for notebooks of failed runs, beside the periods of a report."""

_PREFIX = ".run-"
_HELD = "held.lock"
_ASIDE = "aside"


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NO_NAMES = re.compile(rf"(?:{FAILED}|con|prn|aux|nul|com\d|lpt\d)(?:\..*)?|.*\.", re.IGNORECASE)


def folder_name(name: str) -> str:
    """The name of a report or period as the name of its folder.

    Raises:
        ReportError: If it could mean another place than a folder of that name.

    Example:
        >>> folder_name("2026-11-09..2026-11-12")
        '2026-11-09..2026-11-12'
    """
    is_plain = unicodedata.normalize("NFKC", name) == name and _NAME.fullmatch(name)
    if not is_plain or _NO_NAMES.fullmatch(name):
        msg = f"{name!r} cannot name the folder of a report; expected letters, digits, '.', '_' and '-'"
        raise ReportError(msg)
    return name


@contextmanager
def run_folder(report_folder: Path) -> Iterator[Path]:
    """A folder of this run beside the periods of a report; removed when the block is left.

    Args:
        report_folder: Folder of the report, `<output>/<report>`; created where it is missing.

    Raises:
        ReportError: If it cannot be written to; the message names the path.
    """
    with _writing(report_folder):
        report_folder.mkdir(parents=True, exist_ok=True)
        with publishing(report_folder):
            _remove_dead_runs(report_folder)
            folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=report_folder))
            held = FileLock(folder / _HELD)
            held.acquire()
    try:
        yield folder
    finally:
        held.release()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def publishing(report_folder: Path) -> Iterator[None]:
    """A block that only one process at a time is in, for one report.

    Raises:
        ReportError: If another process stays in it for longer than `LOCK_WAIT_S`.
    """
    path = report_folder / ".lock"
    try:
        with FileLock(path, timeout=LOCK_WAIT_S):
            yield
    except Timeout as error:
        msg = f"{path}: another run has been publishing for {LOCK_WAIT_S} s; wait for it, then run again"
        raise ReportError(msg) from error


def publish(run: Path, place: Path, files: Mapping[str, str]) -> None:
    """Makes `place` a folder that holds exactly these files.

    Args:
        run: Folder from `run_folder`.
        place: Folder of the period, `<output>/<report>/<period>`.
        files: Name and text of each file.

    Raises:
        ReportError: If a file cannot be written; what was at `place` is then still there.
    """
    ready, aside = run / "ready", run / _ASIDE / place.name
    with _writing(place):
        ready.mkdir()
        for name, text in files.items():
            write_durably(ready / name, text)
        aside.parent.mkdir()
        with publishing(place.parent):
            _swap(ready, place, aside)
            synced(place.parent)


def _swap(ready: Path, place: Path, aside: Path) -> None:
    try:
        if place.exists():
            place.rename(aside)
        ready.rename(place)
    # Also on Ctrl-C: the folder that holds `aside` is about to be removed.
    except BaseException:
        if aside.exists() and not place.exists():
            aside.rename(place)
        raise


def replace_file(path: Path, text: str) -> None:
    """Writes a file beside `path` and renames it over that.

    Raises:
        ReportError: If it cannot be written.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            write_durably(beside, text)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        synced(path.parent)


def write_durably(path: Path, text: str) -> None:
    """Writes a file and waits until it is on the disk."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _remove_dead_runs(report_folder: Path) -> None:
    for folder in sorted(report_folder.glob(f"{_PREFIX}*")):
        held = FileLock(folder / _HELD, timeout=0)
        try:
            held.acquire()
        except Timeout:
            continue
        for report in (folder / _ASIDE).glob("*"):
            if not (report_folder / report.name).exists():
                report.rename(report_folder / report.name)
        held.release()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where, why = error.filename or path, error.strerror or error
        msg = f"{where}: cannot be written ({why}); make room or choose another output folder"
        raise ReportError(msg) from error
