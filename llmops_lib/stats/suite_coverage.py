"""Which fresh inputs the suite has nothing like: candidates for its next version."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from llmops_lib.stats.embedding_drift import both_samples
from llmops_lib.stats.inputs import Floats
from llmops_lib.stats.results import Reason


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Which fresh inputs the suite has nothing like.

    Attributes:
        uncovered_share: Share of fresh points farther from the suite than its own points are from each
            other; None without points.
        distances: Distance of each fresh point to the nearest of the suite.
        threshold: The 95th percentile of the suite's own nearest distances.
        is_uncovered: Whether each fresh point is beyond it: candidates for new cases.
        reasons: Why something is None.
    """

    uncovered_share: float | None
    distances: Floats
    threshold: float | None
    is_uncovered: npt.NDArray[np.bool_]
    reasons: tuple[Reason, ...] = ()


def suite_coverage(reference: Any, fresh: Any, *, within: float = 0.95) -> Coverage:
    """Share of fresh points that lie farther from the suite than its own points from each other.

    Each point's nearest neighbour in the suite, itself left out; about 5% of fresh points from the same
    source are beyond the threshold.

    Args:
        reference: Points of the suite in rows.
        fresh: Points of production.
        within: Quantile of the suite's own distances.

    Raises:
        EstimateError: If a point is not finite or dimensions differ.

    Source:
        Loftsgaarden and Quesenberry, Annals of Mathematical Statistics 36 (1965), nearest neighbours.

    Example:
        >>> suite_coverage([[0.0], [1.0], [2.0]], [[0.5], [9.0]]).uncovered_share
        0.5
    """
    from scipy.spatial import KDTree

    old, new = both_samples(reference, fresh)
    if len(old) < 2 or not len(new):
        nothing = np.empty(0)
        return Coverage(None, nothing, None, nothing.astype(bool), (Reason.N_TOO_SMALL,))
    tree = KDTree(old)
    own = np.asarray(tree.query(old, k=2)[0])[:, 1]
    threshold = float(np.quantile(own, within))
    distances = np.asarray(tree.query(new, k=1)[0])
    beyond = distances > threshold * (1 + 1e-12) + math.ulp(0.0)
    return Coverage(float(beyond.mean()), distances, threshold, beyond)
