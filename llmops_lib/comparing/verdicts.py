"""The words of a comparison, and when each may be said."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

from llmops_lib.errors import ComparisonError
from llmops_lib.stats.results import Interval

BETTER, WORSE, EQUIVALENT = "better", "worse", "equivalent"
INCONCLUSIVE, INVALID = "inconclusive", "invalid"

POWER = 0.8
"""Chance of seeing the minimum detectable effect that is stated."""


def verdict_of(
    diff: float | None,
    *,
    is_proven: bool,
    inner: Interval,
    margin: float | None,
    higher_is_better: bool,
) -> str:
    """`better`, `worse`, `equivalent` or `inconclusive`.

    A proven difference is said first, small as it may be; `is_within` says whether it matters.

    Args:
        diff: Candidate minus baseline.
        is_proven: Whether the test rejects that there is no difference.
        inner: Interval at twice the alpha: two one-sided tests.
        margin: Largest difference that does not matter; None where none was stated.
        higher_is_better: Direction of the metric.

    Example:
        >>> inner = Interval(-0.02, 0.01, 0.1, "t")
        >>> verdict_of(-0.005, is_proven=False, inner=inner, margin=0.05, higher_is_better=True)
        'equivalent'
    """
    if is_proven and diff:
        return BETTER if (diff > 0) == higher_is_better else WORSE
    return EQUIVALENT if is_within(inner, margin) else INCONCLUSIVE


def is_within(inner: Interval, margin: float | None) -> bool:
    """Whether an interval lies inside minus and plus the margin: two one-sided tests (TOST).

    Args:
        inner: Interval at twice the alpha.
        margin: Largest difference that does not matter.

    Source:
        Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987).
    """
    if margin is None or inner.lower is None or inner.upper is None:
        return False
    return -margin < inner.lower and inner.upper < margin


def is_not_worse(inner: Interval, margin: float | None, *, higher_is_better: bool) -> bool:
    """Whether the candidate is shown to be no worse than by the margin: non-inferiority.

    Args:
        inner: Interval at twice the alpha, whose one side is one-sided at alpha.
        margin: Largest harm that does not matter.
        higher_is_better: Direction of the metric.

    Source:
        Piaggio et al., JAMA 308 (2012).
    """
    limit = inner.lower if higher_is_better else inner.upper
    if margin is None or limit is None:
        return False
    return limit > -margin if higher_is_better else limit < margin


def units_needed(n: int, seen: float | None, wanted: float | None) -> int | None:
    """Units after which a wanted difference is seen, since what is seen falls with the root of n.

    Args:
        n: Units there are.
        seen: What these see.
        wanted: What is to be seen.

    Example:
        >>> units_needed(100, 0.1, 0.05)
        400
    """
    if not seen or not wanted:
        return None
    return math.ceil(round(n * (seen / wanted) ** 2, 6))


def checked_levels(alpha: float, margins: Any) -> None:
    """Raises where a level or a margin cannot be.

    Args:
        alpha: Level of a test.
        margins: Margins by metric.

    Raises:
        ComparisonError: If one cannot be.
    """
    if not 0 < alpha < 0.5:
        msg = f"found alpha {alpha:g}, expected a chance between 0 and 0.5"
        raise ComparisonError(msg)
    wrong = {name: value for name, value in dict(margins).items() if not 0 < value < math.inf}
    if wrong:
        msg = f"found margins {wrong}, expected numbers above 0"
        raise ComparisonError(msg)


def checked_split(split: Sequence[float]) -> None:
    """Raises where the planned split of two arms cannot be.

    Args:
        split: Planned users of baseline and candidate, in any unit.

    Raises:
        ComparisonError: If it is not two positive numbers.
    """
    parts = tuple(split)
    is_split = len(parts) == 2 and all(isinstance(part, Real) for part in parts)
    if not is_split or not all(0 < part < math.inf for part in parts):
        msg = f"split: found {split!r}, expected two positive numbers, a first, such as (9, 1)"
        raise ComparisonError(msg)


def overall(verdicts: Sequence[str]) -> str:
    """One word for several metrics: what got worse is said before what got better.

    Example:
        >>> overall(["better", "worse"]), overall(["better", "inconclusive"]), overall(["equivalent"] * 2)
        ('worse', 'better', 'equivalent')
    """
    for word in (INVALID, WORSE, BETTER):
        if word in verdicts:
            return word
    return EQUIVALENT if verdicts and set(verdicts) == {EQUIVALENT} else INCONCLUSIVE
