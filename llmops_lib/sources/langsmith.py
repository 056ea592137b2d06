"""LangSmith: bulk exports (Parquet), runs as JSON or JSON Lines, and the operations that SDKs send.

Every object is a run, or an operation that creates or updates one. Operations on one run become one row;
those after the first go to the quarantine as `merged`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops_lib.sources.langsmith_ids import is_placed, merged_operations, with_traces
from llmops_lib.sources.langsmith_rows import run_row
from llmops_lib.sources.record_rows import accept_row, refuse_record
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, first_object

FORMAT = "langsmith"
"""Value of `source_format`."""

LOOKED_FOR = (
    "LangSmith: runs with run_type, start_time and dotted_order, trace_id, parent_run_id or is_root, "
    "or operations on them under post and patch"
)
"""What tells this format, for the error that no format was found."""

_PLACES = {"dotted_order", "trace_id", "parent_run_id", "parent_run_ids", "is_root", "trace_tier"}
_UPDATE = {"id", "end_time", "outputs", "error"}
_UPDATED = _UPDATE | {
    "name",
    "inputs",
    "events",
    "extra",
    "tags",
    "trace_id",
    "dotted_order",
    "parent_run_id",
    "session_id",
    "session_name",
    "reference_example_id",
    "serialized",
    "attachments",
    "start_time",
}
_BATCHES = ("post", "patch")
_LISTS = ("runs", "data", "items")


def matches(sample: Sample) -> bool:
    """Whether a file holds runs of LangSmith, or operations on them.

    Args:
        sample: The beginning of the file.
    """
    row = first_object(sample.first)
    for name in (*_BATCHES, *_LISTS):
        inner = first_object(row.get(name)) if isinstance(row.get(name), list) else {}
        if is_run(inner.keys()) or (name in _BATCHES and "dotted_order" in inner):
            return True
    names = row.keys() if row else set(sample.columns)
    return is_run(names) or _UPDATE <= names <= _UPDATED


def is_run(names: Any) -> bool:
    """Whether an object of these keys is a run or creates one."""
    return "run_type" in names and "start_time" in names and not _PLACES.isdisjoint(names)


def read_langsmith(path: Path, *, timezone: str | None = None) -> SourceRows:
    """The runs of a LangSmith export as rows of SPANS.

    Args:
        path: Parquet, or JSON, JSON Lines or CSV (each also as gzip or zstd).
        timezone: Not used: LangSmith writes UTC, also where its times name no zone.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    del timezone
    collector = RowCollector(FORMAT, str(path))
    operations: list[Record] = []
    unplaced: list[Record] = []
    for record in iter_records(path, collector):
        for item in _runs(record):
            if not isinstance(item.value, dict):
                refuse_record(item, "not_object", collector)
            elif "status" not in item.value or "run_type" not in item.value:
                operations.append(item)
            elif is_placed(item.value):
                # The server has put it together; holding it back would hold the whole file.
                accept_row(item, _checked_row, collector)
            else:
                unplaced.append(item)
    for run in merged_operations(operations, collector):
        if "run_type" in run.value and not is_placed(run.value):
            unplaced.append(run)
        else:
            accept_row(run, _checked_row, collector)
    for run in with_traces(unplaced):
        accept_row(run, _checked_row, collector)
    return collector.finish()


def _runs(record: Record) -> Iterator[Record]:
    value = record.value
    if not isinstance(value, dict) or "run_type" in value or "id" in value:
        yield from _with_children(record)
        return
    names = _BATCHES if any(isinstance(value.get(name), list) for name in _BATCHES) else _LISTS
    listed = [value[name] for name in names if isinstance(value.get(name), list)]
    if not listed:
        yield record
    for values in listed:
        for item in record.items(values):
            yield from _with_children(item)


def _with_children(record: Record) -> Iterator[Record]:
    """A run and the runs that it holds, however deep, each without those inside it."""
    waiting = [record]
    while waiting:
        run = waiting.pop()
        children = run.value.get("child_runs") if isinstance(run.value, dict) else None
        if not isinstance(children, list) or not children:
            yield run
            continue
        yield run.part({name: value for name, value in run.value.items() if name != "child_runs"})
        waiting += [run.part(child) for child in reversed(children)]


def _checked_row(run: Mapping[str, Any]) -> dict[str, Any]:
    if "run_type" in run:
        return run_row(run)
    is_update = not _UPDATE.isdisjoint(run)
    detail = "an update of a run that the file does not create" if is_update else "no run of LangSmith"
    raise Refused(reason="schema", detail=detail)
