"""Langfuse: trace downloads, table and blob exports, API pages, and the batches of SDK 2.

Every object of a file is one row. Observations become spans. A trace is no span: its session, user,
tags and release are brought to its observations. Where the same file holds some, that is done here and
the trace goes to the quarantine as `not_a_span`, as scores do; a trace exported apart from its
observations is handed on, to be joined to them when both are loaded.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmops_lib.sources.announced import is_manifest, manifest_files
from llmops_lib.sources.langfuse_fields import fields, from_table
from llmops_lib.sources.langfuse_ingestion import is_batch, is_event, merged_events
from llmops_lib.sources.langfuse_lines import FEWEST, Observed, OrdinaryLines
from llmops_lib.sources.langfuse_rows import OPERATION_BY_TYPE, observation_row
from llmops_lib.sources.langfuse_traces import trace_columns, with_traces
from llmops_lib.sources.records import Record, iter_records, with_pages_noted
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector, SourceRows
from llmops_lib.sources.sample import Sample, first_object, take_sample

FORMAT = "langfuse"
"""Value of `source_format`."""

LOOKED_FOR = (
    "Langfuse: keys trace and observations, a batch of events, or rows with traceId (trace_id) and "
    "parentObservationId (parent_observation_id); traces, scores and manifests are recognised too"
)
"""What tells this format, for the error that no format was found."""

_MARKS = (
    {"trace_id", "parent_observation_id"},
    {"trace_id", "value", "data_type", "source"},
    {"trace_id", "string_value", "data_type", "source"},
    {"timestamp", "bookmarked"},
    {"timestamp", "public"},
    {"timestamp", "html_path"},
)
# A table with few of the columns; other sources that write camelCase have no id beside that of the trace.
_CAMEL_CASE = {"id", "traceId", "type", "startTime"}
_MANIFEST = "not_a_span: langfuse manifest"
_NOT_SPANS = ("trace", "score", "log")


def matches(sample: Sample) -> bool:
    """Whether a file is a Langfuse export.

    Args:
        sample: The beginning of the file.
    """
    row = first_object(sample.first)
    if isinstance(row.get("data"), list):
        row = first_object(row["data"])
    names = fields(dict.fromkeys(row or sample.columns, True)).keys()
    is_row = any(mark <= names for mark in _MARKS) or _is_typed(row)
    is_row = is_row or set(row or sample.columns) >= _CAMEL_CASE
    return is_row or is_batch(row) or is_event(row) or _is_trace_download(row) or is_manifest(row)


def _is_typed(row: Mapping[str, Any]) -> bool:
    named = fields(row)
    return {"id", "trace_id", "start_time"} <= named.keys() and str(named.get("type")) in OPERATION_BY_TYPE


def _is_trace_download(row: Mapping[str, Any]) -> bool:
    trace = row.get("trace")
    if isinstance(trace, dict):
        return "observations" in row or "timestamp" in trace
    observation = first_object(row.get("observations"))
    return "startTime" in observation and str(observation.get("type")) in OPERATION_BY_TYPE


def read_langfuse(
    path: Path, *, timezone: str | None = None, fewest_alike: int | None = FEWEST
) -> SourceRows:
    """The observations of a Langfuse export as rows of SPANS.

    Args:
        path: JSON, JSON Lines, CSV (each also as gzip or zstd) or Parquet.
        timezone: Not used: Langfuse writes UTC, also where its times name no zone.
        fewest_alike: How many observations of one shape become columns together; None reads every line
            alone, which gives the same rows.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    del timezone
    collector = RowCollector(FORMAT, str(path))
    not_spans: dict[str, list[Record]] = {kind: [] for kind in _NOT_SPANS}
    observed = Observed()
    alone: set[str] = set()
    records: Iterable[Record]
    shape = take_sample(path).kind
    if fewest_alike is None or shape != "lines":
        records = iter_records(path, collector)
        if shape == "csv":
            records = (replace(record, value=from_table(record.value)) for record in records)
    else:
        lines = OrdinaryLines(path, collector, observed, fewest=fewest_alike).others()
        records = with_pages_noted(lines, collector)
    for kind, record in _all_items(records, collector):
        if kind in _NOT_SPANS:
            not_spans[kind].append(record)
        elif kind == _MANIFEST:
            for said in manifest_files(record.value):
                collector.announce(said)
            collector.refuse(kind, **_place(record))
        elif kind != "observation":
            collector.refuse(kind, **_place(record))
        else:
            alone.add(str(record.value.get("trace_id")))
            _accept(record, collector)
    known = alone | observed.among([str(record.value.get("id")) for record in not_spans["trace"]])
    for kind, records in not_spans.items():
        for record in records:
            _set_aside(kind, record, collector, known)
    traces, scores = ([record.value for record in not_spans[kind]] for kind in ("trace", "score"))
    return with_traces(collector.finish(), traces, scores)


