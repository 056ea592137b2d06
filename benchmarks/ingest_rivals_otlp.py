"""OTLP/JSON by hand: the rows that `load_traces` makes of this one dialect, and nothing else.

Both know the attributes that the benchmark writes, and no other. They check nothing, and neither folds
repeated calls nor removes duplicates. A session stands on the root of a trace, so that the loop hands it
on to the other spans, wherever in the file they stand.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pandas as pd
import polars as pl
from polars.testing import assert_frame_equal

from llmops_lib.schema import SPANS

_NOT_BUILT = ("reported_cost_usd", "tags", "source_format", "source_file")
BUILT = tuple(name for name in SPANS.names if name not in _NOT_BUILT)
"""Columns that the loop builds; all others are null or constant in the file."""

_TEXTS = {
    "provider": "gen_ai.provider.name",
    "request_model": "gen_ai.request.model",
    "response_model": "gen_ai.response.model",
    "request_id": "gen_ai.response.id",
    "session_id": "session.id",
    "user_id": "user.id",
    "tenant": "tenant.id",
    "feature": "app.feature",
    "prompt_name": "gen_ai.prompt.name",
    "prompt_version": "gen_ai.prompt.version",
    "prompt_hash": "gen_ai.prompt.hash",
    "tool_name": "gen_ai.tool.name",
    "tool_call_id": "gen_ai.tool.call.id",
    "output": "gen_ai.output.messages",
    "system_instructions": "gen_ai.system_instructions",
}
_COUNTS = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "http_status": "http.response.status_code",
}
_OWN = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "operation",
    "started_ns",
    "ended_ns",
    "is_streaming",
    "time_to_first_token_ms",
    "is_error",
    "error_type",
    "error_message",
    "finish_reason",
    "input",
    "tool_calls",
    "feedback_score",
    "hint",
    "environment",
    "service",
    "release",
    "attributes",
    "source_line",
)
_SCHEMA = {name: SPANS.polars_schema.get(name, pl.String()) for name in (*_OWN, *_TEXTS, *_COUNTS)}
_SCHEMA |= {"started_ns": pl.Int64(), "ended_ns": pl.Int64()}
_OPERATIONS = {"invoke_workflow": "chain"}
_CALLS = ("chat", "embeddings")
_KINDS = {1: "internal", 2: "server", 3: "client"}
_RESOURCE = ("deployment.environment.name", "service.name", "service.version")
_INHERITED = ("session_id", "user_id", "tenant", "feature")


def loop_otlp(path: Path) -> int:
    """A loop over lines and spans that makes a tuple of each, which is faster than a dictionary."""
    return loop_frame(path).height


def loop_frame(path: Path) -> pl.DataFrame:
    """The columns of `BUILT`, in the order of `load_traces`."""
    rows: list[tuple[Any, ...]] = []
    loads = orjson.loads
    with path.open("rb") as stream:
        for line, raw in enumerate(stream, start=1):
            for group in loads(raw)["resourceSpans"]:
                rows.extend(_group_rows(group, line))
    columns = dict(zip(_SCHEMA, zip(*rows, strict=True), strict=True))
    return _finished(pl.DataFrame(columns, schema=_SCHEMA))


def plain_otlp(path: Path) -> int:
    """The same loop as it is first written: the standard library's parser, a dictionary per row, pandas."""
    rows: list[dict[str, Any]] = []
    with path.open("rb") as stream:
        for line, raw in enumerate(stream, start=1):
            for group in json.loads(raw)["resourceSpans"]:
                rows.extend(dict(zip(_SCHEMA, row, strict=True)) for row in _group_rows(group, line))
    return len(pd.DataFrame(rows))


def _group_rows(group: Any, line: int) -> Iterator[tuple[Any, ...]]:
    resource = _held(group["resource"]["attributes"])
    origin = (*(resource.pop(name, None) for name in _RESOURCE),)
    for scoped in group["scopeSpans"]:
        added: dict[str, Any] = {"otel.resource": resource} if resource else {}
        scope = {f"otel.scope.{name}": value for name, value in scoped["scope"].items()}
        for span in scoped["spans"]:
            yield _row(span, origin, added, scope, line)


def _held(attributes: Any) -> dict[str, Any]:
    return {pair["key"]: value for pair in attributes for value in pair["value"].values()}


def _row(
    span: Any, origin: tuple[Any, ...], added: dict[str, Any], scope: dict[str, Any], line: int
) -> tuple[Any, ...]:
    held = _held(span["attributes"])
    take = held.pop
    texts = [take(name, None) for name in _TEXTS.values()]
    counts = [None if (value := take(name, None)) is None else int(value) for name in _COUNTS.values()]
    written, wait = held["gen_ai.operation.name"], held.get("gen_ai.response.time_to_first_chunk")
    operation, status, output = _OPERATIONS.get(written, written), span["status"], texts[13]
    is_error = status.get("code") == 2 or "error.type" in held
    reasons = take("gen_ai.response.finish_reasons", None)
    given, asked = take("gen_ai.input.messages", None), take("gen_ai.tool.call.arguments", None)
    is_streaming = take("gen_ai.request.stream", None)
    events = [_event(event) for event in span.get("events", ())]
    attributes = {**held, **added, **({"otel.events": events} if events else {}), **scope}
    attributes["otel.kind"] = _KINDS[span["kind"]]
    return (
        span["traceId"],
        span["spanId"],
        span["parentSpanId"] or None,
        span["name"],
        operation,
        int(span["startTimeUnixNano"]),
        int(span["endTimeUnixNano"]),
        is_streaming,
        None if wait is None else wait * 1_000.0,
        is_error,
        held.get("error.type"),
        status.get("message") if is_error else None,
        reasons["values"][0]["stringValue"] if reasons else None,
        given or asked,
        _tool_calls(output) if output and '"tool_call"' in output else None,
        _feedback(events),
        held.get("gen_ai.agent.name"),
        *origin,
        orjson.dumps(attributes).decode(),
        line,
        *texts,
        *counts,
    )


