"""Streamed calls of Logfire's own instrumentations of clients: a span for the request, a log for the answer.

The span ends when the stream is opened and knows no answer; the log, a span without a duration, is written
beside it when the stream has ended, with the counts and how long it took.

Source: logfire/_internal/integrations/llm_providers/llm_provider.py of version 5.4
"""

from collections.abc import Mapping
from typing import Any

LOGFIRE_TYPE = "logfire.span_type"
"""What Logfire calls what it wrote: `span` or `log`."""
TOOK = "duration"
"""Seconds that a stream took."""
OPERATION = "gen_ai.operation.name"
"""Which of a streamed request is not that of a call, whatever it says."""

_ASKED = "request_data"
_ANSWERS = ("gen_ai.usage.", "gen_ai.response.id", "gen_ai.output.messages", "response_data")


def logfire_attributes(written: Mapping[str, Any], *, is_failed: bool) -> Mapping[str, Any]:
    """Attributes with a streamed request told from its answer, of which the answer is the call.

    Args:
        written: Attributes of a span.
        is_failed: Whether its status says that it failed; then no answer follows.
    """
    if _ASKED not in written:
        return written
    if stream_seconds(written) is not None:
        return {"gen_ai.request.stream": True, **written}
    has_answer = any(name.startswith(_ANSWERS) for name in written)
    if written.get(LOGFIRE_TYPE) != "span" or has_answer or is_failed:
        return written
    return {**written, OPERATION: "span"}


def stream_seconds(written: Mapping[str, Any]) -> float | None:
    """How long the stream took that a log tells of, None of all else."""
    took: Any = written.get(TOOK)
    is_log = written.get(LOGFIRE_TYPE) == "log" and _ASKED in written
    return float(took) if is_log and type(took) in (int, float) and took >= 0 else None
