"""Difference of two independent proportions, one call per user: intervals and exact tests."""

import math
from dataclasses import dataclass

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import normal_above, two_sided_interval
from llmops_lib.stats.inputs import between_zero_and_one, counts
from llmops_lib.stats.proportions import wilson
from llmops_lib.stats.results import Interval, Reason, no_interval
from llmops_lib.stats.roots import crossing

_METHODS = ("newcombe", "miettinen_nurminen", "wald")


@dataclass(frozen=True, slots=True)
class ProportionDifference:
    """Proportion of the first sample minus that of the second.

    Attributes:
        diff: The difference; None where a sample is empty.
        newcombe: Newcombe's hybrid score interval, the default.
        miettinen_nurminen: Miettinen and Nurminen's score interval.
        wald: The textbook interval, for comparison only: it collapses at 0 of n.
        is_sparse: An expected count is below 5: trust the exact tests only.
        reasons: Why something is None.
    """

    diff: float | None
    newcombe: Interval
    miettinen_nurminen: Interval
    wald: Interval
    is_sparse: bool
    reasons: tuple[Reason, ...] = ()


def proportion_difference(
    successes: int, n: int, other_successes: int, other_n: int, *, alpha: float = 0.05
) -> ProportionDifference:
    """Difference of two independent proportions with three intervals.

    Newcombe joins the two Wilson intervals: `lower = d - sqrt((p1-l1)^2 + (u2-p2)^2)`. Miettinen and
    Nurminen keep the differences whose score, with the variance under the difference times
    N/(N-1), is within z. Assumes every trial to be independent: one call per user.

    Args:
        successes: Successes of the first sample.
        n: Trials of the first sample.
        other_successes: Successes of the second.
        other_n: Trials of the second.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a count is no whole number, or successes exceed trials.

    Source:
        Newcombe, Statistics in Medicine 17 (1998), 873, method 10; Miettinen and Nurminen,
        Statistics in Medicine 4 (1985), 213.

    Example:
        >>> difference = proportion_difference(56, 70, 48, 80)
        >>> round(difference.diff, 2), round(difference.newcombe.lower, 4)
        (0.2, 0.0524)
    """
    x1, n1, x2, n2 = _table(successes, n, other_successes, other_n)
    between_zero_and_one(alpha, "alpha")
    if n1 == 0 or n2 == 0:
        newcombe, score, wald = (no_interval(alpha, name, Reason.N_TOO_SMALL) for name in _METHODS)
        return ProportionDifference(None, newcombe, score, wald, True, newcombe.reasons)
    p1, p2 = x1 / n1, x2 / n2
    se = math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    pooled = (x1 + x2) / (n1 + n2)
    return ProportionDifference(
        diff=p1 - p2,
        newcombe=_newcombe(x1, n1, x2, n2, alpha),
        miettinen_nurminen=_miettinen_nurminen(x1, n1, x2, n2, alpha),
        wald=two_sided_interval(p1 - p2, se, alpha=alpha, method="wald"),
        is_sparse=min(n1, n2) * min(pooled, 1 - pooled) < 5,
    )


def fisher_exact_p(successes: int, n: int, other_successes: int, other_n: int) -> float:
    """Two-sided p value of Fisher's exact test: both margins fixed.

    Args:
        successes: Successes of the first sample.
        n: Trials of the first sample.
        other_successes: Successes of the second.
        other_n: Trials of the second.

    Raises:
        EstimateError: If a count is no whole number, or successes exceed trials.

    Source:
        `scipy.stats.fisher_exact`.

    Example:
        >>> round(fisher_exact_p(9, 10, 3, 10), 4)
        0.0198
    """
    from scipy.stats import fisher_exact

    x1, n1, x2, n2 = _table(successes, n, other_successes, other_n)
    return float(fisher_exact([[x1, n1 - x1], [x2, n2 - x2]]).pvalue)


