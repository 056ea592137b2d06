"""Drift of inputs as points: can a classifier tell fresh ones from the suite?"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from llmops_lib.stats.embedding_drift import N_RESAMPLES, PointDrift, Points, both_samples, relabelled
from llmops_lib.stats.inputs import Floats, group_codes
from llmops_lib.stats.results import Reason
from llmops_lib.stats.seeds import seeded_generator


def classifier_drift(
    reference: Any, fresh: Any, *, users: Sequence[object] | None = None, folds: int = 5
) -> PointDrift:
    """How well a classifier tells fresh points from the reference: area under the curve out of fold.

    Logistic regression on standardised features with a ridge penalty of one, trained without the users it
    is scored on. 0.5: alike; 0.65 and more: worth a look. The p value permutes users' labels against the
    out-of-fold scores, ranked within folds.

    Args:
        reference: Points of the suite in rows.
        fresh: Points of production.
        users: User of each point, reference first; points are independent where None.
        folds: Parts that users are split into, seeded.

    Raises:
        EstimateError: If a point is not finite or dimensions differ.

    Source:
        Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests (arXiv:1610.06545).

    Example:
        >>> old, new = [[n / 50, 0.0] for n in range(50)], [[2 + n / 50, 0.0] for n in range(50)]
        >>> classifier_drift(old, new).value
        0.998
    """
    old, new = both_samples(reference, fresh)
    sizes = len(old), len(new)
    labels = np.repeat([0.0, 1.0], sizes)
    codes, groups = group_codes(list(users) if users is not None else list(range(sum(sizes))), "users")
    if min(sizes) < folds or groups < 2 * folds:
        return PointDrift(None, None, 0, *sizes, (Reason.N_TOO_SMALL,))
    everything = np.concatenate([old, new])
    generator = seeded_generator("classifier_drift/1", range(groups))
    parts = (generator.permutation(groups) % folds)[codes]
    scores = np.empty(len(labels))
    for fold in range(folds):
        held = parts == fold
        scores[held] = _ranked(_scored(everything[~held], labels[~held], everything[held]))
    value = float(_areas(scores, labels[None, :])[0])
    drawn = _areas(scores, relabelled(labels, users, "classifier_drift/2"))
    hits = int((np.abs(drawn - 0.5) >= abs(value - 0.5) - 1e-12).sum())
    return PointDrift(value, (1 + hits) / (1 + N_RESAMPLES), N_RESAMPLES, *sizes)


def _scored(train: Points, labels: Floats, held: Points) -> Floats:
    """Log-odds of being fresh, of a ridge logistic regression."""
    from scipy.optimize import minimize
    from scipy.special import expit

    centre, scale = train.mean(axis=0), train.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    x = np.column_stack([np.ones(len(train)), (train - centre) / scale])
    penalty = np.append(0.0, np.ones(train.shape[1]))

    def loss(beta: Floats) -> tuple[float, Floats]:
        odds = x @ beta
        value = float(np.logaddexp(0, odds).sum() - labels @ odds) + 0.5 * float(penalty @ beta**2)
        return value, x.T @ (expit(odds) - labels) + penalty * beta

    best = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(((held - centre) / scale) @ best.x[1:] + best.x[0])


def _ranked(scores: Floats) -> Floats:
    """Ranks as shares, so that folds can be put together."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(scores) / (len(scores) + 1))


def _areas(scores: Floats, labels: Points) -> Floats:
    """Area under the curve for each labelling in rows."""
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    n = labels.sum(axis=1)
    m = labels.shape[1] - n
    return np.asarray((labels @ ranks - n * (n + 1) / 2) / np.maximum(n * m, 1))
