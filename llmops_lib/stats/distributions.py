"""Quantiles and tails of the normal, Student's t, beta and binomial distributions.

SciPy is imported where it is used, so that `import llmops_lib` stays light.
"""

import math
from statistics import NormalDist

from llmops_lib.stats.results import Interval

_NORMAL = NormalDist()


def normal_quantile(probability: float) -> float:
    """Quantile of the standard normal.

    Example:
        >>> round(normal_quantile(0.975), 6)
        1.959964
    """
    return _NORMAL.inv_cdf(probability)


def normal_above(tail: float) -> float:
    """The value that the standard normal exceeds with a probability, exact for the smallest of them.

    One less a small probability is one: its quantile knows few digits of it, or none.

    Example:
        >>> round(normal_above(0.025), 6), round(normal_above(1e-300), 2)
        (1.959964, 37.05)
    """
    return -_NORMAL.inv_cdf(tail)


def normal_cdf(z: float) -> float:
    """Probability below z under the standard normal, accurate far in the lower tail.

    Example:
        >>> normal_cdf(0.0), normal_cdf(-10.0) > 0
        (0.5, True)
    """
    return 0.5 * math.erfc(-z / math.sqrt(2))


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t with `df` degrees of freedom.

    Example:
        >>> round(t_quantile(0.975, 10), 4)
        2.2281
    """
    from scipy.special import stdtrit

    return float(stdtrit(df, probability))


def t_above(tail: float, df: float) -> float:
    """The value that Student's t exceeds with a probability, as `normal_above`.

    Example:
        >>> round(t_above(0.025, 10), 4)
        2.2281
    """
    return -t_quantile(tail, df)


def t_cdf(t: float, df: float) -> float:
    """Probability below t under Student's t.

    Example:
        >>> t_cdf(0.0, 5)
        0.5
    """
    from scipy.special import stdtr

    return float(stdtr(df, t))


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Quantile of the beta distribution.

    Example:
        >>> round(beta_quantile(0.5, 2, 2), 6)
        0.5
    """
    from scipy.special import betaincinv

    return float(betaincinv(a, b, probability))


def binomial_cdf(successes: int, n: int, share: float) -> float:
    """Probability of at most `successes` in `n` trials.

    Example:
        >>> binomial_cdf(0, 5, 0.5)
        0.03125
    """
    from scipy.special import bdtr

    return float(bdtr(successes, n, share))


def two_sided_interval(
    value: float, se: float, *, alpha: float, method: str, df: float | None = None
) -> Interval:
    """Value plus and minus a quantile times the standard error; normal where `df` is None.

    Example:
        >>> interval = two_sided_interval(0.0, 1.0, alpha=0.05, method="normal")
        >>> round(interval.lower, 3), round(interval.upper, 3)
        (-1.96, 1.96)
    """
    quantile = normal_above(alpha / 2) if df is None else t_above(alpha / 2, df)
    return Interval(value - quantile * se, value + quantile * se, alpha, method)


def two_sided_p(statistic: float, df: float | None = None) -> float:
    """Two-sided p value of a standardised statistic; normal where `df` is None.

    Example:
        >>> two_sided_p(0.0), round(two_sided_p(2.0), 4)
        (1.0, 0.0455)
    """
    tail = normal_cdf(-abs(statistic)) if df is None else t_cdf(-abs(statistic), df)
    return 2 * tail
