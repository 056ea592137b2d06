"""What a value of each column must be before it may enter the table of spans.

A value that cannot be right refuses its row: a clamped or guessed number would be believed later.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from llmops_lib.errors import SchemaError
from llmops_lib.schema import MODEL_OPERATIONS, OPERATIONS, SPANS
from llmops_lib.sources.json_text import json_text
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import parse_time

NAME_LIMIT = 1_024
"""Characters of the longest name, model or identifier."""

COUNT_LIMIT = 2**53
"""The largest count that every JSON reader and every engine keeps exactly."""

REQUIRED = ("trace_id", "span_id", "started_at")
"""Columns without which a row is no span."""

_MILLISECOND = timedelta(milliseconds=1)
# What the protobuf mapping of JSON writes for doubles that JSON cannot hold.
_NONFINITE = ("NaN", "Infinity")
# A column of counts with one that is missing is written with fractions by pandas: `120.0`.
_WHOLE = re.compile(r"(-?[0-9]{1,40})(?:\.0*)?")
_BOOLEANS = {True: True, False: False, "true": True, "false": False, "True": True, "False": False}


def checked_row(row: Mapping[str, Any]) -> list[Any]:
    """The values of a row in the order of `COLUMNS`, with latency, model and the flags worked out.

    Args:
        row: SPANS columns and `feature_hint` to values; a column that is absent is unknown.

    Raises:
        Refused: If a value cannot be right or an identifier or the start is missing.
        SchemaError: If a key is no column.
    """
    checked: dict[str, Any] = dict.fromkeys(COLUMNS)
    for name, value in row.items():
        if name not in checked:
            msg = f"a reader gave the column {name!r}; expected only {COLUMNS}"
            raise SchemaError(msg)
        if value is not None and value != "":
            checked[name] = checked_value(name, value)
    for name in REQUIRED:
        if checked[name] is None:
            raise Refused(reason="missing_field", detail=name)
    _derive(checked)
    return list(checked.values())


def checked_value(name: str, value: Any) -> Any:
    """The value as a column holds it.

    Args:
        name: One of `COLUMNS`.
        value: Neither None nor empty text.

    Raises:
        Refused: If it cannot be right.
    """
    return _CHECKS[name](name, value)


def _derive(row: dict[str, Any]) -> None:
    if row["ended_at"] is not None:
        latency_ms = (row["ended_at"] - row["started_at"]) / _MILLISECOND
        row["latency_ms"] = latency_ms if latency_ms >= 0 else None
    row["model"] = row["response_model"] or row["request_model"] or row["model"]
    row["operation"] = row["operation"] or "other"
    if row["is_model_call"] is None:
        row["is_model_call"] = row["operation"] in MODEL_OPERATIONS
    row["is_error"] = bool(row["is_error"])


def _identifier(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not text")
    if value.startswith("0") and len(value) >= 16 and not value.strip("0"):
        raise Refused(reason="invalid_id", detail=f"{name} is all zeros")
    return _name(name, value)


def _parent(name: str, value: Any) -> str | None:
    is_zero = isinstance(value, str) and len(value) >= 16 and not value.strip("0")
    return None if is_zero else _identifier(name, value)


def _name(name: str, value: Any) -> str:
    if type(value) is str and len(value) <= NAME_LIMIT and value.isascii():
        return value
    text = value if isinstance(value, str) else _scalar_text(name, value)
    if len(text) > NAME_LIMIT:
        raise Refused(reason="too_long", detail=f"{name} has {len(text)} characters")
    return text if text.isascii() else text.encode(errors="replace").decode()


def _scalar_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not text")


def _text(_name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json_text(value)
    return text if text.isascii() else text.encode(errors="replace").decode()


def _json(_name: str, value: Any) -> str:
    return json_text(value)


def _operation(name: str, value: Any) -> str:
    if value not in OPERATIONS:
        raise Refused(
            reason="type", detail=f"{name} is {str(value)[:40]!r}, not one of {', '.join(OPERATIONS)}"
        )
    return str(value)


def _count(name: str, value: Any) -> int:
    if type(value) is not int:
        value = _whole_number(name, value)
    if not 0 <= value <= COUNT_LIMIT:
        raise Refused(reason="range", detail=f"{name} is {str(value)[:40]}")
    return int(value)


def _whole_number(name: str, value: Any) -> int:
    if isinstance(value, str):
        if found := _WHOLE.fullmatch(value.strip()):
            return int(found[1])
        if value.strip().removeprefix("-") in _NONFINITE:
            raise Refused(reason="nonfinite", detail=name)
    elif isinstance(value, float | Decimal):
        if not math.isfinite(value):
            raise Refused(reason="nonfinite", detail=name)
        if value == int(value):
            return int(value)
    raise Refused(
        reason="type", detail=f"{name} is {type(value).__name__} {str(value)[:40]!r}, not a whole number"
    )


def _http_status(name: str, value: Any) -> int:
    status = _count(name, value)
    if not 100 <= status <= 599:
        raise Refused(reason="range", detail=f"{name} is {status}")
    return status


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise Refused(reason="type", detail=f"{name} is {str(value)[:40]!r}, not a number") from None
    if not math.isfinite(number):
        raise Refused(reason="nonfinite", detail=name)
    return number


def _duration(name: str, value: Any) -> float | None:
    duration = _number(name, value)
    return duration if duration >= 0 else None


def _moment(name: str, value: Any) -> datetime | None:
    try:
        return parse_time(value)
    except Refused as refused:
        raise Refused(refused.reason, f"{name} {refused.detail}") from None


def _flag(name: str, value: Any) -> bool:
    try:
        return _BOOLEANS[value]
    except (KeyError, TypeError):
        raise Refused(reason="type", detail=f"{name} is {str(value)[:40]!r}, not true or false") from None


def _labels(name: str, value: Any) -> list[str]:
    labels = [value] if isinstance(value, str) else value
    if not isinstance(labels, list | tuple | set | frozenset):
        raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not a list")
    return [_text(name, label) for label in labels if label is not None]


_SPECIAL: dict[str, Callable[[str, Any], Any]] = {
    "trace_id": _identifier,
    "span_id": _identifier,
    "parent_span_id": _parent,
    "operation": _operation,
    "started_at": _moment,
    "ended_at": _moment,
    "latency_ms": _duration,
    "time_to_first_token_ms": _duration,
    "http_status": _http_status,
    "error_message": _text,
    "tags": _labels,
    **dict.fromkeys(("input", "output", "system_instructions", "tool_calls", "attributes"), _json),
}
_BY_DTYPE: dict[str, Callable[[str, Any], Any]] = {
    "String": _name,
    "Int64": _count,
    "Float64": _number,
    "Boolean": _flag,
}
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    column.name: _SPECIAL.get(column.name) or _BY_DTYPE[str(column.dtype)]
    for column in SPANS.columns
    if not column.name.startswith("source_")
} | {"feature_hint": _name}

COLUMNS = tuple(_CHECKS)
"""Columns that a reader fills, in order; those of provenance are the collector's."""
