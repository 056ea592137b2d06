"""Spans that are alike: one is read as every span is, and the others take its row.

An application writes few kinds of spans, each of them many times. Spans with the same attributes, of which
those that decide something (`carried`) also have the same values, differ only in what they carry: ids,
times, counts, texts. So one of them is read alone, and what the others carry becomes columns, checked as
columns. A span that is unlike the others, or carries something unusual, is read alone: there is one
account of what attributes mean, and it stands in `attributes`.

What waits is what spans carry, not the spans: keeping the objects of many lines takes longer than parsing
the line again for the few that have to be read alone after all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import orjson
import polars as pl

from llmops_lib.sources.alike_columns import (
    UnlikeError,
    carried_columns,
    carried_frame,
    is_usual,
    typed_columns,
)
from llmops_lib.sources.carried import Layout, layout_of
from llmops_lib.sources.pieces import checked_columns, with_derived
from llmops_lib.sources.place import Place
from llmops_lib.sources.prototypes import Prototype, prototype_of
from llmops_lib.sources.rows import RowCollector

Span = Mapping[str, Any]

FEWEST = 4
"""Spans below which they are read alone: a prototype takes as long as two of them."""

_WAITING_SPANS = 20_000
_WAITING_BYTES = 32 << 20
_KNOWN_LAYOUTS = 10_000


@dataclass(slots=True)
class _Group:
    """Spans that are alike: their scope, the first of them, and what each carries and where it stands."""

    layout: Layout
    scope: Any
    first: Span | None
    prototype: Prototype | None = None
    carried: list[tuple[Any, ...]] = field(default_factory=list)
    places: list[tuple[Place, int]] = field(default_factory=list)


class AlikeSpans:
    """Spans on their way into a collector, those that are alike together.

    Args:
        collector: Takes the rows.
        row_of: Reads one span alone, given with its scope.
        spans_of: The spans of a parsed line with their scopes, in the order in which they are taken.
        fewest: Spans that are alike below which they are read alone; None reads every span alone.
    """

    def __init__(
        self,
        collector: RowCollector,
        row_of: Callable[[Span, Any], dict[str, Any]],
        spans_of: Callable[[Place], Iterator[tuple[Span, Any]]],
        *,
        fewest: int | None = FEWEST,
    ) -> None:
        self._collector = collector
        self._row_of = row_of
        self._spans_of = spans_of
        self._fewest = fewest
        self._layouts: dict[tuple[Any, ...], Layout | None] = {}
        self._groups: dict[tuple[int, bytes, bytes], _Group] = {}
        self._waiting_count = 0
        self._waiting_bytes = 0

    def take(self, span: Span, scope: Any, scope_key: bytes, place: Place, number: int) -> None:
        """Takes a span; `flush` gives it to the collector.

        Args:
            span: As it is written.
            scope: What `row_of` needs to know besides.
            scope_key: Tells one scope from another.
            place: Line on which it stands.
            number: Position among the spans of the line.
        """
        try:
            attributes = span["attributes"]
            names = tuple([attribute["key"] for attribute in attributes])
            values = [value for attribute in attributes for value in attribute["value"].values()]
            kinds = tuple([kind for attribute in attributes for kind in attribute["value"]])
            layout = self._layout(tuple(span), names, kinds)
            if layout is None or (layout.has_more and (span.get("events") or span.get("links"))):
                place.read(span, self._reader(scope))
                return
            deciding = [[span[name] for name in layout.fields], [values[index] for index in layout.deciding]]
            key = (id(layout), scope_key, orjson.dumps(deciding))
        except (TypeError, KeyError, AttributeError):
            place.read(span, self._reader(scope))
            return
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(layout, scope, span)
        group.carried.append(layout.carried_by(span, values))
        group.places.append((place, number))
        self._waiting_count += 1

    def _reader(self, scope: Any) -> Callable[[Span], dict[str, Any]]:
        return lambda span: self._row_of(span, scope)

    def _layout(self, *written: tuple[str, ...]) -> Layout | None:
        try:
            return self._layouts[written]
        except KeyError:
            found = None if self._fewest is None else layout_of(*written)
            self._layouts[written] = found
            return found

    def hold(self, size: int) -> None:
        """Counts bytes that waiting spans keep in memory, which bounds how many wait.

        Args:
            size: Bytes of text that were parsed.
        """
        self._waiting_bytes += size
        if self._waiting_count >= _WAITING_SPANS or self._waiting_bytes >= _WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Gives all spans that wait to the collector."""
        alone: list[tuple[Place, int]] = []
        groups: list[tuple[_Group, dict[str, list[Any]]]] = []
        for group in self._groups.values():
            columns = self._columns(group) if group.carried else {}
            if columns:
                groups.append((group, columns))
            else:
                alone += group.places
        alone += self._accept(groups)
        self._read_alone(alone)
        self._waiting_count = self._waiting_bytes = 0
        self._forget()

    def _forget(self) -> None:
        # A group without a prototype would keep its first span, of which there may be one per group.
        self._groups = {key: group for key, group in self._groups.items() if group.prototype is not None}
        for group in self._groups.values():
            group.carried, group.places = [], []
        if max(len(self._layouts), len(self._groups)) > _KNOWN_LAYOUTS:
            self._groups.clear()
            self._layouts.clear()

    def _columns(self, group: _Group) -> dict[str, list[Any]]:
        """What the spans of a group carry; nothing where each has to be read alone."""
        if group.first is not None and self._fewest is not None and len(group.carried) >= self._fewest:
            group.prototype = prototype_of(group.first, group.layout, self._reader(group.scope))
            group.first = None
        if group.prototype is None:
            return {}
        try:
            return carried_columns(group.carried, group.layout, group.prototype)
        except UnlikeError:
            return {}

    def _accept(self, found: list[tuple[_Group, dict[str, list[Any]]]]) -> list[tuple[Place, int]]:
        """Gives rows to the collector, and returns the places of spans that carry something unusual."""
        shared, refused = checked_columns([group.prototype.row for group, _ in found if group.prototype])
        alone = list(chain.from_iterable(found[number][0].places for number in refused))
        found = [item for number, item in enumerate(found) if number not in refused]
        if not found:
            return alone
        sizes = [len(group.places) for group, _ in found]
        rows = _repeated(range(len(found)), sizes)
        has_total = _repeated([group.layout.has_total for group, _ in found], sizes)
        carried = carried_frame([columns for _, columns in found])
        usual = is_usual(carried, has_total=has_total)
        places = [place for group, _ in found for place in group.places]
        lines = pl.Series([place.line.number for place, _ in places], dtype=pl.Int64)
        own = carried.drop("is_full").filter(usual).with_columns(typed_columns(carried))
        self._collector.accept_checked(_joined(shared[rows.filter(usual)], own), lines=lines.filter(usual))
        return alone + [places[number] for number in (~usual).arg_true()]

    def _read_alone(self, places: Iterable[tuple[Place, int]]) -> None:
        numbers: dict[int, set[int]] = defaultdict(set)
        lines: dict[int, Place] = {}
        for place, number in places:
            numbers[place.line.number].add(number)
            lines[place.line.number] = place
        for line, place in lines.items():
            for number, (span, scope) in enumerate(self._spans_of(place)):
                if number in numbers[line]:
                    place.read(span, self._reader(scope))


def _repeated(values: Iterable[Any], sizes: Iterable[int]) -> pl.Series:
    return pl.Series(list(chain.from_iterable(map(repeat, values, sizes))))


def _joined(shared: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The rows that spans share, with what each carries itself."""
    return with_derived(
        shared.with_columns(
            own[name].zip_with(own[name].is_not_null(), shared[name]).alias(name) for name in own.columns
        )
    )
