"""Spans of one structure: which of their tokens holds which field, attribute and value."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops_lib.sources.json_skeletons import IS_TOKEN, skeleton_of, token_of
from llmops_lib.sources.json_tokens import SEPARATOR, words_of
from llmops_lib.sources.otlp_values import SNAKE_CASED
from llmops_lib.sources.refusals import Refused

__all__ = ["EVENT_TIME", "OPENING", "WORDS", "Form", "form_of"]

_NAMES = (
    "resourceSpans",
    "resource",
    "schemaUrl",
    "scopeSpans",
    "scope",
    "version",
    "spans",
    "traceId",
    "spanId",
    "parentSpanId",
    "traceState",
    "flags",
    "name",
    "kind",
    "startTimeUnixNano",
    "endTimeUnixNano",
    "attributes",
    "droppedAttributesCount",
    "key",
    "value",
    "stringValue",
    "intValue",
    "doubleValue",
    "boolValue",
    "bytesValue",
    "arrayValue",
    "kvlistValue",
    "values",
    "events",
    "timeUnixNano",
    "droppedEventsCount",
    "links",
    "droppedLinksCount",
    "status",
    "code",
    "message",
)
_PHRASES = (
    ',"value":{"stringValue":',
    '}},{"key":',
    ',"value":{"intValue":',
    ',"spanId":',
    ',"parentSpanId":',
    ',"name":',
    ',"startTimeUnixNano":',
    ',"endTimeUnixNano":',
    ',"attributes":[{"key":',
)
WORDS = words_of(_NAMES, _PHRASES)
"""Names of OTLP/JSON, and how writers without blanks put them together."""

_LEVELS = 6
"""How deep a span stands in a request."""

OPENING = '{"traceId":'
"""With what a span begins."""

EVENT_TIME = "timeUnixNano"
"""Field of an event that holds its time."""

_MARK = re.compile(r"\x10.|[\[\]{}]")
_DEPTH = {"[": 1, "{": 1, "]": -1, "}": -1}


@dataclass(frozen=True, eq=False)
class Form:
    """How spans of one structure are written.

    Attributes:
        span: Skeleton of them.
        between: Their even tokens; the last also holds what follows the span.
        is_last: Whether that token is the last of the structure.
        rest_length: How many characters of it follow the span.
        names: Token of the name of each attribute.
        kinds: Kind of the value of each, such as `stringValue`.
        values: Skeleton of each value.
        times: Skeleton of the time of each event.
        is_regular: Whether every attribute is a name and one value, every event has a time that is a string,
            and the span holds no links.
    """

    span: Mapping[str, Any]
    between: tuple[str, ...]
    is_last: bool
    rest_length: int
    names: tuple[int, ...]
    kinds: tuple[str, ...]
    values: tuple[Any, ...]
    times: tuple[str, ...]
    is_regular: bool


def form_of(structure: str) -> Form | None:
    """The form of spans, or None where their lines have to be read as a whole.

    Args:
        structure: That of a span without its opening and the name of its first field, `traceId`, and with
            all that follows it up to the next span.
    """
    tokens = structure.split(SEPARATOR)
    try:
        last, rest = _end(tokens)
        own = [*tokens[:last], tokens[last][: len(tokens[last]) - rest]]
        between = [WORDS.written(token) for token in own]
        between[0] = OPENING + between[0]
        span = skeleton_of(between, levels=_LEVELS)
    except Refused:
        return None
    if not isinstance(span, dict) or any(map(IS_TOKEN.fullmatch, _keys(span))):
        return None
    attributes = span.get("attributes")
    names, kinds, values = _attributes(attributes)
    is_whole = isinstance(attributes, list) and len(names) == len(attributes)
    events = span.get("events") or []
    times = _times(events)
    return Form(
        span=span,
        between=tuple(tokens[: last + 1]),
        is_last=last == len(tokens) - 1,
        rest_length=rest,
        names=names,
        kinds=kinds,
        values=values,
        times=times,
        is_regular=is_whole and len(times) == len(events) and not span.get("links"),
    )


def _end(tokens: list[str]) -> tuple[int, int]:
    """Number of the even token in which a span ends, and how many characters of it follow."""
    depth = 1
    for number, token in enumerate(tokens):
        for mark in _MARK.finditer(token):
            for bracket in WORDS.meanings.get(mark[0], mark[0]):
                depth += _DEPTH.get(bracket, 0)
            if depth == 0:
                rest = len(token) - mark.end()
                if len(mark[0]) > 1 or "0" in token[mark.end() :]:
                    break
                return number, rest
    raise Refused(reason="json")


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, held in value.items():
            yield key
            yield from _keys(held)
    elif isinstance(value, list):
        for held in value:
            yield from _keys(held)


def _attributes(written: Any) -> tuple[tuple[int, ...], tuple[str, ...], tuple[Any, ...]]:
    try:
        names = tuple(token_of(attribute["key"]) for attribute in written)
        held = [tuple(attribute["value"].items()) for attribute in written if len(attribute) == 2]
        kinds = tuple(kind for ((kind, _),) in held)
        values = tuple(value for ((_, value),) in held)
    except (TypeError, KeyError, AttributeError, ValueError):
        return (), (), ()
    return names, kinds, values


def _times(events: Any) -> tuple[str, ...]:
    """The time of each event, none where one has none; any other number of them for what is no list."""
    try:
        times = tuple(event[EVENT_TIME] for event in events)
    except (TypeError, KeyError):
        return ()
    is_plain = all(isinstance(time, str) for time in times) and all(map(SNAKE_CASED.isdisjoint, events))
    return times if is_plain else ()
