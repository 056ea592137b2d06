"""The folder in which rows wait for others, made when it is needed and gone afterwards."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from filelock import FileLock, Timeout

from llmops_lib.errors import LlmopsError

FOLDER: ContextVar[Path | None] = ContextVar("folder of waiting rows", default=None)
"""Where rows of this load wait; None where `waiting` is not in force."""

HELD_TIMES: ContextVar[int] = ContextVar("how much more rows may wait in memory", default=1)
"""How many times `held.HELD_BYTES` rows of this load may take before they go to files."""

_PREFIX = "llmops-rows-"
_LOCK = ".lock"


class NoRoomError(Exception):
    """A file of waiting rows cannot be written or read; no SourceError, for no export is to blame."""


@contextlib.contextmanager
def waiting(folder: Path | None, error: type[LlmopsError], *, held_times: int = 1) -> Iterator[Path]:
    """Lets rows wait in files while it lasts; afterwards the folder is gone.

    Args:
        folder: Where they wait, which is made when it is needed, and which nobody else uses; a new temporary
            folder when None. Then those of loads that were killed are cleared away first.
        error: What is raised where such a file cannot be written or read.
        held_times: How many times `held.HELD_BYTES` may wait in memory; more for who holds all rows at last.
    """
    with _own_folder() if folder is None else contextlib.nullcontext(folder) as place:
        token, times = FOLDER.set(place), HELD_TIMES.set(held_times)
        try:
            yield place
        except NoRoomError as no_room:
            hint = (
                "" if folder is not None else ", or name another folder with the environment variable TMPDIR"
            )
            msg = (
                f"{place}: rows that wait there cannot be written or read ({no_room}). Make room{hint}; "
                "run again"
            )
            raise error(msg) from no_room
        finally:
            FOLDER.reset(token)
            HELD_TIMES.reset(times)
            shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """A temporary folder, not made yet, beside a lock that is held as long as this process lives."""
    temporary = Path(tempfile.gettempdir())
    _sweep(temporary)
    place = temporary / f"{_PREFIX}{os.urandom(8).hex()}"
    lock = FileLock(place.with_suffix(_LOCK), thread_local=False)
    # Few rows need no folder, so one that cannot be written is an error only once rows go there.
    with contextlib.suppress(OSError):
        lock.acquire(timeout=0)
    try:
        yield place
    finally:
        lock.release()
        _remove(place.with_suffix(_LOCK))


def _sweep(temporary: Path) -> None:
    # The system frees the lock of a process however it ends. A number of a process would say less: another
    # process gets it later, and in a container that shares the folder it means somebody else.
    for path in temporary.glob(f"{_PREFIX}*{_LOCK}"):
        with contextlib.suppress(OSError, Timeout), FileLock(path, timeout=0):
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            _remove(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def joining(folder: Path) -> Iterator[None]:
    """Lets rows of this process wait in the folder of another one, which clears it away.

    Args:
        folder: What `waiting_place` says there.
    """
    token = FOLDER.set(folder)
    try:
        yield
    finally:
        FOLDER.reset(token)


def waiting_place() -> Path:
    """The folder in which rows wait, where `waiting` is in force."""
    place = FOLDER.get()
    if place is None:
        msg = "nothing waits here; use waiting()"
        raise LookupError(msg)
    return place
