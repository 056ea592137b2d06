"""MLflow traces: `Trace.to_json`, artifact files, and `search_traces` saved as CSV or Parquet.

A trace is an envelope: every span in it is one row. Its totals of tokens and cost repeat those of its
spans and stay in the attributes of the root. Its session, user and tags are brought to every span. A trace
that was exported without its spans tells nothing of its calls and goes to the quarantine.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from llmops_lib.sources.announced import Announced
from llmops_lib.sources.mlflow_cells import cell_value, mapping, objects
from llmops_lib.sources.mlflow_spans import span_row
from llmops_lib.sources.mlflow_traces import as_trace, is_trace, span_count, trace_info, with_trace
from llmops_lib.sources.record_rows import accept_row, refuse_record
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample

FORMAT = "mlflow"
"""Value of `source_format`."""

LOOKED_FOR = (
    "MLflow: keys info or trace_info (with trace_id or request_id) and data, an artifact with spans, or a "
    "table of search_traces with the columns trace_id (request_id), spans and trace_metadata "
    "(request_metadata)"
)
"""What tells this format, for the error that no format was found."""

_TABLES = (
    {"trace_id", "trace_metadata", "state"},
    {"trace_id", "spans", "request_time"},
    {"request_id", "spans", "timestamp_ms"},
    {"request_id", "request_metadata", "timestamp_ms"},
)


def matches(sample: Sample) -> bool:
    """Whether a file is an MLflow export.

    Args:
        sample: The beginning of the file.
    """
    rows = sample.first if isinstance(sample.first, list) else [sample.first]
    row = next((row for row in rows if isinstance(row, dict)), {})
    if isinstance(row.get("traces"), list):
        row = next((trace for trace in row["traces"] if isinstance(trace, dict)), {})
    row = as_trace(row)
    if isinstance(row.get("info"), dict):
        return not row["info"].keys().isdisjoint(("trace_id", "request_id"))
    data = row["data"] if isinstance(row.get("data"), dict) else row
    spans = data.get("spans")
    if isinstance(spans, list) and data.keys() <= {"spans", "request", "response"}:
        return any(isinstance(span, dict) and _is_span(span) for span in spans)
    names = row.keys() or set(sample.columns)
    return _is_span(row) or any(table <= names for table in _TABLES)


def _is_span(value: Mapping[str, Any]) -> bool:
    attributes = value.get("attributes")
    return (
        isinstance(attributes, dict)
        and ("start_time_unix_nano" in value or "context" in value)
        and any(name.startswith("mlflow.") for name in attributes)
    )


def read_mlflow(path: Path, *, timezone: str | None = None) -> SourceRows:
    """The spans of an MLflow export as rows of SPANS.

    Args:
        path: JSON, JSON Lines, CSV (each also as gzip or zstd) or Parquet.
        timezone: Not used: MLflow writes the time since the epoch.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    del timezone
    collector = RowCollector(FORMAT, str(path))
    for record in iter_records(path, collector):
        for trace in _traces(record):
            try:
                rows = _rows(trace.value)
            except Refused as refused:
                refuse_record(trace, str(refused), collector)
                continue
            stated = span_count(rows[0][1])
            if stated is not None:
                collector.announce(Announced("traces", None, stated, len(rows)))
            for span, read in rows:
                accept_row(trace.part(span), partial(_row, info=read), collector)
    return collector.finish()


def _traces(record: Record) -> Iterator[Record]:
    is_page = isinstance(record.value, dict) and isinstance(record.value.get("traces"), list)
    yield from record.items(record.value["traces"]) if is_page else (record,)


def _rows(value: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each span of a trace, and what the trace says of it."""
    if not isinstance(value, dict):
        raise Refused(reason="not_object")
    if _is_span(value):
        return [(value, {})]
    value = trace = as_trace(value)
    if not is_trace(value) and isinstance(cell_value(value.get("trace")), dict):
        trace = mapping(value["trace"])
    spans = objects(mapping(trace.get("data")).get("spans")) or objects(trace.get("spans"))
    spans = spans or objects(mapping(mapping(value.get("trace")).get("data")).get("spans"))
    if not spans:
        raise Refused(reason="schema", detail="a trace without its spans; export it with them")
    info = trace_info(trace)
    return [(span, info) for span in spans]


def _row(span: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    return with_trace(span_row(span, info.get("trace_id")), info)
