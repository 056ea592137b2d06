"""One gated metric: block, pass or inconclusive.

Blocking takes evidence of harm; passing takes evidence that any drop is below a margin. What is neither is
inconclusive and asks for more trials.
"""

from dataclasses import dataclass
from enum import StrEnum

from llmops_lib.stats.distributions import normal_above, t_above
from llmops_lib.stats.results import Reason
from llmops_lib.stats.suite import SuiteDifference


class Decision(StrEnum):
    """What the rule says about one metric."""

    BLOCK = "block"
    PASS = "pass"  # noqa: S105 - a verdict, no password
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class RegressionVerdict:
    """The decision and the two numbers that it rests on.

    Attributes:
        decision: `block`, `pass` or `inconclusive`.
        p_drop: p value of a drop, adjusted where several metrics are gated.
        lower_limit: One-sided lower confidence limit of the difference; None where it cannot be had.
        margin: Largest drop that still passes, in the unit of the score.
        alpha: Level of both sides.
        reasons: What to bear in mind: `zero_variance` where no trial differs from another, so that the
            limit rests on none; `one_sided_missing` where an arm lacks items.
    """

    decision: Decision
    p_drop: float
    lower_limit: float | None
    margin: float
    alpha: float
    reasons: tuple[Reason, ...] = ()


def lower_limit(difference: SuiteDifference, alpha: float) -> float | None:
    """One-sided lower limit: normal for the suite standard error, t where trials are single.

    Example:
        >>> found = SuiteDifference(-0.12, 0.03, "suite", None, 50, 0, 0)
        >>> round(lower_limit(found, 0.05), 4)
        -0.1693
    """
    if difference.diff is None or difference.se is None:
        return None
    if difference.df is None:
        return difference.diff - normal_above(alpha) * difference.se
    if difference.se == 0 and difference.diff != 0:
        return None
    return difference.diff - t_above(alpha, difference.df) * difference.se


def regression_verdict(
    p_drop: float, difference: SuiteDifference, *, alpha: float = 0.05, margin: float = 0.05
) -> RegressionVerdict:
    """Block on evidence of a drop, pass on evidence that it is below the margin.

    `block` if `p_drop <= alpha`; else `pass` if `diff - z_{1-alpha} SE > -margin`; else `inconclusive`.
    Flip the sign of metrics where lower is better before.

    Args:
        p_drop: From `within_item_exact` or `within_item_scores`, after `holm` over the gated metrics.
        difference: From `suite_difference`, for the same items.
        alpha: Level; the chance of blocking a harmless change is at most this.
        margin: Largest drop that still passes, decided beforehand.

    Source:
        Non-inferiority by confidence limit: Piaggio et al., JAMA 308 (2012).

    Example:
        >>> found = SuiteDifference(-0.01, 0.01, "suite", None, 200, 0, 0)
        >>> regression_verdict(0.2, found).decision.value
        'pass'
    """
    limit = lower_limit(difference, alpha)
    if p_drop <= alpha:
        decision = Decision.BLOCK
    elif limit is not None and limit > -margin:
        decision = Decision.PASS
    else:
        decision = Decision.INCONCLUSIVE
    return RegressionVerdict(decision, p_drop, limit, margin, alpha, difference.reasons)
