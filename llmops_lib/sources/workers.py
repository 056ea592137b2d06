"""Files read side by side, each by a process of its own, with the same rows in the same order.

A process hands its rows back in files and not over a pipe, so the reader holds no more than before. It
ends with its parent, however that ends.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from llmops_lib.errors import SourceError
from llmops_lib.sources.export_files import ExportFile
from llmops_lib.sources.file_rows import FileRows, ReadOptions, hash_file, read_file
from llmops_lib.sources.reading import OnRead, Reading
from llmops_lib.sources.waiting import joining, waiting_place

Sourced = tuple[ExportFile, str | None]
"""A file, and what `hash_file` says of it where that is known."""

LEAST_BYTES = 64 << 20
"""Bytes of files below which processes would take longer to start than they save."""

_WATCH_SECONDS = 0.5


def worker_count(files: Sequence[ExportFile], workers: int | None) -> int:
    """How many processes read these files; 1 means that none is started.

    Args:
        files: What is read.
        workers: How many are wanted; as many as there are cores when None, and none for little work.

    Raises:
        SourceError: If `workers` is below 1.
    """
    if workers is not None and workers < 1:
        msg = f"found {workers} workers, expected 1 or more"
        raise SourceError(msg)
    if workers is None:
        size = sum(map(_size, files))
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = workers if size >= LEAST_BYTES else 1
    return min(workers, len(files)) if len(files) > 1 else 1


def read_files(
    files: Sequence[Sourced], options: ReadOptions, workers: int | None = None, on_read: OnRead | None = None
) -> Iterator[FileRows]:
    """The rows of files, in their order.

    Args:
        files: Files, each with what `hash_file` says of it or None.
        options: How to read them.
        workers: As `worker_count` takes it.
        on_read: Called as reading goes on.

    Raises:
        SourceError: As `read_file` does, for the first file in order that raises it.
    """
    sizes = [_size(file) for file, _ in files]
    reading = Reading(on_read or _nobody, sum(sizes))
    count = worker_count([file for file, _ in files], workers)
    read = (
        _one_by_one(zip(files, sizes, strict=True), options, reading)
        if count == 1
        else read_side_by_side(files, options, count)
    )
    for rows, size in zip(read, sizes, strict=True):
        reading.done(rows.source_file, size, rows.rows.rows_read)
        yield rows


def hash_files(
    files: Sequence[ExportFile], on_read: OnRead | None = None
) -> Iterator[tuple[ExportFile, str]]:
    """Files, each with what `hash_file` says of it.

    Args:
        files: Files.
        on_read: Called as they are gone through, without rows.

    Raises:
        SourceError: As `hash_file` does.
    """
    sizes = list(map(_size, files))
    reading = Reading(on_read or _nobody, sum(sizes))
    for file, size in zip(files, sizes, strict=True):
        with reading.of(file.path, size):
            sha256 = hash_file(file.path)
        reading.done(str(file.path), size, 0)
        yield file, sha256


def _one_by_one(
    files: Iterable[tuple[Sourced, int]], options: ReadOptions, reading: Reading
) -> Iterator[FileRows]:
    for (file, sha256), size in files:
        known = sha256 or hash_file(file.path)
        with reading.of(file.path, size):
            rows = read_file(file, known, options)
        yield rows


def _nobody(_bytes: int, _total: int, _rows: int, _file: str) -> None:
    """Takes the place of whoever watches, where nobody does."""


def _size(file: ExportFile) -> int:
    return file.path.stat().st_size if file.path.is_file() else 0


def read_side_by_side(files: Sequence[Sourced], options: ReadOptions, workers: int) -> Iterator[FileRows]:
    """The rows of files, in their order.

    Args:
        files: Files, each with what `hash_file` says of it or None.
        options: How to read them.
        workers: Processes.

    Raises:
        SourceError: As `read_file` does, for the first file in order that raises it; or if a process ends
            before its work does.
    """
    from loky import ProcessPoolExecutor  # noqa: PLC0415 - most loads need no process
    from loky.process_executor import BrokenProcessPool  # noqa: PLC0415 - as above

    place = waiting_place()
    pool = ProcessPoolExecutor(workers, timeout=60, initializer=_end_with, initargs=(os.getpid(),))
    # Few files ahead of the one that is due: what is read waits on the disk, and an error ends all the rest.
    ahead: deque[Future[FileRows]] = deque()
    try:
        for file, sha256 in files:
            ahead.append(pool.submit(_read, file, sha256, options, place))
            if len(ahead) > 2 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    except BrokenProcessPool as error:
        msg = (
            "a process that read exports ended before its work did, perhaps for lack of memory; "
            "read again with workers=1, or look at the system's log"
        )
        raise SourceError(msg) from error
    finally:
        pool.shutdown(wait=True, kill_workers=bool(ahead))


def _read(file: ExportFile, sha256: str | None, options: ReadOptions, place: Path) -> FileRows:
    with joining(place):
        rows = read_file(file, sha256 or hash_file(file.path), options)
        for pieces in (rows.rows.span_pieces, rows.rows.refused_pieces, rows.rows.message_pieces):
            pieces.file()
        return rows


def _end_with(parent: int) -> None:
    """Ends this process when its parent has ended: a killed reader leaves nobody behind who reads on."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
