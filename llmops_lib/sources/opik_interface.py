r"""Rows as Opik's user interface exports them: a table of spans or traces, or one trace with its spans.

An absent field is empty text, and a score that was not given a dash. In CSV the fields of objects stand in
columns of their own, `usage.prompt_tokens`, with a dot inside a name as `\.`. One trace with its spans is the
row of the trace, which has no type, and below it those of the spans, which name neither trace nor parent.

Source: `mapRowDataForExport` in https://github.com/comet-ml/opik (apps/opik-frontend/src/lib/traces).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from llmops_lib.sources.mlflow_cells import cell_value

_MARKS = frozenset(("id", "start_time", "total_estimated_cost"))
_KINDS = frozenset(("type", "trace_id", "thread_id"))
_OF_THE_API = ("project_id", "project_name", "last_updated_at", "run_type")
_SCORE = "feedback_scores."
_DOT = re.compile(r"(?<!\\)\.")


def is_exported(names: Iterable[str]) -> bool:
    """Whether columns or keys are those of such a row.

    Args:
        names: Columns or keys.
    """
    known = set(names)
    return known >= _MARKS and not known.isdisjoint(_KINDS) and known.isdisjoint(_OF_THE_API)


def stated_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    r"""The fields of a row as the API writes them, without those that state nothing.

    Args:
        row: A row of the interface.

    Example:
        >>> stated_fields({"id": "s", "model": "", "usage.original_usage\\.input_tokens": 7})
        {'id': 's', 'usage': {'original_usage.input_tokens': 7}}
    """
    fields: dict[str, Any] = {}
    for column, cell in row.items():
        if cell == "" or (cell == "-" and column.startswith(_SCORE)):
            continue
        is_count = column.startswith("usage.")
        path = column.split(".", 1) if is_count else _DOT.split(column)
        *holders, name = (part.replace("\\.", ".") for part in path)
        place = fields
        for holder in holders:
            held = place.setdefault(holder, {})
            place = held if isinstance(held, dict) else {}
        place[name] = cell_value(cell)
    return fields
