"""What an export says of its own size: totals on pages, manifests, and the notes of a fetch.

- Pages of an API state a total (`meta.totalItems` of Langfuse, `total` of Opik and LiteLLM), or that there
  is more (`next_cursor` of Phoenix, `has_more`, a page number below the number of pages).
- `llmops fetch` writes `<file>.fetch.json` beside a file: `rows_expected` and `rows_received`, and
  how many values of metadata the server gave shortened (`truncated_metadata_count`).
- A trace of MLflow states how many spans it has (`num_spans` of its size statistics).
- A blob export of Langfuse ends with a manifest of its files and their rows.

All of it is as untrusted as the rows: a number that is none is taken as not stated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError
from llmops_lib.sources.lines import read_json_document

FETCH_SUFFIX = ".fetch.json"
"""Ending of the note that `llmops fetch` leaves beside a file."""

_LISTS = ("data", "content", "items", "runs", "events", "traces", "spans", "observations", "results")
_TOTALS = ("totalItems", "total_items", "totalCount", "total_count", "total")
_PAGE_COUNTS = ("totalPages", "total_pages")
_CURSORS = ("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_page", "cursor", "next")
_MORE = ("has_more", "hasMore")
_HOLDERS = ("meta", "pagination", "cursors")
_MARKS = frozenset((*_TOTALS, *_PAGE_COUNTS, *_CURSORS, *_MORE, *_HOLDERS))
_NOTE_LIMIT = 1 << 20


@dataclass(frozen=True)
class Announced:
    """One statement about how many rows there should be.

    Attributes:
        by: `page` (an envelope around the rows), `traces` (each of their spans), `fetch` (a note of the
            pull) or `manifest`.
        about: File that a manifest speaks of; None where it is the file itself.
        expected_count: Rows that there should be; None where it does not say.
        received_count: Rows that came; None where it does not say.
        has_more: Whether it announces more rows than these; None where it does not say.
        cut_count: Values that came shortened; None where it does not say.
    """

    by: str
    about: str | None = None
    expected_count: int | None = None
    received_count: int | None = None
    has_more: bool | None = None
    cut_count: int | None = None


def page_of(value: Any) -> Announced | None:
    """What the envelope of a page says of it; None where a value is no page.

    Args:
        value: A JSON value of an export.

    Example:
        >>> page_of({"data": [{}, {}], "meta": {"page": 1, "totalItems": 5, "totalPages": 3}})
        Announced(by='page', about=None, expected_count=5, received_count=2, has_more=True, cut_count=None)
        >>> page_of({"data": [{}], "next_cursor": None}).has_more
        False
    """
    if not isinstance(value, dict) or _MARKS.isdisjoint(value) or "id" in value:
        return None
    rows = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
    if rows is None:
        return None
    about = {
        **value,
        **{name: found for holder in _HOLDERS for name, found in _object(value.get(holder)).items()},
    }
    expected, has_more = _first_count(about, _TOTALS), _has_more(about)
    if expected is None and has_more is None:
        return None
    return Announced("page", None, expected, len(rows), has_more)


def joined(said: Iterable[Announced]) -> tuple[Announced, ...]:
    """The statements of one file, those of its pages as one and those of its traces as one.

    Of pages, received rows are added, the greatest total counts, and the last says whether there is more.
    """
    every = list(said)
    pages, traces = ([one for one in every if one.by == by] for by in ("page", "traces"))
    found = [one for one in every if one.by not in ("page", "traces")]
    if traces:
        spans = sum(trace.expected_count or 0 for trace in traces)
        found.insert(0, Announced("traces", None, spans, _received(traces)))
    if pages:
        totals = [page.expected_count for page in pages if page.expected_count is not None]
        total = max(totals, default=None)
        found.insert(0, Announced("page", None, total, _received(pages), pages[-1].has_more))
    return tuple(found)


def _received(said: list[Announced]) -> int:
    return sum(one.received_count or 0 for one in said)


def fetch_note(path: Path) -> tuple[Announced, ...]:
    """What the note beside a file says of the pull that wrote it; nothing where there is none."""
    note = path.with_name(path.name + FETCH_SUFFIX)
    try:
        if not note.is_file() or note.stat().st_size > _NOTE_LIMIT:
            return ()
        said = read_json_document(note)
    except (OSError, SourceError):
        return (Announced("fetch"),)
    fields = _object(said)
    expected, received = _count(fields.get("rows_expected")), _count(fields.get("rows_received"))
    cut_count = _count(fields.get("truncated_metadata_count"))
    return (Announced("fetch", None, expected, received, cut_count=cut_count),)


def is_fetch_note(path: Path) -> bool:
    """Whether a file is the note of a fetch: it is no export, and read together with the file it is about."""
    about = path.name.removesuffix(FETCH_SUFFIX)
    return about not in ("", path.name) and path.with_name(about).is_file()


def is_manifest(value: Mapping[str, Any]) -> bool:
    """Whether an object is the manifest of a blob export of Langfuse."""
    return isinstance(value.get("files"), list) and "exportSource" in value


def manifest_files(manifest: Mapping[str, Any]) -> tuple[Announced, ...]:
    """What a manifest of Langfuse says of each of its files.

    Source:
        https://github.com/langfuse/langfuse, worker/src/features/blobstorage/manifest.ts
    """
    files = [_object(file) for file in manifest["files"]]
    return tuple(
        Announced("manifest", file["key"], _count(file.get("rowCount")))
        for file in files
        if isinstance(file.get("key"), str)
    )


def _has_more(about: Mapping[str, Any]) -> bool | None:
    for name in _MORE:
        if isinstance(about.get(name), bool):
            return bool(about[name])
    if any(name in about for name in _CURSORS):
        return any(about.get(name) not in (None, "", False) for name in _CURSORS)
    page, pages = _count(about.get("page")), _first_count(about, _PAGE_COUNTS)
    return None if page is None or pages is None else page < pages


def _first_count(about: Mapping[str, Any], names: Iterable[str]) -> int | None:
    return next((count for name in names if (count := _count(about.get(name))) is not None), None)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
