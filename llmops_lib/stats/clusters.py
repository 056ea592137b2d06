"""Means of several groups whose rows come in clusters: rows of one user are alike, and count as such."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

LEAST_CLUSTERS = 5
"""Fewer clusters than this give no interval."""


@dataclass(frozen=True)
class GroupMeans:
    """The means of groups, and how they vary together.

    Attributes:
        means: Mean of each group; NaN where it has no row.
        covariance: Covariance of the means, rows and columns in the order of the groups.
        row_counts: Rows of each group.
        cluster_counts: Clusters of each group.
    """

    means: Floats
    covariance: Floats
    row_counts: Counts
    cluster_counts: Counts


def group_means(
    groups: Counts, clusters: Counts, moments: tuple[Floats, Floats, Floats], *, group_count: int
) -> GroupMeans:
    """The means of groups with their cluster-robust covariance (CR1).

    One cluster may have rows in several groups, which then vary together. A variance is never below the
    pooled variance of all rows over the rows of the group: five equal values prove no certainty.

    Args:
        groups: Group of each entry, 0 to `group_count` - 1; one entry per group and cluster.
        clusters: Cluster of each entry, from 0.
        moments: Rows of each entry, the sum of their values, and the sum of their squares.
        group_count: How many groups there are.

    Returns:
        Means in the order of the groups.

    Source:
        Cameron and Miller (2015), A Practitioner's Guide to Cluster-Robust Inference, eq. 11, with the factor
        G / (G - 1); Miller (2024), Adding Error Bars to Evals, arXiv:2411.00640, section 2.2.
    """
    counts, sums, squares = moments
    rows = np.bincount(groups, counts, group_count)
    totals = np.bincount(groups, sums, group_count)
    cluster_counts = np.bincount(groups, minlength=group_count)
    means = np.divide(totals, rows, out=np.full(group_count, np.nan), where=rows > 0)
    residuals = (sums - counts * means[groups]) / rows[groups]
    factors = np.sqrt(cluster_counts / np.maximum(cluster_counts - 1, 1))
    shape = (int(clusters.max(initial=-1)) + 1, group_count)
    scaled = csr_array((residuals * factors[groups], (clusters, groups)), shape=shape)
    covariance = np.asarray((scaled.T @ scaled).todense())
    within = float(squares.sum() - np.nansum(rows * means**2))
    pooled = max(within, 0.0) / max(rows.sum() - np.count_nonzero(rows), 1)
    least = np.divide(pooled, rows, out=np.zeros(group_count), where=rows > 0)
    np.fill_diagonal(covariance, np.maximum(covariance.diagonal(), least))
    return GroupMeans(means, covariance, rows.astype(np.int64), cluster_counts.astype(np.int64))


def weighted_interval(
    weights: Floats, of: GroupMeans, *, confidence: float = 0.95
) -> tuple[float, float, float]:
    """A weighted sum of group means with its t interval; the degrees of freedom are Satterthwaite's.

    Args:
        weights: Weight of each group; a group of weight zero need not have a mean.
        of: The means.
        confidence: Coverage of the interval.

    Returns:
        The sum, the lower and the upper bound; NaN where a weighted group has no mean.
    """
    used = np.flatnonzero(weights)
    weight, covariance = weights[used], of.covariance[np.ix_(used, used)]
    value = float(weight @ of.means[used])
    variance = max(float(weight @ covariance @ weight), 0.0)
    own = weight**2 * covariance.diagonal()
    freedom = own.sum() ** 2 / max((own**2 / np.maximum(of.cluster_counts[used] - 1, 1)).sum(), 1e-300)
    half = float(stdtrit(max(freedom, 1.0), 0.5 + confidence / 2)) * variance**0.5
    return value, value - half, value + half
