"""The spans of one trace in the order in which a tree is read."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.errors import SearchError
from llmops_lib.frames import collected, narwhal

_USED = ("trace_id", "span_id", "parent_span_id", "started_at")
_SHOWN = (
    "name",
    "operation",
    "is_model_call",
    "model",
    "tool_name",
    "latency_ms",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "is_error",
    "error_type",
    "error_message",
    "http_status",
    "input",
    "output",
)


def span_tree(spans: Any, *, trace_id: str | None = None) -> pl.DataFrame:
    """One trace, parents before their children, with the depth of every span.

    Every span is there exactly once, also where the tree is broken: a span whose parent is missing begins
    a tree of its own, and of spans that are each other's ancestors the earliest does.

    What comes back holds the text of the trace: `with_excerpts` masks it before anyone sees it.

    Args:
        spans: SPANS, on any engine; uses `trace_id`, `span_id`, `parent_span_id`, `started_at`.
        trace_id: The trace; may be left out where the table holds one only.

    Returns:
        A polars DataFrame whatever came in, one row per span, depth first, siblings by start: `depth` (0 at
        a root), `link` (`root`, `child`, `orphan` where the parent is missing, `cycle` where a circle was
        cut), `offset_ms` (since the first start of the trace), `trace_id`, `span_id`, `parent_span_id`,
        `started_at`, and what the table has of name, operation, model, tool, latency, tokens, cost, errors,
        input and output.

    Raises:
        SearchError: If there is no such trace, or several where none was named.
        MissingColumnError: If a column is missing.

    Example:
        >>> from datetime import UTC, datetime
        >>> spans = pl.DataFrame({
        ...     "trace_id": ["t"] * 3, "span_id": ["a", "b", "c"], "parent_span_id": ["b", None, "gone"],
        ...     "started_at": [datetime(2026, 11, 9, 0, 0, second, tzinfo=UTC) for second in (2, 1, 3)],
        ... })
        >>> span_tree(spans).select("span_id", "depth", "link").rows()
        [('b', 0, 'root'), ('a', 1, 'child'), ('c', 0, 'orphan')]
    """
    frame = narwhal(spans, columns=_USED)
    present = frame.collect_schema().names()
    if trace_id is not None:
        frame = frame.filter(nw.col("trace_id") == trace_id)
    names = [*_USED, *(name for name in _SHOWN if name in present)]
    trace = collected(frame.select(names).to_native()).sort("started_at", "span_id")
    _require_one_trace(trace, trace_id)
    rows, depths, links = zip(
        *_depth_first(trace["span_id"].to_list(), trace["parent_span_id"].to_list()), strict=True
    )
    offset = (pl.col("started_at") - pl.col("started_at").min()).dt.total_microseconds() / 1000
    return trace.with_columns(offset.alias("offset_ms"))[list(rows)].select(
        pl.Series("depth", depths, dtype=pl.Int64),
        pl.Series("link", links, dtype=pl.String),
        "offset_ms",
        *names,
    )


def _require_one_trace(trace: pl.DataFrame, trace_id: str | None) -> None:
    if trace.is_empty():
        which = "no spans" if trace_id is None else f"no span of trace {trace_id!r}"
        msg = f"the table holds {which}; search_traces() finds the traces there are"
        raise SearchError(msg)
    count = trace["trace_id"].n_unique()
    if count > 1:
        msg = f"the table holds {count:,} traces; name one as trace_id, such as {trace['trace_id'][0]!r}"
        raise SearchError(msg)


def _depth_first(ids: Sequence[str], parents: Sequence[str | None]) -> Iterator[tuple[int, int, str]]:
    """Row, depth and link of each span, rows being in order of start; no expression orders a tree."""
    row_of = {span_id: row for row, span_id in enumerate(ids)}
    above = [None if parent is None else row_of.get(parent) for parent in parents]
    children: dict[int, list[int]] = defaultdict(list)
    for row, parent_row in enumerate(above):
        if parent_row is not None:
            children[parent_row].append(row)
    seen: set[int] = set()
    for row, parent in enumerate(parents):
        if above[row] is None:
            yield from _below(row, "root" if parent is None else "orphan", children, seen)
    # Whatever no root leads to lies in a circle, or below one.
    for row in range(len(ids)):
        if row not in seen:
            yield from _below(min(_circle_above(row, above)), "cycle", children, seen)


def _below(
    top: int, link: str, children: Mapping[int, list[int]], seen: set[int]
) -> Iterator[tuple[int, int, str]]:
    pending = [(top, 0, link)]
    while pending:
        row, depth, way = pending.pop()
        seen.add(row)
        yield row, depth, way
        pending += [
            (child, depth + 1, "child") for child in reversed(children.get(row, ())) if child not in seen
        ]


def _circle_above(row: int, above: Sequence[int | None]) -> set[int]:
    """The spans of the circle that the ancestors of a span run into."""
    passed: dict[int, int] = {}
    at: int | None = row
    while at is not None and at not in passed:
        passed[at] = len(passed)
        at = above[at]
    return {span for span, place in passed.items() if at is not None and place >= passed[at]}