def _event(event: Any) -> dict[str, Any]:
    return {
        "name": event["name"],
        "time": int(event["timeUnixNano"]),
        "attributes": _held(event["attributes"]),
    }


def _feedback(events: list[dict[str, Any]]) -> float | None:
    scores = [event["attributes"].get("gen_ai.evaluation.score.value") for event in events]
    return scores[-1] if scores else None


def _tool_calls(output: str) -> str | None:
    calls = [
        {name: part[name] for name in ("id", "name", "arguments")}
        for message in orjson.loads(output)
        for part in message["parts"]
        if part["type"] == "tool_call"
    ]
    return orjson.dumps(calls).decode() if calls else None


def _finished(frame: pl.DataFrame) -> pl.DataFrame:
    frame = frame.with_columns(
        (pl.col(f"{end}_ns") // 1_000).cast(SPANS.polars_schema[f"{end}_at"]).alias(f"{end}_at")
        for end in ("started", "ended")
    )
    roots = frame.filter(pl.col("parent_span_id").is_null()).select("trace_id", *_INHERITED, "hint")
    handed = frame.select("trace_id").join(roots, on="trace_id", how="left", maintain_order="left")
    frame = frame.with_columns(
        pl.coalesce(name, pl.lit(handed[name])).alias(name) for name in (*_INHERITED, "hint")
    )
    frame = frame.with_columns(
        pl.coalesce("feature", "hint").alias("feature"),
        pl.coalesce("response_model", "request_model").alias("model"),
        pl.col("operation").is_in(_CALLS).alias("is_model_call"),
        latency_ms=(pl.col("ended_at") - pl.col("started_at")).dt.total_microseconds() / 1_000,
    )
    return frame.sort("started_at", "trace_id", "span_id").select(BUILT)


_QUERY = """
WITH groups AS (SELECT unnest(resourceSpans) AS found FROM read_json(
    '{path}', format = 'newline_delimited', maximum_object_size = 268435456,
    columns = {{resourceSpans: '{spans}'}})),
scopes AS (SELECT unnest(found.scopeSpans) AS scope FROM groups),
spans AS (SELECT unnest(scope.spans) AS span FROM scopes),
mapped AS (SELECT span, map(list_transform(span.attributes, lambda pair: pair.key),
    list_transform(span.attributes, lambda pair: pair.value)) AS held FROM spans)
SELECT span.traceId AS trace_id, span.spanId AS span_id, nullif(span.parentSpanId, '') AS parent_span_id,
    span.name, make_timestamp(span.startTimeUnixNano // 1000) AS started_at,
    make_timestamp(span.endTimeUnixNano // 1000) AS ended_at,
    {columns}, to_json(span.attributes) AS attributes
FROM mapped ORDER BY started_at, trace_id, span_id
"""
_TYPE = (
    "STRUCT(scopeSpans STRUCT(spans STRUCT(traceId VARCHAR, spanId VARCHAR, parentSpanId VARCHAR, "
    "name VARCHAR, startTimeUnixNano BIGINT, endTimeUnixNano BIGINT, attributes STRUCT(key VARCHAR, "
    "value STRUCT(stringValue VARCHAR, intValue BIGINT, doubleValue DOUBLE, boolValue BOOLEAN, "
    "arrayValue JSON))[])[])[])[]"
)
_FLAT = {name: key for name, key in _TEXTS.items() if name not in _INHERITED}


def duckdb_otlp(path: Path) -> int:
    """DuckDB's own JSON reader, the attributes taken out of their lists in SQL."""
    return _queried(path).height


def _queried(path: Path) -> pl.DataFrame:
    kinds = dict.fromkeys(_TEXTS, "stringValue") | dict.fromkeys(_COUNTS, "intValue")
    named = {**_TEXTS, **_COUNTS}
    columns = ", ".join(f"held['{named[name]}'].{kind} AS {name}" for name, kind in kinds.items())
    return duckdb.sql(_QUERY.format(path=path, spans=_TYPE, columns=columns)).pl()


def check_otlp_rows(path: Path, spans: pl.DataFrame) -> None:
    """Raises AssertionError unless the loop builds the rows of `load_traces`.

    The query only flattens: it is compared in the columns that it takes out of the attributes, and not in
    those that an attribute does not state by itself.

    Args:
        path: The file.
        spans: What `load_traces` makes of it.
    """
    assert_frame_equal(loop_frame(path), spans.select(BUILT), rel_tol=1e-12)
    queried = _queried(path).with_columns(pl.col("started_at", "ended_at").dt.replace_time_zone("UTC"))
    names = ["trace_id", "span_id", "parent_span_id", "name", "started_at", "ended_at", *_FLAT, *_COUNTS]
    assert_frame_equal(queried.select(names), spans.select(names), check_dtypes=False)
