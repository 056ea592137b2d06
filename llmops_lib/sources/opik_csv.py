"""Rows of Opik's CSV export: a trace and one of its spans side by side, with their objects flattened.

`opik export --format csv` writes `trace_` before the fields of the trace and `span_` before those of the
span, an underscore between the names of an object and its fields, and lists in Python's notation.

Source: `trace_to_csv_rows` in https://github.com/comet-ml/opik (sdks/python/src/opik/cli/exports/utils.py).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from llmops_lib.sources.mlflow_cells import cell_value

_MARKS = frozenset(("trace_id", "trace_start_time", "span_id", "span_start_time"))
_OBJECTS = ("input", "output", "metadata", "usage", "error_info")


def is_wide(names: Iterable[str]) -> bool:
    """Whether columns are those of a trace and a span side by side."""
    return set(names) >= _MARKS


def trace_and_span(row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The trace and the span of a row as the API writes them; the span of a trace without spans is empty.

    Args:
        row: Cells that are not empty.

    Example:
        >>> trace_and_span({"trace_id": "t", "span_id": "s", "span_usage_prompt_tokens": "12"})
        ({'id': 't'}, {'id': 's', 'usage': {'prompt_tokens': 12}})
    """
    return _fields(row, "trace_"), _fields(row, "span_")


def _fields(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    objects: dict[str, dict[str, Any]] = {}
    for column, cell in row.items():
        name = column.removeprefix(prefix)
        if name == column:
            continue
        holder = next((word for word in _OBJECTS if name.startswith(f"{word}_")), None)
        if holder is None:
            fields[name] = cell_value(cell)
        else:
            objects.setdefault(holder, {})[name[len(holder) + 1 :]] = _value(holder, cell)
    return {**fields, **objects}


def _value(holder: str, cell: Any) -> Any:
    is_count = holder == "usage" and isinstance(cell, str) and cell.isascii() and cell.isdecimal()
    return int(cell[:20]) if is_count else cell_value(cell)
