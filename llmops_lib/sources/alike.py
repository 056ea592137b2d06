"""Spans that are alike: one is read as every span is, and the others take its row.

An application writes few kinds of spans, each of them many times. Spans with the same attributes, of which
those that decide something (`carried`) also have the same values, differ only in what they carry: ids,
times, counts, texts. So one of them is read alone, and what the others carry becomes columns, checked as
columns. A span that is unlike the others, or carries something unusual, is read alone: there is one
account of what attributes mean, and it stands in `attributes`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
import orjson
import polars as pl

from llmops_lib.sources.alike_checks import is_usual, typed, with_numbers
from llmops_lib.sources.alike_columns import carried_cells, finished
from llmops_lib.sources.alike_groups import by_decisions, by_names
from llmops_lib.sources.alike_kinds import Kind, UnlikeError, kind_of
from llmops_lib.sources.carried import Layout, layout_of
from llmops_lib.sources.lines import Line, parse_json
from llmops_lib.sources.otlp_cuts import CutSpans
from llmops_lib.sources.otlp_forms import WORDS, Form
from llmops_lib.sources.pieces import checked_columns, with_derived
from llmops_lib.sources.place import Place
from llmops_lib.sources.prototypes import prototype_of
from llmops_lib.sources.rows import RowCollector

Span = Mapping[str, Any]

FEWEST = 4
"""Spans below which they are read alone: a prototype takes as long as two of them."""

_KNOWN = 10_000


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
        self._kinds: dict[tuple[Any, ...], Kind | None] = {}

    def take(self, spans: CutSpans, numbers: np.ndarray, line_of: Callable[[int], Line]) -> None:
        """Gives spans to the collector.

        Args:
            spans: Of many lines.
            numbers: Number in the file of each line that was cut.
            line_of: That line.
        """
        if max(len(self._layouts), len(self._kinds)) > _KNOWN:
            self._layouts.clear()
            self._kinds.clear()
        alone: list[np.ndarray] = []
        found: list[tuple[Kind, np.ndarray]] = []
        laid_out = self._laid_out(spans, alone)
        for form, layout, decided, rows in by_decisions(spans.tokens, spans.scope_numbers, laid_out):
            kind = self._kind(spans, form, layout, decided, rows)
            if kind is None:
                alone.append(rows)
            else:
                found.append((kind, rows))
        if found:
            alone.append(self._accept(found, spans, numbers))
        # Most that are read alone stand beside others.
        line_of = lru_cache(maxsize=1)(line_of)
        unlike = np.sort(np.concatenate([np.empty(0, np.int64), *alone])).tolist()
        for row, text in zip(unlike, spans.written(unlike), strict=True):
            place = Place(self._collector, line_of(int(spans.lines[row])))
            place.read(parse_json(text.encode()), self._reader(spans.scope(row)))

    def _reader(self, scope: Any) -> Callable[[Span], dict[str, Any]]:
        return partial(self._row_of, scope=scope)

    def _laid_out(self, spans: CutSpans, alone: list[np.ndarray]) -> list[tuple[Form, Layout, np.ndarray]]:
        """The spans that may become columns, by their layout; the others are added to those read alone."""
        groups, found = [], []
        for form, rows in spans.groups:
            if form.is_regular and len(rows) >= self._fewest:
                groups.append((form, rows))
            else:
                alone.append(rows)
        for form, names, rows in by_names(spans.tokens, groups):
            layout = None if names is None else self._layout(form, names)
            if layout is None or len(rows) < self._fewest:
                alone.append(rows)
            else:
                found.append((form, layout, rows))
        return found

    def _layout(self, form: Form, names: list[str]) -> Layout | None:
        key = (tuple(form.span), tuple(names), form.kinds)
        if key not in self._layouts:
            plain = tuple(orjson.loads(f'"{WORDS.written(name)}"') for name in names)
            self._layouts[key] = layout_of(tuple(form.span), plain, form.kinds)
        return self._layouts[key]

    def _kind(
        self, spans: CutSpans, form: Form, layout: Layout, decided: tuple[int, str], rows: np.ndarray
    ) -> Kind | None:
        scope, texts = decided
        key = (form, layout, spans.surroundings.scope_keys[scope], texts)
        if key not in self._kinds:
            if len(rows) < self._fewest:
                return None
            row = int(rows[0])
            reader = self._reader(spans.scope(row))
            prototype = prototype_of(parse_json(spans.text(row).encode()), layout, reader)
            try:
                self._kinds[key] = None if prototype is None else kind_of(form, layout, prototype)
            except UnlikeError:
                self._kinds[key] = None
        return self._kinds[key]

    def _accept(
        self, found: list[tuple[Kind, np.ndarray]], spans: CutSpans, numbers: np.ndarray
    ) -> np.ndarray:
        """Gives rows to the collector; returns those of the spans that carry something unusual."""
        found.sort(key=lambda one: one[0].order)
        kinds, parts = zip(*found, strict=True)
        rows = np.concatenate(parts)
        carried = with_numbers(finished(carried_cells(spans.tokens, kinds, parts)))
        shared, refused = checked_columns([kind.prototype.row for kind in kinds])
        sharing = np.repeat(np.arange(len(kinds)), list(map(len, parts)))
        usual = is_usual(carried).to_numpy() & ~np.isin(sharing, list(refused))
        kept = np.delete(np.arange(len(kinds)), list(refused))
        chosen = np.searchsorted(kept, sharing[usual])
        own = typed(carried.filter(usual))
        lines = pl.Series(numbers[spans.lines[rows[usual]]], dtype=pl.Int64)
        self._collector.accept_checked(_joined(shared, chosen, own), lines=lines)
        return rows[~usual]


def _joined(shared: pl.DataFrame, chosen: np.ndarray, own: pl.DataFrame) -> pl.DataFrame:
    """The rows that spans share, with what each carries itself."""
    whole = [name for name in own.columns if not own[name].null_count() or shared[name].is_null().all()]
    found = shared.drop(whole)[chosen]
    either = [name for name in own.columns if name not in whole]
    own = own.with_columns(own[name].zip_with(own[name].is_not_null(), found[name]) for name in either)
    return with_derived(pl.concat([found.drop(either), own], how="horizontal"))
