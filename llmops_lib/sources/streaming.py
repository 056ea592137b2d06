"""Whether an answer was streamed, and how long its first token took."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import parse_time

CHUNK_EVENTS = (
    "gen_ai.content.completion.chunk",
    "llm.content.completion.chunk",
    "ai.stream.firstChunk",
    "First Token Stream Event",
)
"""Names of the events that mark a piece of a streamed answer."""

# Name of the attribute, milliseconds per unit, and whether it exists on streamed calls only.
# OpenLIT writes the time to the first token on every call, there equal to the whole latency.
_DURATIONS = (
    ("gen_ai.response.time_to_first_chunk", 1_000.0, True),
    ("ai.response.msToFirstChunk", 1.0, True),
    ("ai.stream.msToFirstChunk", 1.0, True),
    ("gen_ai.server.time_to_first_token", 1_000.0, False),
)
_COMPLETION_START = "langfuse.observation.completion_start_time"
_PROOFS = frozenset((_COMPLETION_START, *(name for name, _, is_proof in _DURATIONS if is_proof)))


def streaming_columns(
    attributes: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    *,
    stated: Any,
    started_at: datetime | int | None,
) -> dict[str, Any]:
    """`is_streaming` and `time_to_first_token_ms` of a model call.

    Args:
        attributes: Attributes of the span.
        events: Events of the span.
        stated: What an attribute says about streaming, or None.
        started_at: Start of the span, a datetime or nanoseconds since 1970; without it events tell no
            duration.
    """
    is_streaming = stated if stated is not None else _shown(attributes, events)
    if is_streaming not in (True, "true", "True"):
        return {"is_streaming": is_streaming}
    waited = _stated_wait(attributes)
    if waited is None and started_at is not None:
        waited = _wait_until(_first_token_at(attributes, events), started_at)
    return {"is_streaming": True, "time_to_first_token_ms": waited}


def _shown(attributes: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> bool | None:
    if not _PROOFS.isdisjoint(attributes) or any(event.get("name") in CHUNK_EVENTS for event in events):
        return True
    step = str(attributes.get("ai.operationId", "")).rsplit(".", 1)[-1]
    return {"doStream": True, "doGenerate": False}.get(step)


def _stated_wait(attributes: Mapping[str, Any]) -> float | None:
    for name, per_unit, _ in _DURATIONS:
        value = attributes.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value * per_unit
    return None


def _first_token_at(attributes: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Any:
    chunks = [event.get("time") for event in events if event.get("name") in CHUNK_EVENTS]
    started = attributes.get(_COMPLETION_START)
    return chunks[0] if chunks else str(started).strip('"') if started else None


def _wait_until(moment: Any, started_at: datetime | int) -> float | None:
    try:
        first_at, since = parse_time(moment), parse_time(started_at)
    except Refused:
        return None
    return None if first_at is None or since is None else (first_at - since) / timedelta(milliseconds=1)
