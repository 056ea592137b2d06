"""Looks planned in advance: limits for z at each look that spend alpha once."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import normal_above, normal_cdf
from llmops_lib.stats.inputs import Floats, between_zero_and_one, numbers
from llmops_lib.stats.roots import crossing

_NODES = 161
_FARTHEST = 8.5
"""Standard deviations beyond which nothing happens: the normal tail there is below 1e-16."""


def crossing_probability(z_limits: Sequence[float], information: Sequence[float]) -> float:
    """Chance that |z| ever reaches its limit at one of the looks, under no effect.

    The density of the score between the limits is carried from look to look by Gauss-Legendre quadrature.

    Args:
        z_limits: Limit of |z| at each look.
        information: Information at each look, rising, in any unit: users, or shares of the plan.

    Raises:
        EstimateError: If lengths differ or the information does not rise.

    Source:
        Armitage, McPherson and Rowe, JRSS A 132 (1969).

    Example:
        >>> round(crossing_probability([2.178, 2.178], [1, 2]), 3)
        0.05
    """
    return _spent(z_limits, _rising(information, len(z_limits)))


def _rising(information: Sequence[float], looks: int) -> Floats:
    """Information of the looks, checked."""
    found = numbers(list(information), "information")
    if len(found) != looks or not looks or (found <= 0).any() or (np.diff(found) <= 0).any():
        msg = (
            f"information {list(information)} of {looks} looks; expected rising positive numbers, one a look"
        )
        raise EstimateError(msg)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    """Density of the score after a look, between its limits: places, their mass, and the information."""

    places: Floats
    mass: Floats
    information: float

    def crossed(self, limit: float, information: float) -> float:
        """Chance of crossing at the next look."""
        from scipy.special import ndtr

        step, end = math.sqrt(information - self.information), _end(limit, information)
        return float(self.mass @ (ndtr((-end - self.places) / step) + ndtr((self.places - end) / step)))

    def after(self, limit: float, information: float) -> "_Running":
        """The density after a next look that did not cross."""
        nodes, weights = _quadrature()
        step, end = math.sqrt(information - self.information), _end(limit, information)
        gaps = (end * nodes[:, None] - self.places[None, :]) / step
        density = np.exp(-0.5 * gaps**2) / (step * math.sqrt(2 * math.pi))
        return _Running(end * nodes, end * weights * (density @ self.mass), information)


@cache
def _quadrature() -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights; finding them takes longer than using them."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return np.asarray(nodes), np.asarray(weights)


_START = _Running(np.zeros(1), np.ones(1), 0.0)


def _end(limit: float, information: float) -> float:
    """Where the score crosses, no farther out than anything happens."""
    return min(limit, _FARTHEST) * math.sqrt(information)


def _spent(z_limits: Sequence[float], information: Floats) -> float:
    """Chance of ever crossing."""
    state, spent = _START, 0.0
    for limit, now in zip(z_limits, information.tolist(), strict=True):
        spent += state.crossed(limit, now)
        state = state.after(limit, now)
    return spent


def obrien_fleming(looks: int, *, alpha: float = 0.05) -> Floats:
    """Limits of |z| that start strict and end near the fixed one: `C sqrt(K / k)` at look k of K.

    For looks at equal steps of information, two-sided.

    Args:
        looks: Number of looks K.
        alpha: Chance of ever crossing under no effect.

    Raises:
        EstimateError: If there is no look or alpha is not between 0 and 1.

    Source:
        O'Brien and Fleming, Biometrics 35 (1979); Jennison and Turnbull, Group Sequential Methods, Table 2.3.

    Example:
        >>> obrien_fleming(2).round(3).tolist()
        [2.797, 1.977]
    """
    return _constant(looks, alpha, lambda k: math.sqrt(looks / k))


def pocock(looks: int, *, alpha: float = 0.05) -> Floats:
    """The same limit of |z| at each of K equal looks, two-sided.

    Args:
        looks: Number of looks K.
        alpha: Chance of ever crossing under no effect.

    Raises:
        EstimateError: If there is no look or alpha is not between 0 and 1.

    Source:
        Pocock, Biometrika 64 (1977); Jennison and Turnbull, Group Sequential Methods, Table 2.1.

    Example:
        >>> pocock(2).round(3).tolist()
        [2.178, 2.178]
    """
    return _constant(looks, alpha, lambda _: 1.0)


def _constant(looks: int, alpha: float, shape: Callable[[int], float]) -> Floats:
    """Limits of a given shape, scaled to spend alpha."""
    between_zero_and_one(alpha, "alpha")
    if looks < 1:
        msg = f"{looks} looks; expected at least one"
        raise EstimateError(msg)
    shapes = np.array([shape(k) for k in range(1, looks + 1)])
    information = np.arange(1.0, looks + 1)
    least = normal_above(alpha / 2)
    found = crossing(lambda scale: _spent((scale * shapes).tolist(), information), alpha, least, least + 3)
    return np.asarray(found * shapes)


def spending_limits(information: Sequence[float], *, planned: float, alpha: float = 0.05) -> Floats:
    """Limits of |z| at looks that need not be equally spaced, by spending alpha as O'Brien-Fleming does.

    Spent up to a share t of the planned information: `2 - 2 Phi(z_{1-alpha/4} / sqrt(t))` on each side. Looks
    may come when they like as long as their times do not follow from the results. Information beyond the
    plan counts as the plan.

    Args:
        information: Users, or what else measures information, at each look so far, rising.
        planned: Information planned for the last look.
        alpha: Chance of ever crossing under no effect.

    Returns:
        One limit per look; 8.5, which nothing reaches, where a look comes far too early to stop.

    Raises:
        EstimateError: If the information does not rise, or the plan is not positive.

    Source:
        Lan and DeMets, Biometrika 70 (1983).

    Example:
        >>> spending_limits([1, 2, 3, 4, 5], planned=5).round(2).tolist()
        [4.88, 3.36, 2.68, 2.29, 2.03]
    """
    between_zero_and_one(alpha, "alpha")
    found = _rising(information, len(information))
    if not planned > 0:
        msg = f"planned information is {planned!r}; expected a positive number"
        raise EstimateError(msg)
    quantile = normal_above(alpha / 4)
    state, spent = _START, 0.0
    limits: list[float] = []
    for now in found.tolist():
        allowed = 4 * normal_cdf(-quantile / math.sqrt(min(1.0, now / planned)))
        limit = crossing(partial(_crossed_at, state, now), max(allowed - spent, 0.0), 0.0, _FARTHEST)
        spent += state.crossed(limit, now)
        state = state.after(limit, now)
        limits.append(limit)
    return np.array(limits)


def _crossed_at(state: _Running, information: float, limit: float) -> float:
    """Chance of crossing at a look, as a function of its limit."""
    return state.crossed(limit, information)
