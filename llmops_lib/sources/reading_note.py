"""How far reading has come, told to another process through a small file."""

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from llmops_lib.sources.reading import OnRead

NOTE = "LLMOPS_READING_NOTE"
"""Environment variable that names the file, where somebody in another process watches."""

_EVERY_S = 0.2


def noted_reading() -> OnRead | None:
    """What writes the file as reading goes on; None where nobody watches."""
    place = os.environ.get(NOTE)
    return _writer(Path(place)) if place else None


def _writer(path: Path) -> Callable[[int, int, int, str], None]:
    last = 0.0

    def write(done: int, total: int, rows: int, file: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _EVERY_S and done < total:
            return
        last = now
        new = path.with_suffix(".new")
        # Progress that cannot be told is no reason to stop.
        with contextlib.suppress(OSError):
            new.write_text(json.dumps([done, total, rows, Path(file).name]), "utf-8")
            new.replace(path)

    return write


def reading_told(path: Path) -> tuple[int, int, int, str] | None:
    """What the file says: bytes read, bytes of all files, rows read, name of the file; None before any.

    Args:
        path: The file.
    """
    try:
        done, total, rows, file = json.loads(path.read_text("utf-8"))
        return int(done), int(total), int(rows), str(file)
    except (OSError, ValueError, TypeError):
        return None
