"""What Langfuse keeps on the trace: session, user, tags and feedback, brought to the observations."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from llmops_lib.secrets import secrets_hidden
from llmops_lib.sources.attributes import canonical_row
from llmops_lib.sources.feedback import is_feedback
from llmops_lib.sources.held import Pieces
from llmops_lib.sources.hiding import KEPT_AS_IS, hides_secrets
from llmops_lib.sources.langfuse_fields import mapping
from llmops_lib.sources.rows import PIECE_SCHEMA, ROW_SCHEMA, SourceRows

# What a user sets on the trace is more exact than what an instrumentation left on a span; the
# others can be more exact on the span.
_TRACE_FIRST = ("session_id", "user_id", "release", "tags")
_SPAN_FIRST = ("environment", "tenant", "feature", "feature_hint")
_TRACE_SCHEMA = pl.Schema({name: ROW_SCHEMA[name] for name in ("trace_id", *_TRACE_FIRST, *_SPAN_FIRST)})

_FEEDBACK_SCHEMA = pl.Schema({"trace_id": pl.String, "span_id": pl.String, "feedback": pl.Float64})
_ROOT_COLUMNS = ("trace_id", "span_id", "parent_span_id", "started_at", "source_line", "row_number")
_NO_ROOTS = pl.DataFrame(schema={name: PIECE_SCHEMA[name] for name in _ROOT_COLUMNS})
_PEOPLE = ("API", "ANNOTATION")


def with_traces(
    rows: SourceRows, traces: Iterable[Mapping[str, Any]], scores: Iterable[Mapping[str, Any]]
) -> SourceRows:
    """The rows with the fields of their traces, and with feedback on the observation it is about.

    Feedback on a whole trace goes to its first root observation. Scores of evaluators are no feedback.

    Args:
        rows: Observations of one file.
        traces: Traces of the same file, fields in snake_case; of one id the later fields count.
        scores: Scores of the same file, fields in snake_case; of one object the latest counts.
    """
    known, feedback = _known_traces(traces), _feedback_by_span(rows.span_pieces, scores)
    if hides_secrets():
        known, count = secrets_hidden(known, but=KEPT_AS_IS)
        rows = replace(rows, secret_count=rows.secret_count + count)
    if known.is_empty() and feedback.is_empty():
        return rows
    return replace(
        rows, span_pieces=rows.span_pieces.mapped(lambda spans: _completed(spans, known, feedback))
    )


def _completed(spans: pl.DataFrame, known: pl.DataFrame, feedback: pl.DataFrame) -> pl.DataFrame:
    joined = spans.join(known, on="trace_id", how="left", suffix="_trace", maintain_order="left").join(
        feedback, on=["trace_id", "span_id"], how="left", maintain_order="left"
    )
    return joined.with_columns(
        *(pl.coalesce(f"{name}_trace", name).alias(name) for name in _TRACE_FIRST),
        *(pl.coalesce(name, f"{name}_trace").alias(name) for name in _SPAN_FIRST),
        feedback_score=pl.coalesce("feedback", "feedback_score"),
    ).select(spans.columns)


def _known_traces(traces: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    by_id: dict[str, dict[str, Any]] = {}
    for trace in traces:
        if isinstance(trace.get("id"), str):
            by_id[trace["id"]] = by_id.get(trace["id"], {}) | {**trace}
    return pl.DataFrame([trace_columns(trace) for trace in by_id.values()], schema=_TRACE_SCHEMA)


def trace_columns(trace: Mapping[str, Any]) -> dict[str, Any]:
    """The id of a trace and what it tells of its observations.

    Args:
        trace: A trace with a text `id`, fields in snake_case.
    """
    metadata = mapping(trace.get("metadata"))
    own = {f"metadata.{name}": value for name, value in metadata.items()}
    evidence = canonical_row(own, name=None)
    tags = trace.get("tags")
    return {
        "trace_id": trace["id"],
        **{name: _text(trace.get(name)) for name in ("session_id", "user_id", "release", "environment")},
        "tags": [str(tag) for tag in tags] if isinstance(tags, list) and tags else None,
        "tenant": _label(evidence.get("tenant")),
        "feature": _label(evidence.get("feature")),
        "feature_hint": _label(evidence.get("feature_hint")) or _text(trace.get("name")),
    }


def _feedback_by_span(pieces: Pieces, scores: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    in_order = sorted(scores, key=lambda score: str(score.get("timestamp", "")))
    given = [feedback for score in in_order if (feedback := _feedback(score)) is not None]
    found = pl.DataFrame(given, schema=_FEEDBACK_SCHEMA, orient="row")
    if found.is_empty():
        return found
    wanted = pl.col("parent_span_id").is_null() & pl.col("trace_id").is_in(found["trace_id"].implode())
    roots = (
        pl.concat([spans.filter(wanted) for spans in pieces.frames(columns=_ROOT_COLUMNS)] or [_NO_ROOTS])
        .sort("started_at", "source_line", "row_number")
        .unique("trace_id", keep="first", maintain_order=True)
        .select("trace_id", root_id="span_id")
    )
    return (
        found.join(roots, on="trace_id", how="left", maintain_order="left")
        .with_columns(pl.coalesce("span_id", "root_id").alias("span_id"))
        .unique(["trace_id", "span_id"], keep="last")
        .select("trace_id", "span_id", "feedback")
    )


def _feedback(score: Mapping[str, Any]) -> tuple[str, str | None, float] | None:
    value, trace_id = score.get("value"), _text(score.get("trace_id"))
    # A score that an SDK sends names no source: Langfuse notes API when it takes it in.
    source = str(score.get("source", "API")).upper()
    if not is_feedback(score.get("name")) or source not in _PEOPLE or trace_id is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return trace_id, _text(score.get("observation_id")), float(value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _label(value: Any) -> str | None:
    # A tenant may be a number in the metadata; it is a name all the same.
    return (
        str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None
    )
