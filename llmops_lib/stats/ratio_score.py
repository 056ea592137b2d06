"""How a difference of two ratios varies if it is a given one: the score test, and the interval it leaves.

The delta method takes residuals around each arm's own ratio, which users with many calls pull to themselves;
its standard error is too small with a hundred heavy-tailed users. Around the ratio that both arms share under
the hypothesis, the test keeps its level.
"""

import math
from dataclasses import dataclass
from typing import Any

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import two_sided_p
from llmops_lib.stats.inputs import numbers, same_length
from llmops_lib.stats.welch import welch_df


@dataclass(frozen=True, slots=True)
class NullVariance:
    """Variance of a difference of ratios, as a parabola in the difference that is true.

    Attributes:
        constant: Variance if there is no difference.
        linear: Its slope there.
        square: Half of its curvature.
        df: Welch's degrees of freedom if there is no difference.
    """

    constant: float
    linear: float
    square: float
    df: float

    def p_two_sided(self, diff: float) -> float:
        """Two-sided p value of no difference.

        Args:
            diff: The difference seen.
        """
        return two_sided_p(diff / math.sqrt(self.constant), self.df)

    def limits(self, diff: float, critical: float) -> tuple[float, float] | None:
        """The differences d with `|diff - d| <= critical sd(d)`; None where they have no end.

        Args:
            diff: The difference seen.
            critical: Quantile of the reference distribution.

        Source:
            Fieller, JRSS B 16 (1954).
        """
        squared = critical**2
        a, b = 1 - squared * self.square, -2 * diff - squared * self.linear
        under = b**2 - 4 * a * (diff**2 - squared * self.constant)
        if a <= 0 or under < 0:
            return None
        return (-b - math.sqrt(under)) / (2 * a), (-b + math.sqrt(under)) / (2 * a)


def null_variance(candidate: tuple[Any, Any], baseline: tuple[Any, Any]) -> NullVariance | None:
    """Variance of `R_B - R_A` over users, from residuals around what both share if the difference is d.

    `rho_A = (S_A + S_B - d N_B) / (N_A + N_B)`, `rho_B = rho_A + d`; the statistic is Welch's t of the
    residuals `S_u - rho N_u` of the two arms. Assumes users to be independent.

    Args:
        candidate: Sum of the metric and calls per user.
        baseline: The same of the other arm.

    Returns:
        None with fewer than two users or no call in an arm, or where nothing varies.

    Raises:
        EstimateError: If a value is NaN or lengths differ.

    Source:
        Welch, Biometrika 34 (1947), on the linearised ratio of Deng, Knoblich and Lu (KDD 2018); Rao 1948
        for taking the variance under the hypothesis.

    Example:
        >>> found = null_variance(([2.0, 2.5, 3.5, 3.0, 1.0], [2, 3, 4, 3, 2]),
        ...                       ([1.0, 2.0, 3.0, 2.5, 1.5], [2, 3, 4, 3, 2]))
        >>> round(found.p_two_sided(2 / 14), 3)
        0.146
    """
    arms = [_Arm.of(*candidate), _Arm.of(*baseline)]
    if any(arm.size < 2 or arm.calls == 0 for arm in arms):
        return None
    calls = sum(arm.calls for arm in arms)
    shared = sum(arm.total for arm in arms) / calls
    weight = arms[0].calls * arms[1].calls / calls * sum(1 / arm.size for arm in arms)
    # Ratio of each arm if the difference is d: shared + slope d.
    slopes = (arms[1].calls / calls, -arms[0].calls / calls)
    parts = [arm.variance_along(shared, slope) for arm, slope in zip(arms, slopes, strict=True)]
    constant, linear, square = (sum(one) / weight**2 for one in zip(*parts, strict=True))
    if constant <= 0:
        return None
    df = welch_df((parts[0][0], arms[0].size), (parts[1][0], arms[1].size))
    return NullVariance(constant, linear, square, df)


@dataclass(frozen=True, slots=True)
class _Arm:
    size: int
    calls: float
    total: float
    of_sums: float
    cross: float
    of_counts: float

    @classmethod
    def of(cls, sums: Any, counts: Any) -> "_Arm":
        found, divided = numbers(sums, "sums"), numbers(counts, "counts")
        n = same_length(sums=found, counts=divided)
        if divided.min(initial=0.0) < 0:
            msg = f"counts hold {divided.min():g}; expected 0 or more for each user"
            raise EstimateError(msg)
        off, apart = found - found.mean() if n else found, divided - divided.mean() if n else divided
        # Sums of products and no matrix product, which would wake the threads of the linear algebra.
        parts = (float((off * off).sum()), float((off * apart).sum()), float((apart * apart).sum()))
        of_sums, cross, of_counts = (part / max(n - 1, 1) for part in parts)
        return cls(n, float(divided.sum()), float(found.sum()), of_sums, cross, of_counts)

    def variance_along(self, ratio: float, slope: float) -> tuple[float, float, float]:
        """Variance of the mean residual around `ratio + slope d`, as a parabola in d."""
        return (
            (self.of_sums - 2 * ratio * self.cross + ratio**2 * self.of_counts) / self.size,
            2 * slope * (ratio * self.of_counts - self.cross) / self.size,
            slope**2 * self.of_counts / self.size,
        )
