"""Difference of two pass rates on the same items, one trial each: intervals."""

import math
from collections.abc import Callable

from llmops_lib.stats.distributions import normal_above
from llmops_lib.stats.inputs import between_zero_and_one, counts
from llmops_lib.stats.proportions import wilson
from llmops_lib.stats.results import Interval, Reason, no_interval
from llmops_lib.stats.roots import crossing

Limits = Callable[[int, int, int, int, float], tuple[float, float]]


def _interval(limits: Limits, method: str, cells: tuple[int, int, int, int], alpha: float) -> Interval:
    """Limits of a checked table, none where there are no items."""
    between_zero_and_one(alpha, "alpha")
    a, b, c, d = (int(cell) for cell in counts(cells, "cells of the paired table"))
    if a + b + c + d == 0:
        return no_interval(alpha, method, Reason.N_TOO_SMALL)
    lower, upper = limits(a, b, c, d, alpha)
    return Interval(max(-1.0, lower), min(1.0, upper), alpha, method)


def tango(
    *, both_pass: int, regressions: int, improvements: int, both_fail: int, alpha: float = 0.05
) -> Interval:
    """Tango's score interval of the pass rate of the candidate minus that of the baseline.

    The differences that the score test does not reject:
    `|c - b - n delta| / sqrt(n (2 q + delta (1 - delta))) <= z`, q the share of regressions that is
    most likely under delta. Assumes items to be independent; good from a handful of items on.

    Args:
        both_pass: Items that pass in both arms.
        regressions: Items that pass in the baseline only, b.
        improvements: Items that pass in the candidate only, c.
        both_fail: Items that fail in both.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a count is negative or fractional.

    Source:
        Tango, Statistics in Medicine 17 (1998), 891.

    Example:
        >>> interval = tango(both_pass=12, regressions=9, improvements=2, both_fail=21)
        >>> round(interval.lower, 4), round(interval.upper, 4)
        (-0.3116, -0.0132)
    """
    return _interval(_tango, "tango", (both_pass, regressions, improvements, both_fail), alpha)


def _tango(a: int, b: int, c: int, d: int, alpha: float) -> tuple[float, float]:
    return tango_effective(a + b + c + d, regressions=b, improvements=c, alpha=alpha)


def tango_effective(
    n: float, *, regressions: float, improvements: float, alpha: float = 0.05
) -> tuple[float, float]:
    """Tango's limits for effective numbers of items, which need not be whole.

    Args:
        n: Items, above 0.
        regressions: Items that pass in the baseline only, b.
        improvements: Items that pass in the candidate only, c.
        alpha: One minus the confidence level.

    Source:
        As `tango`; effective numbers as in Korn and Graubard, Survey Methodology 24 (1998).

    Example:
        >>> lower, upper = tango_effective(22, regressions=4.5, improvements=1)
        >>> round(lower, 4), round(upper, 4)
        (-0.3798, 0.0625)
    """
    b, c, z = regressions, improvements, normal_above(alpha / 2)

    def score(delta: float) -> float:
        half = -b - c + (2 * n - c + b) * delta
        root = math.sqrt(max(0.0, half**2 + 8 * n * b * delta * (1 - delta)))
        regressing = (root - half) / (4 * n)
        variance = n * (2 * regressing + delta * (1 - delta))
        gap = c - b - n * delta
        if variance <= 0:
            return math.copysign(math.inf, gap) if abs(gap) > 1e-12 * n else 0.0
        return gap / math.sqrt(variance)

    return _crossed(score, (c - b) / n, z)


def _crossed(score: Callable[[float], float], centre: float, z: float) -> tuple[float, float]:
    """Limits where a falling score takes z and -z; infinities at the ends are tamed for the search."""

    def bounded(delta: float) -> float:
        return max(-1e6, min(1e6, score(delta)))

    lower = -1.0 if centre <= -1 else crossing(bounded, z, -1.0, centre)
    upper = 1.0 if centre >= 1 else crossing(bounded, -z, centre, 1.0)
    return lower, upper


def bonett_price(
    *, both_pass: int, regressions: int, improvements: int, both_fail: int, alpha: float = 0.05
) -> Interval:
    """Bonett and Price's adjusted Wald interval, where a closed form is wanted.

    With one added to b and c and two to n:
    `p21 - p12 -/+ z sqrt((p12 + p21 - (p21 - p12)^2) / (n + 2))`, cut to -1 and 1.

    Args:
        both_pass: Items that pass in both arms.
        regressions: Items that pass in the baseline only.
        improvements: Items that pass in the candidate only.
        both_fail: Items that fail in both.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a count is negative or fractional.

    Source:
        Bonett and Price, Journal of Educational and Behavioral Statistics 37 (2012), 479.

    Example:
        >>> round(bonett_price(both_pass=12, regressions=9, improvements=2, both_fail=21).lower, 4)
        -0.2994
    """
    return _interval(_bonett_price, "bonett_price", (both_pass, regressions, improvements, both_fail), alpha)


def _bonett_price(a: int, b: int, c: int, d: int, alpha: float) -> tuple[float, float]:
    n = a + b + c + d
    down, up = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = normal_above(alpha / 2) * math.sqrt((down + up - (up - down) ** 2) / (n + 2))
    return up - down - half, up - down + half


def newcombe_paired(
    *, both_pass: int, regressions: int, improvements: int, both_fail: int, alpha: float = 0.05
) -> Interval:
    """Newcombe's method 10: Wilson limits of both rates, joined with a corrected correlation.

    `delta^2 = dl2^2 - 2 phi dl2 du1 + du1^2` and its mirror image, with phi from
    `ad - bc`, less n/2 but not below 0 where that is positive. Assumes items to be independent.

    Args:
        both_pass: Items that pass in both arms.
        regressions: Items that pass in the baseline only.
        improvements: Items that pass in the candidate only.
        both_fail: Items that fail in both.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a count is negative or fractional.

    Source:
        Newcombe, Statistics in Medicine 17 (1998), 2635, method 10.

    Example:
        >>> round(newcombe_paired(both_pass=12, regressions=9, improvements=2, both_fail=21).lower, 4)
        -0.2954
    """
    cells = (both_pass, regressions, improvements, both_fail)
    return _interval(_newcombe, "newcombe_method10", cells, alpha)


def _newcombe(a: int, b: int, c: int, d: int, alpha: float) -> tuple[float, float]:
    n = a + b + c + d
    before, now = (a + b) / n, (a + c) / n
    product = (a + b) * (c + d) * (a + c) * (b + d)
    cross = a * d - b * c
    cross_corrected = max(cross - n / 2, 0.0) if cross > 0 else float(cross)
    phi = cross_corrected / math.sqrt(product) if product else 0.0
    of_before, of_now = wilson(a + b, n, alpha=alpha), wilson(a + c, n, alpha=alpha)
    lower = _joined(now - (of_now.lower or 0.0), (of_before.upper or 0.0) - before, phi)
    upper = _joined((of_now.upper or 0.0) - now, before - (of_before.lower or 0.0), phi)
    return now - before - lower, now - before + upper


def _joined(first: float, second: float, phi: float) -> float:
    """Length of the difference of two distances whose directions correlate by phi."""
    return math.sqrt(max(0.0, first**2 - 2 * phi * first * second + second**2))
