"""The end of a pull: rows received against rows announced, in a manifest, whatever they say."""

from pathlib import Path

from llmops_lib.errors import IncompleteFetchError
from llmops_lib.sources.fetch.manifest import FetchOutcome, write_manifest
from llmops_lib.sources.fetch.pages import Source
from llmops_lib.sources.fetch.partial import Progress, publish
from llmops_lib.sources.fetch.settings import now_text


def finished(path: Path, source: Source, progress: Progress) -> FetchOutcome:
    """The outcome of a pull whose last page is on the disk; its file and manifest have their names.

    Args:
        path: Where the pull goes.
        source: What was pulled; it is asked for its count once more, since rows may have come meanwhile.
        progress: How far the pull came.

    Raises:
        IncompleteFetchError: If another number of rows was announced.
    """
    expected, by = _expected(source, progress)
    outcome = FetchOutcome(
        path=str(path),
        source=source.name,
        server=source.request["server"],
        project=source.request.get("project") or progress.project,
        window=source.request["window"],
        rows_expected=expected,
        announced_by=by,
        rows_received=progress.rows_received,
        is_complete=None if expected is None else expected == progress.rows_received,
        duplicates_dropped=progress.duplicates_dropped,
        truncated_metadata_count=progress.truncated_metadata_count,
        page_count=progress.page_count,
        retry_count=progress.retry_count,
        bytes_received=progress.bytes_received,
        size_bytes=progress.size_bytes,
        started_at=progress.started_at,
        finished_at=now_text(),
        secret_count=progress.secret_count,
        is_raw=progress.is_raw,
    )
    write_manifest(outcome)
    publish(path)
    if outcome.is_complete is False:
        msg = (
            f"{path}: {outcome.rows_received:,} rows were received and {expected:,} were announced "
            f"({by}). Rows may have come or gone meanwhile: run it again with --overwrite and a window that "
            "ended some minutes ago; if the numbers still differ, the server does not give what it counts"
        )
        error = IncompleteFetchError(msg)
        error.rows_expected, error.rows_received = expected, outcome.rows_received
        raise error
    return outcome


def _expected(source: Source, progress: Progress) -> tuple[int | None, str | None]:
    by_pages = {kind: count for kind, count in progress.announced.items() if kind != source.counted_by}
    if by_pages:
        return sum(by_pages.values()), "the pages: " + ", ".join(by_pages)
    # Asked again, since rows may have come while pages were read.
    counted = source.count()
    if counted is None:
        counted = progress.announced.get(source.counted_by)
    return counted, None if counted is None else source.counted_by
