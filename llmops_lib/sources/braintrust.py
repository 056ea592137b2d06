"""Braintrust: log rows as its SDK sends them, and as exports of logs and experiments hold them.

A row of `_is_merge` adds to the row of the same id, any other row of that id replaces it. The summaries
that `braintrust eval --jsonl` prints have one line per eval and no span: they are recognised and set aside.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops_lib.sources.braintrust_spans import mapping, span_row
from llmops_lib.sources.record_rows import accept_row, page_items, refuse_record
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, first_object
from llmops_lib.sources.updates import merged_updates

FORMAT = "braintrust"
"""Value of `source_format`."""

LOOKED_FOR = (
    "Braintrust: rows with span_id, root_span_id and span_attributes; summaries of evals with "
    "project_name, experiment_name and scores are recognised too"
)
"""What tells this format, for the error that no format was found."""

_SPAN = {"span_id", "root_span_id"}
_OWN = _SPAN | {"id"}
_BEGINNING = {"id", "metrics", "span_attributes"}
_MARKS = ("span_attributes", "span_parents", "metrics", "_is_merge", "_xact_id")
_SUMMARIES = ({"project_name", "experiment_name", "scores", "metrics"}, {"eval_name", "errors"})
_DELETED = "not_a_span: a row that was deleted"
_LISTS = ("rows", "events", "data")


def matches(sample: Sample) -> bool:
    """Whether a file is a Braintrust export.

    Args:
        sample: The beginning of the file.
    """
    row = first_object(sample.first)
    listed = next((row[name] for name in _LISTS if isinstance(row.get(name), list)), None)
    names = set((first_object(listed) if listed is not None else row) or sample.columns)
    is_span = names >= _SPAN and not names.isdisjoint(_MARKS)
    # The identifiers stand last in a row, and a long prompt pushes them out of the sample.
    return is_span or names >= _BEGINNING or any(summary <= names for summary in _SUMMARIES)


def read_braintrust(path: Path, *, timezone: str | None = None) -> SourceRows:
    """The spans of a Braintrust export as rows of SPANS.

    Args:
        path: JSON, JSON Lines, CSV (each also as gzip or zstd) or Parquet.
        timezone: Not used: Braintrust writes the time since the epoch, and UTC.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    del timezone
    collector = RowCollector(FORMAT, str(path))
    found: list[Record] = []
    for record in _all_items(path, collector):
        reason = _reason_to_refuse(record.value)
        if reason is None:
            found.append(record)
        else:
            refuse_record(record, reason, collector)
    for row in merged_updates(found, collector, key="id", version="_xact_id", is_update=_is_update):
        if _is_true(row.value.get("_object_delete")):
            refuse_record(row, _DELETED, collector)
        else:
            accept_row(row, _checked_row, collector)
    return collector.finish()


def _all_items(path: Path, collector: RowCollector) -> Iterator[Record]:
    for record in iter_records(path, collector):
        yield from page_items(record, _LISTS, _OWN)


def _reason_to_refuse(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "not_object"
    if any(summary <= value.keys() for summary in _SUMMARIES) and "span_id" not in value:
        return "not_a_span: summary of an eval"
    if "span_id" not in value and "id" not in value:
        return "schema: no log row of Braintrust"
    return None


def _is_update(row: Mapping[str, Any]) -> bool:
    return _is_true(row.get("_is_merge"))


def _is_true(value: Any) -> bool:
    return value is True or value in ("true", "True")


def _checked_row(log_row: Mapping[str, Any]) -> dict[str, Any]:
    if "span_attributes" in log_row and not mapping(log_row["span_attributes"]):
        raise Refused(reason="type", detail="span_attributes is no object")
    return span_row(log_row)
