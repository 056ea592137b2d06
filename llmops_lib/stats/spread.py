"""How much a mean varies, and how far its limits are from it."""

import math
from typing import NamedTuple

from llmops_lib.stats.distributions import normal_above, t_above, two_sided_p
from llmops_lib.stats.roots import crossing

_LEAST_P = 1e-12


class Spread(NamedTuple):
    """How much a mean varies, and what that rests on.

    Attributes:
        se: Standard error of the mean.
        n_units: Independent units of equal weight that these are worth: items, or Kish's number of clusters.
        n_rows: Rows behind the mean; as many as units where None.
        df: Degrees of freedom of `se`; None for the normal.
        is_weighted: Whether rows have weights that follow from what they are, so that the mean may vary more
            than any mean of so many units does.
        lean: How the variance changes with the mean mu it is taken around, `se^2 (1 + 2 lean (m - mu) / se)`;
            0 unless large clusters differ from small ones.
    """

    se: float
    n_units: float
    n_rows: float | None = None
    df: float | None = None
    is_weighted: bool = False
    lean: float = 0.0

    def quantiles(self, alpha: float) -> tuple[float, float]:
        """How many standard errors the lower and the upper limit are from the mean, both positive.

        The roots T of `T^2 = t^2 + 2 lean z^2 T`, z of the normal and t of the degrees of freedom. Fieller's
        limits of a ratio to the first order of `m - mu`; with t in place of z, and with his second order,
        few clusters of unequal size were covered less, or not bounded.

        Args:
            alpha: One minus the confidence level.

        Source:
            Fieller, Journal of the Royal Statistical Society B 16 (1954).

        Example:
            >>> [round(one, 2) for one in Spread(1.0, 20, lean=-0.1).quantiles(0.05)]
            [1.61, 2.38]
        """
        z = normal_above(alpha / 2)
        t = z if self.df is None else t_above(alpha / 2, max(self.df, 1.0))
        bend = self.lean * z**2
        return math.hypot(bend, t) + bend, math.hypot(bend, t) - bend

    def at_limits(self, n: float, alpha: float) -> tuple[float, float]:
        """As many units as reach the lower and the upper limit with z of the normal: `n (z / T)^2`.

        Args:
            n: Units.
            alpha: One minus the confidence level.

        Example:
            >>> [round(one, 1) for one in Spread(1.0, 20, df=5).at_limits(20, 0.05)]
            [11.6, 11.6]
        """
        z = normal_above(alpha / 2)
        lower, upper = self.quantiles(alpha)
        return n * (z / lower) ** 2, n * (z / upper) ** 2

    def two_sided_p(self, statistic: float) -> float:
        """The alpha at which a limit is as far from the mean as a statistic says.

        Args:
            statistic: Mean less the value in question, in standard errors.

        Example:
            >>> round(Spread(1.0, 20).two_sided_p(1.96), 3)
            0.05
            >>> [round(Spread(1.0, 20, lean=-0.1).two_sided_p(one), 3) for one in (1.96, -1.96)]
            [0.012, 0.097]
        """
        if not self.lean:
            return two_sided_p(statistic, None if self.df is None else max(self.df, 1.0))
        side = 0 if statistic > 0 else 1
        found = crossing(
            lambda log: self.quantiles(math.exp(log))[side], abs(statistic), math.log(_LEAST_P), 0.0
        )
        return math.exp(found)
