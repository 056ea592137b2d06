"""Bills of any known provider, found by content, as one table."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.errors import UnknownFormatError
from llmops_lib.schema import BILLS, conform, validate
from llmops_lib.sources.bills.overlaps import PAGE, billed_once, with_completeness
from llmops_lib.sources.bills.pages import READERS, buckets_of
from llmops_lib.sources.bills.rows import bucket_rows
from llmops_lib.sources.export_files import export_files

_WORKING = {"page": pl.Int64, "has_more": pl.Boolean}


def load_bill(paths: str | Path | Iterable[str | Path]) -> pl.DataFrame:
    """What providers billed, one row per bucket, line and whatever the report is grouped by.

    Unlike traces, a bill is taken whole or not at all: a part of one would say that what is missing was
    never billed. Usage and costs of several providers may be loaded together; a bucket that several
    pages repeat counts once.

    Args:
        paths: A saved report, several, a directory or a pattern; other files of a directory are passed
            over. Pages, lists of pages, bare lists of buckets, JSON Lines and the tables of the consoles
            are understood.

    Returns:
        BILLS, sorted by provider, start and product. `is_complete` is false where a page announces
        another one that is not among the files.

    Raises:
        SourceNotFoundError: If a path does not exist or a pattern matches nothing.
        UnknownFormatError: If a named file is no bill, or none of the files is.
        SourceError: If a figure is none, a currency is not the dollar, a bucket does not lie in one UTC
            day, or the same time is billed in different ways.
    """
    files = export_files(paths)
    rows: list[dict[str, Any]] = []
    for file in files:
        found = buckets_of(file.path)
        if not found and file.is_named:
            raise UnknownFormatError(_unknown(str(file.path)))
        # Bills are a few thousand nested results; each is checked by itself to name its place.
        for number, bucket in enumerate(found, start=1):
            rows += bucket_rows(bucket, file.path, number)
    if not rows:
        raise UnknownFormatError(_unknown(", ".join(str(file.path) for file in files[:4])))
    table = billed_once(with_completeness(_with_kinds_of_empty(_table(rows))))
    ordered = table.drop("page").sort("provider", "started_at", "kind", "product", maintain_order=True)
    return validate(conform(ordered, BILLS), BILLS)


def _table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={**BILLS.polars_schema, **_WORKING}).drop("is_complete")


def _with_kinds_of_empty(rows: pl.DataFrame) -> pl.DataFrame:
    """An empty bucket is of the report that the other buckets of its page are of."""
    of_page = [
        pl.col(name).fill_null(pl.col(name).drop_nulls().first().over(PAGE)) for name in ("kind", "product")
    ]
    return rows.with_columns(of_page)


def _unknown(path: str) -> str:
    looked_for = "\n".join(f"  {reader.looked_for}" for reader in READERS)
    return f"{path}: is no bill of a known form. Looked for:\n{looked_for}"
