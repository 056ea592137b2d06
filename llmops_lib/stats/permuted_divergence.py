"""Drift of a category or of bins, tested by permuting users: calls of one user are alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from llmops_lib.stats.embedding_drift import N_RESAMPLES, PointDrift, relabelled
from llmops_lib.stats.inputs import Floats, Integers, group_codes, numbers
from llmops_lib.stats.results import Reason


def quantile_bins(reference: Any, fresh: Any, *, bins: int = 10) -> tuple[Integers, Integers]:
    """The bin of each number, between the deciles of the reference, open at both ends.

    Args:
        reference: Values of the suite.
        fresh: Values of production.
        bins: Bins of equal share in the reference.

    Example:
        >>> old, new = quantile_bins([1, 2, 3, 4], [0, 9], bins=2)
        >>> old.tolist(), new.tolist()
        ([0, 0, 1, 1], [0, 1])
    """
    old, new = numbers(reference, "reference"), numbers(fresh, "fresh values")
    edges = np.unique(np.quantile(old, np.arange(1, bins) / bins)) if len(old) else np.empty(0)
    return np.searchsorted(edges, old, side="right"), np.searchsorted(edges, new, side="right")


def permuted_divergence(reference: Any, fresh: Any, *, users: Sequence[object] | None = None) -> PointDrift:
    """Jensen-Shannon divergence of two samples of labels, in bits, and its p value by permuting users.

    999 seeded permutations of users between the samples, `p = (1 + hits) / (1 + 999)`.

    Args:
        reference: Labels of the suite.
        fresh: Labels of production.
        users: User of each label, reference first; labels are independent where None.

    Raises:
        EstimateError: If a label is missing.

    Source:
        Lin, IEEE Trans. Inform. Theory 37 (1991); Phipson and Smyth (2010) for the p value.

    Example:
        >>> found = permuted_divergence(["en"] * 50, ["en"] * 25 + ["de"] * 25)
        >>> round(found.value, 2), found.p_value
        (0.31, 0.001)
    """
    old, new = np.asarray(reference), np.asarray(fresh)
    sizes = len(old), len(new)
    if min(sizes) < 1:
        return PointDrift(None, None, 0, *sizes, (Reason.N_TOO_SMALL,))
    codes, kinds = group_codes(np.concatenate([old.astype(object), new.astype(object)]), "labels")
    members = np.eye(kinds)[codes]
    now = np.repeat([0.0, 1.0], sizes)
    value = float(_divergences(members, now[None, :])[0])
    drawn = _divergences(members, relabelled(now, users, "permuted_divergence/1"))
    hits = int((drawn >= value - 1e-12).sum())
    return PointDrift(value, (1 + hits) / (1 + N_RESAMPLES), N_RESAMPLES, *sizes)


def _divergences(members: Floats, fresh: Floats) -> Floats:
    """Divergence for each labelling in rows; 0 where a sample is left empty."""
    new = fresh @ members
    old = members.sum(axis=0) - new
    q, p = (side / np.maximum(side.sum(axis=1, keepdims=True), 1) for side in (new, old))
    found = _entropies((p + q) / 2) - (_entropies(p) + _entropies(q)) / 2
    return np.where((new.sum(axis=1) > 0) & (old.sum(axis=1) > 0), np.maximum(found, 0.0), 0.0)


def _entropies(shares: Floats) -> Floats:
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logs).sum(axis=1))
