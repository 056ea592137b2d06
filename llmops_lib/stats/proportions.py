"""Intervals of one proportion: 3 of 10, 0 of 200, 10 of 10."""

import math
from collections.abc import Callable

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import beta_quantile, normal_above
from llmops_lib.stats.inputs import between_zero_and_one
from llmops_lib.stats.results import Interval, Reason, no_interval


def _checked(successes: float, n: float, alpha: float) -> None:
    """Refuse counts that are no counts."""
    between_zero_and_one(alpha, "alpha")
    if not (0 <= successes <= n and math.isfinite(n)):
        msg = f"{successes!r} successes of {n!r}; expected 0 or more, and no more than there are trials"
        raise EstimateError(msg)


def _interval(
    limits: Callable[[float, float, float], tuple[float, float]],
    method: str,
    successes: float,
    n: float,
    alpha: float,
) -> Interval:
    """Limits of a checked proportion, none where there are no trials."""
    _checked(successes, n, alpha)
    if n == 0:
        return no_interval(alpha, method, Reason.N_TOO_SMALL)
    return Interval(*limits(successes, n, alpha), alpha, method)


def wilson(successes: float, n: float, *, alpha: float = 0.05) -> Interval:
    """Wilson's score interval, the one to show; 0 of n and n of n need no special case.

    `(p + z^2/2n -/+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`. Assumes independent trials.

    Args:
        successes: Number of successes.
        n: Number of trials.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If the successes are not between 0 and n.

    Source:
        Wilson, JASA 22 (1927); Newcombe, Statistics in Medicine 17 (1998), 857.

    Example:
        >>> interval = wilson(81, 263)
        >>> round(interval.lower, 4), round(interval.upper, 4)
        (0.2553, 0.3662)
    """
    return _interval(_wilson, "wilson", successes, n, alpha)


def _wilson(successes: float, n: float, alpha: float) -> tuple[float, float]:
    z = normal_above(alpha / 2)
    share = successes / n
    centre = share + z**2 / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    lower = 0.0 if successes == 0 else (centre - half) / (1 + z**2 / n)
    upper = 1.0 if successes == n else (centre + half) / (1 + z**2 / n)
    return lower, upper


def clopper_pearson(successes: float, n: float, *, alpha: float = 0.05) -> Interval:
    """The exact interval, for where a guarantee is asked: it covers at least 1 - alpha of the time.

    Quantiles of beta: `B(alpha/2; x, n-x+1)` and `B(1-alpha/2; x+1, n-x)`. Assumes independent trials.

    Args:
        successes: Number of successes; a fraction where n is an effective number.
        n: Number of trials.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If the successes are not between 0 and n.

    Source:
        Clopper and Pearson, Biometrika 26 (1934).

    Example:
        >>> clopper_pearson(0, 10).lower, round(clopper_pearson(0, 10).upper, 4)
        (0.0, 0.3085)
    """
    return _interval(_clopper_pearson, "clopper_pearson", successes, n, alpha)


def _clopper_pearson(successes: float, n: float, alpha: float) -> tuple[float, float]:
    lower = 0.0 if successes <= 0 else beta_quantile(alpha / 2, successes, n - successes + 1)
    upper = 1.0 if successes >= n else beta_quantile(1 - alpha / 2, successes + 1, n - successes)
    return lower, upper


def jeffreys(successes: float, n: float, *, alpha: float = 0.05) -> Interval:
    """Equal-tailed interval of the posterior under Jeffreys' prior, `Beta(x + 1/2, n - x + 1/2)`.

    Args:
        successes: Number of successes.
        n: Number of trials.
        alpha: One minus the credible level.

    Raises:
        EstimateError: If the successes are not between 0 and n.

    Source:
        Brown, Cai and DasGupta, Statistical Science 16 (2001), without their changes at 0 and n.

    Example:
        >>> round(jeffreys(1, 10).upper, 4)
        0.3813
    """
    return _interval(_jeffreys, "jeffreys", successes, n, alpha)


def _jeffreys(successes: float, n: float, alpha: float) -> tuple[float, float]:
    a, b = successes + 0.5, n - successes + 0.5
    return beta_quantile(alpha / 2, a, b), beta_quantile(1 - alpha / 2, a, b)


def agresti_coull(successes: float, n: float, *, alpha: float = 0.05) -> Interval:
    """Wald's interval after adding z^2/2 successes and failures, cut to 0 and 1.

    Args:
        successes: Number of successes.
        n: Number of trials.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If the successes are not between 0 and n.

    Source:
        Agresti and Coull, American Statistician 52 (1998).

    Example:
        >>> agresti_coull(1, 10).lower, round(agresti_coull(1, 10).upper, 4)
        (0.0, 0.426)
    """
    return _interval(_agresti_coull, "agresti_coull", successes, n, alpha)


def _agresti_coull(successes: float, n: float, alpha: float) -> tuple[float, float]:
    z = normal_above(alpha / 2)
    size = n + z**2
    share = (successes + z**2 / 2) / size
    half = z * math.sqrt(share * (1 - share) / size)
    return max(0.0, share - half), min(1.0, share + half)


def korn_graubard(successes: float, n: float, design_effect: float, *, alpha: float = 0.05) -> Interval:
    """Clopper-Pearson on the effective number of trials, for trials that come in clusters.

    `n_eff = n / design_effect`, limits as `clopper_pearson` for `n_eff * x / n` of `n_eff`. With no events
    the upper limit is the number to quote; take the design effect from pooled arms, since a sample
    without events has none of its own. A design effect below 1 counts as 1.

    Args:
        successes: Number of successes.
        n: Number of trials.
        design_effect: Variance with clusters over variance without.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If the successes are not between 0 and n, or the design effect is no positive number.

    Source:
        Korn and Graubard, Survey Methodology 24 (1998), without their adjustment of degrees of freedom.

    Example:
        >>> round(korn_graubard(0, 200, 4.0).upper, 4) == round(clopper_pearson(0, 50).upper, 4)
        True
    """
    _checked(successes, n, alpha)
    if not (math.isfinite(design_effect) and design_effect > 0):
        msg = f"design effect {design_effect!r}; expected a positive number, 1 for independent trials"
        raise EstimateError(msg)
    effect = max(1.0, design_effect)
    made = clopper_pearson(successes / effect, n / effect, alpha=alpha)
    reasons = made.reasons + ((Reason.NO_EVENTS,) if n and successes == 0 else ())
    return Interval(made.lower, made.upper, alpha, "korn_graubard", reasons)
