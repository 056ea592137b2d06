"""All that speaks for or against the completeness of a load, in one table."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import polars as pl

from llmops_lib.evidence.announcements import Row, announced_rows
from llmops_lib.evidence.caps import caps_met
from llmops_lib.evidence.cuts import cut_texts, dropped_attributes
from llmops_lib.evidence.failures import unstated_failures
from llmops_lib.evidence.families import orphan_spans, rootless_traces
from llmops_lib.evidence.gaps import FALSE_ALARM, time_gaps
from llmops_lib.schema import BENIGN_REASONS, CHECKS, COMPLETENESS, conform

_NO_PROOF = "none found, which proves nothing"


def completeness_statement(
    spans: pl.LazyFrame, *, files: pl.DataFrame, quarantine: pl.DataFrame, overlaps: pl.DataFrame
) -> pl.DataFrame:
    """The checks of a load, each with what it found.

    Args:
        spans: SPANS, everything that was loaded.
        files: One row per file: `source_file`, `source_format`, `rows_read`, `announced`.
        quarantine: QUARANTINE.
        overlaps: `OVERLAPS`.

    Returns:
        COMPLETENESS, in the order of `CHECKS` and then of the files.
    """
    said = announced_rows(files)
    # Where a source says that there is no more, the number of its rows is no sign of anything.
    whole = [row["source_file"] for row in said if row["status"] == "proved"]
    rows = [
        *said,
        *_refused(quarantine, files),
        *_overlapping(overlaps),
        *_capped(spans, files.filter(~pl.col("source_file").is_in(whole))),
        *_cut(spans),
        *_dropped(spans),
        *_silent(spans),
        *_families(spans),
        *_gaps(spans),
    ]
    order = pl.col("check").replace_strict({name: number for number, name in enumerate(CHECKS)})
    table = pl.DataFrame(rows, schema=COMPLETENESS.polars_schema)
    return conform(table.sort(order, "source_file", nulls_last=False, maintain_order=True), COMPLETENESS)


def doubts(statement: pl.DataFrame) -> str:
    """What is broken or suspect, as codes and counts and without a word of the data; empty where nothing is.

    Args:
        statement: COMPLETENESS.

    Example:
        >>> rows = {"check": ["page_cap", "orphan_spans"], "status": ["suspect", "proved"], "count": [1, 0]}
        >>> doubts(pl.DataFrame(rows))
        'page_cap 1 suspect'
    """
    found = (
        statement.filter(pl.col("status").is_in(["broken", "suspect"]))
        .group_by("check", "status", maintain_order=True)
        .agg(pl.when(pl.col("check").first() == "page_cap").then(pl.len()).otherwise(pl.col("count").sum()))
    )
    return ", ".join(f"{check} {count} {status}" for check, status, count in found.iter_rows())


def _refused(quarantine: pl.DataFrame, files: pl.DataFrame) -> Iterator[Row]:
    code = pl.col("reason").str.split(":").list.first()
    lost = quarantine.filter(~code.is_in(BENIGN_REASONS))
    counted = lost.group_by("source_file").agg(pl.len().alias("count"), code.unique().sort().alias("codes"))
    read = dict(files.select("source_file", "rows_read").iter_rows())
    if counted.is_empty():
        total = sum(read.values())
        yield _row(
            "refused_rows", "proved", 0, expected_count=total, received_count=total, detail="no row was lost"
        )
    for source_file, count, codes in counted.sort("source_file").iter_rows():
        yield _row(
            "refused_rows",
            "broken",
            count,
            source_file,
            expected_count=read.get(source_file),
            received_count=read.get(source_file, count) - count,
            detail=f"reasons: {', '.join(codes)}",
        )


def _overlapping(overlaps: pl.DataFrame) -> Iterator[Row]:
    is_within = pl.col("source_file") == pl.col("other_file")
    for check, found in (
        ("duplicate_rows", overlaps.filter(is_within)),
        ("overlap", overlaps.filter(~is_within)),
    ):
        if found.is_empty():
            yield _row(check, "proved", 0, detail="no span came twice")
        for pair in found.iter_rows(named=True):
            about = "" if check == "duplicate_rows" else f"shared with {_name(pair['other_file'])}, "
            span = _between(pair["first_at"], pair["last_at"])
            yield _row(
                check, "proved", pair["row_count"], pair["source_file"], detail=f"{about}{span}; removed"
            )


def _capped(spans: pl.LazyFrame, files: pl.DataFrame) -> Iterator[Row]:
    traces = spans.group_by("source_file").agg(pl.col("trace_id").n_unique()).collect(engine="streaming")
    by_file = files.join(traces, on="source_file", how="left").sort("source_file")
    is_met = False
    for source_file, source_format, rows, trace_count in by_file.select(
        "source_file", "source_format", "rows_read", pl.col("trace_id").fill_null(0)
    ).iter_rows():
        for cap in caps_met([(source_format, "rows", rows), (source_format, "traces", trace_count)]):
            is_met = True
            detail = f"exactly {cap.limit:,} {cap.unit}: {cap.source}"
            yield _row("page_cap", "suspect", cap.limit, source_file, detail=detail)
    if not is_met:
        yield _row("page_cap", "unknown", 0, detail=_NO_PROOF)


def _cut(spans: pl.LazyFrame) -> Iterator[Row]:
    found = cut_texts(spans).collect(engine="streaming")
    if found.is_empty():
        yield _row("cut_texts", "unknown", 0, detail=_NO_PROOF)
    for cut in found.iter_rows(named=True):
        signs = [f"{cut['marked_count']:,} marked as cut"] if cut["marked_count"] else []
        if cut["at_longest_count"]:
            signs.append(f"{cut['at_longest_count']:,} end at exactly {cut['longest_chars']:,} characters")
        count = max(cut["marked_count"], cut["at_longest_count"])
        detail = f"{cut['column']}: {', '.join(signs)} of {cut['text_count']:,}"
        yield _row("cut_texts", "suspect", count, cut["source_file"], detail=detail)


def _dropped(spans: pl.LazyFrame) -> Iterator[Row]:
    found = dropped_attributes(spans).collect(engine="streaming")
    if found.is_empty():
        yield _row("dropped_attributes", "unknown", 0, detail=_NO_PROOF)
    for source_file, span_count, count in found.iter_rows():
        detail = f"of {span_count:,} spans; raise the attribute limits of the SDK"
        yield _row("dropped_attributes", "broken", count, source_file, detail=detail)


def _silent(spans: pl.LazyFrame) -> Iterator[Row]:
    for source_file, count in unstated_failures(spans).collect(engine="streaming").iter_rows():
        detail = f"none of {count:,} calls has an error or a status; without a column for it, 0 means unknown"
        yield _row("unstated_failures", "unknown", count, source_file, detail=detail)


def _families(spans: pl.LazyFrame) -> Iterator[Row]:
    by_file = orphan_spans(spans).group_by("source_file").agg(pl.len(), pl.col("trace_id").n_unique())
    orphans = by_file.sort("source_file").collect(engine="streaming")
    if orphans.is_empty():
        yield _row("orphan_spans", "proved", 0, detail="every parent is in the load")
    for source_file, count, trace_count in orphans.iter_rows():
        detail = f"in {trace_count:,} traces; sampled away, or in a service that is not exported"
        yield _row("orphan_spans", "suspect", count, source_file, detail=detail)
    rootless = rootless_traces(spans).select(pl.len(), pl.col("span_count").sum())
    count, span_count = rootless.collect(engine="streaming").row(0)
    detail = f"with {span_count:,} spans" if count else "every trace has its root"
    yield _row("rootless_traces", "suspect" if count else "proved", count, detail=detail)


def _gaps(spans: pl.LazyFrame) -> Iterator[Row]:
    gaps = time_gaps(spans)
    if gaps.is_empty():
        yield _row("time_gaps", "unknown", 0, detail=_NO_PROOF)
        return
    longest = gaps.sort("duration_ms", descending=True).row(0, named=True)
    span = _between(longest["last_before_at"], longest["first_after_at"])
    expected = f"about {longest['expected_count']:,.0f} sessions were to be expected"
    detail = f"the longest {span}, where {expected}; steady traffic shows a gap in {FALSE_ALARM:.0%} of loads"
    yield _row("time_gaps", "suspect", gaps.height, detail=detail)


def _row(check: str, status: str, count: int, source_file: str | None = None, **rest: Any) -> Row:
    return {"source_file": source_file, "check": check, "status": status, "count": count, **rest}


def _between(first_at: datetime, last_at: datetime) -> str:
    return f"{first_at:%Y-%m-%d %H:%M} to {last_at:%Y-%m-%d %H:%M} UTC"


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
