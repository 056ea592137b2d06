"""A mean from few labels and many judgements, where calls of one user are alike and chances differ."""

import math
from typing import Any, NamedTuple

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.bounded_mean import bounded_mean_interval
from llmops_lib.stats.clustered_mean import MIN_CLUSTERS
from llmops_lib.stats.distributions import two_sided_interval
from llmops_lib.stats.inputs import Floats, Integers, between_zero_and_one, group_codes, numbers, same_length
from llmops_lib.stats.prediction_powered import MIN_LABELS, PredictionPowered
from llmops_lib.stats.results import Interval, Reason, no_interval
from llmops_lib.stats.spread import Spread
from llmops_lib.stats.survey import effective_cluster_count, effective_sample_size, hajek_mean


class Judged(NamedTuple):
    """Judged calls, labelled or not.

    Attributes:
        truth: Label per call; NaN where it has none.
        judgement: Judgement per call.
        weights: One over the chance of being drawn.
        clusters: User per call.
    """

    truth: Any
    judgement: Any
    weights: Any
    clusters: Any


def clustered_prediction_powered(judged: Judged, *, alpha: float = 0.05) -> PredictionPowered:
    """Mean of the truth by PPI++ with Hajek means, and an error that sums up by user.

    `theta = lambda mean_w(F_u) + mean_w(Y - lambda F)`. Each call pulls on theta by
    `lambda w (F - mean_w(F_u)) / sum w` where it has no label and by `w (e - mean_w(e)) / sum w`,
    `e = Y - lambda F`, where it has one; pulls are summed by user, also over both parts, and
    `se^2 = G / (G - 1) sum_u (sum of pulls)^2`. That is a parabola in lambda, whose lowest point in 0 to 1 is
    taken. t with the labelled users less one; for labels and judgements from 0 to 1 Wilson's interval on as
    many passes as vary as much, since of rare failures a hundred labels see a handful. Fewer than 5
    labelled users: no interval, fewer than 20: a warning. Assumes labels to be a random part of the judged
    calls.

    Args:
        judged: Calls with label, judgement, weight and user.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a judgement or weight is NaN, a weight not positive, or lengths differ.

    Source:
        Angelopoulos, Duchi and Zrnic, PPI++ (arXiv:2311.01453); linearised by user as in Cameron and
        Miller, Journal of Human Resources 50 (2015); the interval as `bounded_mean_interval`.

    Example:
        >>> truth = [1.0, 0.0, 1.0, 1.0] * 30 + [math.nan] * 240
        >>> judgement = [1.0, 0.0, 1.0, 0.0] * 90
        >>> found = clustered_prediction_powered(Judged(truth, judgement, [1.0] * 360, range(360)))
        >>> round(found.value, 2), round(found.judge_mean, 2)
        (0.75, 0.5)
    """
    between_zero_and_one(alpha, "alpha")
    f, weights = numbers(judged.judgement, "judgements"), numbers(judged.weights, "weights")
    y = np.asarray(judged.truth, dtype=np.float64)
    codes, groups = group_codes(judged.clusters, "users")
    same_length(judgements=f, weights=weights, truth=y, users=codes)
    if (weights <= 0).any():
        msg = f"weights hold {weights.min():g}; expected positive weights, one over the chance of being drawn"
        raise EstimateError(msg)
    has = ~np.isnan(y)
    n, others = int(has.sum()), int((~has).sum())
    if n == 0 or others == 0:
        nothing = no_interval(alpha, "ppi++", Reason.N_TOO_SMALL)
        return PredictionPowered(None, None, nothing, None, nothing, None, None, n, others, nothing.reasons)
    mean_y, mean_f = _mean(y[has], weights[has]), _mean(f[has], weights[has])
    mean_u = _mean(f[~has], weights[~has])
    of_labels = _by_user(weights * (y - mean_y), has, weights, codes)
    of_judge = _by_user(weights * (f - mean_u), ~has, weights, codes) - _by_user(
        weights * (f - mean_f), has, weights, codes
    )
    below = float(of_judge @ of_judge)
    tuning = min(1.0, max(0.0, -float(of_labels @ of_judge) / below)) if below > 0 else 0.0
    value = tuning * mean_u + mean_y - tuning * mean_f
    pulls = of_labels + tuning * of_judge
    se = math.sqrt(float(pulls @ pulls) * groups / max(groups - 1, 1))
    is_share = min(f.min(), y[has].min()) >= 0 and max(f.max(), y[has].max()) <= 1
    only = hajek_mean(y[has], np.minimum(1, 1 / weights[has]), clusters=codes[has], alpha=alpha)
    return PredictionPowered(
        value=value,
        # Labels of a single user do not tell how much they vary, though the formula says not at all.
        se=se if len(np.unique(codes[has])) > 1 else None,
        interval=_interval(value, _spread(se, weights[has], codes[has], groups), alpha, is_share=is_share),
        tuning=tuning,
        labelled_only=only.interval,
        labelled_mean=mean_y,
        judge_mean=_mean(f, weights),
        n_labelled=n,
        n_unlabelled=others,
        reasons=(Reason.N_TOO_SMALL,) if n < MIN_LABELS else (),
    )


def _mean(values: Floats, weights: Floats) -> float:
    return math.fsum(values * weights) / math.fsum(weights)


def _by_user(pulls: Floats, part: Any, weights: Floats, codes: Integers) -> Floats:
    """Pulls of one part of the calls on its mean, summed by user."""
    total = math.fsum(weights[part])
    return np.asarray(
        np.bincount(codes[part], pulls[part] / total, minlength=int(codes.max()) + 1), dtype=np.float64
    )


def _spread(se: float, weights: Floats, codes: Integers, groups: int) -> Spread:
    """The error, and what it rests on: the labels, as the judge's part of it is small or known far better."""
    users = len(np.unique(codes))
    # Of G users the labelled ones carry the error, so the factor of CR1 is theirs.
    own = math.sqrt(users / max(users - 1, 1) * (groups - 1) / groups)
    worth = effective_cluster_count(weights, codes)
    return Spread(se * own, worth, effective_sample_size(weights), users - 1.0, is_weighted=True)


def _interval(value: float, spread: Spread, alpha: float, *, is_share: bool) -> Interval:
    users = (spread.df or 0) + 1
    if users < MIN_CLUSTERS:
        return no_interval(alpha, "ppi++", Reason.TOO_FEW_CLUSTERS)
    few = (Reason.FEW_CLUSTERS,) if users < 4 * MIN_CLUSTERS else ()
    if is_share:
        made = bounded_mean_interval(value, spread, alpha=alpha)
    elif spread.se == 0:
        return no_interval(alpha, "ppi++", Reason.ZERO_VARIANCE)
    else:
        made = two_sided_interval(value, spread.se, alpha=alpha, method="ppi++", df=spread.df)
    return Interval(made.lower, made.upper, alpha, "ppi++", few)
