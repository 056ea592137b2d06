"""What agents did: their tools by declared risk, with calls that failed or fit no schema."""

from collections.abc import Callable
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import known_rows, portable
from llmops_lib.calls.tool_calls import tool_calls
from llmops_lib.frames import collected

RISKS = ("high", "unknown", "low")
"""Risks of tools, what needs a look first: what nobody has declared may be anything."""

_CALL = ["trace_id", "span_id", "tool_call_id", "tool_name"]


@portable
def agent_actions_by_risk(
    spans: Any, risk_of: Callable[[str | None], str], *, checked: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Tool calls of agents by tool, tools of high risk first.

    A call counts once: where a model asked for it; the span that executed it counts only where no model is
    known to have asked. What no span executed on record is not known to have run.

    Args:
        spans: SPANS, on any engine; uses `trace_id`, `span_id`, `started_at`, `operation`, `is_model_call`,
            `is_error`, `tool_calls`, `tool_name`, `tool_call_id`, `input`, `attributes`. The tool calls
            among them are brought to this machine.
        risk_of: The risk of a tool by its name, such as `load_tool_risks().of`: one of `RISKS`.
        checked: What `checked_tool_calls` says of the same spans; without it no call is held to a schema.

    Returns:
        One row per tool, by risk, then `call_count` downwards: `risk`, `tool_name` (null where the export
        does not say), `call_count`, `executed_count`, `failed_count` (of those, known to have failed),
        `unregistered_count` (no such tool is known), `invalid_count` (fit no schema),
        `unchecked_count` (nobody can tell; all of them without `checked`), and `trace_id`, `span_id` of the
        last call.

    Raises:
        MissingColumnError: If a column is missing.

    Example:
        >>> from datetime import UTC, datetime
        >>> nothing = dict.fromkeys(["tool_calls", "input", "attributes"], pl.Series([None], dtype=pl.String))
        >>> spans = pl.DataFrame({
        ...     "trace_id": ["t"], "span_id": ["a"], "operation": ["execute_tool"], "is_model_call": [False],
        ...     "tool_name": ["issue_refund"], "tool_call_id": ["c1"], "is_error": [True],
        ...     "started_at": [datetime(2026, 11, 9, tzinfo=UTC)], **nothing,
        ... })
        >>> rows = agent_actions_by_risk(spans, lambda name: "high")
        >>> rows.select("risk", "tool_name", "call_count", "executed_count", "failed_count").rows()
        [('high', 'issue_refund', 1, 1, 1)]
    """
    calls = tool_calls(spans, ()).join(_executions(spans), on=["trace_id", "tool_call_id"], how="left")
    own = _executions_by_span(spans)
    calls = calls.join(own, on=["trace_id", "span_id"], how="left").with_columns(
        has_failed=pl.coalesce("has_failed", "has_failed_itself")
    )
    unchecked = calls.clear().with_columns(is_valid=pl.lit(None, pl.Boolean), reason=pl.lit(None, pl.String))
    verdict = _verdicts(unchecked if checked is None else checked)
    counted = (
        calls.join(verdict, on=_CALL, how="left", nulls_equal=True, maintain_order="left")
        .group_by("tool_name", maintain_order=True)
        .agg(
            call_count=pl.len().cast(pl.Int64),
            executed_count=pl.col("has_failed").count().cast(pl.Int64),
            failed_count=pl.col("has_failed").sum().cast(pl.Int64),
            unregistered_count=pl.col("is_unregistered").sum().cast(pl.Int64),
            invalid_count=(~pl.col("is_valid") & ~pl.col("is_unregistered")).sum().cast(pl.Int64),
            unchecked_count=pl.col("is_valid").null_count().cast(pl.Int64),
            trace_id=pl.col("trace_id").last(),
            span_id=pl.col("span_id").last(),
        )
    )
    # As many as there are tools.
    risks = [risk_of(name) for name in counted["tool_name"]]
    ranked = counted.with_columns(risk=pl.Series(risks, dtype=pl.Enum(RISKS)))
    return (
        ranked.sort("risk", "call_count", "tool_name", descending=[False, True, False], nulls_last=True)
        .select("risk", pl.exclude("risk"))
        .with_columns(pl.col("risk").cast(pl.String))
    )


def _executions(spans: Any) -> pl.DataFrame:
    """Whether the tool call of an id failed, where a span says that it ran."""
    columns = ["trace_id", "tool_call_id", "operation", "is_error"]
    ran = known_rows(spans, columns).filter(
        (nw.col("operation") == "execute_tool") & ~nw.col("tool_call_id").is_null()
    )
    rows = collected(ran.select("trace_id", "tool_call_id", "is_error").to_native())
    return rows.group_by("trace_id", "tool_call_id").agg(has_failed=pl.col("is_error").fill_null(False).any())


def _executions_by_span(spans: Any) -> pl.DataFrame:
    columns = ["trace_id", "span_id", "operation", "is_error"]
    ran = known_rows(spans, columns).filter(nw.col("operation") == "execute_tool")
    rows = collected(ran.select("trace_id", "span_id", "is_error").to_native())
    return rows.select("trace_id", "span_id", has_failed_itself=pl.col("is_error").fill_null(False))


def _verdicts(checked: pl.DataFrame) -> pl.DataFrame:
    # Two calls of one tool in one answer may both lack an id; one that does not fit speaks for them.
    return checked.group_by(_CALL).agg(
        is_valid=pl.when(pl.col("is_valid").count() > 0).then(pl.col("is_valid").all()),
        is_unregistered=(pl.col("reason") == "unknown_tool").any(),
    )
