"""Judgements of answers that stand in eval results, put on the calls that gave the answers."""

from typing import Any

import narwhals as nw

from llmops_lib.calls import Frame, known_rows, portable, with_place
from llmops_lib.errors import ParameterError
from llmops_lib.frames import collected, narwhal

_USED = ("is_model_call", "operation", "trace_id", "span_id", "started_at", "model")
_ANSWERS = ("chat", "text_completion")


@portable
def with_judgements(calls: Any, scores: Any, *, scorer: str = "") -> Any:
    """The calls with the mean score that their trace was given, on the call that gave the answer.

    A score belongs to a trace. It is put on the last answer of the trace, and on none where several models
    answered in it: which of them earned it cannot be told.

    Args:
        calls: SPANS, on any engine; uses `is_model_call`, `operation`, `trace_id`, `span_id`, `started_at`,
            `model`.
        scores: SCORES on the same engine; uses `scorer`, `trace_id`, `score`.
        scorer: Scorer whose scores count; may be left out where there is one only.

    Returns:
        The same rows with `judgement_score` (null where there is no judgement).

    Raises:
        ParameterError: If the scorer is unknown, or there are several and none is named.
    """
    judged = known_rows(scores, ["scorer", "trace_id", "score"])
    named = judged.filter(~nw.col("trace_id").is_null() & ~nw.col("score").is_null())
    chosen = named.filter(nw.col("scorer") == _checked(named, scorer))
    by_trace: Any = chosen.group_by("trace_id").agg(nw.col("score").mean().alias("judgement_score"))
    frame: Any = narwhal(calls, columns=_USED)
    scored = _earning(frame).join(by_trace, on="trace_id", how="inner")
    kept = frame.drop("judgement_score", strict=False)
    return kept.join(scored, on=["trace_id", "span_id"], how="left").to_native()


@portable
def with_trace_feedback(spans: Any) -> Any:
    """The spans with feedback that stands on a span of the trace put on the call that gave the answer.

    Some tools write what a user thought of an answer on the root of its trace. A call's own feedback stays.

    Args:
        spans: SPANS, on any engine; uses the columns of `with_judgements` and `feedback_score`.

    Returns:
        The same rows with `feedback_score` filled on the last answer of traces in which one model answered.

    Example:
        >>> import polars as pl
        >>> from datetime import UTC, datetime
        >>> spans = pl.DataFrame({
        ...     "trace_id": ["t", "t"], "span_id": ["root", "call"], "is_model_call": [False, True],
        ...     "operation": ["chain", "chat"], "started_at": [datetime(2026, 11, 9, tzinfo=UTC)] * 2,
        ...     "model": [None, "gpt-4o"], "feedback_score": [1.0, None],
        ... })
        >>> with_trace_feedback(spans)["feedback_score"].to_list()
        [1.0, 1.0]
    """
    frame: Any = narwhal(spans, columns=[*_USED, "feedback_score"])
    others = frame.filter(~nw.col("is_model_call") & ~nw.col("feedback_score").is_null())
    by_trace: Any = others.group_by("trace_id").agg(nw.col("feedback_score").mean().alias("_trace_feedback"))
    earned = _earning(frame).join(by_trace, on="trace_id", how="inner")
    joined = frame.join(earned, on=["trace_id", "span_id"], how="left")
    filled = nw.coalesce("feedback_score", "_trace_feedback").alias("feedback_score")
    return joined.with_columns(filled).drop("_trace_feedback").to_native()


def _earning(frame: Any) -> Any:
    is_answer = nw.col("is_model_call") & nw.col("operation").is_in(_ANSWERS)
    answers = frame.filter(is_answer).select("trace_id", "span_id", "started_at", "model")
    alone = answers.group_by("trace_id").agg(
        nw.col("model").min().alias("_least"),
        nw.col("model").max().alias("_most"),
        nw.len().alias("_answers"),
    )
    placed: Any = with_place(answers, "_nth", by=["trace_id"], order_by=["started_at", "span_id"])
    last = placed.join(alone.filter(nw.col("_least") == nw.col("_most")), on="trace_id", how="inner")
    return last.filter(nw.col("_nth") == nw.col("_answers")).select("trace_id", "span_id")


def _checked(scores: Frame, scorer: str) -> str:
    there = sorted(collected(scores.select("scorer").unique().to_native())["scorer"].drop_nulls().to_list())
    if scorer in there or (not scorer and len(there) == 1):
        return scorer or str(there[0])
    found = f"scorer {scorer!r}" if scorer else "no scorer named"
    listed = ", ".join(there) or "none"
    msg = f"{found}; expected one of those whose scores name a trace: {listed}"
    raise ParameterError(msg)
