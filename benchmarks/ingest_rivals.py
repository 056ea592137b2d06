"""What a person would write instead of `load_traces`: the same columns, with none of its checks.

Each function takes a file of clean lines and gives the number of rows that it made. None of them knows
more than one dialect, folds repeated calls, inherits sessions, or tells what it could not read.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pandas as pd
import polars as pl
from ingest_rivals_langfuse import duckdb_langfuse, loop_langfuse

OTLP_COLUMNS = {
    "operation": ("gen_ai.operation.name", "stringValue"),
    "provider": ("gen_ai.provider.name", "stringValue"),
    "request_model": ("gen_ai.request.model", "stringValue"),
    "response_model": ("gen_ai.response.model", "stringValue"),
    "request_id": ("gen_ai.response.id", "stringValue"),
    "input_tokens": ("gen_ai.usage.input_tokens", "intValue"),
    "output_tokens": ("gen_ai.usage.output_tokens", "intValue"),
    "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens", "intValue"),
    "error_type": ("error.type", "stringValue"),
    "session_id": ("session.id", "stringValue"),
    "user_id": ("user.id", "stringValue"),
    "tenant": ("tenant.id", "stringValue"),
    "prompt_name": ("gen_ai.prompt.name", "stringValue"),
    "prompt_version": ("gen_ai.prompt.version", "stringValue"),
    "tool_name": ("gen_ai.tool.name", "stringValue"),
    "input": ("gen_ai.input.messages", "stringValue"),
    "output": ("gen_ai.output.messages", "stringValue"),
    "system_instructions": ("gen_ai.system_instructions", "stringValue"),
}
_OTLP_SQL = """
WITH groups AS (SELECT unnest(resourceSpans) AS found FROM read_json(
    '{path}', format = 'newline_delimited', maximum_object_size = 268435456,
    columns = {{resourceSpans: '{spans}'}})),
scopes AS (SELECT unnest(found.scopeSpans) AS scope FROM groups),
spans AS (SELECT unnest(scope.spans) AS span FROM scopes),
mapped AS (SELECT span, map(list_transform(span.attributes, lambda pair: pair.key),
    list_transform(span.attributes, lambda pair: pair.value)) AS held FROM spans)
SELECT span.traceId AS trace_id, span.spanId AS span_id, span.parentSpanId AS parent_span_id, span.name,
    make_timestamp(span.startTimeUnixNano // 1000) AS started_at,
    make_timestamp(span.endTimeUnixNano // 1000) AS ended_at,
    {columns}, to_json(span.attributes) AS attributes
FROM mapped
"""
_OTLP_TYPE = (
    "STRUCT(scopeSpans STRUCT(spans STRUCT(traceId VARCHAR, spanId VARCHAR, parentSpanId VARCHAR, "
    "name VARCHAR, startTimeUnixNano BIGINT, endTimeUnixNano BIGINT, attributes STRUCT(key VARCHAR, "
    "value STRUCT(stringValue VARCHAR, intValue BIGINT, doubleValue DOUBLE, boolValue BOOLEAN, "
    "arrayValue JSON))[])[])[])[]"
)
_PANDAS_LINES = 500


def read_bytes(path: Path) -> int:
    """The bare speed of the file."""
    with path.open("rb") as stream:
        return sum(1 for _ in iter(lambda: stream.read(1 << 20), b""))


def parse_lines(path: Path) -> int:
    """JSON to Python objects and no more: what nothing that makes objects of a line can pass."""
    return sum(1 for _ in _parsed(path))


def loop_otlp(path: Path) -> int:
    """The loop over lines and spans that anyone writes first."""
    rows = [_otlp_row(span) for value in _parsed(path) for span in _spans(value)]
    return pl.DataFrame(rows, infer_schema_length=None).height


def duckdb_otlp(path: Path) -> int:
    """DuckDB's own JSON reader, the attributes taken out of their lists in SQL."""
    columns = ", ".join(f"held['{key}'].{kind} AS {name}" for name, (key, kind) in OTLP_COLUMNS.items())
    return duckdb.sql(_OTLP_SQL.format(path=path, spans=_OTLP_TYPE, columns=columns)).pl().height


def pandas_otlp(path: Path) -> int:
    """Chunks of lines in pandas, as whole it would take tens of gigabytes."""
    return sum(
        len(pd.DataFrame([_otlp_row(span) for groups in chunk["resourceSpans"] for span in _grouped(groups)]))
        for chunk in pd.read_json(path, lines=True, chunksize=_PANDAS_LINES)
    )


def pandas_langfuse(path: Path) -> int:
    """Chunks of lines in pandas, put together."""
    chunks = pd.read_json(path, lines=True, chunksize=10_000, convert_dates=["startTime", "endTime"])
    return len(pd.concat(list(chunks)))


def _parsed(path: Path) -> Iterator[Any]:
    with path.open("rb") as stream:
        yield from map(orjson.loads, stream)


def _spans(value: Any) -> Iterator[Any]:
    return _grouped(value["resourceSpans"])


def _grouped(groups: Any) -> Iterator[Any]:
    return (span for group in groups for scope in group["scopeSpans"] for span in scope["spans"])


def _otlp_row(span: Any) -> dict[str, Any]:
    held = {pair["key"]: next(iter(pair["value"].values())) for pair in span["attributes"]}
    started_at, ended_at = (int(span[f"{end}TimeUnixNano"]) for end in ("start", "end"))
    row = {
        "trace_id": span["traceId"],
        "span_id": span["spanId"],
        "parent_span_id": span.get("parentSpanId"),
        "name": span["name"],
        "started_at": datetime.fromtimestamp(started_at / 1e9, UTC),
        "ended_at": datetime.fromtimestamp(ended_at / 1e9, UTC),
        "latency_ms": (ended_at - started_at) / 1e6,
    }
    for name, (key, kind) in OTLP_COLUMNS.items():
        value = held.pop(key, None)
        row[name] = int(value) if kind == "intValue" and value is not None else value
    return row | {"attributes": orjson.dumps(held).decode()}


RIVALS: dict[str, dict[str, Callable[[Path], int]]] = {
    "otlp": {
        "read bytes": read_bytes,
        "orjson.loads": parse_lines,
        "orjson loop": loop_otlp,
        "DuckDB": duckdb_otlp,
        "pandas": pandas_otlp,
    },
    "langfuse": {
        "read bytes": read_bytes,
        "orjson.loads": parse_lines,
        "orjson loop": loop_langfuse,
        "DuckDB": duckdb_langfuse,
        "pandas": pandas_langfuse,
    },
}
"""Format -> name of a rival -> the rival."""
