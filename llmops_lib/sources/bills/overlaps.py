"""Bills that were fetched in parts: announced pages that are missing, and time that is billed twice."""

import polars as pl

from llmops_lib.errors import SourceError

PAGE = ["source_file", "page"]
_REPORT = ["source_format", "kind", "product"]
_IDENTITY = [*_REPORT, "started_at", "ended_at", "model", "line", "quantity_unit", "line_item",
             "service_tier", "is_batch", "project_id", "user_id", "api_key_id"]  # fmt: skip

_GROUPED_BY = ("model", "project_id", "user_id", "api_key_id")


def with_completeness(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with `is_complete`: whether the page that each page announces is here too.

    Args:
        rows: Rows of BILLS with `page` and `has_more`.
    """
    starts = rows.select(*_REPORT, pl.col("started_at").alias("_page_end"), pl.lit(value=True).alias("_next"))
    paged = rows.with_columns(pl.col("ended_at").max().over(PAGE).alias("_page_end"))
    joined = paged.join(
        starts.unique(), on=[*_REPORT, "_page_end"], how="left", nulls_equal=True, maintain_order="left"
    )
    is_complete = (
        pl.when(pl.col("has_more").not_()).then(statement=True)
        .when(pl.col("has_more")).then(pl.col("_next").fill_null(value=False))
    )  # fmt: skip
    return joined.with_columns(is_complete.alias("is_complete")).drop("_page_end", "_next", "has_more")


def billed_once(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows without those that another page repeats to the letter.

    Args:
        rows: Rows of BILLS with `page`.

    Raises:
        SourceError: If pages bill the same time in different ways, so that adding them would bill it twice.
    """
    content = [name for name in rows.columns if name not in (*PAGE, "is_complete")]
    numbered = rows.with_columns(pl.int_range(pl.len()).over([*PAGE, *content]).alias("_number"))
    once = numbered.unique([*content, "_number"], keep="first", maintain_order=True).drop("_number")
    billed = once.filter(pl.col("line") != "empty")
    _refuse_overlaps(billed)
    _refuse_groupings(billed)
    _refuse_differences(billed)
    return once


def _refuse_overlaps(billed: pl.DataFrame) -> None:
    bounds = billed.select([*_REPORT, "started_at", "ended_at"]).unique().sort("started_at", "ended_at")
    follows = pl.col("started_at").shift(-1).over(_REPORT)
    _refuse(bounds.filter(follows < pl.col("ended_at")), "buckets that overlap", billed)


def _refuse_groupings(billed: pl.DataFrame) -> None:
    grouped = pl.col(_GROUPED_BY)
    by_page = billed.group_by([*_REPORT, "started_at", *PAGE]).agg(grouped.is_not_null().any())
    mixed = by_page.group_by([*_REPORT, "started_at"]).agg(grouped.n_unique())
    for name in _GROUPED_BY:
        _refuse(mixed.filter(pl.col(name) > 1), f"a report by {name} and one that is not", billed)


def _refuse_differences(billed: pl.DataFrame) -> None:
    twice = billed.group_by(_IDENTITY).agg(pl.struct(PAGE).n_unique().alias("pages"))
    _refuse(twice.filter(pl.col("pages") > 1), "different figures for the same lines", billed)


def _refuse(found: pl.DataFrame, what: str, billed: pl.DataFrame) -> None:
    if found.is_empty():
        return
    first = found.sort("started_at").row(0, named=True)
    same = (pl.col("started_at") == first["started_at"]) & (pl.col("source_format") == first["source_format"])
    files = ", ".join(billed.filter(same)["source_file"].unique().sort().head(4))
    place = f"{first['product']}, {first['started_at']:%Y-%m-%d %H:%M} UTC"
    msg = (
        f"{files}: found {what} ({place}); expected each time once, or it would be billed twice. "
        "Pass only one of the reports, the latest"
    )
    raise SourceError(msg)
