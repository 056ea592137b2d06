"""The tool calls that spans tell of: those that models asked for, and those that ran unasked."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import narwhals as nw
import orjson
import polars as pl

from llmops_lib.calls.rows import known_rows
from llmops_lib.frames import collected
from llmops_lib.schema import UTC_DATETIME

SCHEMA_HASH_ATTRIBUTE = "llmops.tool_schema_hash"
"""Attribute of a span that executes a tool: hash of the definition that was in force."""

_SPAN = ("trace_id", "span_id", "started_at")
_Call: TypeAlias = tuple[str | None, str | None, str | None, bool]
_NO_LIST: _Call = (None, None, None, False)
_LISTED = {
    "tool_calls": pl.String,
    "tool_name": pl.String,
    "tool_call_id": pl.String,
    "arguments": pl.String,
    "is_list": pl.Boolean,
}


def tool_calls(spans: Any, by: Sequence[str]) -> pl.DataFrame:
    """One row per tool call: asked for by a model, or executed where no model is known to have asked.

    Args:
        spans: SPANS, on any engine.
        by: Further columns to keep.

    Returns:
        `trace_id`, `span_id`, `started_at`, `by`, `tool_name`, `tool_call_id`, `arguments` (JSON; null where
        the export has none), `stated_hash`, `is_list` (false where the list of calls is no JSON list).
    """
    asked = _asked(spans, by)
    executed = _executed(spans, by)
    # One call stands in two spans: where the model asks for it, and where it runs.
    by_id = executed.join(asked, on=["trace_id", "tool_call_id"], how="anti")
    is_nameless = pl.col("tool_call_id").is_null()
    nameless = asked.filter(is_nameless).select("trace_id", "tool_name")
    same_tool = asked.select("trace_id", "tool_name")
    alone = pl.concat(
        [
            by_id.filter(~is_nameless).join(nameless, on=["trace_id", "tool_name"], how="anti"),
            by_id.filter(is_nameless).join(same_tool, on=["trace_id", "tool_name"], how="anti"),
        ]
    )
    # DuckDB gives its own name for UTC, pandas its own unit.
    every = pl.concat([asked, alone], how="diagonal").with_columns(pl.col("started_at").cast(UTC_DATETIME))
    return every.sort("started_at", "trace_id", "span_id", maintain_order=True)


def _asked(spans: Any, by: Sequence[str]) -> pl.DataFrame:
    frame = known_rows(spans, [*_SPAN, *by, "is_model_call", "tool_calls"])
    with_calls = frame.filter(nw.col("is_model_call") & ~nw.col("tool_calls").is_null()).drop("is_model_call")
    rows = collected(with_calls.to_native())
    # Arguments are JSON of any shape, which no column type holds: a loop, once over each distinct text.
    texts = rows["tool_calls"].unique().to_list()
    listed = [(text, *call) for text in texts for call in _listed(text)]
    calls = pl.DataFrame(listed, schema=_LISTED, orient="row")
    found = rows.join(calls, on="tool_calls", how="inner", maintain_order="left_right")
    return found.with_columns(pl.lit(None, pl.String).alias("stated_hash")).select(
        *_SPAN, *by, "tool_name", "tool_call_id", "arguments", "stated_hash", "is_list"
    )


def _executed(spans: Any, by: Sequence[str]) -> pl.DataFrame:
    columns = [*_SPAN, *by, "operation", "tool_name", "tool_call_id", "input", "attributes"]
    frame = known_rows(spans, columns)
    rows = collected(frame.filter(nw.col("operation") == "execute_tool").to_native())
    quoted = SCHEMA_HASH_ATTRIBUTE.replace(".", r"\.")
    stated = pl.col("attributes").str.extract(rf'"{quoted}"\s*:\s*"([0-9a-f]{{64}})"')
    return rows.select(
        *_SPAN,
        *by,
        "tool_name",
        "tool_call_id",
        pl.col("input").alias("arguments"),
        stated.alias("stated_hash"),
        pl.lit(True).alias("is_list"),
    )


def _listed(text: str) -> list[_Call]:
    try:
        calls = orjson.loads(text)
    except orjson.JSONDecodeError:
        calls = None
    return [_call(call) for call in calls] if isinstance(calls, list) else [_NO_LIST]


def _call(call: Any) -> _Call:
    if not isinstance(call, dict):
        return (None, None, None, True)
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    name, call_id, arguments = inner.get("name"), call.get("id"), inner.get("arguments")
    if arguments is not None and not isinstance(arguments, str):
        arguments = orjson.dumps(arguments).decode()
    return (
        name if isinstance(name, str) else None,
        call_id if isinstance(call_id, str) else None,
        arguments,
        True,
    )
