"""Pass or fail of two arms on the same items, one trial each: McNemar's tests."""

import math
from dataclasses import dataclass

from llmops_lib.stats.distributions import binomial_cdf, two_sided_p
from llmops_lib.stats.inputs import counts
from llmops_lib.stats.results import Reason


@dataclass(frozen=True, slots=True)
class McNemar:
    """Tests of equal pass rates from the items on which the arms disagree.

    Attributes:
        regressions: Items that passed before and fail now.
        improvements: Items that failed before and pass now.
        p_drop: Exact one-sided p value of a drop.
        p_two_sided: Exact two-sided p value.
        p_midp: Two-sided mid-p value.
        chi2: Statistic without correction; None where the arms never disagree.
        p_chi2: Its p value.
        chi2_corrected: Statistic with Edwards' continuity correction.
        p_chi2_corrected: Its p value.
        odds_ratio: Improvements per regression; None without regressions.
        diff: Pass rate of the candidate minus that of the baseline; None without items.
        se_wald: Wald standard error of `diff`.
        n_items: Items.
        reasons: Why something is None.
    """

    regressions: int
    improvements: int
    p_drop: float
    p_two_sided: float
    p_midp: float
    chi2: float | None
    p_chi2: float | None
    chi2_corrected: float | None
    p_chi2_corrected: float | None
    odds_ratio: float | None
    diff: float | None
    se_wald: float | None
    n_items: int
    reasons: tuple[Reason, ...] = ()


def mcnemar(*, both_pass: int, regressions: int, improvements: int, both_fail: int) -> McNemar:
    """McNemar's exact, mid-p and chi-square tests of a paired table.

    With b regressions and c improvements: `p_drop = P(Bin(b + c, 1/2) <= c)`, two-sided twice
    `P(Bin(b + c, 1/2) <= min(b, c))`, mid-p less `P(X = min(b, c))`; `chi2 = (b - c)^2 / (b + c)`,
    corrected `(|b - c| - 1)^2 / (b + c)`. Assumes items to be independent.

    Args:
        both_pass: Items that pass in both arms.
        regressions: Items that pass in the baseline only.
        improvements: Items that pass in the candidate only.
        both_fail: Items that fail in both.

    Raises:
        EstimateError: If a count is negative or fractional.

    Source:
        McNemar, Psychometrika 12 (1947); mid-p as in Fagerland, Lydersen and Laake, BMC Medical
        Research Methodology 13 (2013).

    Example:
        >>> test = mcnemar(both_pass=10, regressions=5, improvements=0, both_fail=5)
        >>> test.p_drop, test.p_two_sided, test.diff
        (0.03125, 0.0625, -0.25)
    """
    table = counts([both_pass, regressions, improvements, both_fail], "cells of the paired table")
    a, b, c, d = (int(cell) for cell in table)
    n, discordant, low = a + b + c + d, b + c, min(b, c)
    tail = binomial_cdf(low, discordant, 0.5)
    at_low = tail - (binomial_cdf(low - 1, discordant, 0.5) if low else 0.0)
    chi2 = (b - c) ** 2 / discordant if discordant else None
    corrected = (abs(b - c) - 1) ** 2 / discordant if discordant else None
    return McNemar(
        regressions=b,
        improvements=c,
        p_drop=binomial_cdf(c, discordant, 0.5),
        p_two_sided=min(1.0, 2 * tail),
        p_midp=min(1.0, 2 * tail - at_low),
        chi2=chi2,
        p_chi2=None if chi2 is None else two_sided_p(math.sqrt(chi2)),
        chi2_corrected=corrected,
        p_chi2_corrected=None if corrected is None else two_sided_p(math.sqrt(corrected)),
        odds_ratio=c / b if b else None,
        diff=(c - b) / n if n else None,
        se_wald=math.sqrt(discordant - (b - c) ** 2 / n) / n if n else None,
        n_items=n,
        reasons=((Reason.N_TOO_SMALL,) if not n else ()) + ((Reason.ZERO_DENOMINATOR,) if not b else ()),
    )
