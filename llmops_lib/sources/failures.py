"""Whether a span failed, and how: status, exception events, error attributes and HTTP status alike."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from llmops_lib.sources.checks import NAME_LIMIT

_STATUS_TEXTS = (
    r"\b(?:Error code|status_code): ([45]\d\d)\b",
    # Google's SDK: `429 RESOURCE_EXHAUSTED. {'error': ...`
    r"(?m)^([45]\d\d) [A-Z][A-Za-z_ ]+\. \{'",
)
_STATUS_WITHIN = 300
_STATUS_TYPE = r"^([45]\d\d)$"
_CLASS_TEXT = re.compile(r"<class '([^']+)'>")
_DOTTED = re.compile(r"[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)+")


@dataclass(frozen=True)
class SpanState:
    """What a reader knows of a span besides its attributes.

    Attributes:
        started_at: Start, a datetime or nanoseconds since 1970; without it chunk events tell no time to
            the first token.
        is_failed: Whether its status says that it failed.
        message: Message of that status.
    """

    started_at: datetime | int | None = None
    is_failed: bool = False
    message: str | None = None


def error_class(raw: Any) -> str | None:
    """The class name without its module and without Python's wrapping.

    Args:
        raw: What the source calls the error.

    Example:
        >>> error_class("<class 'openai.RateLimitError'>"), error_class("rate_limit_error"), error_class("")
        ('RateLimitError', 'rate_limit_error', None)
    """
    if raw is None or raw == "":
        return None
    text = str(raw)
    if wrapped := _CLASS_TEXT.fullmatch(text):
        text = wrapped[1]
    if len(text) > NAME_LIMIT:
        return None
    return text.rsplit(".", 1)[-1] if _DOTTED.fullmatch(text) else text


def told_status() -> pl.Expr:
    """`http_status`, where it is null as the error tells it: by its type, or `Error code: 429 - ...`.

    The SDKs of OpenAI, Anthropic and Google and pydantic-ai begin their messages so, and hardly any
    instrumentation writes the status down. Uses `http_status`, `is_error`, `error_type`, `error_message`.
    """
    message = pl.col("error_message").str.slice(0, _STATUS_WITHIN)
    told = [
        pl.col("error_type").str.extract(_STATUS_TYPE),
        *(message.str.extract(text) for text in _STATUS_TEXTS),
    ]
    status = pl.coalesce(told).cast(pl.Int32)
    return pl.coalesce("http_status", pl.when("is_error").then(status)).alias("http_status")


def error_columns(
    attributes: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    *,
    http_status: int | None,
    state: SpanState,
) -> dict[str, Any]:
    """`is_error`, `error_type` and `error_message` of a span.

    Args:
        attributes: Attributes of the span.
        events: Events of the span.
        http_status: HTTP status, where known.
        state: Status of the span.
    """
    exception = _exception(events)
    details = exception or {}
    error_type = attributes.get("error.type") or details.get("exception.type")
    is_error = bool(
        state.is_failed
        or error_type
        or exception is not None
        or (http_status is not None and http_status >= 400)
        or attributes.get("langfuse.observation.level") == "ERROR"
    )
    if not is_error:
        return {"is_error": False}
    message = (
        details.get("exception.message")
        or state.message
        or attributes.get("langfuse.observation.status_message")
        or attributes.get("error.message")
    )
    return {"is_error": True, "error_type": error_class(error_type), "error_message": message}


def _exception(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    # The last exception is the one that ended the span; earlier ones may have been retried.
    for event in reversed(events):
        if event.get("name") == "exception":
            found = event.get("attributes")
            return found if isinstance(found, Mapping) else {}
    return None
