"""The list of recipes: which library functions answer which kind of vector."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Compute = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True)
class Recipe:
    """A kind of vector, told by what it gives and asks, and the functions that answer it."""

    given: frozenset[str]
    asked: frozenset[str]
    functions: tuple[Callable[..., Any], ...]
    compute: Compute
    nothing_else: bool = False

    @property
    def closeness(self) -> int:
        """How much it asks of a vector: what it must answer counts more than what it is given."""
        return 100 * len(self.asked) + len(self.given)

    def fits(self, vector: dict[str, Any]) -> bool:
        """Whether a vector gives and asks what this recipe takes and answers."""
        asked = asked_of(vector)
        enough = asked == self.asked if self.nothing_else else self.asked <= asked
        return enough and self.given <= set(vector["inputs"])


RECIPES: list[Recipe] = []


def recipe(
    *functions: Callable[..., Any], given: str = "", asked: str = "", nothing_else: bool = False
) -> Callable[[Compute], Compute]:
    """Register the decorated function as the answer to vectors with these inputs and expected keys."""

    def register(compute: Compute) -> Compute:
        made = Recipe(frozenset(given.split()), frozenset(asked.split()), functions, compute, nothing_else)
        RECIPES.append(made)
        return compute

    return register


def asked_of(vector: dict[str, Any]) -> set[str]:
    """Names of the expected numbers, at the first level of a dict or of a list of dicts."""
    expected = vector["expected"]
    first = expected[0] if isinstance(expected, list) else expected
    return set(first)


def recipe_of(vector: dict[str, Any]) -> Recipe | None:
    """The recipe that fits a vector most closely; two that fit alike would be a mistake in the recipes."""
    found = [candidate for candidate in RECIPES if candidate.fits(vector)]
    closest = max((candidate.closeness for candidate in found), default=0)
    best = [candidate for candidate in found if candidate.closeness == closest]
    assert len(best) < 2, f"{vector['name']}: {len(best)} recipes fit alike"
    return best[0] if best else None
