"""Where spans that are alike carry what becomes columns, and what goes into `attributes`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops_lib.sources.carried import COST, COUNTS, OWN_FIELDS, Layout
from llmops_lib.sources.json_skeletons import token_of, tokens_in
from llmops_lib.sources.otlp_forms import Form
from llmops_lib.sources.prototypes import WAIT_COLUMN, Prototype

__all__ = ["Cell", "Kind", "UnlikeError", "Written", "kind_of"]

_TIMES = ("started_at", "ended_at")
_FLOATS = (COST, WAIT_COLUMN)


class UnlikeError(Exception):
    """A value is of another kind than spans that are alike carry."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a string or a number stands: in which token, and between how many characters of it."""

    place: int
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A value that goes into `attributes`: how it is made, its skeleton, and the cells in it."""

    way: str
    kind: str
    leaf: Any
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """Spans of one form that are alike.

    Attributes:
        prototype: What they share.
        has_total: Whether they state a total of tokens.
        columns: Column -> where each span carries it.
        written: What each carries to `attributes`.
    """

    prototype: Prototype
    has_total: bool
    columns: Mapping[str, Cell]
    written: tuple[Written, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """By which those stand together whose `attributes` are made in the same ways."""
        return tuple(one.way for one in self.written)


def kind_of(form: Form, layout: Layout, prototype: Prototype) -> Kind:
    """How spans of a form that share a prototype become columns.

    Args:
        form: Their form.
        layout: Their layout.
        prototype: What they share.

    Raises:
        UnlikeError: If a value is of an unexpected kind.
    """
    columns = {
        name: _cell(form, form.span.get(field), may_be_number=name in _TIMES)
        for name, field in OWN_FIELDS.items()
        if name != "parent_span_id" or form.span.get(field) is not None
    }
    for column, position in prototype.columns.items():
        leaf = form.values[position]
        if column in _FLOATS and type(leaf) is not int:
            raise UnlikeError
        columns[column] = _cell(form, leaf, may_be_number=column in _FLOATS or column in COUNTS)
    places = prototype.opaque.values()
    written = [_written(form, layout.kinds[place], form.values[place]) for place in places]
    written += [Written("time", "", time, (_cell(form, time),)) for time in form.times]
    return Kind(prototype, layout.has_total, columns, tuple(written))


def _cell(form: Form, leaf: Any, *, may_be_number: bool = True) -> Cell:
    if isinstance(leaf, str):
        return Cell(token_of(leaf))
    if type(leaf) is not int or not may_be_number:
        raise UnlikeError
    place = token_of(leaf)
    token = form.between[place // 2]
    if token.count("0") != 1:
        raise UnlikeError
    before, _, after = token.partition("0")
    return Cell(place, len(before), len(after))


def _written(form: Form, kind: str, leaf: Any) -> Written:
    if isinstance(leaf, bool):
        return Written("constant", kind, leaf, ())
    if isinstance(leaf, dict | list):
        tokens = dict.fromkeys(tokens_in(leaf))
        cells = (_cell(form, f"s{token}" if token % 2 else token) for token in tokens)
        return Written("nested", kind, leaf, tuple(cells))
    way = "number" if type(leaf) is int else "whole" if kind == "intValue" else "text"
    return Written(way, kind, leaf, (_cell(form, leaf),))
