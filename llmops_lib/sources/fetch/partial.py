"""The file that a pull fills, page by page, so that a kill at any moment loses no page that was counted.

```
spans.jsonl.fetch-partial   rows so far
spans.jsonl.fetch-state     where the next page begins, and how long the file was then
spans.jsonl.fetch.json      manifest, written when the pull has ended
spans.jsonl                 the partial file, renamed after that
```
A page is written and synced before the state counts it. What stands behind the counted length, half a
line included, is cut off when the pull goes on, and its page is asked for again: the file ends up the same.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from llmops_lib.errors import FetchError
from llmops_lib.sources.fetch.manifest import write_whole
from llmops_lib.sources.fetch.settings import now_text


@dataclass
class Progress:
    """How far a pull has come; written after each page.

    Attributes:
        request: What is pulled; another pull cannot go on with this file.
        cursor: Where the next page begins, as the server or the source names it; None at the beginning.
        is_last: Whether the last page is in the file.
        project: Id of the project, once a row has told it.
        announced: Rows that the server announced so far, by kind.
        rows_received: Rows in the file.
        size_bytes: Length of the file.
        duplicates_dropped: Rows that came more than once.
        truncated_metadata_count: Values that the server gave shortened only.
        page_count: Pages read.
        retry_count: Requests that had to be sent again.
        bytes_received: Bytes of all answers.
        started_at: When the pull began, UTC.
        secret_count: Keys and passwords that were replaced in the rows.
        is_raw: Whether they stay as they came; pulls of older versions left them so.
    """

    request: dict[str, Any]
    cursor: str | None = None
    is_last: bool = False
    project: str | None = None
    announced: dict[str, int] = field(default_factory=dict)
    rows_received: int = 0
    size_bytes: int = 0
    duplicates_dropped: int = 0
    truncated_metadata_count: int = 0
    page_count: int = 0
    retry_count: int = 0
    bytes_received: int = 0
    started_at: str = field(default_factory=now_text)
    secret_count: int = 0
    is_raw: bool = True


def beside(path: Path, suffix: str) -> Path:
    """A file that stands beside another and is named after it."""
    return path.with_name(path.name + suffix)


def state_path(path: Path) -> Path:
    """Where the progress of a pull is kept until it has ended."""
    return beside(path, ".fetch-state")


def partial_path(path: Path) -> Path:
    """Where the rows of a pull are kept until it has ended."""
    return beside(path, ".fetch-partial")


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Holds a path for one pull and makes its folder.

    Raises:
        FetchError: If another process is pulling into it, or the folder cannot be written.
    """
    held = beside(path, ".fetch-lock")
    lock = FileLock(held)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        msg = f"{path}: another process is pulling into it; wait for it, or choose another file"
        raise FetchError(msg) from error
    except OSError as error:
        msg = f"{path}: its folder cannot be written: {error.strerror or error}"
        raise FetchError(msg) from error
    try:
        yield
    finally:
        held.unlink(missing_ok=True)
        lock.release()


def read_progress(path: Path) -> Progress | None:
    """How far an earlier pull into a path came; None where there was none or its rows are gone."""
    try:
        progress = Progress(**json.loads(state_path(path).read_bytes()))
        is_finished = progress.is_last and path.exists()
        if is_finished or partial_path(path).stat().st_size >= progress.size_bytes:
            return progress
    except (OSError, ValueError, TypeError):
        pass
    return None


def write_progress(path: Path, progress: Progress) -> None:
    """Counts what is in the partial file."""
    write_whole(state_path(path), asdict(progress))


def known_rows(path: Path, progress: Progress, key_of: Callable[[bytes], str | None]) -> set[str]:
    """The keys of the rows that are counted, after what stands behind them was cut off.

    Args:
        path: Where the pull goes.
        progress: How far it came.
        key_of: What tells a row from others.
    """
    if progress.size_bytes == 0:
        partial_path(path).unlink(missing_ok=True)
        return set()
    with partial_path(path).open("ab") as rows:
        rows.truncate(progress.size_bytes)
    with partial_path(path).open("rb") as rows:
        keys = (key_of(line) for line in rows)
        return {key for key in keys if key is not None}


def append_rows(path: Path, rows: list[bytes]) -> int:
    """Appends rows, one per line, and gives the length of the file when they are on the disk.

    Raises:
        FetchError: If the disk refuses; what was counted stays.
    """
    try:
        with partial_path(path).open("ab") as partial:
            partial.write(b"".join(row + b"\n" for row in rows))
            partial.flush()
            os.fsync(partial.fileno())
            return partial.tell()
    except OSError as error:
        msg = f"{path}: rows cannot be written: {error.strerror or error}; make room and run the same again"
        raise FetchError(msg) from error


def publish(path: Path) -> None:
    """Gives the partial file its name and forgets the progress."""
    if partial_path(path).exists():
        partial_path(path).replace(path)
    state_path(path).unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Removes the beginning that an earlier pull left."""
    state_path(path).unlink(missing_ok=True)
    partial_path(path).unlink(missing_ok=True)


def kept_window(path: Path) -> dict[str, str | None]:
    """The window of the pull that was begun into a path; empty where there is none."""
    earlier = read_progress(path)
    return earlier.request.get("window", {}) if earlier is not None else {}
