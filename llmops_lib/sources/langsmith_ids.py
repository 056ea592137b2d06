"""Ids of LangSmith runs, and runs put together from their creation and their updates.

An SDK sends a run twice, when it begins and when it ends; an update of the JavaScript SDK does not even
repeat the id. What every operation has is the `dotted_order`: start and id of each ancestor and of the run.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from llmops_lib.sources.langfuse_fields import mapping
from llmops_lib.sources.records import Record
from llmops_lib.sources.rows import RowCollector
from llmops_lib.sources.updates import set_aside


def run_ids(run: Mapping[str, Any]) -> dict[str, Any]:
    """`trace_id`, `span_id` and `parent_span_id` of a run.

    Args:
        run: A run or an operation on one.

    Example:
        >>> run_ids({"dotted_order": "20260302T100000000000Zr-1.20260302T100001000000Zr-2"})
        {'trace_id': 'r-1', 'span_id': 'r-2', 'parent_span_id': 'r-1'}
    """
    order = run.get("dotted_order")
    path = [step.partition("Z")[2] for step in order.split(".")] if isinstance(order, str) and order else []
    ancestors = run.get("parent_run_ids")
    own_id = run.get("id") or (path[-1] if path else None)
    parent = run.get("parent_run_id")
    if parent is None and isinstance(ancestors, list) and ancestors:
        parent = ancestors[-1]
    if parent is None and len(path) > 1:
        parent = path[-2]
    trace_id = run.get("trace_id") or (path[0] if path else None)
    if trace_id is None and isinstance(ancestors, list) and ancestors:
        trace_id = ancestors[0]
    is_root = parent is None
    return {
        "trace_id": trace_id or (own_id if is_root else None),
        "span_id": own_id,
        "parent_span_id": parent,
    }


def is_placed(run: Mapping[str, Any]) -> bool:
    """Whether a run itself tells which trace it is in.

    Args:
        run: A run or an operation on one.
    """
    return bool(run_ids(run)["trace_id"])


def with_traces(runs: Iterable[Record]) -> Iterator[Record]:
    """Runs that name no trace, with the trace of their topmost ancestor.

    A query that selects fields may leave the trace out; what is left of it are the parents.

    Args:
        runs: Records of runs, each of them without a trace.
    """
    held = [(run, run_ids(run.value)) for run in runs]
    parents = {str(ids["span_id"]): str(ids["parent_span_id"]) for _, ids in held}
    tops: dict[str, str] = {}
    for run, ids in held:
        name = str(ids["span_id"])
        path: dict[str, None] = {}
        while name in parents and name not in tops and name not in path:
            path[name] = None
            name = parents[name]
        top = tops.get(name, name)
        tops |= dict.fromkeys(path, top)
        yield replace(run, value={**run.value, "trace_id": top})


def merged_operations(operations: Iterable[Record], collector: RowCollector) -> Iterator[Record]:
    """Each run once, from its creation and its updates in whatever order they came.

    Later values replace earlier ones where they are not null or empty; `extra` and its metadata are
    merged key by key. A run stands where its first operation stood.

    Args:
        operations: Records of creations (which have a `run_type`) and updates.
        collector: Takes the operations that are now part of another.
    """
    runs: dict[str, Record] = {}
    for operation in sorted(operations, key=lambda operation: "run_type" not in operation.value):
        name = str(run_ids(operation.value)["span_id"] or f"without id, at {operation.line}")
        known = runs.get(name)
        if known is None:
            runs[name] = operation
            continue
        runs[name] = replace(known, value=_merged(known.value, operation.value))
        set_aside(operation, collector, into=known)
    yield from runs.values()


def _merged(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in later.items() if value not in (None, {}, [])}
    before, after = mapping(earlier.get("extra")), mapping(given.get("extra"))
    metadata = mapping(before.get("metadata")) | mapping(after.get("metadata"))
    extra = before | after | ({"metadata": metadata} if metadata else {})
    return earlier | given | ({"extra": extra} if extra else {})
