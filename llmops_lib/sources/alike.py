"""Spans that are alike: one is read as every span is, and the others take its row.

An application writes few kinds of spans, each of them many times. Spans with the same attributes, of which
those that decide something (`carried`) also have the same values, differ only in what they carry: ids,
times, counts, texts. So one of them is read alone, and what the others carry becomes columns, checked as
columns. A span that is unlike the others, or carries something unusual, is read alone: there is one
account of what attributes mean, and it stands in `attributes`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, repeat
from typing import Any

import numpy as np
import orjson
import polars as pl

from llmops_lib.sources.alike_checks import is_usual, typed_columns
from llmops_lib.sources.alike_columns import UnlikeError, carried_cells, finished
from llmops_lib.sources.carried import Layout, layout_of
from llmops_lib.sources.json_skeletons import tokens_in
from llmops_lib.sources.lines import Line, parse_json
from llmops_lib.sources.otlp_cuts import CutSpans
from llmops_lib.sources.otlp_forms import WORDS, Form
from llmops_lib.sources.pieces import checked_columns, with_derived
from llmops_lib.sources.place import Place
from llmops_lib.sources.prototypes import Prototype, prototype_of
from llmops_lib.sources.rows import RowCollector

Span = Mapping[str, Any]

FEWEST = 4
"""Spans below which they are read alone: a prototype takes as long as two of them."""

_KNOWN = 10_000
_SPLITS = 50


@dataclass(frozen=True, slots=True)
class _Named:
    """Spans of one form whose attributes have the same names: their tokens, and their rows among all."""

    spans: CutSpans
    form: Form
    cells: pl.DataFrame
    rows: pl.Series

    def decided_alike(self, layout: Layout) -> Iterator[tuple[tuple[Any, ...], pl.Series]]:
        """What decides something, and the numbers of the spans for which it is the same."""
        deciding = [self.form.span[name] for name in layout.fields]
        deciding += [self.form.values[position] for position in layout.deciding]
        scopes = pl.Series("scope", self.spans.scope_numbers[self.rows.to_numpy()])
        values = self.cells.select(scopes, *map(str, sorted(set(tokens_in(deciding))))).with_row_index("row")
        grouped = values.group_by(pl.exclude("row"), maintain_order=True).agg("row")
        keys = self.spans.surroundings.scope_keys
        for (scope, *decided), some in zip(grouped.drop("row").iter_rows(), grouped["row"], strict=True):
            yield (self.form, keys[scope], *decided), some


@dataclass(slots=True)
class _Taken:
    """Spans of a batch: those that become columns, and the rows of those that have to be read alone."""

    cells: list[pl.DataFrame] = field(default_factory=list)
    rows: list[pl.Series] = field(default_factory=list)
    shared: list[Mapping[str, Any]] = field(default_factory=list)
    sharing: list[pl.Series] = field(default_factory=list)
    alone: list[pl.Series] = field(default_factory=list)


class AlikeSpans:
    """Spans on their way into a collector, those that are alike together.

    Args:
        collector: Takes the rows.
        row_of: Reads one span alone, given with its `scope`.
        fewest: Spans that are alike below which they are read alone.
    """

    def __init__(
        self,
        collector: RowCollector,
        row_of: Callable[..., dict[str, Any]],
        *,
        fewest: int = FEWEST,
    ) -> None:
        self._collector = collector
        self._row_of = row_of
        self._fewest = fewest
        self._layouts: dict[tuple[Any, ...], Layout | None] = {}
        self._prototypes: dict[tuple[Any, ...], Prototype | None] = {}

    def take(self, spans: CutSpans, numbers: np.ndarray, line_of: Callable[[int], Line]) -> None:
        """Gives spans to the collector.

        Args:
            spans: Of many lines.
            numbers: Number in the file of each line that was cut.
            line_of: That line.
        """
        if max(len(self._layouts), len(self._prototypes)) > _KNOWN:
            self._layouts.clear()
            self._prototypes.clear()
        taken = _Taken()
        for form, rows in spans.groups:
            if rows.len() < self._fewest or not form.is_regular:
                taken.alone.append(rows)
            else:
                self._take_form(spans, form, rows, taken)
        if taken.cells:
            self._accept(taken, spans, numbers)
        alone = sorted(chain.from_iterable(taken.alone))
        for row, text in zip(alone, spans.written(alone), strict=True):
            place = Place(self._collector, line_of(spans.lines[row]))
            place.read(parse_json(text.encode()), self._reader(spans.scope(row)))

    def _reader(self, scope: Any) -> Callable[[Span], dict[str, Any]]:
        return partial(self._row_of, scope=scope)

    def _take_form(self, spans: CutSpans, form: Form, rows: pl.Series, taken: _Taken) -> None:
        cells = spans.cells(form, rows)
        places = list(map(str, form.names))
        for _ in range(_SPLITS):
            names = [cells[place][0] for place in places]
            same = [pl.col(place) == name for place, name in zip(places, names, strict=True)]
            is_same = cells.select(pl.all_horizontal(pl.lit(value=True), *same)).to_series()
            if is_same.all():
                self._take_named(_Named(spans, form, cells, rows), names, taken)
                return
            some, others = is_same.arg_true(), (~is_same).arg_true()
            self._take_named(_Named(spans, form, cells[some], rows.gather(some)), names, taken)
            rows, cells = rows.gather(others), cells[others]
        taken.alone.append(rows)

    def _take_named(self, named: _Named, names: Sequence[str], taken: _Taken) -> None:
        form, rows = named.form, named.rows
        layout = self._layout(form, tuple(names))
        if layout is None or rows.len() < self._fewest:
            taken.alone.append(rows)
            return
        found: dict[tuple[Any, ...], list[tuple[Prototype, pl.Series]]] = defaultdict(list)
        for decided, some in named.decided_alike(layout):
            prototype = self._prototype(named, layout, decided, some)
            if prototype is None:
                taken.alone.append(rows.gather(some))
            else:
                found[prototype.destinations].append((prototype, some))
        for alike in found.values():
            prototypes, parts = zip(*alike, strict=True)
            some = pl.concat(parts)
            numbers = _repeated(range(len(parts)), [part.len() for part in parts])
            try:
                cells = carried_cells(named.cells[some], form, layout, prototypes, numbers)
            except UnlikeError:
                taken.alone.append(rows.gather(some))
                continue
            taken.cells.append(cells)
            taken.rows.append(rows.gather(some))
            taken.sharing.append(numbers + len(taken.shared))
            taken.shared += [prototype.row for prototype in prototypes]

    def _layout(self, form: Form, names: tuple[str, ...]) -> Layout | None:
        key = (tuple(form.span), names, form.kinds)
        if key not in self._layouts:
            plain = tuple(orjson.loads(f'"{WORDS.written(name)}"') for name in names)
            self._layouts[key] = layout_of(tuple(form.span), plain, form.kinds)
        return self._layouts[key]

    def _prototype(
        self, named: _Named, layout: Layout, decided: tuple[Any, ...], some: pl.Series
    ) -> Prototype | None:
        key = (layout, *decided)
        if key not in self._prototypes:
            if some.len() < self._fewest:
                return None
            row = named.rows[int(some[0])]
            span, scope = parse_json(named.spans.text(row).encode()), named.spans.scope(row)
            self._prototypes[key] = prototype_of(span, layout, self._reader(scope))
        return self._prototypes[key]

    def _accept(self, taken: _Taken, spans: CutSpans, numbers: np.ndarray) -> None:
        """Gives rows to the collector, but for those of spans that carry something unusual."""
        carried = finished(pl.concat(taken.cells, how="diagonal"))
        rows, sharing = pl.concat(taken.rows), pl.concat(taken.sharing)
        shared, refused = checked_columns(taken.shared)
        usual = is_usual(carried) & ~sharing.is_in(list(refused))
        taken.alone.append(rows.filter(~usual))
        kept = np.delete(np.arange(len(taken.shared)), list(refused))
        chosen = pl.Series(np.searchsorted(kept, sharing.filter(usual).to_numpy()))
        own = carried.drop("is_full", "has_total", "has_reason").filter(usual)
        own = own.with_columns(typed_columns(carried))
        lines = numbers[spans.lines[rows.filter(usual).to_numpy()]]
        self._collector.accept_checked(_joined(shared[chosen], own), lines=pl.Series(lines, dtype=pl.Int64))


def _repeated(values: Iterable[int], sizes: Iterable[int]) -> pl.Series:
    return pl.Series(list(chain.from_iterable(map(repeat, values, sizes))), dtype=pl.Int64)


def _joined(shared: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The rows that spans share, with what each carries itself."""
    return with_derived(
        shared.with_columns(
            own[name].zip_with(own[name].is_not_null(), shared[name]).alias(name) for name in own.columns
        )
    )
