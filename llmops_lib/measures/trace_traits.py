"""What a trace is like besides its topic: script of what was asked, tools, retrievals."""

from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls.recorded import document_counts, offered_tools
from llmops_lib.calls.scripts import scripts
from llmops_lib.calls.tool_calls import tool_calls
from llmops_lib.frames import collected, narwhal
from llmops_lib.schema import UTC_DATETIME

_USED = (
    "trace_id", "span_id", "started_at", "operation", "is_model_call", "input", "output", "finish_reason",
    "tool_calls", "tool_name", "tool_call_id", "user_id", "session_id", "feature", "attributes",
)  # fmt: skip
_ASKS_FOR_TOOLS = "tool|function"


def trace_traits(spans: Any) -> pl.DataFrame:
    """Script, tools and retrievals of each trace; what the export does not record is null.

    Args:
        spans: SPANS of whole traces, on any engine, brought to this machine; and, where it is there, `text`:
            what a user asked (`with_input_text`), without which scripts are unknown.

    Returns:
        One row per trace, by start: `trace_id`, `started_at`, `unit` (user, else session, else trace),
        `feature`, `script` (of the first text), `called_tools` (names, empty where every model call is known
        to have asked for none and none ran; null where that is not known), `tool_call_count`,
        `offered_tools` (names, null where nothing of them is recorded), `retrieval_count` (on record),
        `document_count` (of all retrievals; null where one of them does not say).

    Raises:
        MissingColumnError: If a column is missing.
    """
    frame = narwhal(spans, columns=_USED)
    texts = [name for name in ("text",) if name in frame.collect_schema().names()]
    rows = collected(frame.select(nw.col(*_USED, *texts)).to_native())
    # DuckDB gives its own name for UTC, pandas its own unit.
    rows = rows.with_columns(pl.col("started_at").cast(UTC_DATETIME)).sort(
        "started_at", "trace_id", "span_id"
    )
    if not texts:
        rows = rows.with_columns(text=pl.lit(None, pl.String))
    by_trace = rows.group_by("trace_id", maintain_order=True).agg(
        pl.col("started_at").min(),
        unit=pl.coalesce(
            pl.col("user_id").drop_nulls().first(), pl.col("session_id").drop_nulls().first(), "trace_id"
        ).first(),
        feature=pl.col("feature").drop_nulls().first(),
        text=pl.col("text").drop_nulls().first(),
    )
    traits = by_trace.with_columns(scripts(by_trace["text"]).alias("script")).drop("text")
    for more in (_called(rows), _offered(rows), _retrieved(rows)):
        traits = traits.join(more, on="trace_id", how="left", maintain_order="left")
    return traits.sort("started_at", "trace_id")


def _called(rows: pl.DataFrame) -> pl.DataFrame:
    """Tools by trace; a call that records neither its answer nor why it ended may have asked for any."""
    is_asking = pl.col("finish_reason").str.contains(_ASKS_FOR_TOOLS)
    is_silent = pl.col("tool_calls").is_null() & is_asking.fill_null(pl.col("output").is_null())
    may_call = pl.col("is_model_call") & pl.col("operation").is_in(["chat", "text_completion"])
    known = rows.group_by("trace_id").agg(is_unknown=(may_call & is_silent).any())
    found = (
        tool_calls(rows, ())
        .group_by("trace_id")
        .agg(
            called_tools=pl.col("tool_name").drop_nulls().unique().sort(),
            tool_call_count=pl.len().cast(pl.Int64),
        )
    )
    # What is on record is known, though there may be more.
    is_none = ~pl.col("is_unknown")
    return (
        known.join(found, on="trace_id", how="left")
        .with_columns(
            pl.when(is_none).then(pl.col("called_tools").fill_null([])).otherwise("called_tools"),
            pl.when(is_none).then(pl.col("tool_call_count").fill_null(0)).otherwise("tool_call_count"),
        )
        .drop("is_unknown")
    )


def _offered(rows: pl.DataFrame) -> pl.DataFrame:
    calls = rows.filter("is_model_call")
    told = calls.with_columns(offered_tools(calls["attributes"]).alias("offered_tools"))
    names = told.drop_nulls("offered_tools").group_by("trace_id")
    return names.agg(pl.col("offered_tools").explode().drop_nulls().unique().sort())


def _retrieved(rows: pl.DataFrame) -> pl.DataFrame:
    is_retrieval = pl.col("operation") == "retrieval"
    found = rows.filter(is_retrieval)
    counts = document_counts(found["output"], found["attributes"])
    documents = (
        found.with_columns(counts.alias("documents"))
        .group_by("trace_id")
        .agg(document_count=pl.when(pl.col("documents").null_count() == 0).then(pl.col("documents").sum()))
    )
    return (
        rows.group_by("trace_id")
        .agg(retrieval_count=is_retrieval.sum().cast(pl.Int64))
        .join(documents, on="trace_id", how="left")
        .with_columns(
            pl.when(pl.col("retrieval_count") == 0)
            .then(0)
            .otherwise("document_count")
            .alias("document_count")
        )
    )
