"""p values adjusted for having asked several questions at once."""

from typing import Any

import numpy as np

from llmops_lib.stats.inputs import Floats, shares


def holm(p_values: Any) -> Floats:
    """Holm's adjusted p values, for anything that blocks or pages: any dependence is allowed.

    In rising order `(m - i + 1) p_(i)`, made monotone, at most 1. Reject where at or below alpha.

    Args:
        p_values: Raw p values, in any order.

    Returns:
        Adjusted p values in the same order.

    Raises:
        EstimateError: If a value is NaN or outside 0 to 1.

    Source:
        Holm, Scandinavian Journal of Statistics 6 (1979).

    Example:
        >>> [round(float(p), 4) for p in holm([0.01, 0.04, 0.01])]
        [0.03, 0.04, 0.03]
    """
    found = shares(p_values, "p values")
    order = np.argsort(found, kind="stable")
    steps = found[order] * np.arange(len(found), 0, -1)
    return _in_place(np.maximum.accumulate(steps), order)


def bonferroni(p_values: Any) -> Floats:
    """Bonferroni's adjusted p values, `m p`; Holm's are never larger.

    Args:
        p_values: Raw p values.

    Raises:
        EstimateError: If a value is NaN or outside 0 to 1.

    Source:
        Dunn, JASA 56 (1961).

    Example:
        >>> bonferroni([0.25, 0.5]).tolist()
        [0.5, 1.0]
    """
    found = shares(p_values, "p values")
    return np.minimum(1.0, found * len(found))


def benjamini_hochberg(p_values: Any) -> Floats:
    """Adjusted p values that bound the false discovery rate, for lists people browse.

    In rising order `m p_(i) / i`, made monotone from the top, at most 1. Assumes independent or
    positively dependent tests.

    Args:
        p_values: Raw p values.

    Raises:
        EstimateError: If a value is NaN or outside 0 to 1.

    Source:
        Benjamini and Hochberg, JRSS B 57 (1995); `scipy.stats.false_discovery_control`.

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
        [0.03, 0.04, 0.04]
    """
    return _false_discovery(p_values, "bh")


def benjamini_yekutieli(p_values: Any) -> Floats:
    """Adjusted p values that bound the false discovery rate under any dependence.

    Benjamini and Hochberg's times `1 + 1/2 + ... + 1/m`.

    Args:
        p_values: Raw p values.

    Raises:
        EstimateError: If a value is NaN or outside 0 to 1.

    Source:
        Benjamini and Yekutieli, Annals of Statistics 29 (2001); `scipy.stats.false_discovery_control`.

    Example:
        >>> benjamini_yekutieli([0.01, 0.04]).round(4).tolist()
        [0.03, 0.06]
    """
    return _false_discovery(p_values, "by")


def _false_discovery(p_values: Any, method: str) -> Floats:
    found = shares(p_values, "p values")
    if not len(found):
        return found
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(found, method=method), dtype=np.float64)


def _in_place(adjusted: Floats, order: Any) -> Floats:
    """Adjusted values in rising order, put back where the raw ones stood."""
    placed = np.empty_like(adjusted)
    placed[order] = np.minimum(1.0, adjusted)
    return placed
