"""Rows for a terminal: aligned columns, one row per line, nothing cut."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from llmops_lib.cli.screen import plain, say


def say_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """The rows under their column names; unknown values are left blank.

    Args:
        rows: What to show.
        columns: Names of the columns to show, in order.
    """
    cells = [list(columns), *([_cell(row[name]) for name in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    for line in cells:
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        say("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    # A cell is one line, whatever is in it.
    return plain(str(value).replace("\n", "\\n"))
