"""One pull, whatever the server: page after page into a file, then the count that proves it whole."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.errors import FetchError, IncompleteFetchError
from llmops_lib.secrets import secrets_hidden
from llmops_lib.sources.fetch.completeness import finished
from llmops_lib.sources.fetch.connection import Connection
from llmops_lib.sources.fetch.manifest import FetchOutcome, read_manifest
from llmops_lib.sources.fetch.pages import Page, Source
from llmops_lib.sources.fetch.partial import (
    Progress,
    alone,
    append_rows,
    discard,
    known_rows,
    partial_path,
    read_progress,
    write_progress,
)
from llmops_lib.sources.fetch.settings import FetchSettings

_IDLE_PAGES = 20


def pull(path: Path, connection: Connection, source: Source, settings: FetchSettings) -> FetchOutcome:
    """The outcome of a pull into a file, begun anew or gone on with.

    Args:
        path: The file to write.
        connection: To the server.
        source: What is pulled.
        settings: How.

    Raises:
        FetchError: If the path holds something else, or the server refuses.
        IncompleteFetchError: If the pull cannot end, or the file does not hold what was announced; then the
            file and its manifest, with both numbers, are there all the same.
    """
    with alone(path):
        progress = _progress(path, source, settings)
        if progress is None:
            return _done_before(path, source)
        if not progress.is_last:
            _read_pages(path, connection, source, settings, progress)
        return finished(path, source, progress)


def _progress(path: Path, source: Source, settings: FetchSettings) -> Progress | None:
    earlier = read_progress(path)
    is_same = earlier is not None and earlier.request == source.request
    if earlier is not None and is_same and earlier.is_raw == settings.is_raw:
        return earlier
    if earlier is not None and not settings.overwrite:
        msg = (
            f"{partial_path(path)}: is the beginning of another pull ({_difference(earlier, source)}); "
            "finish that one, choose another file, or overwrite it (--overwrite)"
        )
        raise FetchError(msg)
    if path.exists() and not settings.overwrite:
        return None
    discard(path)
    return Progress(source.request, is_raw=settings.is_raw)


def _difference(earlier: Progress, source: Source) -> str:
    names = [name for name, value in source.request.items() if earlier.request.get(name) != value]
    return ", ".join(f"{name} was {earlier.request.get(name)}" for name in names) or (
        f"is_raw was {earlier.is_raw}"
    )


def _done_before(path: Path, source: Source) -> FetchOutcome:
    found = read_manifest(path)
    if found is not None and found.is_complete is not False and _request_of(found) == source.request:
        return found
    msg = f"{path}: is there already, and is not the whole answer to this pull; choose another file, or "
    msg += "overwrite it (--overwrite)"
    raise FetchError(msg)


def _request_of(found: FetchOutcome) -> dict[str, Any]:
    request = {"source": found.source, "server": found.server, "window": found.window}
    return request | ({"project": found.project} if found.source == "phoenix" else {})


def _read_pages(
    path: Path, connection: Connection, source: Source, settings: FetchSettings, progress: Progress
) -> None:
    known = known_rows(path, progress, source.key_of)
    before = (progress.retry_count, progress.bytes_received)
    seen: set[str | None] = set()
    idle_pages = 0
    while not progress.is_last:
        if progress.cursor in seen or idle_pages > _IDLE_PAGES:
            _refuse_loop(path, source, progress)
        seen.add(progress.cursor)
        page = _page(source, progress)
        _require_same_project(path, page, progress)
        fresh = _fresh(page.rows, source.key_of, known)
        idle_pages = 0 if fresh else idle_pages + 1
        _count_page(progress, page, fresh, append_rows(path, _written(fresh, progress)))
        progress.retry_count = before[0] + connection.retry_count
        progress.bytes_received = before[1] + connection.bytes_received
        if progress.page_count == 1 and not progress.is_last and not progress.announced:
            announced = source.count()
            progress.announced = {} if announced is None else {source.counted_by: announced}
        write_progress(path, progress)
        _tell(settings, progress)


def _page(source: Source, progress: Progress) -> Page:
    try:
        return source.page(progress.cursor)
    except IncompleteFetchError as error:
        error.rows_received = progress.rows_received
        raise


def _refuse_loop(path: Path, source: Source, progress: Progress) -> None:
    msg = (
        f"{source.name} at {source.request['server']}: the server gives pages without end: a cursor that it "
        f"gave before, or {_IDLE_PAGES} pages without a new row. {progress.rows_received:,} rows came in "
        f"{progress.page_count:,} pages and stay in {partial_path(path)}; the pull cannot be finished"
    )
    error = IncompleteFetchError(msg)
    error.rows_received = progress.rows_received
    raise error


def _require_same_project(path: Path, page: Page, progress: Progress) -> None:
    if page.project and progress.project and page.project != progress.project:
        msg = (
            f"the rows of this page are of project {page.project!r}, those before of {progress.project!r}; "
            f"go on with the keys of the first project, or remove {partial_path(path)} to begin anew"
        )
        raise FetchError(msg)


def _fresh(rows: list[bytes], key_of: Callable[[bytes], str | None], known: set[str]) -> list[bytes]:
    fresh = []
    for row in rows:
        key = key_of(row)
        if key is None or key not in known:
            fresh.append(row)
        if key is not None:
            known.add(key)
    return fresh


def _written(rows: list[bytes], progress: Progress) -> list[bytes]:
    """The rows as they go to the file, and in the progress how many keys were replaced in them."""
    if progress.is_raw:
        return rows
    texts = pl.DataFrame({"row": [row.decode("utf-8", "replace") for row in rows]}, {"row": pl.String})
    shown, count = secrets_hidden(texts)
    progress.secret_count += count
    return [text.encode() for text in shown["row"]] if count else rows


def _count_page(progress: Progress, page: Page, fresh: list[bytes], size_bytes: int) -> None:
    progress.cursor = page.next_cursor
    progress.is_last = page.next_cursor is None
    progress.project = progress.project or page.project
    progress.announced |= page.announced
    progress.rows_received += len(fresh)
    progress.size_bytes = size_bytes
    progress.duplicates_dropped += len(page.rows) - len(fresh)
    progress.truncated_metadata_count += page.truncated_metadata_count
    progress.page_count += 1


def _tell(settings: FetchSettings, progress: Progress) -> None:
    if settings.on_page is not None:
        words = f"{progress.bytes_received / 1e6:,.1f} MB in {progress.page_count:,} pages"
        settings.on_page(progress.rows_received, sum(progress.announced.values()), words)
