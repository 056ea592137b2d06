"""Drift of inputs as points, such as embeddings: the kernel two-sample test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, Integers, group_codes
from llmops_lib.stats.results import Reason
from llmops_lib.stats.seeds import seeded_generator

N_RESAMPLES = 999
MAX_POINTS = 4_000
"""Points of both samples together above which the kernel table would be too large: sample first."""

Points = npt.NDArray[np.float64]


def points(values: Any, name: str) -> Points:
    """Points in rows, checked to be finite.

    Raises:
        EstimateError: If they are no table of finite numbers.

    Example:
        >>> points([[1, 2], [3, 4]], "embeddings").shape
        (2, 2)
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or not np.isfinite(found).all():
        msg = f"{name} of shape {found.shape}; expected points in rows, finite numbers in columns"
        raise EstimateError(msg)
    return found


@dataclass(frozen=True, slots=True)
class PointDrift:
    """How far two clouds of points differ.

    Attributes:
        value: Unbiased squared maximum mean discrepancy, or area under the curve of a classifier.
        p_value: By permuting units between the samples.
        n_resamples: Permutations.
        n_reference: Points of the reference.
        n_fresh: Fresh points.
        reasons: Why something is None.
    """

    value: float | None
    p_value: float | None
    n_resamples: int
    n_reference: int
    n_fresh: int
    reasons: tuple[Reason, ...] = ()


def kernel_drift(
    reference: Any, fresh: Any, *, gamma: float | None = None, users: Sequence[object] | None = None
) -> PointDrift:
    """Squared maximum mean discrepancy with a Gaussian kernel, and its permutation p value.

    `mean k(x, x') + mean k(y, y') - 2 mean k(x, y)` without the diagonals, `k = exp(-gamma |x - y|^2)`, gamma
    one over the median squared distance where None. 999 seeded permutations of users between the samples,
    `p = (1 + hits) / (1 + 999)`.

    Args:
        reference: Points of the suite in rows.
        fresh: Points of production.
        gamma: Kernel width.
        users: User of each point, reference first; points are independent where None.

    Raises:
        EstimateError: If a point is not finite, dimensions differ, or there are more than 4,000 points.

    Source:
        Gretton et al., JMLR 13 (2012), eq. 3.

    Example:
        >>> old, new = [[0.0], [0.1], [0.2], [0.3]], [[2.0], [2.1], [2.2], [2.3]]
        >>> found = kernel_drift(old, new)
        >>> found.value > 0.5, found.p_value < 0.1
        (True, True)
    """
    old, new = both_samples(reference, fresh)
    sizes = len(old), len(new)
    if min(sizes) < 2:
        return PointDrift(None, None, 0, *sizes, (Reason.N_TOO_SMALL,))
    if sum(sizes) > MAX_POINTS:
        msg = f"{sum(sizes)} points; expected at most {MAX_POINTS}, so draw a sample first"
        raise EstimateError(msg)
    everything = np.concatenate([old, new])
    squares = np.maximum(_squared_distances(everything), 0.0)
    width = gamma if gamma is not None else _median_width(squares)
    kernel = np.exp(-width * squares)
    np.fill_diagonal(kernel, 0.0)
    fresh_now = np.repeat([0.0, 1.0], sizes)[None, :]
    value = float(_discrepancies(kernel, fresh_now)[0])
    drawn = _discrepancies(kernel, relabelled(fresh_now[0], users, "kernel_drift/1"))
    hits = int((drawn[np.isfinite(drawn)] >= value - 1e-12).sum())
    return PointDrift(value, (1 + hits) / (1 + N_RESAMPLES), N_RESAMPLES, *sizes)


def both_samples(reference: Any, fresh: Any) -> tuple[Points, Points]:
    """Both samples as points of the same dimension.

    Raises:
        EstimateError: If a point is not finite or dimensions differ.

    Example:
        >>> [len(side) for side in both_samples([[1.0], [2.0]], [[3.0]])]
        [2, 1]
    """
    old, new = points(reference, "reference"), points(fresh, "fresh points")
    if len(old) and len(new) and old.shape[1] != new.shape[1]:
        msg = f"reference has {old.shape[1]} dimensions and fresh points {new.shape[1]}; expected the same"
        raise EstimateError(msg)
    return old, new


def _squared_distances(found: Points) -> Points:
    """Squared distances of all pairs."""
    from scipy.spatial.distance import pdist, squareform

    return np.asarray(squareform(pdist(found, "sqeuclidean")))


def _median_width(squares: Points) -> float:
    """One over the median squared distance of different points."""
    some = squares[squares > 0]
    return 1 / float(np.median(some)) if len(some) else 1.0


def _discrepancies(kernel: Points, fresh: Points) -> Floats:
    """Squared discrepancy for each labelling in rows; infinite where a sample is left with one point."""
    old = 1 - fresh
    n, m = fresh.sum(axis=1), old.sum(axis=1)
    into_fresh = fresh @ kernel
    within, across = (into_fresh * fresh).sum(axis=1), (into_fresh * old).sum(axis=1)
    rest = float(kernel.sum()) - within - 2 * across
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(within / (n * (n - 1)) + rest / (m * (m - 1)) - 2 * across / (n * m))


def relabelled(fresh: Floats, users: Sequence[object] | None, algorithm: str) -> Points:
    """Labels of points with users permuted between the samples, one permutation per row.

    A user with points in both samples goes where most of them are.

    Args:
        fresh: 1 for a fresh point, 0 for one of the reference.
        users: User of each point; points are independent where None.
        algorithm: What the seed follows from, with the users and labels.

    Example:
        >>> relabelled(np.array([0.0, 0.0, 1.0]), ["a", "a", "b"], "demo").shape
        (999, 3)
    """
    codes: Integers = np.arange(len(fresh))
    groups = len(fresh)
    if users is not None:
        codes, groups = group_codes(list(users), "users")
    generator = seeded_generator(
        algorithm, [f"{at}:{label:g}" for at, label in zip(codes, fresh, strict=True)]
    )
    majority = (
        np.bincount(codes, weights=fresh, minlength=groups) / np.bincount(codes, minlength=groups) > 0.5
    )
    labels = np.broadcast_to(majority.astype(np.float64), (N_RESAMPLES, groups))
    return np.asarray(generator.permuted(labels, axis=1)[:, codes])
