"""Values read out of a text, each with its place in the inputs of the prompt that wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops_lib.registry.written_values import UNREAD

Path = tuple[str | int, ...]
"""A place in inputs, such as `("passages", 0, "text")`."""

COUNT = "#"
"""Last step of the place that holds how many parts a list has."""


@dataclass(frozen=True)
class Bound:
    """What was read so far.

    Attributes:
        values: Values by path, such as `("passages", 0, "text")`; how many parts a list has under
            `("passages", "#")`.
    """

    values: Mapping[Path, Any] = field(default_factory=dict)

    def holding(self, path: Path, value: Any) -> "Bound | None":
        """The same with one more value; None where another one was read there before."""
        if path in self.values:
            known = self.values[path]
            return self if type(known) is type(value) and known == value else None
        return Bound({**self.values, path: value})

    @property
    def parts(self) -> dict[Path, frozenset[str]]:
        """Objects of which single fields were read, by their place with `*` for a number: those fields."""
        read: dict[Path, set[str]] = {}
        for path in self.values:
            whole = any(path[:depth] in self.values for depth in range(1, len(path)))
            if len(path) > 1 and isinstance(path[-1], str) and path[-1] != COUNT and not whole:
                read.setdefault(anywhere(path[:-1]), set()).add(path[-1])
        return {path: frozenset(names) for path, names in read.items()}

    def inputs(self) -> dict[str, Any]:
        """The values put together, by input; what was not read is not there."""
        names = dict.fromkeys(str(path[0]) for path in self.values)
        made = {name: self._at((name,)) for name in names}
        return {name: value for name, value in made.items() if value is not UNREAD}

    def _at(self, path: Path) -> Any:
        if path in self.values:
            return self.values[path]
        size = self.values.get((*path, COUNT))
        if size is not None:
            parts = [self._at((*path, number)) for number in range(size)]
            return UNREAD if UNREAD in parts else parts
        depth = len(path)
        keys = dict.fromkeys(one[depth] for one in self.values if one[:depth] == path and len(one) > depth)
        made = {key: self._at((*path, key)) for key in keys if isinstance(key, str)}
        return {key: value for key, value in made.items() if value is not UNREAD} or UNREAD


def anywhere(path: Path) -> Path:
    """A place with `*` in place of numbers."""
    return tuple("*" if isinstance(step, int) else step for step in path)


def declared(schema: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """What an input schema says of a place in the inputs; nothing where it does not say.

    Args:
        schema: Input schema of a prompt.
        path: The place, such as `("passages", 0, "text")`.
    """
    for step in path:
        below = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
        if not isinstance(below, Mapping):
            return {}
        schema = below
    return schema