def barnard_exact_p(successes: int, n: int, other_successes: int, other_n: int) -> float:
    """Two-sided p value of Barnard's exact test: only the sample sizes fixed, so stronger than Fisher's.

    Args:
        successes: Successes of the first sample.
        n: Trials of the first sample.
        other_successes: Successes of the second.
        other_n: Trials of the second.

    Raises:
        EstimateError: If a count is no whole number, or successes exceed trials.

    Source:
        `scipy.stats.barnard_exact` with the pooled Wald statistic.

    Example:
        >>> round(barnard_exact_p(9, 10, 3, 10), 4)
        0.0069
    """
    from scipy.stats import barnard_exact

    x1, n1, x2, n2 = _table(successes, n, other_successes, other_n)
    if x1 + x2 in {0, n1 + n2}:
        return 1.0
    return float(barnard_exact([[x1, x2], [n1 - x1, n2 - x2]]).pvalue)


def _table(x1: int, n1: int, x2: int, n2: int) -> tuple[int, int, int, int]:
    """The four counts, checked."""
    a, b, c, d = (int(count) for count in counts([x1, n1, x2, n2], "counts"))
    if a > b or c > d:
        msg = f"{a} of {b} and {c} of {d}; expected no more successes than trials"
        raise EstimateError(msg)
    return a, b, c, d


def _newcombe(x1: int, n1: int, x2: int, n2: int, alpha: float) -> Interval:
    """Two Wilson intervals joined."""
    first, second = wilson(x1, n1, alpha=alpha), wilson(x2, n2, alpha=alpha)
    l1, u1, l2, u2 = (limit or 0.0 for limit in (first.lower, first.upper, second.lower, second.upper))
    p1, p2 = x1 / n1, x2 / n2
    lower = p1 - p2 - math.hypot(p1 - l1, u2 - p2)
    upper = p1 - p2 + math.hypot(u1 - p1, p2 - l2)
    return Interval(max(-1.0, lower), min(1.0, upper), alpha, "newcombe")


def _miettinen_nurminen(x1: int, n1: int, x2: int, n2: int, alpha: float) -> Interval:
    """Differences that the score test does not reject."""
    z, d = normal_above(alpha / 2), x1 / n1 - x2 / n2
    lower = -1.0 if d <= -1 else crossing(lambda delta: _score(delta, x1, n1, x2, n2), z, -1.0, d)
    upper = 1.0 if d >= 1 else crossing(lambda delta: _score(delta, x1, n1, x2, n2), -z, d, 1.0)
    return Interval(lower, upper, alpha, "miettinen_nurminen")


def _score(delta: float, x1: int, n1: int, x2: int, n2: int) -> float:
    """Standardised distance of the observed difference from `delta`, cut to a million."""
    p2 = _most_likely(delta, x1, n1, x2, n2)
    p1 = min(1.0, max(0.0, p2 + delta))
    total = n1 + n2
    variance = (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * total / (total - 1)
    gap = x1 / n1 - x2 / n2 - delta
    if variance <= 1e-18:
        return 0.0 if abs(gap) < 1e-12 else math.copysign(1e6, gap)
    return max(-1e6, min(1e6, gap / math.sqrt(variance)))


def _most_likely(delta: float, x1: int, n1: int, x2: int, n2: int) -> float:
    """Second proportion that is most likely if the first exceeds it by `delta`: a root of a cubic."""
    total, shifted = n1 + n2, x1 - n1 * delta
    square = -(shifted + n1 + x2 + n2 * (1 - 2 * delta)) / total
    linear = (shifted + x2 * (1 - 2 * delta) - n2 * delta * (1 - delta)) / total
    constant = x2 * delta * (1 - delta) / total
    v = square**3 / 27 - linear * square / 6 + constant / 2
    u = math.copysign(math.sqrt(max(0.0, square**2 / 9 - linear / 3)), v)
    angle = math.acos(max(-1.0, min(1.0, v / u**3))) if u else 0.0
    root = 2 * u * math.cos((math.pi + angle) / 3) - square / 3
    return min(1.0, 1 - delta, max(0.0, -delta, root))
