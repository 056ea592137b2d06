"""What sources announce of their size, against what came."""

from collections.abc import Iterator
from typing import Any

import polars as pl

ANNOUNCED: pl.DataType = pl.List(
    pl.Struct(
        {
            "by": pl.String,
            "about": pl.String,
            "expected_count": pl.Int64,
            "received_count": pl.Int64,
            "has_more": pl.Boolean,
            "cut_count": pl.Int64,
        }
    )
)
"""Column `announced` of a table of files: statements on how many rows there should be."""

Row = dict[str, Any]


def announced_rows(files: pl.DataFrame) -> list[Row]:
    """The rows of COMPLETENESS on totals, further pages and values that came shortened.

    Pages of one pull may lie in several files of a folder: their rows are added before they are held
    against the total, and a page that announces another is followed where a last page lies beside it.

    Args:
        files: One row per file: `source_file`, `source_format`, `rows_read`, `announced` (`ANNOUNCED`).
    """
    said = files.select("source_file", "source_format", "rows_read", "announced").explode("announced")
    said = (
        said.drop_nulls("announced")
        .unnest("announced")
        .with_columns(pl.col("source_file").str.replace(r"[^/\\]+$", "").alias("folder"))
    )
    pages = said.filter(by="page")
    traces = [
        _compared(trace["source_file"], trace, "spans that the traces state")
        for trace in said.filter(by="traces").iter_rows(named=True)
    ]
    found = [*_totals(pages), *_more(pages), *traces, *_fetches(said.filter(by="fetch"))]
    found += _manifests(said.filter(by="manifest"), files)
    found = _without_outdated(found)
    if not any(row["check"] == "announced_rows" for row in found):
        found.append(_row(None, "unknown", detail="no source says how many rows there are"))
    return found


def _without_outdated(found: list[Row]) -> list[Row]:
    # A store knows a file that was fetched again by its old content too.
    whole = {(row["source_file"], row["check"]) for row in found if row["status"] == "proved"}
    whole = {(source_file, check) for source_file, check in whole if source_file is not None}
    is_outdated = [row["status"] == "broken" and (row["source_file"], row["check"]) in whole for row in found]
    return [row for row, outdated in zip(found, is_outdated, strict=True) if not outdated]


def _totals(pages: pl.DataFrame) -> Iterator[Row]:
    stated = pages.drop_nulls("expected_count")
    for page in stated.filter(pl.col("expected_count") == pl.col("received_count")).iter_rows(named=True):
        yield _compared(page["source_file"], page, "total of the page")
    parts = stated.filter(pl.col("expected_count") != pl.col("received_count"))
    pulls = parts.group_by("folder", "source_format", maintain_order=True).agg(
        pl.col("expected_count").max(),
        pl.col("received_count").sum(),
        pl.col("source_file").first(),
        pl.len().alias("files"),
    )
    for pull in pulls.iter_rows(named=True):
        is_one = pull["files"] == 1
        detail = "total of the page" if is_one else f"total of the pages in {pull['files']} files"
        yield _compared(pull["source_file"] if is_one else None, pull, detail)


def _more(pages: pl.DataFrame) -> Iterator[Row]:
    for key, pull in pages.drop_nulls("has_more").group_by("folder", "source_format", maintain_order=True):
        del key
        is_ended = not pull["has_more"].all()
        for page in pull.iter_rows(named=True):
            if not page["has_more"]:
                status, detail = "proved", "the last page announces no other"
            elif is_ended:
                status, detail = "unknown", "announces another page, which may be in a file beside it"
            else:
                status, detail = "broken", "the last page announces another one: fetch the rest"
            more = int(bool(page["has_more"]))
            yield _row(page["source_file"], status, check="more_pages", count=more, detail=detail)


def _fetches(notes: pl.DataFrame) -> Iterator[Row]:
    for note in notes.iter_rows(named=True):
        name, received, cut = note["source_file"], note["received_count"], note["cut_count"]
        yield _compared(name, note, "note of the fetch")
        if received is not None and note["rows_read"] < received:
            detail = "the file holds fewer rows than the fetch received"
            lost = {"expected_count": received, "received_count": note["rows_read"]}
            yield _row(name, "suspect", count=received - note["rows_read"], **lost, detail=detail)
        if cut:
            detail = "metadata that the server gave shortened, by the note of the fetch"
            yield _row(name, "broken", check="cut_texts", count=cut, detail=detail)


def _manifests(said: pl.DataFrame, files: pl.DataFrame) -> Iterator[Row]:
    read = {_tail(name): (name, rows) for name, rows in files.select("source_file", "rows_read").iter_rows()}
    for file in said.iter_rows(named=True):
        name, rows = read.get(_tail(file["about"]), (None, None))
        if name is not None:
            yield _compared(name, {**file, "received_count": rows}, "manifest of the export")
            continue
        detail = f"the manifest {_tail(file['source_file'])} names {_tail(file['about'])}, which is not here"
        expected = file["expected_count"]
        yield _row(None, "broken", count=1, expected_count=expected, received_count=0, detail=detail)


def _compared(source_file: str | None, said: Row, detail: str) -> Row:
    expected, received = said["expected_count"], said["received_count"]
    if expected is None or received is None:
        status, detail = "unknown", f"{detail}, which does not state both numbers"
    elif expected == received:
        status = "proved"
    else:
        status = "broken" if received < expected else "suspect"
        detail = f"{received:,} of {expected:,}: {detail}"
    missing = None if expected is None or received is None else max(expected - received, 0)
    return _row(
        source_file, status, count=missing, expected_count=expected, received_count=received, detail=detail
    )


def _row(source_file: str | None, status: str, *, check: str = "announced_rows", **rest: Any) -> Row:
    return {"source_file": source_file, "check": check, "status": status, **rest}


def _tail(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-2:])
