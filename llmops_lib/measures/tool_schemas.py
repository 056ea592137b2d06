"""Whether the tool calls of production fit the schemas that were in force."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl

from llmops_lib.calls import portable
from llmops_lib.calls.tool_calls import tool_calls
from llmops_lib.errors import SchemaError
from llmops_lib.frames import by_columns
from llmops_lib.json_schemas import check_schema, misfits
from llmops_lib.schema import TOOL_VERSIONS, conform

INVALID = ("unknown_tool", "invalid_json", "schema_mismatch")
"""Reasons for which a call is not valid: a tool that no version has, arguments that are no JSON, a misfit."""

UNKNOWN = ("not_recorded", "no_schema_in_force", "unknown_schema")
"""Reasons for which nobody can tell: no arguments in the export, a time before the first version or after
the tool was removed, a stated hash that no version has."""

_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
_VERDICT = {"reason": pl.String, "detail": pl.String}


@portable
def checked_tool_calls(
    spans: Any,
    tools: pl.DataFrame,
    by: str | Sequence[str] = (),
    *,
    prompts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every tool call with the schema that was in force, and whether its arguments fit.

    A call counts once: where a model asked for it; the span that executed it counts only where no model is
    known to have asked. Schemas are found by the hash that an executing span states in its attribute
    `llmops.tool_schema_hash`, else by the prompt that the span carries, where `prompts` knows its hash and
    its tools, else by time: the last version at the start of the span.

    Args:
        spans: SPANS, on any engine; uses `trace_id`, `span_id`, `started_at`, `operation`, `is_model_call`,
            `tool_calls`, `tool_name`, `tool_call_id`, `input`, `attributes`. The tool calls among them are
            brought to this machine, since no engine holds values to a JSON Schema.
        tools: TOOL_VERSIONS, such as `tool_versions` gives.
        by: Further columns of the spans to keep.
        prompts: PROMPT_VERSIONS, such as `prompt_versions` gives; with them, uses `prompt_hash` too.

    Returns:
        One row per call, by start: `trace_id`, `span_id`, `started_at`, `by`, `tool_name`, `tool_call_id`,
        `arguments` (JSON as recorded), `schema_hash` (null where none was found), `is_valid` (null where
        nobody can tell), `reason` (of `INVALID` or `UNKNOWN`; null where valid), `detail` (what does not
        fit, without the values that do not).

    Raises:
        MissingColumnError: If a column is missing.
        SchemaError: If `tools` is not as declared, or holds what is no JSON Schema.
    """
    keys = by_columns(by)
    versions = _checked_versions(tools)
    used = keys if prompts is None else list(dict.fromkeys([*keys, "prompt_hash"]))
    found = tool_calls(spans, used)
    calls = _with_schema(found if prompts is None else _with_prompt(found, prompts), versions)
    is_known_tool = pl.col("tool_name").is_in(versions["tool_name"].unique().to_list())
    judged = _with_verdict(calls.with_columns(is_known_tool.fill_null(False).alias("is_known_tool")))
    is_unknown = pl.col("reason").is_in(UNKNOWN)
    return judged.with_columns(
        pl.when(~is_unknown.fill_null(False)).then(pl.col("reason").is_null()).alias("is_valid")
    ).select(
        "trace_id", "span_id", "started_at", *keys, "tool_name", "tool_call_id", "arguments", "schema_hash",
        "is_valid", "reason", "detail",
    )  # fmt: skip


