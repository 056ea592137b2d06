"""One span read for all that are alike: which of its columns they share, and which each carries itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from llmops_lib.schema import TOKEN_CONVENTION
from llmops_lib.sources.carried import OWN_FIELDS, WAIT, Layout
from llmops_lib.sources.otlp_forms import EVENT_TIME
from llmops_lib.sources.otlp_values import any_value, int64
from llmops_lib.sources.refusals import Refused

WAIT_COLUMN = "time_to_first_token_ms"
"""Column that is carried from `carried.WAIT`."""

# A row is checked with an identity that passes: each span's own is checked as it is carried.
_IDENTITY = {"trace_id": "1" * 32, "span_id": "1" * 16, "started_at": 1_700_000_000_000_000_000}

_EVENTS = "otel.events"

Span = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prototype:
    """What spans that are alike share.

    Attributes:
        row: Columns that they share, and an identity.
        columns: Column -> position of the attribute that each carries to it.
        opaque: Name -> position of what each carries to `attributes`.
        has_reason: Whether the finish reason is shared, or stands in the messages that each carries.
        template: What stands around the values of `opaque`, and then around the times of events, in the JSON
            text of `attributes`.
    """

    row: Mapping[str, Any]
    columns: Mapping[str, int]
    opaque: Mapping[str, int]
    has_reason: bool
    template: tuple[str, ...]

    @property
    def destinations(self) -> tuple[Any, ...]:
        """What is the same for all prototypes whose spans can become columns together."""
        return tuple(self.columns.items()), tuple(self.opaque.items()), self.has_reason


def prototype_of(span: Span, layout: Layout, row_of: Callable[[Span], dict[str, Any]]) -> Prototype | None:
    """What spans like this one share, or None where each has to be read alone.

    Nothing is supposed of an attribute: where the row of this span does not hold its value as it is,
    in the column or in `attributes`, that attribute decides something after all.

    Args:
        span: One of the spans.
        layout: Its layout.
        row_of: Reads one span alone.
    """
    try:
        row = row_of(span)
        values = [any_value(attribute["value"]) for attribute in span["attributes"]]
        columns, opaque = _destinations(row, values, layout)
        has_reason = "output" not in columns or _states_reason(span, columns["output"], row_of)
        rest = row["attributes"]
        opaque = {name: opaque[name] for name in rest if name in opaque}
        template = _template(rest, opaque, _kept_events(span, rest))
    except (Refused, LookupError, TypeError):
        return None
    if TOKEN_CONVENTION in rest:
        return None
    carried = {*OWN_FIELDS, *columns, "attributes"} | ({"tool_calls"} if "output" in columns else set())
    carried |= set() if has_reason else {"finish_reason"}
    shared = {name: value for name, value in row.items() if name not in carried}
    return Prototype(
        row=shared | _IDENTITY | ({} if len(template) > 1 else {"attributes": rest}),
        columns=columns,
        opaque=opaque,
        has_reason=has_reason,
        template=template,
    )


def _kept_events(span: Span, rest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events of a span, where all of them are kept, so that no column depends on when they were.

    Raises:
        LookupError: If one is not.
    """
    events, kept = span.get("events") or [], rest.get(_EVENTS, [])
    if [int64(event[EVENT_TIME]) for event in events] != [event["time"] for event in kept]:
        raise LookupError(_EVENTS)
    return kept if events else []


def _template(
    rest: Mapping[str, Any], opaque: Mapping[str, int], events: list[dict[str, Any]]
) -> tuple[str, ...]:
    """The JSON text of an object, cut where the values of some names and the times of events stand.

    Raises:
        TypeError: If orjson cannot write it.
    """
    parts, text = [], "{"
    for number, (name, value) in enumerate(rest.items()):
        is_cut = bool(events) and name == _EVENTS
        pieces = ["", ""] if name in opaque else _around_times(events) if is_cut else [_dumped(value)]
        text += f"{',' if number else ''}{_dumped(name)}:{pieces[0]}"
        for piece in pieces[1:]:
            parts.append(text)
            text = piece
    return (*parts, text + "}")


def _around_times(events: list[dict[str, Any]]) -> list[str]:
    parts, text = [], "["
    for number, event in enumerate(events):
        names = list(event)
        place = names.index("time")
        before, after = ({name: event[name] for name in some} for some in (names[:place], names[place + 1 :]))
        parts.append(f'{text}{"," if number else ""}{{{_dumped(before)[1:-1]}{"," if before else ""}"time":')
        text = f"{',' if after else ''}{_dumped(after)[1:]}"
    return [*parts, text + "]"]


def _dumped(value: Any) -> str:
    return orjson.dumps(value).decode()


def _destinations(
    row: Mapping[str, Any], values: list[Any], layout: Layout
) -> tuple[dict[str, int], dict[str, int]]:
    columns: dict[str, int] = {}
    opaque: dict[str, int] = {}
    rest = row["attributes"]
    for column, position in layout.columns.items():
        name, value = layout.names[position], values[position]
        if row.get(column) == value and name not in rest:
            columns[column] = position
        else:
            opaque[_kept(rest, name, value)] = position
    for name, position in layout.opaque.items():
        opaque[_kept(rest, name, values[position])] = position
    if layout.wait is not None:
        opaque[_kept(rest, WAIT, values[layout.wait])] = layout.wait
        if row.get(WAIT_COLUMN) is not None:
            columns[WAIT_COLUMN] = layout.wait
    return columns, opaque


def _kept(rest: Mapping[str, Any], name: str, value: Any) -> str:
    if value is None or rest[name] != value:
        raise LookupError(name)
    return name


def _states_reason(span: Span, position: int, row_of: Callable[[Span], dict[str, Any]]) -> bool:
    attributes = [attribute for number, attribute in enumerate(span["attributes"]) if number != position]
    return row_of({**span, "attributes": attributes}).get("finish_reason") is not None
