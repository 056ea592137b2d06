"""Observations of one shape, taken apart into cells as soon as they are parsed.

What a field holds is written as JSON text here where a column or an attribute needs it so, while it is
in the processor's cache; the objects themselves are not kept.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from llmops_lib.schema import TOKEN_CONVENTION
from llmops_lib.sources.langfuse_fields import OBJECTS, unwrapped
from llmops_lib.sources.langfuse_plain_usage import plain_costs, plain_counts
from llmops_lib.sources.langfuse_plans import Plan
from llmops_lib.sources.langfuse_rows import outcome
from llmops_lib.sources.langfuse_usage import (
    CACHE_WRITE_1H,
    COST_FIELDS,
    COUNT_FIELDS,
    TOTAL_TOKENS,
    convention_notes,
    reported_cost,
    token_counts,
)
from llmops_lib.sources.refusals import Refused

Cells = Mapping[str, Sequence[Any]]

CONTENTS = ("input", "output")
"""Fields that hold messages."""

TIMES = ("start_time", "end_time", "completion_start_time")
"""Fields that hold times."""

KEPT = (
    "id",
    "trace_id",
    "parent_observation_id",
    "name",
    *TIMES,
    "model",
    "provided_model_name",
    "environment",
    "prompt_name",
    "prompt_version",
    "session_id",
    "user_id",
    "release",
    "trace_name",
    "tags",
    "trace_tags",
)
"""Fields that columns hold as they are."""

_COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_NOTES = (TOTAL_TOKENS, TOKEN_CONVENTION)


class Group:
    """Cells of observations of one shape that wait to become a frame.

    Attributes:
        plan: What their shape asks for.
        cells: By field, or by the column that is already worked out.
        numbers: Line of each in the file, counted from 1.
        offsets: Byte offset of each of these lines.
        raws: Text of each of these lines.
        odd: Numbers of those that must be read one by one.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.cells: dict[str, Any] = {}
        self.numbers: list[int] = []
        self.offsets: list[int] = []
        self.raws: Sequence[bytes] = []
        self.odd: set[int] = set()

    def add(
        self,
        observations: Sequence[dict[str, Any]],
        numbers: Sequence[int],
        offsets: Sequence[int],
        raws: Sequence[bytes],
    ) -> None:
        """Takes observations of the shape of the plan, and the lines in which they stand."""
        columns = zip(*map(dict.values, observations), strict=True)
        found: dict[str, Sequence[Any]] = dict(zip(self.plan.names, columns, strict=True))
        inside = [found["metadata"]] if self.plan.properties else []
        values = zip(*map(dict.values, *inside), strict=True) if inside else ()
        properties: Cells = dict(zip(self.plan.properties, values, strict=True))
        for name in OBJECTS & found.keys() - {"metadata"}:
            found[name] = self._unwrapped(found[name])
        for name in CONTENTS:
            if name in found:
                self._keep(name, list(map(orjson.dumps, _out_of_text(found[name]))))
        for name in KEPT:
            if name in found:
                self._keep(name, found[name])
        for name, column in self.plan.properties.items():
            if column is not None:
                self._mark(properties[name], _is_holder)
                self._keep(f"metadata.{column}", properties[name])
            elif name == "ls_provider":
                self._keep("metadata.provider", properties[name])
        self._mark(found.get("tool_calls", ()), bool)
        notes = self.usage_notes(found, len(numbers))
        self._keep("attributes", self._attributes(found, properties, notes, len(numbers)))
        self.numbers += numbers
        self.offsets += offsets
        self.raws = [*self.raws, *raws]

    def _keep(self, name: str, values: Sequence[Any]) -> None:
        kept = self.cells.get(name)
        if kept is None:
            self.cells[name] = list(values)
        else:
            kept.extend(values)

    def _mark(self, values: Sequence[Any], is_odd: Any) -> None:
        if any(map(is_odd, values)):
            first = len(self.numbers)
            self.odd.update(first + number for number, value in enumerate(values) if is_odd(value))

    def _unwrapped(self, values: Sequence[Any]) -> Sequence[Any]:
        if set(map(type, values)) <= {dict, type(None)}:
            return values
        taken = [unwrapped(value) for value in values]
        # A field is absent where it is empty, but not where empty text was inside of it.
        self._mark([new == "" != old for new, old in zip(taken, values, strict=True)], bool)
        return taken

    def usage_notes(self, found: Cells, count: int) -> Cells:
        """Keeps counts and cost, and returns what is noted of them in `attributes`.

        Args:
            found: Cells of the fields that tell of them, and `status_message`.
            count: How many observations there are.
        """
        if self.plan.is_error:
            messages = found.get("status_message", [None] * count)
            rows = [outcome({"level": "ERROR", "status_message": text}, {}) for text in messages]
            for name in ("error_type", "error_message"):
                self._keep(name, [row[name] for row in rows])
        if not self.plan.is_call:
            return {}
        counts: Cells = plain_counts(found) or self._counts(found, count)
        for name in _COUNTS:
            self._keep(name, counts.get(name) or [None] * count)
        costs = plain_costs(found)
        if costs is None:
            costs = [reported_cost(row) for row in _rows(found, COST_FIELDS, count)]
        self._keep("reported_cost_usd", costs)
        return {name: counts[name] for name in _NOTES if name in counts}

    def _counts(self, found: Cells, count: int) -> Cells:
        counts: dict[str, list[Any]] = {name: [None] * count for name in (*_COUNTS, *_NOTES)}
        if found.keys().isdisjoint(COUNT_FIELDS):
            return {}
        for number, row in enumerate(_rows(found, COUNT_FIELDS, count)):
            try:
                known = {**token_counts(row), **convention_notes(row)}
            except Refused:
                known = {CACHE_WRITE_1H: 0}
            if known.pop(CACHE_WRITE_1H, None) is not None:
                self.odd.add(len(self.numbers) + number)
                continue
            for name, value in known.items():
                counts[name][number] = value
        return counts

    def _attributes(self, found: Cells, properties: Cells, notes: Cells, count: int) -> list[bytes]:
        held = {f"metadata.{name}": properties[name] for name in self._free_properties()}
        held |= {attribute: found[name] for name, attribute in self.plan.attributes.items()}
        held |= notes
        held = {name: values for name, values in held.items() if values.count(None) < count}
        if not held:
            return [b"{}"] * count
        # Loops over rows, because each of them is one object with fields of its own.
        if all(map(all, held.values())):
            template = _template(tuple(held))
            written = (map(orjson.dumps, values) for values in held.values())
            return [template % row for row in zip(*written, strict=True)]
        names, rows = tuple(held), zip(*held.values(), strict=True)
        return [orjson.dumps(_without_empty(names, row)) for row in rows]

    def _free_properties(self) -> list[str]:
        return [name for name, column in self.plan.properties.items() if column is None]


@lru_cache(maxsize=500)
def _template(names: tuple[str, ...]) -> bytes:
    """An object of these names as orjson writes it, with a place for each value."""
    written = (orjson.dumps(name).replace(b"%", b"%%") + b":%b" for name in names)
    return b"{" + b",".join(written) + b"}"


def _is_holder(value: Any) -> bool:
    return value.__class__ in (dict, list)


def _out_of_text(values: Sequence[Any]) -> Sequence[Any]:
    if str not in set(map(type, values)):
        return values
    return [unwrapped(value) if value.__class__ is str else value for value in values]


def _without_empty(names: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        name: value
        for name, value in zip(names, row, strict=True)
        if value is not None
        and value != ""
        and (value or value.__class__ not in (dict, list) or name.startswith("metadata."))
    }


def _rows(found: Cells, names: tuple[str, ...], count: int) -> list[dict[str, Any]]:
    present = [name for name in names if name in found]
    if not present:
        return [{} for _ in range(count)]
    rows = zip(*(found[name] for name in present), strict=True)
    return [
        {name: value for name, value in zip(present, row, strict=True) if value is not None and value != ""}
        for row in rows
    ]
