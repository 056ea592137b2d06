"""How a share differs between two samples of users: today's traffic from last month's, or from a suite."""

import math
from typing import Any

import numpy as np

from llmops_lib.stats.clustered_cr2 import clustered_mean_cr2
from llmops_lib.stats.results import Interval, Reason, no_interval

_METHOD = "newcombe_clustered"


def clustered_share_difference(
    values: Any, clusters: Any, reference: Any, reference_clusters: Any, *, alpha: float = 0.05
) -> Interval:
    """Interval of the share of `values` less that of `reference`, each clustered by user.

    Newcombe's square-and-add of the limits of both shares, with `clustered_mean_cr2` in place of Wilson:
    `lower = d - sqrt((p - l)^2 + (u' - p')^2)`, `upper = d + sqrt((u - p)^2 + (p' - l')^2)`. Takes the two
    samples as independent; users who are in both and stay as they are make it too wide. Fewer than 5 users in
    one: no interval.

    Args:
        values: True or false per row.
        clusters: User of each row.
        reference: The same of what they are held against.
        reference_clusters: User of each of its rows.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a label is missing or lengths differ.

    Source:
        Newcombe, Statistics in Medicine 17 (1998), 873, method 10; Zou and Donner, Statistics in Medicine 27
        (2008), 1693, for limits of other kinds.

    Example:
        >>> found = clustered_share_difference([1] * 56 + [0] * 14, range(70), [1] * 48 + [0] * 32, range(80))
        >>> round(found.lower, 3), round(found.upper, 3)
        (0.05, 0.336)
    """
    sides = [
        clustered_mean_cr2(np.asarray(rows, dtype=np.float64), units, scale="shares", alpha=alpha)
        for rows, units in ((values, clusters), (reference, reference_clusters))
    ]
    (now, limits), (before, limits_before) = ((side.value, side.interval) for side in sides)
    lows, highs = (limits.lower, limits_before.lower), (limits.upper, limits_before.upper)
    if now is None or before is None or None in lows or None in highs:
        is_small = any(Reason.N_TOO_SMALL in side.interval.reasons for side in sides)
        return no_interval(alpha, _METHOD, Reason.N_TOO_SMALL if is_small else Reason.TOO_FEW_CLUSTERS)
    shares = np.array([now, before])
    below, above = shares - np.array(lows, dtype=float), np.array(highs, dtype=float) - shares
    reasons = tuple(dict.fromkeys((*limits.reasons, *limits_before.reasons)))
    return Interval(
        now - before - math.hypot(below[0], above[1]),
        now - before + math.hypot(above[0], below[1]),
        alpha,
        _METHOD,
        reasons,
    )
