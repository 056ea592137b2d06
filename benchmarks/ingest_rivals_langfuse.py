"""Langfuse observations by hand: the rows that `load_traces` makes of this one dialect, and nothing else.

Both know the fields of the interface's export as the benchmark writes it, and no other. They check nothing,
and neither folds repeated calls, inherits sessions nor removes duplicates.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pandas as pd
import polars as pl
from polars.testing import assert_frame_equal

from llmops_lib.schema import UTC_DATETIME

BUILT = {
    "trace_id": pl.String,
    "span_id": pl.String,
    "parent_span_id": pl.String,
    "name": pl.String,
    "operation": pl.String,
    "is_model_call": pl.Boolean,
    "started_at": UTC_DATETIME,
    "ended_at": UTC_DATETIME,
    "latency_ms": pl.Float64,
    "request_model": pl.String,
    "model": pl.String,
    "input_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "reported_cost_usd": pl.Float64,
    "is_error": pl.Boolean,
    "environment": pl.String,
    "tenant": pl.String,
    "input": pl.String,
    "output": pl.String,
    "attributes": pl.String,
    "source_line": pl.Int64,
}
"""Columns that the loop and the query build; all others are null or constant in the file."""

_OPERATIONS = {"GENERATION": "chat", "EMBEDDING": "embeddings", "TOOL": "execute_tool", "SPAN": "other"}
_CALLS = ("chat", "embeddings")
_QUERY = """
WITH read AS (SELECT * FROM read_json('{path}', format = 'newline_delimited', columns = {{
    id: 'VARCHAR', traceId: 'VARCHAR', parentObservationId: 'VARCHAR', type: 'VARCHAR', name: 'VARCHAR',
    startTime: 'TIMESTAMP', endTime: 'TIMESTAMP', model: 'VARCHAR', level: 'VARCHAR', environment: 'VARCHAR',
    input: 'JSON', output: 'JSON', metadata: 'JSON', usageDetails: 'JSON', costDetails: 'JSON'}}))
SELECT traceId AS trace_id, id AS span_id, parentObservationId AS parent_span_id, name,
    CASE type WHEN 'GENERATION' THEN 'chat' WHEN 'EMBEDDING' THEN 'embeddings' WHEN 'TOOL' THEN 'execute_tool'
        ELSE 'other' END AS operation,
    operation IN ('chat', 'embeddings') AS is_model_call,
    startTime AS started_at, endTime AS ended_at, date_diff('us', startTime, endTime) / 1000 AS latency_ms,
    model AS request_model, model,
    CASE WHEN is_model_call THEN (usageDetails->>'$.input')::BIGINT END AS input_tokens,
    CASE WHEN is_model_call THEN (usageDetails->>'$.output')::BIGINT END AS output_tokens,
    CASE WHEN is_model_call THEN (costDetails->>'$.total')::DOUBLE END AS reported_cost_usd,
    level IS NOT DISTINCT FROM 'ERROR' AS is_error, environment, metadata->>'$.tenant' AS tenant,
    CASE WHEN json_exists(input, '$[0].role') THEN to_json(list_transform(
        from_json(input, '[{{"role": "VARCHAR", "content": "VARCHAR"}}]'), lambda message:
        {{role: message.role, parts: [{{type: 'text', content: message.content}}]}})) ELSE input END AS input,
    CASE WHEN json_exists(output, '$.role') THEN to_json([{{role: output->>'$.role',
        parts: [{{type: 'text', content: output->>'$.content'}}]}}]) ELSE output END AS output,
    json_merge_patch('{{}}',
        json_object('metadata.attempt', metadata->'$.attempt'),
        json_object('langfuse.type', type),
        json_object('langfuse.usage_details', usageDetails),
        json_object('langfuse.cost_details', costDetails),
        json_object('gen_ai.usage.total_tokens', CASE WHEN is_model_call THEN usageDetails->'$.total' END)
        ) AS attributes
