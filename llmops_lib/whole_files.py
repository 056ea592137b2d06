"""Files written in one step: whoever reads meanwhile, or comes after a kill, gets the old one or the new."""

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Writes a file beside the old one, and puts it in its place once it is whole and on the disk.

    Args:
        path: The file, in a folder that is there.
        write: Writes what it shall hold to the path that it is given.

    Raises:
        OSError: If it cannot be written. The old file stays then, and whenever `write` raises.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        write(beside)
        synced(beside)
        beside.replace(path)
        synced(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def synced(path: Path) -> None:
    """Waits until a file, or the names of the files in a folder, are on the disk.

    Args:
        path: File or folder.

    Raises:
        OSError: If it cannot be read.
    """
    if os.name == "nt" and path.is_dir():  # a folder cannot be opened there
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
