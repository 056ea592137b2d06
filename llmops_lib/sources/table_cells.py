"""Text cells as typed columns: all clean ones at once, the rest one by one under the rules of every format.

A columnar step types what it is sure of and leaves null for the rest. Whatever cell is left goes
through `checks`, which decides for every format what a value may be; the columnar step can
therefore be wrong about nothing but speed, and a test holds the two together.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl

from llmops_lib.schema import OPERATIONS, SPANS
from llmops_lib.sources.checks import COLUMNS, NAME_LIMIT, checked_row
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.table_mapping import DURATIONS, TIMES, ColumnRule
from llmops_lib.sources.table_text import json_texts
from llmops_lib.sources.table_times import clean_times, slow_time

_DTYPES = SPANS.polars_schema
_CONTENT = ("input", "output", "system_instructions", "tool_calls")
_MISSING = ("nan", "null", "none", "\\n")
_FLAGS = {
    "true": True,
    "yes": True,
    "1": True,
    "1.0": True,
    "false": False,
    "no": False,
    "0": False,
    "0.0": False,
}
_MS_PER = {"s": 1_000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
_A_MOMENT = datetime(2020, 1, 1, tzinfo=UTC)
_A_ROW = {"trace_id": "t", "span_id": "s", "started_at": _A_MOMENT}


def typed_column(
    name: str, text: pl.Series, rule: ColumnRule, timezone: str | None
) -> tuple[pl.Series, dict[int, str]]:
    """The values of one SPANS column and, by position, why a cell cannot be one.

    Args:
        name: Column of SPANS.
        text: Cells.
        rule: Unit and origin.
        timezone: IANA zone of times that name none.

    Raises:
        Refused: `naive_time`, which no single row can be blamed for.
    """
    if _DTYPES[name] != pl.String:
        text = pl.select(
            pl.when(~text.str.strip_chars().str.to_lowercase().is_in(_MISSING)).then(text)
        ).to_series()
    if name == "tags":
        return pl.Series(name, [_labels(cell) for cell in text], dtype=_DTYPES[name]), {}
    values = _clean(name, text, rule, timezone).cast(_DTYPES[name]).alias(name)
    odd = (values.is_null() & text.is_not_null()).arg_true().to_list()
    checked: list[Any] = []
    refusals: dict[int, str] = {}
    for position in odd:
        try:
            checked.append(_checked_cell(name, _slow(name, text[position], rule, timezone)))
        except Refused as refused:
            if refused.reason == "naive_time":
                raise
            checked.append(None)
            refusals[position] = str(refused)
    return (values.scatter(odd, pl.Series(checked, dtype=_DTYPES[name])) if odd else values), refusals


def _clean(name: str, text: pl.Series, rule: ColumnRule, timezone: str | None) -> pl.Series:
    if name in TIMES:
        return clean_times(text, rule, timezone)
    if name in _CONTENT:
        return json_texts(text)
    clean = _CLEAN.get(name) or _CLEAN_BY_DTYPE[str(_DTYPES[name])]
    return text.to_frame().select(clean(pl.col(text.name), rule)).to_series()


def _clean_duration(cell: pl.Expr, rule: ColumnRule) -> pl.Expr:
    duration = cell.cast(pl.Float64, strict=False) * _MS_PER[rule.unit or "ms"]
    return pl.when(duration.is_between(0, 1e300)).then(duration)


def _clean_status(cell: pl.Expr, _rule: ColumnRule) -> pl.Expr:
    status = cell.cast(pl.Int32, strict=False)
    return pl.when(status.is_between(100, 599)).then(status)


def _clean_count(cell: pl.Expr, _rule: ColumnRule) -> pl.Expr:
    return pl.when(cell.str.contains(r"^\d{1,15}$")).then(cell.cast(pl.Int64, strict=False))


def _clean_number(cell: pl.Expr, _rule: ColumnRule) -> pl.Expr:
    number = cell.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _clean_flag(cell: pl.Expr, _rule: ColumnRule) -> pl.Expr:
    return cell.str.to_lowercase().replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)


def _clean_operation(cell: pl.Expr, _rule: ColumnRule) -> pl.Expr:
    operation = cell.str.strip_chars().str.to_lowercase()
    return pl.when(operation.is_in(OPERATIONS)).then(operation)


def _clean_id(cell: pl.Expr, rule: ColumnRule) -> pl.Expr:
    return pl.when(cell.str.contains("[^0]")).then(_clean_name(cell, rule))


def _clean_name(cell: pl.Expr, _rule: ColumnRule) -> pl.Expr:
    return pl.when(cell.str.len_chars() <= NAME_LIMIT).then(cell)


def _slow(name: str, text: str, rule: ColumnRule, timezone: str | None) -> Any:
    if name in TIMES:
        return slow_time(text, rule, timezone)
    slow = _SLOW.get(name) or _SLOW_BY_DTYPE[str(_DTYPES[name])]
    return slow(text, rule)


def _checked_cell(name: str, value: Any) -> Any:
    return checked_row({**_A_ROW, name: value})[COLUMNS.index(name)]


def _slow_count(text: str, _rule: ColumnRule) -> Any:
    number = _number_or_text(text)
    return number if isinstance(number, float) and not text.strip().lstrip("-").isdigit() else text


def _slow_duration(text: str, rule: ColumnRule) -> Any:
    number = _number_or_text(text)
    return number * _MS_PER[rule.unit or "ms"] if isinstance(number, float) else text


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _labels(text: str | None) -> list[str] | None:
    # Few rows bear tags and few tags differ, so one by one is fast enough.
    if text is None:
        return None
    listed = json_value(text)
    labels = listed if isinstance(listed, list) else text.split(",")
    return [str(label).strip() for label in labels if label is not None]


_Clean = Callable[[pl.Expr, ColumnRule], pl.Expr]
_CLEAN: dict[str, _Clean] = {
    **dict.fromkeys(DURATIONS, _clean_duration),
    **dict.fromkeys(("trace_id", "span_id", "parent_span_id"), _clean_id),
    "http_status": _clean_status,
    "operation": _clean_operation,
    "error_message": lambda cell, _rule: cell,
    "attributes": lambda cell, _rule: cell,
}
_CLEAN_BY_DTYPE: dict[str, _Clean] = {
    "Int64": _clean_count,
    "Float64": _clean_number,
    "Boolean": _clean_flag,
    "String": _clean_name,
}
_SLOW: dict[str, Callable[[str, ColumnRule], Any]] = {
    "operation": lambda text, _rule: text.strip().lower(),
    **dict.fromkeys(DURATIONS, _slow_duration),
}
_SLOW_BY_DTYPE: dict[str, Callable[[str, ColumnRule], Any]] = {
    "Int64": _slow_count,
    "Int32": _slow_count,
    "Float64": lambda text, _rule: text.strip(),
    "Boolean": lambda text, _rule: _FLAGS.get(text.strip().lower(), text),
    "String": lambda text, _rule: text,
}
