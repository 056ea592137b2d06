"""Means of scores from 0 to 1, and of differences of two: intervals for few items that hold most of the mean.

A t interval of 50 preferences of which three are won covers far less than it states: what was not drawn has
no variance. Wilson's and Tango's intervals know how far a mean of passes can vary; here they stand on as many
passes as vary like these scores. Passes and failures give exactly Wilson's and Tango's own limits.
"""

import math
from typing import Any

import numpy as np

from llmops_lib.stats.inputs import between_zero_and_one, numbers
from llmops_lib.stats.paired import paired_difference
from llmops_lib.stats.paired_proportions import tango_effective
from llmops_lib.stats.proportions import wilson
from llmops_lib.stats.results import Interval
from llmops_lib.stats.spread import Spread

_HALF_AN_EVENT = 0.5
"""Weight of the largest variance there can be, in events seen: as Jeffreys' prior adds half of one."""


def effective_passes(spread: Spread, largest: float) -> float:
    """How many independent passes and failures vary as much as a mean of scores.

    `d = se^2 n / v` is the variance as a share of the largest that n units can have. It is seen in `N v`
    events, N the rows, and shrunken to 1 as if half an event more had been seen with the largest variance:
    `n / d'`, `d' = (N v d + 1/2) / (N v + 1/2)`. For limits it is less where the standard error has few
    degrees of freedom (`Spread.at_limits`).

    Args:
        spread: How much the mean varies.
        largest: Largest variance v of one unit: `m (1 - m)` for a mean of scores from 0 to 1.

    Source:
        Korn and Graubard, Survey Methodology 24 (1998), for effective numbers and t; the half event as in
        Jeffreys' prior (Brown, Cai and DasGupta, Statistical Science 16, 2001).

    Example:
        >>> effective_passes(Spread(se=0.05, n_units=100), 0.25), effective_passes(Spread(0.0, 100), 0.0)
        (100.0, 100.0)
    """
    share = spread.se**2 * spread.n_units / largest if largest > 0 else 1.0
    share = share if spread.is_weighted else min(1.0, share)
    events = (spread.n_rows or spread.n_units) * max(largest, 0.0)
    shrunken = (events * share + _HALF_AN_EVENT) / (events + _HALF_AN_EVENT)
    return spread.n_units / shrunken


def bounded_mean_interval(
    mean: float, spread: Spread, *, alpha: float = 0.05, method: str = "wilson_bounded"
) -> Interval:
    """Wilson's interval of a mean of scores from 0 to 1, on as many passes as vary as much.

    Args:
        mean: The mean; cut to 0 and 1 first.
        spread: How much it varies.
        alpha: One minus the confidence level.
        method: Name of the method.

    Raises:
        EstimateError: If alpha is not between 0 and 1.

    Source:
        Wilson, JASA 22 (1927); Dean and Pagano, Journal of Survey Statistics and Methodology 3 (2015), for
        Wilson's interval on the effective number of clustered trials.

    Example:
        >>> alike = bounded_mean_interval(0.5, Spread(se=0.01, n_units=50))
        >>> passes = bounded_mean_interval(0.5, Spread(se=0.0714, n_units=50))
        >>> round(alike.lower, 3), round(passes.lower, 3)
        (0.467, 0.366)
    """
    between_zero_and_one(alpha, "alpha")
    share = min(1.0, max(0.0, mean))
    sizes = spread.at_limits(effective_passes(spread, share * (1 - share)), alpha)
    lower, upper = (wilson(share * n, n, alpha=alpha) for n in sizes)
    return Interval(lower.lower, upper.upper, alpha, method)


def bounded_difference_interval(
    gained: float, lost: float, spread: Spread, *, alpha: float = 0.05, method: str = "tango_bounded"
) -> Interval:
    """Tango's interval of a mean difference of scores from 0 to 1, on as many passes as vary as much.

    The largest variance of one difference d is `mean |d| - (mean d)^2`.

    Args:
        gained: Mean of the positive parts of the differences.
        lost: Mean of the negative parts, as a positive number.
        spread: How much the mean difference, `gained - lost`, varies.
        alpha: One minus the confidence level.
        method: Name of the method.

    Raises:
        EstimateError: If alpha is not between 0 and 1.

    Source:
        Tango, Statistics in Medicine 17 (1998), 891; the effective number as `effective_passes`.

    Example:
        >>> found = bounded_difference_interval(2 / 44, 9 / 44, Spread(se=1.0, n_units=44))
        >>> round(found.lower, 4), round(found.upper, 4)
        (-0.3116, -0.0132)
    """
    between_zero_and_one(alpha, "alpha")
    passes = effective_passes(spread, gained + lost - (gained - lost) ** 2)
    lower, upper = (
        tango_effective(n, regressions=n * lost, improvements=n * gained, alpha=alpha)
        for n in spread.at_limits(passes, alpha)
    )
    return Interval(lower[0], upper[1], alpha, method)


def bounded_difference_p(gained: float, lost: float, spread: Spread) -> float:
    """Two-sided p value of no difference: the alpha at which `bounded_difference_interval` reaches 0.

    Tango's score of no difference on n effective passes is `(gained - lost) sqrt(n / (gained + lost))`.

    Args:
        gained: Mean of the positive parts of the differences.
        lost: Mean of the negative parts, as a positive number.
        spread: How much the mean difference, `gained - lost`, varies.

    Source:
        As `bounded_difference_interval`.

    Example:
        >>> round(bounded_difference_p(2 / 44, 9 / 44, Spread(se=1.0, n_units=44)), 4)
        0.0348
    """
    if gained + lost == 0:
        return 1.0
    n = effective_passes(spread, gained + lost - (gained - lost) ** 2)
    return spread.two_sided_p((gained - lost) * math.sqrt(n / (gained + lost)))


def paired_interval(candidate: Any, baseline: Any, *, alpha: float = 0.05) -> Interval:
    """Interval of the mean paired difference: Tango's on effective numbers for scores from 0 to 1, else t.

    Args:
        candidate: Score per item.
        baseline: The same of the baseline, items in the same order.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a score is NaN or lengths differ.

    Source:
        As `bounded_difference_interval` and `paired_difference`.

    Example:
        >>> found = paired_interval([0.0] * 46 + [1.0] * 3 + [0.9], [0.0] * 50)
        >>> round(found.lower, 3), round(found.upper, 3), found.method
        (0.001, 0.185, 'tango_bounded')
    """
    a, b = numbers(candidate, "candidate scores"), numbers(baseline, "baseline scores")
    found = paired_difference(a, b, alpha=alpha)
    if not found.se or min(a.min(), b.min()) < 0 or max(a.max(), b.max()) > 1:
        return found.interval
    gained, lost = float(np.maximum(a - b, 0).mean()), float(np.maximum(b - a, 0).mean())
    return bounded_difference_interval(gained, lost, Spread(found.se, found.n), alpha=alpha)
