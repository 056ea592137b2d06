"""Cells of Langfuse observations as SPANS columns: what `langfuse_rows` and `pieces` make row by row."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from llmops_lib.schema import UTC_DATETIME
from llmops_lib.sources.checks import REQUIRED
from llmops_lib.sources.langfuse_groups import Group
from llmops_lib.sources.langfuse_metadata import ENDING
from llmops_lib.sources.message_columns import Contents, message_columns
from llmops_lib.sources.pieces import Failures, checked_series, with_all, with_derived
from llmops_lib.sources.providers import provider_name
from llmops_lib.sources.time_columns import utc_times

_AS_THEY_ARE = {
    "trace_id": "trace_id",
    "span_id": "id",
    "parent_span_id": "parent_observation_id",
    "name": "name",
    "environment": "environment",
    "prompt_name": "prompt_name",
    "prompt_version": "prompt_version",
    "tenant": "metadata.tenant",
    "feature": "metadata.feature",
    "error_type": "error_type",
    "error_message": "error_message",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "reported_cost_usd": "reported_cost_usd",
}
_TIMES = {"started_at": "start_time", "ended_at": "end_time", "first_at": "completion_start_time"}
_ROLES = {"input": "user", "output": "assistant"}


def frame_of(group: Group) -> tuple[pl.DataFrame, list[int]]:
    """The observations of a group that became rows, in their order, and their numbers in the group.

    Args:
        group: Takes the numbers of those that must be read one by one.

    Returns:
        `checks.COLUMNS`, every value as `checks` demands; and the number of each row.
    """
    columns = _checked(group) | _contents(group) | _times(group)
    columns["operation"] = pl.repeat(group.plan.operation, len(group.numbers), eager=True)
    columns["is_error"] = pl.repeat(group.plan.is_error, len(group.numbers), eager=True)
    for name in REQUIRED:
        if columns[name].null_count():
            group.odd.update(columns[name].is_null().arg_true())
    frame = with_all(pl.DataFrame(columns))
    numbers = range(len(group.numbers))
    if not group.odd:
        return with_derived(frame), list(numbers)
    kept = [number for number in numbers if number not in group.odd]
    return with_derived(frame[kept]), kept


def _checked(group: Group) -> dict[str, pl.Series]:
    given = {name: group.cells[field] for name, field in _AS_THEY_ARE.items() if field in group.cells}
    given |= _preferred(group)
    failures: Failures = {}
    columns = {
        name: checked_series(name, values, failures)
        for name, values in given.items()
        if name in REQUIRED or isinstance(values, pl.Series) or values.count(None) < len(values)
    }
    group.odd.update(failures)
    nothing = pl.repeat(None, len(group.numbers), dtype=pl.String, eager=True)
    return dict.fromkeys(REQUIRED, nothing) | columns


def _preferred(group: Group) -> dict[str, list[Any]]:
    """Columns for which there are two fields, or for which an empty one counts as none."""
    found = {
        "session_id": _stated(group, "session_id", "metadata.session_id"),
        "user_id": _stated(group, "user_id", "metadata.user_id"),
        "release": _stated(group, "release"),
        "feature_hint": _stated(group, "trace_name"),
        "request_model": _given(group, "model", "provided_model_name"),
        "tags": [tags or None for tags in _given(group, "trace_tags", "tags")],
        "provider": [
            provider_name(name) if isinstance(name, str) else None
            for name in group.cells.get("metadata.provider", ())
        ],
    }
    if group.plan.operation == "execute_tool":
        found["tool_name"] = group.cells.get("name", [])
    return {name: values for name, values in found.items() if len(values)}


def _stated(group: Group, name: str, other: str = "") -> list[Any]:
    """The first of two fields that states something, or nothing where the shape has neither."""
    values, others = (group.cells.get(field) for field in (name, other))
    if values is None or others is None:
        return [value or None for value in values] if values is not None else others or []
    return [value or instead for value, instead in zip(values, others, strict=True)]


def _given(group: Group, name: str, other: str) -> list[Any]:
    """The first of two fields that is there, or nothing where the shape has neither."""
    values, others = (group.cells.get(field) for field in (name, other))
    if values is None or others is None:
        return (others if values is None else values) or []
    return [
        instead if value is None or value == "" else value
        for value, instead in zip(values, others, strict=True)
    ]


def _contents(group: Group) -> dict[str, pl.Series]:
    columns = {"attributes": _json(group.cells["attributes"])}
    group.odd.update(columns["attributes"].str.contains(ENDING, literal=True).arg_true())
    for name, role in _ROLES.items():
        if name in group.cells:
            written = group.cells[name]
            found = written
            if not isinstance(found, Contents):
                found = message_columns(written, role, is_call=group.plan.is_call)
            columns[name] = found.column
            group.odd.update(found.refused)
            if name == "output" and found.tool_calls:
                calls = [found.tool_calls.get(number) for number in range(len(group.numbers))]
                columns["tool_calls"] = pl.Series(calls, dtype=pl.String)
    return columns


def _json(written: Sequence[bytes] | pl.Series) -> pl.Series:
    if isinstance(written, pl.Series):
        return written
    return pl.Series(written, dtype=pl.Binary).cast(pl.String)


def _times(group: Group) -> dict[str, pl.Series]:
    found = {name: _moments(group, field) for name, field in _TIMES.items()}
    started_at, ended_at, first_at = (found[name] for name in _TIMES)
    columns = {"started_at": started_at, "ended_at": ended_at}
    if first_at.null_count() < first_at.len():
        # Proxies fill the field on every call: equal to the end, it says that nothing was streamed.
        is_streaming = (started_at <= first_at) & first_at.ne_missing(ended_at)
        micros = (first_at - started_at).cast(pl.Float64)
        # By a scalar, polars multiplies with the reciprocal, which is a last digit off.
        seconds = micros / pl.repeat(1_000_000.0, first_at.len(), eager=True)
        nothing = pl.repeat(None, first_at.len(), dtype=pl.Float64, eager=True)
        columns["time_to_first_token_ms"] = (seconds * 1_000.0).zip_with(is_streaming, nothing)
        columns["is_streaming"] = is_streaming.set(~is_streaming, None)
    return columns


def _moments(group: Group, field: str) -> pl.Series:
    texts = group.cells.get(field)
    if texts is None:
        return pl.repeat(None, len(group.numbers), dtype=UTC_DATETIME, eager=True)
    moments = utc_times(texts)
    if moments.null_count():
        group.odd.update(row for row in moments.is_null().arg_true() if texts[row] not in (None, ""))
    return moments
