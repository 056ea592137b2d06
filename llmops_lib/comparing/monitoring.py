"""What an interval and a p value must hold up against: one look, planned looks, or anybody at any time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from llmops_lib.errors import ComparisonError
from llmops_lib.stats.anytime import anytime_difference
from llmops_lib.stats.distributions import normal_above, normal_cdf, normal_quantile, t_quantile
from llmops_lib.stats.group_sequential import spending_limits
from llmops_lib.stats.ratio_score import NullVariance
from llmops_lib.stats.ratios import Ratio, ratio_difference
from llmops_lib.stats.results import Interval

ANYTIME, GROUP_SEQUENTIAL, FIXED = "anytime", "group_sequential", "fixed"
MONITORING = (ANYTIME, GROUP_SEQUENTIAL, FIXED)

_TIGHTEST_AT = 500
_LEAST_P = 1e-9
_NEVER = 1e-300

IntervalAt = Callable[[float], Interval]
"""An interval at any alpha."""


@dataclass(frozen=True)
class Gap:
    """Candidate minus baseline, with what is known of its noise.

    Attributes:
        diff: The difference.
        variances: Variance of each arm's value, candidate first.
        sizes: Users behind each.
        under: Gives the same of the difference if it is a given one, for tests at planned looks, and None
            where it was not made of sums over users.
        permuted: Gives the interval by re-assigning users, where they are few.
    """

    diff: float
    variances: tuple[float, float]
    sizes: tuple[int, int]
    under: Callable[[], NullVariance | None] = lambda: None
    permuted: Callable[[], IntervalAt] | None = None

    @property
    def se(self) -> float:
        """Standard error of the difference."""
        return math.sqrt(sum(self.variances))

    def ratios(self) -> tuple[Ratio, Ratio]:
        """The two arms, shifted so that the baseline stands at zero."""
        return (
            Ratio(self.diff, self.variances[0], self.sizes[0]),
            Ratio(0.0, self.variances[1], self.sizes[1]),
        )


@dataclass(frozen=True)
class Monitoring:
    """How often the numbers are looked at.

    Attributes:
        kind: `anytime` (asymptotic confidence sequence), `group_sequential` (planned looks that spend alpha
            as O'Brien and Fleming do) or `fixed` (this is the only look).
        planned_users: Users of both arms planned for the end.
        earlier_looks: Users of both arms at the looks before this one.

    Raises:
        ComparisonError: If the kind is unknown, its plan is missing, or earlier looks do not rise.
    """

    kind: str = ANYTIME
    planned_users: int | None = None
    earlier_looks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in MONITORING:
            msg = f"monitoring: found {self.kind!r}, expected one of {', '.join(MONITORING)}"
            raise ComparisonError(msg)
        if self.kind == GROUP_SEQUENTIAL and not self.planned_users:
            msg = (
                "monitoring by group_sequential needs planned_users: the users of both arms at the last look"
            )
            raise ComparisonError(msg)
        if self.planned_users is not None and self.planned_users < 1:
            msg = f"planned_users: found {self.planned_users}, expected a positive number"
            raise ComparisonError(msg)
        if any(now <= last for last, now in pairwise((0, *self.earlier_looks))):
            msg = (
                f"earlier_looks: found {self.earlier_looks}, expected the users of both arms at each look "
                "so far, rising from one look to the next"
            )
            raise ComparisonError(msg)

    def interval(self, gap: Gap, alpha: float) -> Interval:
        """The interval of a difference at a level.

        Args:
            gap: The difference.
            alpha: One minus the confidence level.
        """
        if self.kind == ANYTIME:
            return anytime_difference(*gap.ratios(), alpha=alpha, tightest_at=self._tightest_at).interval
        if self.kind == FIXED and gap.permuted is not None:
            return gap.permuted()(alpha)
        if min(gap.sizes) < 2 or gap.se == 0:
            return ratio_difference(*gap.ratios(), alpha=alpha).interval
        if self.kind == FIXED:
            plain = ratio_difference(*gap.ratios(), alpha=alpha).interval
            return _around(gap, normal_above(alpha / 2), plain)
        limit = self._limit(sum(gap.sizes), alpha)
        plain = Interval(gap.diff - limit * gap.se, gap.diff + limit * gap.se, alpha, "group_sequential")
        return _around(gap, limit, plain)

    def p_value(self, gap: Gap) -> float | None:
        """Two-sided p value of no difference, at this look.

        Args:
            gap: The difference.
        """
        plain = ratio_difference(*gap.ratios()).p_two_sided
        if plain is None or gap.se == 0:
            return plain
        if self.kind == ANYTIME:
            return anytime_difference(*gap.ratios(), tightest_at=self._tightest_at).p_value
        null = gap.under()
        single = plain if null is None else null.p_two_sided(gap.diff)
        if self.kind == FIXED:
            return single
        # The z that a single look would have to show for this p value: limits of z are held with t.
        return self._least_alpha(-normal_quantile(max(single, _NEVER) / 2), sum(gap.sizes))

    @property
    def _tightest_at(self) -> int:
        return self.planned_users or _TIGHTEST_AT

    def _limit(self, users: int, alpha: float) -> float:
        """The limit of |z| at this look."""
        earlier = [look for look in self.earlier_looks if look < users]
        limits = spending_limits([*earlier, users], planned=float(self.planned_users or users), alpha=alpha)
        return float(limits[-1])

    def _least_alpha(self, z: float, users: int) -> float:
        """The smallest level at which this look would stop: its p value, found by halving."""
        low, high = math.log(_LEAST_P), 0.0
        if self._limit(users, _LEAST_P) <= z:
            return _LEAST_P
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (low, middle) if self._limit(users, math.exp(middle)) <= z else (middle, high)
        return math.exp(high)


def _around(gap: Gap, limit: float, plain: Interval) -> Interval:
    """The differences that the score test does not reject at a limit of z; else the plain interval."""
    null = gap.under()
    if null is None:
        return plain
    beyond = max(normal_cdf(-limit), _NEVER)
    ends = null.limits(gap.diff, -t_quantile(beyond, null.df))
    return plain if ends is None else Interval(*ends, plain.alpha, plain.method, plain.reasons)


def seen_by(interval: Interval, gap: Gap, power: float) -> float | None:
    """The minimum detectable effect: half the interval, and what it takes to be beyond it often enough.

    Args:
        interval: Interval of the difference.
        gap: The difference.
        power: Chance of seeing it.

    Source:
        Bloom, Evaluation Review 19 (1995).
    """
    if interval.lower is None or interval.upper is None or gap.se == 0:
        return None
    return (interval.upper - interval.lower) / 2 + normal_quantile(power) * gap.se
