"""Whether a share of failures is higher from a known hour on than what it is held against."""

from dataclasses import dataclass

import numpy as np

from llmops_lib.stats.inputs import Floats
from llmops_lib.stats.localise import high_stretch
from llmops_lib.stats.rate_shifts import LEAST_BAD, WEEK, log_wealth

_LATER = 3.0
"""Evidence lost at first, in natural logarithms, from which on a rise began later than the known hour."""


@dataclass(frozen=True, slots=True)
class RiseSince:
    """How sure it is that a share rose with the known hour.

    Attributes:
        evidence: Natural logarithm of the wealth after each hour.
        end: Hour after the last of the rise; the number of hours where it has not ended.
        high: Latest hour that it may well have begun at.
    """

    evidence: Floats
    end: int
    high: int


def rise_since(
    bad: Floats, seen: Floats, usual: Floats, acceptable: Floats, spread: float
) -> RiseSince | None:
    """The rise of a share that began with the first of the hours; None where nothing speaks for one.

    The wealth of `rate_rises`, from a start that is known and not searched for. While the mean share is at
    most what is acceptable it ever reaches `1 / a` with a probability of at most `a` (Ville's inequality),
    whatever the number of looks. A week is looked at, for scores are scarce. A rise that only began later,
    since so much spoke against it at first, is none: it did not come with that hour.

    Args:
        bad: Failures of every hour, or sums of scores of failure from 0 to 1, from the known hour on.
        seen: How many were seen.
        usual: Share of failures of what each hour is held against.
        acceptable: Share that is still acceptable.
        spread: Variance of counts as a multiple, of at least one, of what chance gives.

    Source:
        Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting; Ville's
        inequality.

    Example:
        >>> hours = np.ones(50)
        >>> rise = rise_since(2 * hours, 4 * hours, 0.1 * hours, 0.14 * hours, 1.0)
        >>> bool(rise.evidence[9] > np.log(1000)), rise.end
        (True, 50)
        >>> rise_since(0.4 * hours, 4 * hours, 0.1 * hours, 0.14 * hours, 1.0) is None
        True
    """
    week = slice(0, WEEK)
    wealth, walks = log_wealth(bad[week], seen[week], acceptable[week], np.full(len(seen[week]), spread))
    at = int(wealth.argmax())
    best = walks[: at + 1, int(walks[at].argmax())]
    if wealth[at] <= 0 or best.min() < -_LATER or bad[: at + 1].sum() < LEAST_BAD:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = np.sqrt(seen * acceptable * (1 - acceptable) * spread)
        residuals = np.where(seen > 0, (bad - seen * usual) / sigma, np.nan)
    found = high_stretch(residuals, at, int((seen > 0).argmax()))
    return RiseSince(wealth, max(found.end, at + 1), min(found.high, at))
