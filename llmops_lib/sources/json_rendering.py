"""What skeletons stand for, of many texts at once: as values, and as JSON text."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import orjson
import polars as pl

from llmops_lib.sources.json_cells import number_texts, parsed_numbers, quoted, unmasked
from llmops_lib.sources.json_skeletons import IS_TOKEN, PLACES, token_of
from llmops_lib.sources.json_tokens import NUMBER
from llmops_lib.sources.objects import Objects

__all__ = ["Cells", "NestedError"]


class NestedError(Exception):
    """An object or a list stands where a single value is needed."""


class Cells:
    """The tokens of texts of one form.

    Args:
        columns: Those that may differ, each a column of the name of its place.
        has_escapes: Whether any string holds an escape.
    """

    def __init__(self, columns: pl.DataFrame, *, has_escapes: bool) -> None:
        self.columns = columns
        self._has_escapes = has_escapes
        self._numbers: dict[int, pl.Series] = {}
        self._number_lists: dict[int, pl.Series] = {}

    @cached_property
    def height(self) -> int:
        """How many texts there are."""
        return self.columns.height

    def values(self, leaf: Any) -> list[Any]:
        """What the texts hold in the place of a string, a number, true, false or null.

        Raises:
            NestedError: If it is an object or a list.
        """
        if isinstance(leaf, dict | list):
            raise NestedError
        if type(leaf) is int:
            return parsed_numbers(self._digits(leaf))
        if isinstance(leaf, str):
            return self.texts(leaf).to_list()
        return [leaf] * self.height

    def texts(self, leaf: str) -> pl.Series:
        """The strings in one place."""
        column = self.columns[str(token_of(leaf))]
        return (
            column.to_frame("text").select(unmasked(pl.col("text")))["text"] if self._has_escapes else column
        )

    def objects(self, skeleton: dict[str, Any]) -> Objects:
        """Objects without objects or lists in them, whose names are the same."""
        return Objects({self.name(name): self.values(leaf) for name, leaf in skeleton.items()}, self.height)

    def name(self, name: str) -> str:
        """A name of a skeleton as it is in the first text."""
        if not IS_TOKEN.fullmatch(name):
            return name
        found: str = self.texts(name)[0]
        return found

    def rendered(self, leaf: Any) -> pl.Series:
        """What the texts hold in one place, as orjson writes it; bytes stand for themselves."""
        return self.columns.select(pl.first(), text=self.written(leaf))["text"]

    def written(self, leaf: Any) -> pl.Expr:
        """What `rendered` gives; constant where it is the same for all texts."""
        parts: list[pl.Expr] = []
        constant = ""
        for part in self._parts(leaf):
            if isinstance(part, str):
                constant += part
                continue
            parts += [pl.lit(constant), part]
            constant = ""
        return pl.concat_str(*parts, pl.lit(constant))

    def _parts(self, leaf: Any) -> Iterator[str | pl.Expr]:
        if isinstance(leaf, dict):
            yield "{"
            for number, (name, value) in enumerate(leaf.items()):
                yield "," if number else ""
                yield from self._parts(name) if IS_TOKEN.fullmatch(name) else [orjson.dumps(name).decode()]
                yield ":"
                yield from self._parts(value)
            yield "}"
        elif isinstance(leaf, list):
            yield "["
            for number, value in enumerate(leaf):
                yield "," if number else ""
                yield from self._parts(value)
            yield "]"
        elif type(leaf) is int:
            yield pl.lit(number_texts(self._digits(leaf)))
        elif isinstance(leaf, str):
            column = pl.col(str(token_of(leaf)))
            yield quoted(column) if self._has_escapes else pl.concat_str(pl.lit('"'), column, pl.lit('"'))
        elif isinstance(leaf, bytes):
            yield leaf.decode()
        else:
            yield orjson.dumps(leaf).decode()

    def _digits(self, leaf: int) -> pl.Series:
        if leaf not in self._numbers:
            place = token_of(leaf)
            if place not in self._number_lists:
                found = self.columns.select(pl.col(str(place)).str.extract_all(NUMBER)).to_series()
                self._number_lists[place] = found
            self._numbers[leaf] = self._number_lists[place].list.get(leaf // PLACES)
        return self._numbers[leaf]
