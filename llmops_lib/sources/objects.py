"""Many objects with the same names, kept as columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any


@dataclass(frozen=True, slots=True)
class Objects(Sequence[dict[str, Any]]):
    """Objects that are only made where one is asked for.

    Attributes:
        fields: Name -> the value in each of them.
        height: How many there are.
    """

    fields: Mapping[str, Sequence[Any]]
    height: int

    def __len__(self) -> int:
        """How many there are."""
        return self.height

    def __getitem__(self, number: Any) -> Any:
        """One of them."""
        return {name: values[number] for name, values in self.fields.items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """One after the other."""
        rows = zip(*self.fields.values(), strict=True) if self.fields else repeat((), self.height)
        return (dict(zip(self.fields, row, strict=True)) for row in rows)