FROM read ORDER BY started_at, trace_id, span_id
"""


def loop_langfuse(path: Path) -> int:
    """A loop over lines that makes a tuple of each, which is faster than a dictionary."""
    return loop_frame(path).height


def duckdb_langfuse(path: Path) -> int:
    """DuckDB's own JSON reader with the types of the columns given, and the rest in SQL."""
    return duckdb.sql(_QUERY.format(path=path)).pl().height


def loop_frame(path: Path) -> pl.DataFrame:
    """The columns of `BUILT`, in the order of `load_traces`."""
    rows: list[tuple[Any, ...]] = []
    loads, take, parse = orjson.loads, rows.append, datetime.fromisoformat
    with path.open("rb") as stream:
        for line, raw in enumerate(stream, start=1):
            take(_row(loads(raw), line, parse))
    columns = dict(zip(BUILT, zip(*rows, strict=True), strict=True))
    frame = pl.DataFrame(columns, schema_overrides=BUILT)
    return frame.sort("started_at", "trace_id", "span_id")


def plain_langfuse(path: Path) -> int:
    """The same loop as it is first written: the standard library's parser, a dictionary per row, pandas."""
    with path.open("rb") as stream:
        lines = enumerate(stream, start=1)
        parsed = (_row(json.loads(raw), line, datetime.fromisoformat) for line, raw in lines)
        return len(pd.DataFrame([dict(zip(BUILT, row, strict=True)) for row in parsed]))


def _row(found: dict[str, Any], line: int, parse: Any) -> tuple[Any, ...]:
    get, dumps = found.get, orjson.dumps
    started_at, ended_at = parse(found["startTime"]), parse(found["endTime"])
    kind, usage, costs, metadata = found["type"], get("usageDetails"), get("costDetails"), get("metadata")
    attributes = {f"metadata.{name}": value for name, value in (metadata or {}).items() if name != "tenant"}
    attributes["langfuse.type"] = kind
    if usage:
        attributes["langfuse.usage_details"] = usage
    if costs:
        attributes["langfuse.cost_details"] = costs
    operation = _OPERATIONS.get(kind, "other")
    is_call = operation in _CALLS
    counts, model = (usage or {}) if is_call else {}, get("model")
    if "total" in counts:
        attributes["gen_ai.usage.total_tokens"] = counts["total"]
    return (
        found["traceId"],
        found["id"],
        get("parentObservationId"),
        found["name"],
        operation,
        is_call,
        started_at,
        ended_at,
        (ended_at - started_at).total_seconds() * 1_000,
        model,
        model,
        counts.get("input"),
        counts.get("output"),
        (costs or {}).get("total") if is_call else None,
        get("level") == "ERROR",
        get("environment"),
        (metadata or {}).get("tenant"),
        dumps(_messages(get("input"))).decode(),
        dumps(_messages(get("output"))).decode(),
        dumps(attributes).decode(),
        line,
    )


def _messages(value: Any) -> Any:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) and "role" in item and "content" in item for item in listed):
        return value
    return [
        {"role": item["role"], "parts": [{"type": "text", "content": item["content"]}]} for item in listed
    ]


def check_langfuse_rows(path: Path, spans: pl.DataFrame) -> None:
    """Raises AssertionError unless loop and query build the rows of `load_traces`.

    A JSON reader of SQL does not count lines, so that column is compared for the loop alone.

    Args:
        path: The file.
        spans: What `load_traces` makes of it.
    """
    wanted = spans.select(list(BUILT))
    assert_frame_equal(loop_frame(path), wanted, rel_tol=1e-12)
    queried = duckdb.sql(_QUERY.format(path=path)).pl()
    queried = queried.with_columns(pl.col("started_at", "ended_at").dt.replace_time_zone("UTC"))
    names = [name for name in BUILT if name != "source_line"]
    assert_frame_equal(queried.select(names), wanted.select(names), rel_tol=1e-12)
