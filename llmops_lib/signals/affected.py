"""The rows that an incident went wrong for."""

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from llmops_lib.calls import Frame
from llmops_lib.frames import narwhal
from llmops_lib.signals.counting import flagged_calls
from llmops_lib.signals.counts import FEEDBACK, Signal
from llmops_lib.signals.windows import Incident, Windows, within

IDENTITIES = (
    "trace_id",
    "span_id",
    "user_id",
    "session_id",
    "tenant",
    "feature",
    "response_model",
    "error_message",
)


def flagged_of(spans: Any, where: Mapping[str, str]) -> Frame:
    """The flagged rows of a cause, with the columns that tell whom they belong to."""
    present = set(narwhal(spans).collect_schema().names())
    columns = [name for name in dict.fromkeys([*IDENTITIES, *where]) if name in present]
    # What a cause names must be there; a column that is missing is an error and not a narrower answer.
    frame = flagged_calls(spans, [*columns, *(name for name in where if name not in present)])
    for name, value in where.items():
        frame = frame.filter(nw.col(name) == value)
    return frame


def affected_rows(flagged: Frame, incident: Incident, windows: Windows) -> Frame:
    """The bad rows of an incident; all calls where bad ones are not told apart, as of spend or quality."""
    during = within(flagged, [windows.during])
    return during.filter(_is_bad(incident.signal, set(flagged.collect_schema().names())))


def telling_rows(affected: Frame, incident: Incident) -> Frame:
    """Those of the affected rows that show what went wrong: of quality answers, of feedback rated ones.

    Args:
        affected: What `affected_rows` returns.
        incident: The same incident.
    """
    if incident.signal.metric != "quality":
        return affected
    answers = affected.filter(~nw.col("is_error"))
    score = nw.col("feedback_score")
    return answers.filter((score >= 0) & (score < 1)) if is_feedback(incident) else answers


def is_feedback(incident: Incident) -> bool:
    """Whether ratings of users tell the incident."""
    return incident.signal.metric == "quality" and incident.signal.detail == FEEDBACK


def _is_bad(signal: Signal, names: set[str]) -> nw.Expr:
    is_call = nw.col("is_model_call")
    if signal.metric == "tool failures":
        return (nw.col("operation") == "execute_tool") & nw.col("is_error")
    if signal.metric == "errors" and signal.detail:
        return is_call & nw.col("is_error") & (nw.col("error_type") == signal.detail)
    flags = {
        "errors": "is_error",
        "latency": "is_slow",
        "cost per call": "is_dear",
        "refusals": "is_refused",
        "retries": "is_retry",
    }
    flag = flags.get(signal.metric)
    return is_call & nw.col(flag).fill_null(value=False) if flag in names else is_call
