"""Every threshold of a router at once: what is gained above it, and how certain that is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sweep:
    """The means at each number of questions that go to the strong model, ties together.

    Attributes:
        strong_counts: Questions that go to the strong model, from none to all.
        quality: Mean quality.
        quality_se: Its standard error.
        pgr: Share of the gap between the models that is recovered; NaN where there is no gap.
        pgr_se: Its standard error by the delta method.
    """

    strong_counts: Codes
    quality: Floats
    quality_se: Floats
    pgr: Floats
    pgr_se: Floats


def swept(scores: Floats, strong: Floats, weak: Floats, clusters: Codes, thresholds: Floats) -> Sweep:
    """The sweep over thresholds, in one pass over the questions in the order of their scores.

    What the n-th question adds to a sum of squared cluster sums is known from the questions of its cluster
    before it, so that no threshold costs a pass of its own.

    Args:
        scores: The higher, the rather strong.
        strong: Quality of the strong answer of each question.
        weak: Quality of the weak one.
        clusters: Cluster code of each question, from 0 without gaps; standard errors are CR1.
        thresholds: A question goes to the strong model where its score is at least this.
    """
    order = np.argsort(-scores, kind="stable")
    # ">= threshold" in ascending order of the negated scores; none and all are always points.
    found = np.searchsorted(-scores[order], -thresholds, side="right")
    at = np.unique(np.concatenate([[0], found, [len(scores)]]))
    gap = strong - weak
    gaps, weaks, sizes = (np.bincount(clusters, values) for values in (gap, weak, np.ones_like(gap)))
    own, step = clusters[order], gap[order]
    before = (
        pl.DataFrame({"cluster": own, "gap": step})
        .select(pl.col("gap").cum_sum().over("cluster") - pl.col("gap"))["gap"]
        .to_numpy()
    )
    gained = _running(step)[at]
    squares = _running(2 * before * step + step**2)[at]
    with_gaps, with_weaks, with_sizes = (
        _running(step * per_cluster[own])[at] for per_cluster in (gaps, weaks, sizes)
    )
    quality = (weak.sum() + gained) / len(gap)
    constant = (weaks**2).sum() - 2 * quality * (weaks * sizes).sum() + quality**2 * (sizes**2).sum()
    quality_squares = constant + 2 * (with_weaks - quality * with_sizes) + squares
    total = float(gap.sum())
    pgr = gained / total if total else np.full(len(at), np.nan)
    pgr_squares = squares - 2 * pgr * with_gaps + pgr**2 * (gaps**2).sum()
    factor = np.sqrt(len(sizes) / max(len(sizes) - 1, 1))
    quality_se, pgr_root = (
        np.sqrt(np.maximum(part, 0.0)) * factor for part in (quality_squares, pgr_squares)
    )
    pgr_se = pgr_root / abs(total) if total else pgr
    return Sweep(at, quality, quality_se / len(gap), pgr, pgr_se)


def _running(values: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values)])
