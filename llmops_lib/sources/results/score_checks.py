"""What a value of each column must be before it may enter the table of scores.

A value that cannot be right refuses its record: a clamped or guessed score would be believed later.
A score of NaN is null: graders write it for what they could not compute.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from llmops_lib.errors import SchemaError
from llmops_lib.schema import SCORES, UTC_DATETIME
from llmops_lib.sources.checks import COUNT_LIMIT, NAME_LIMIT
from llmops_lib.sources.json_text import json_text
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import parse_time

_PROVENANCE = ("source_format", "source_file", "source_line")
_TEXTS = ("explanation", "error", "label")
_JSON = ("input", "output", "expected", "metadata")
_REQUIRED = ("run_id", "example_id", "scorer")


def checked_score(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row in the order of SCORES, provenance left out.

    Args:
        row: SCORES columns to values; a column that is absent is unknown.

    Raises:
        Refused: If a value cannot be right, or the run, the example or the scorer is missing.
        SchemaError: If a key is no column.
    """
    checked: dict[str, Any] = dict.fromkeys(SCORE_COLUMNS)
    for name, value in row.items():
        if name not in checked:
            msg = f"a reader gave the column {name!r}; expected only {SCORE_COLUMNS}"
            raise SchemaError(msg)
        if value is not None and value != "":
            checked[name] = _CHECKS[name](name, value)
    for name in _REQUIRED:
        if checked[name] is None:
            raise Refused(reason="missing_field", detail=name)
    return checked


def _name(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not text")
    is_whole = isinstance(value, float) and value.is_integer()
    text = _storable(str(int(value) if is_whole else value))
    if len(text) > NAME_LIMIT:
        raise Refused(reason="too_long", detail=f"{name} has {len(text)} characters")
    return text


def _text(_name: str, value: Any) -> str:
    return _storable(value if isinstance(value, str) else json_text(value))


def _json(_name: str, value: Any) -> str:
    return json_text(value)


def _storable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()


def _count(name: str, value: Any) -> int:
    number = _number(name, value)
    if number is None or not number.is_integer():
        raise Refused(reason="type", detail=f"{name} is {str(value)[:40]!r}, not a whole number")
    if not 0 <= number <= COUNT_LIMIT:
        raise Refused(reason="range", detail=f"{name} is {str(value)[:40]}")
    return int(number)


def _trial(name: str, value: Any) -> int:
    trial = _count(name, value)
    if trial < 1:
        raise Refused(reason="range", detail=f"{name} is {trial}; trials count from 1")
    return trial


def _number(name: str, value: Any) -> float | None:
    if not isinstance(value, bool | int | float | str):
        raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise Refused(reason="type", detail=f"{name} is {str(value)[:40]!r}, not a number") from None
    if math.isinf(number):
        raise Refused(reason="nonfinite", detail=name)
    return None if math.isnan(number) else number


def _amount(name: str, value: Any) -> float | None:
    amount = _number(name, value)
    if amount is not None and amount < 0:
        raise Refused(reason="range", detail=f"{name} is {str(value)[:40]}")
    return amount


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(reason="type", detail=f"{name} is {str(value)[:40]!r}, not true or false")
    return value


def _moment(name: str, value: Any) -> datetime | None:
    try:
        return parse_time(value)
    except Refused as refused:
        raise Refused(refused.reason, f"{name} {refused.detail}") from None


_BY_DTYPE: dict[Any, Callable[[str, Any], Any]] = {
    "String": _name,
    "Int64": _count,
    "Float64": _number,
    "Boolean": _flag,
    str(UTC_DATETIME): _moment,
}
_SPECIAL: dict[str, Callable[[str, Any], Any]] = {
    "trial": _trial,
    "latency_ms": _amount,
    "cost_usd": _amount,
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_JSON, _json),
}
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    column.name: _SPECIAL.get(column.name) or _BY_DTYPE[str(column.dtype)]
    for column in SCORES.columns
    if column.name not in _PROVENANCE
}

SCORE_COLUMNS = tuple(_CHECKS)
"""Columns that a reader fills, in order; those of provenance are the collector's."""