@portable
def tool_schema_validity(
    spans: Any,
    tools: pl.DataFrame,
    by: str | Sequence[str] = (),
    *,
    prompts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """For each tool, how many of its calls in production fitted the schema that was in force.

    Args:
        spans: SPANS, as `checked_tool_calls` takes them.
        tools: TOOL_VERSIONS, such as `tool_versions` gives.
        by: Further grouping columns, such as `model` or `prompt_version`.
        prompts: PROMPT_VERSIONS, as `checked_tool_calls` takes them.

    Returns:
        One row per group and tool, sorted by `by`, then `invalid_count` downwards, then `tool_name` (null
        where the list of calls could not be read): `by`, `tool_name`, `call_count`, `valid_count`,
        `invalid_count`, `unknown_count` (nobody can tell), `valid_share` (of those that can be told, 0 to 1;
        null where none can), a count for each reason (`unknown_tool_count`, `invalid_json_count`,
        `schema_mismatch_count`, `not_recorded_count`, `no_schema_in_force_count`, `unknown_schema_count`),
        `commonest_misfit` (the most frequent `detail`).

    Raises:
        MissingColumnError: If a column is missing.
        SchemaError: If `tools` is not as declared, or holds what is no JSON Schema.

    Example:
        >>> tools = pl.DataFrame({
        ...     "tool_name": ["lookup_order"], "schema_hash": ["ab12"],
        ...     "parameters": ['{"type": "object", "required": ["order"]}'],
        ... })
        >>> spans = pl.DataFrame({
        ...     "trace_id": ["t1", "t2"], "span_id": ["a", "b"], "operation": ["chat", "chat"],
        ...     "is_model_call": [True, True], "started_at": [datetime(2026, 11, 9, tzinfo=UTC)] * 2,
        ...     "tool_calls": [
        ...         '[{"id": "c1", "name": "lookup_order", "arguments": {"order": "7-4471"}}]',
        ...         '[{"id": "c2", "name": "lookup_order", "arguments": {"id": "7-4471"}}]',
        ...     ],
        ...     **{name: pl.Series([None, None], dtype=pl.String)
        ...        for name in ("tool_name", "tool_call_id", "input", "attributes")},
        ... })
        >>> rows = tool_schema_validity(spans, tools)
        >>> rows.select("tool_name", "call_count", "valid_share", "commonest_misfit").rows()
        [('lookup_order', 2, 0.5, "lacks 'order'")]
    """
    keys = [*by_columns(by), "tool_name"]
    calls = checked_tool_calls(spans, tools, by, prompts=prompts)
    is_valid = pl.col("is_valid")
    reasons = [(pl.col("reason") == name).sum().alias(f"{name}_count") for name in (*INVALID, *UNKNOWN)]
    # Of equally frequent ones the first in the alphabet, so that the same calls give the same table.
    commonest = pl.col("detail").drop_nulls().sort().mode(maintain_order=True).first()
    grouped = calls.group_by(keys).agg(
        pl.len().alias("call_count"),
        is_valid.sum().alias("valid_count"),
        (~is_valid).sum().alias("invalid_count"),
        is_valid.null_count().alias("unknown_count"),
        is_valid.mean().alias("valid_share"),
        *reasons,
        commonest.alias("commonest_misfit"),
    )
    counts = [name for name in grouped.columns if name.endswith("_count")]
    order = [*keys[:-1], "invalid_count", "tool_name"]
    return grouped.with_columns(pl.col(counts).cast(pl.Int64)).sort(
        order, descending=[name == "invalid_count" for name in order], nulls_last=True
    )


def _checked_versions(tools: pl.DataFrame) -> pl.DataFrame:
    versions = conform(tools, TOOL_VERSIONS)
    for row in versions.filter(pl.col("parameters").is_not_null()).iter_rows(named=True):
        try:
            check_schema(orjson.loads(row["parameters"]))
        except ValueError as error:
            msg = f"tools: the parameters of {row['tool_name']!r}: {error}"
            raise SchemaError(msg) from error
    return versions


def _with_prompt(calls: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    known = prompts.select("prompt_hash", "tool_hashes").drop_nulls().unique()
    offered = [
        (prompt_hash, name, schema_hash)
        for prompt_hash, hashes in known.iter_rows()
        for name, schema_hash in orjson.loads(hashes).items()
    ]
    columns = dict.fromkeys(["prompt_hash", "tool_name", "offered_hash"], pl.String())
    table = pl.DataFrame(offered, schema=columns, orient="row")
    joined = calls.join(table, on=["prompt_hash", "tool_name"], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("stated_hash", "offered_hash").alias("stated_hash"))


def _with_schema(calls: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    in_force_at = pl.col("in_force_at").fill_null(_ALWAYS)
    dated = versions.select("tool_name", "schema_hash", "parameters", in_force_at).sort(
        "in_force_at", maintain_order=True
    )
    # The last of two versions of one moment is the one that held afterwards.
    dated = dated.unique(["tool_name", "in_force_at"], keep="last", maintain_order=True).sort("in_force_at")
    by_time = calls.sort("started_at", maintain_order=True).join_asof(
        dated, left_on="started_at", right_on="in_force_at", by="tool_name", check_sortedness=False
    )
    hashed = versions.unique(["tool_name", "schema_hash"], keep="last", maintain_order=True).select(
        "tool_name",
        pl.col("schema_hash").alias("stated_hash"),
        pl.col("parameters").alias("stated_parameters"),
    )
    is_stated = pl.col("stated_hash").is_not_null()
    return by_time.join(
        hashed, on=["tool_name", "stated_hash"], how="left", maintain_order="left"
    ).with_columns(
        pl.when(is_stated).then("stated_hash").otherwise("schema_hash").alias("schema_hash"),
        pl.when(is_stated).then("stated_parameters").otherwise("parameters").alias("parameters"),
    )


def _with_verdict(calls: pl.DataFrame) -> pl.DataFrame:
    # jsonschema judges one value at a time: a loop, once over each distinct pair of schema and arguments.
    pairs = calls.select("parameters", "arguments").drop_nulls().unique(maintain_order=True)
    verdicts = pl.DataFrame(
        [_verdict(parameters, arguments) for parameters, arguments in pairs.iter_rows()],
        schema=_VERDICT,
        orient="row",
    )
    judged = calls.join(
        pl.concat([pairs, verdicts], how="horizontal"),
        on=["parameters", "arguments"],
        how="left",
        maintain_order="left",
    )
    reason = (
        pl.when(~pl.col("is_list"))
        .then(pl.lit("invalid_json"))
        .when(~pl.col("is_known_tool"))
        .then(pl.lit("unknown_tool"))
        .when(pl.col("arguments").is_null())
        .then(pl.lit("not_recorded"))
        .when(pl.col("parameters").is_null() & pl.col("stated_hash").is_not_null())
        .then(pl.lit("unknown_schema"))
        .when(pl.col("parameters").is_null())
        .then(pl.lit("no_schema_in_force"))
        .otherwise(pl.col("reason"))
    )
    return judged.with_columns(reason.alias("reason"))


def _verdict(parameters: str, arguments: str) -> tuple[str | None, str | None]:
    try:
        found = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return "invalid_json", "arguments are no JSON"
    try:
        wrong = misfits(found, orjson.loads(parameters))
    except ValueError as error:
        return "schema_mismatch", str(error)
    return ("schema_mismatch", "; ".join(wrong)) if wrong else (None, None)
