"""Attributes that a span carries into one column as they are: no other column depends on their values.

Every other attribute may decide something: what a span does, which of two names counts, whether it failed.
An attribute that no reader looks into is carried too, into `attributes`.
"""

from collections import Counter
from dataclasses import dataclass

from llmops_lib.sources.attribute_names import COLUMN_OF, FEATURE_HINTS, USAGE_COLUMNS
from llmops_lib.sources.contents import FLATTENED, READ_NAMES
from llmops_lib.sources.logfire_spans import LOGFIRE_TYPE, TOOK
from llmops_lib.sources.mlflow_spans import SPAN_TYPE
from llmops_lib.sources.otlp_values import SNAKE_CASED
from llmops_lib.sources.usage import EVIDENCE, TOTALS

__all__ = ["COST", "COUNTS", "NAMES", "OWN_FIELDS", "TEXTS", "WAIT", "Layout", "layout_of"]

COST = "reported_cost_usd"
"""Column of the cost that an attribute states."""

COUNTS = tuple(name for name in USAGE_COLUMNS if name.endswith("_tokens"))
"""Columns of token counts."""

NAMES = ("request_id", "session_id", "user_id", "tenant", "tool_call_id")
"""Columns of names that differ from span to span."""

TEXTS = ("input", "output", "system_instructions")
"""Columns of messages."""

WAIT = "gen_ai.response.time_to_first_chunk"
"""Attribute that carries seconds to `time_to_first_token_ms`, and stays in `attributes`."""

OWN_FIELDS = {
    "trace_id": "traceId",
    "span_id": "spanId",
    "parent_span_id": "parentSpanId",
    "started_at": "startTimeUnixNano",
    "ended_at": "endTimeUnixNano",
}
"""Column -> field of what every span carries."""

_TEXT_COLUMN = {
    "gen_ai.input.messages": "input",
    "gen_ai.output.messages": "output",
    "gen_ai.system_instructions": "system_instructions",
    "gen_ai.tool.call.arguments": "input",
    "gen_ai.tool.call.result": "output",
}
_IDENTITY = ("traceId", "spanId", "startTimeUnixNano", "endTimeUnixNano", "attributes")
_ELSEWHERE = ("events", "links")
_CARRIED_FIELDS = frozenset((*_IDENTITY, "parentSpanId", *_ELSEWHERE))
# Is measured from the start of the span.
_LANGFUSE = "langfuse."
_TIMED = "langfuse.observation.completion_start_time"
_LOOKED_INTO = (*COLUMN_OF, *FEATURE_HINTS, *FLATTENED, *READ_NAMES, *EVIDENCE, *TOTALS)
_ROOTS = frozenset(name.split(".")[0] for name in (*_LOOKED_INTO, "error", "exception", "openinference"))
_FLOAT_KINDS = ("doubleValue",)
_USAGE_PREFIXES = ("gen_ai.usage.", "llm.usage.")


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the fields and attributes of spans go that have the same ones in the same order.

    Attributes:
        names: Names of the attributes.
        kinds: Kind of the value of each, such as `stringValue`.
        fields: Fields of the span that decide something.
        deciding: Positions of the attributes that decide something.
        columns: Column -> position of the attribute that it is carried from.
        opaque: Name -> position of the attributes that are carried into `attributes`.
        wait: Position of `WAIT`, or None.
        has_total: Whether a total of tokens is stated, which tells how cached input is counted.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    deciding: tuple[int, ...]
    columns: dict[str, int]
    opaque: dict[str, int]
    wait: int | None
    has_total: bool


def layout_of(fields: tuple[str, ...], names: tuple[str, ...], kinds: tuple[str, ...]) -> Layout | None:
    """The layout of spans, or None where each of them has to be read alone.

    Args:
        fields: Fields of a span, in order.
        names: Names of its attributes, in order.
        kinds: Kinds of their values, in order.
    """
    given = set(names)
    if len(given) < len(names) or len(kinds) != len(names) or SPAN_TYPE in given:
        return None
    if {LOGFIRE_TYPE, TOOK} <= given:
        return None
    if not set(_IDENTITY) <= set(fields) or not SNAKE_CASED.isdisjoint(fields) or _TIMED in given:
        return None
    columns = _carried_columns(names, kinds)
    opaque = {name: position for position, name in enumerate(names) if _is_opaque(name)}
    wait = names.index(WAIT) if WAIT in given else None
    carried = {*columns.values(), *opaque.values(), wait}
    deciding = tuple(position for position in range(len(names)) if position not in carried)
    if any(_is_text(names[position]) for position in deciding):
        return None
    return Layout(
        names=names,
        kinds=kinds,
        fields=tuple(name for name in fields if name not in _CARRIED_FIELDS),
        deciding=deciding,
        columns=columns,
        opaque=opaque,
        wait=wait,
        has_total=not given.isdisjoint(TOTALS),
    )


def _carried_columns(names: tuple[str, ...], kinds: tuple[str, ...]) -> dict[str, int]:
    found = [(_column(name), position) for position, name in enumerate(names)]
    times = Counter(column for column, _ in found)
    # Langfuse writes names as JSON or as they are, and only the value tells.
    found = [(column, position) for column, position in found if not names[position].startswith(_LANGFUSE)]
    are_whole = all(kinds[position] == "intValue" for column, position in found if column in COUNTS)
    wanted = {COST: _FLOAT_KINDS, **dict.fromkeys((*NAMES, *TEXTS), ("stringValue",))}
    if are_whole and EVIDENCE.isdisjoint(names) and all(times[column] < 2 for column in COUNTS):
        wanted |= dict.fromkeys(COUNTS, ("intValue",))
    return {
        column: position
        for column, position in found
        if column in wanted and times[column] == 1 and kinds[position] in wanted[column]
    }


def _column(name: str) -> str | None:
    return _TEXT_COLUMN.get(name) or (COLUMN_OF[name][0] if name in COLUMN_OF else None)


def _is_text(name: str) -> bool:
    """Whether the attribute holds messages, which no two spans have in common."""
    return name in READ_NAMES or any(
        name.startswith(prefix) and name[len(prefix) :][:1].isdecimal() for prefix in FLATTENED
    )


def _is_opaque(name: str) -> bool:
    if name in COLUMN_OF or name in EVIDENCE:
        return False
    return name.startswith(_USAGE_PREFIXES) or name in TOTALS or name.split(".", maxsplit=1)[0] not in _ROOTS
