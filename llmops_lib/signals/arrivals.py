"""Values seen for the first time: with each a change came whose hour and calls are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import Frame, known_rows
from llmops_lib.frames import narwhal
from llmops_lib.signals.first_seen import first_seen

CHANGED = {
    "response_model": "model",
    "prompt_version": "prompt",
    "prompt_hash": "prompt",
    "release": "release",
}
"""Columns whose values come with a change of the application or of its provider, and what changed."""

ALIKE = ("request_model", "feature", "prompt_name")
"""What calls of a new value share with those that it is held against."""

_WEEK = timedelta(weeks=1)
_LEAST_CALLS = 30
_MOST_VALUES = 20


@dataclass(frozen=True)
class Arrival:
    """A value that came up.

    Attributes:
        column: Column of `CHANGED`.
        value: The value.
        first_at: When it was first seen, UTC.
    """

    column: str
    value: str
    first_at: datetime


def arrivals(spans: Any) -> list[Arrival]:
    """The values that came up a week or more after their column was first known, the first first.

    A column whose values come up all the time, such as a hash of what was sent, tells no change: of each
    column those with the most calls are taken, twenty at the most.

    Args:
        spans: SPANS, on any engine; uses the columns of `CHANGED` that it has.
    """
    present = narwhal(spans).collect_schema().names()
    columns = [name for name in CHANGED if name in present]
    if not columns:
        return []
    seen = first_seen(known_rows(spans, ["started_at", *columns]), columns)
    known_since = pl.col("first_at").min().over("column")
    new = seen.filter(pl.col("first_at") >= known_since + _WEEK, pl.col("call_count") >= _LEAST_CALLS)
    largest = new.sort("call_count", "value", descending=[True, False]).group_by(
        "column", maintain_order=True
    )
    kept = largest.head(_MOST_VALUES).sort("first_at", "column", "value")
    order = {column: place for place, column in enumerate(CHANGED)}
    found = [Arrival(*row) for row in kept.select("column", "value", "first_at").iter_rows()]
    return sorted(found, key=lambda one: (one.first_at, order[one.column]))


def arrival_keys(found: Sequence[Arrival], spans: Any) -> list[str]:
    """Columns to count by so that arrivals can be told apart and held against what they replaced."""
    if not found:
        return []
    present = narwhal(spans).collect_schema().names()
    return [*(name for name in ALIKE if name in present), *dict.fromkeys(one.column for one in found)]


def only_new(flagged: Frame, found: Sequence[Arrival]) -> Frame:
    """The rows with all other values of those columns null, so that what is counted stays small."""
    for column in dict.fromkeys(one.column for one in found):
        values = [one.value for one in found if one.column == column]
        kept = nw.when(nw.col(column).is_in(values)).then(nw.col(column))
        flagged = flagged.with_columns(kept.alias(column))
    return flagged
