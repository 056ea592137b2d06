"""The folder in which rows wait for others, made when it is needed and gone afterwards."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from llmops_lib.errors import LlmopsError

FOLDER: ContextVar[Path | None] = ContextVar("folder of waiting rows", default=None)
"""Where rows of this load wait; None where `waiting` is not in force."""


class NoRoomError(Exception):
    """A file of waiting rows cannot be written or read; no SourceError, for no export is to blame."""


@contextlib.contextmanager
def waiting(folder: Path | None, error: type[LlmopsError]) -> Iterator[Path]:
    """Lets rows wait in files while it lasts; afterwards the folder is gone.

    Args:
        folder: Where they wait, which is made when it is needed; a new temporary folder when None.
        error: What is raised where such a file cannot be written or read.
    """
    place = Path(tempfile.gettempdir(), f"llmops-{os.urandom(8).hex()}") if folder is None else folder
    token = FOLDER.set(place)
    try:
        yield place
    except NoRoomError as no_room:
        hint = "" if folder is not None else ", or name another folder with the environment variable TMPDIR"
        msg = (
            f"{place}: rows that wait there cannot be written or read ({no_room}). Make room{hint}; run again"
        )
        raise error(msg) from no_room
    finally:
        FOLDER.reset(token)
        shutil.rmtree(place, ignore_errors=True)


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