def _place(record: Record) -> dict[str, Any]:
    return {"line": record.line, "offset": record.offset, "raw": record.raw}


def _accept(record: Record, collector: RowCollector) -> None:
    try:
        row = observation_row(record.value)
    except Refused as refused:
        collector.refuse(str(refused), **_place(record))
    else:
        collector.accept(row, **_place(record))


def _set_aside(kind: str, record: Record, collector: RowCollector, observed: set[str]) -> None:
    trace_id = record.value.get("id")
    if kind == "trace" and isinstance(trace_id, str) and trace_id not in observed:
        collector.add_message(trace_columns(record.value), line=record.line, raw=record.raw)
    else:
        collector.refuse(f"not_a_span: langfuse {kind}", **_place(record))


def _all_items(records: Iterable[Record], collector: RowCollector) -> Iterator[tuple[str, Record]]:
    """What a record is, or the reason to refuse it, and the record with its fields in snake_case."""
    events: list[Record] = []
    for record in records:
        for kind, item in _items(record):
            if kind == "event":
                events.append(item)
            else:
                yield kind, item
    yield from merged_events(events, collector)


def _items(record: Record) -> Iterator[tuple[str, Record]]:
    value = record.value
    if not isinstance(value, dict):
        yield "not_object", record
    elif is_manifest(value):
        yield _MANIFEST, record
    elif isinstance(value.get("batch"), list):
        for item in record.items(value["batch"]):
            yield ("event" if is_event(item.value) else "schema: no event of a batch"), item
    elif is_event(value):
        yield "event", record
    elif isinstance(value.get("trace"), dict):
        yield from _trace_items(record, value["trace"], value.get("observations"))
    elif _objects(value.get("observations")):
        yield from _trace_items(record, value, value["observations"])
    elif isinstance(value.get("data"), list) and "id" not in value:
        for item in record.items(value["data"]):
            yield from _items(item)
    else:
        named = fields(value)
        yield _kind(named), replace(record, value=named)


def _trace_items(record: Record, trace: dict[str, Any], observations: Any) -> Iterator[tuple[str, Record]]:
    # A download repeats the observations inside its trace.
    listed = (held for held in (observations, trace.get("observations")) if isinstance(held, list) and held)
    alone = {name: value for name, value in trace.items() if name not in ("observations", "scores")}
    yield "trace", replace(record.part(alone), value=fields(alone))
    yield from _parts(record, "observation", next(listed, ()), trace)
    yield from _parts(record, "score", trace.get("scores"), trace)


def _parts(record: Record, kind: str, values: Any, trace: Mapping[str, Any]) -> Iterator[tuple[str, Record]]:
    for item in record.items(values if isinstance(values, list) else []):
        if isinstance(item.value, dict):
            yield kind, replace(item, value={"trace_id": trace.get("id"), **fields(item.value)})
        else:
            yield "not_object", item


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _kind(named: Mapping[str, Any]) -> str:
    if str(named.get("type")).upper() in OPERATION_BY_TYPE:
        return "observation"
    if "data_type" in named or "value" in named or "string_value" in named:
        return "score"
    if "start_time" in named:
        return "observation"
    if "timestamp" in named and "trace_id" not in named:
        return "trace"
    return "schema: neither an observation nor a trace nor a score"
