"""Whether traces are whole: spans without their parent, traces without a root."""

from typing import Any

import narwhals as nw

from llmops_lib.calls import known_rows, ordered, portable, tally
from llmops_lib.frames import narwhal


@portable
def orphan_spans(spans: Any) -> Any:
    """Spans whose parent is not in the table: parts of traces that were sampled away or not exported.

    Give it everything that was loaded: a period cuts through traces and makes orphans of its own.

    Args:
        spans: SPANS, model calls and all others; uses `trace_id`, `span_id`, `parent_span_id`.

    Returns:
        One row per orphan, sorted by trace and span; of `trace_id`, `span_id`, `parent_span_id`,
        `name`, `operation`, `started_at` (UTC), `source_format`, `source_file` and `source_line`
        those that the table has.

    Example:
        >>> import polars as pl
        >>> spans = pl.DataFrame({
        ...     "trace_id": ["t1", "t1", "t2"], "span_id": ["root", "leaf", "lost"],
        ...     "parent_span_id": [None, "root", "root"],
        ... })
        >>> orphan_spans(spans).rows()
        [('t2', 'lost', 'root')]
    """
    ids = ["trace_id", "span_id", "parent_span_id"]
    more = ["name", "operation", "started_at", "source_format", "source_file", "source_line"]
    present = narwhal(spans).collect_schema().names()
    frame = known_rows(spans, [*ids, *(name for name in more if name in present)])
    parents = frame.select("trace_id", nw.col("span_id").alias("parent_span_id"))
    children = frame.filter(~nw.col("parent_span_id").is_null())
    # The same engine on both sides, which the union of two frame classes does not tell the type checker.
    orphans = children.join(parents, on=["trace_id", "parent_span_id"], how="anti")  # type: ignore[arg-type]
    return ordered(orphans, ["trace_id", "span_id"]).to_native()


@portable
def rootless_traces(spans: Any) -> Any:
    """Traces in which every span names a parent: the beginning of the trace is not in the table.

    Args:
        spans: SPANS, everything that was loaded; uses `trace_id`, `parent_span_id`, `started_at`.

    Returns:
        One row per such trace, sorted by it: `trace_id`, `span_count`, `first_at` (UTC).

    Example:
        >>> import polars as pl
        >>> spans = pl.DataFrame({
        ...     "trace_id": ["t1", "t1", "t2"], "parent_span_id": [None, "root", "root"],
        ...     "started_at": [1, 2, 3],
        ... })
        >>> rootless_traces(spans).rows()
        [('t2', 1, 3)]
    """
    frame = known_rows(spans, ["trace_id", "parent_span_id", "started_at"])
    traces = tally(
        frame,
        ["trace_id"],
        {"first_at": nw.col("started_at").min()},
        counts={"root_count": nw.col("parent_span_id").is_null()},
    )
    rootless = traces.filter(nw.col("root_count") == 0)
    found = rootless.select("trace_id", nw.col("call_count").alias("span_count"), "first_at")
    return ordered(found, ["trace_id"]).to_native()
