"""A mean from few labels and many judgements: prediction-powered inference."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import two_sided_interval
from llmops_lib.stats.inputs import Floats, between_zero_and_one, numbers, same_length
from llmops_lib.stats.results import Interval, Reason, no_interval

MIN_LABELS = 100
"""Labels below which the interval covers too seldom; the answer says so."""


@dataclass(frozen=True, slots=True)
class PredictionPowered:
    """A corrected mean and what it is made of.

    Attributes:
        value: Mean of the truth over all traffic; None without labels or judgements.
        se: Standard error.
        interval: Normal interval.
        tuning: Weight lambda of the judge: 0 ignores it, 1 takes it fully.
        labelled_only: Normal interval from the labels alone, for comparison.
        labelled_mean: Mean of the labels.
        judge_mean: Raw mean of the judge over all it judged: no estimate of quality by itself.
        n_labelled: Labels.
        n_unlabelled: Judged calls without a label.
        reasons: `n_too_small` below 100 labels; `zero_variance` where neither labels nor judgements differ,
            so that the interval has no width and proves nothing.
    """

    value: float | None
    se: float | None
    interval: Interval
    tuning: float | None
    labelled_only: Interval
    labelled_mean: float | None
    judge_mean: float | None
    n_labelled: int
    n_unlabelled: int
    reasons: tuple[Reason, ...] = ()


def prediction_powered_mean(
    labelled: tuple[Any, Any],
    judged_only: Any,
    *,
    tuning: float | None = None,
    weights: tuple[Any, Any] | None = None,
    alpha: float = 0.05,
) -> PredictionPowered:
    """Mean of the truth, from labels that correct the judgements of all traffic (PPI++).

    `theta = lambda mean(F_u) + mean(Y - lambda F)`, `se^2 = lambda^2 var(F_u) / N + var(Y - lambda F) / n`
    (ddof=0), `lambda = clip(cov(Y, F) / ((1 + n/N) var(F)), 0, 1)` with the variance over all judgements
    (ddof=1). With weights the means are Hajek's, the variances those of the design, and lambda minimises
    the variance. Assumes labels to be a random part of the same traffic; n below 100: take the labels alone.

    Args:
        labelled: Truth and judgement of the labelled calls, in the same order.
        judged_only: Judgement of the other calls.
        tuning: lambda; None chooses it, 1 is plain PPI.
        weights: One over the chance of being drawn, of labelled and of other calls; None for equal chances.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a value is NaN, lengths differ, a weight is below 1 or lambda not in 0 to 1.

    Source:
        Angelopoulos et al., Prediction-Powered Inference (arXiv:2301.09633); Angelopoulos, Duchi and
        Zrnic, PPI++ (arXiv:2311.01453).

    Example:
        >>> found = prediction_powered_mean(([1, 0, 1, 0], [1, 0, 1, 1]), [1, 0, 1, 1, 0, 1, 1, 0], tuning=1)
        >>> found.value, found.judge_mean, found.reasons[0].value
        (0.375, 0.6666666666666666, 'n_too_small')
    """
    between_zero_and_one(alpha, "alpha")
    y, f = numbers(labelled[0], "labels"), numbers(labelled[1], "judgements of labelled calls")
    u = numbers(judged_only, "judgements of other calls")
    n = same_length(labels=y, judged=f)
    if tuning is not None and not 0 <= tuning <= 1:
        msg = f"tuning is {tuning!r}; expected None or a number from 0 to 1"
        raise EstimateError(msg)
    if n == 0 or len(u) == 0:
        nothing = no_interval(alpha, "ppi", Reason.N_TOO_SMALL)
        return PredictionPowered(None, None, nothing, None, nothing, None, None, n, len(u), nothing.reasons)
    w, v = _checked(weights, n, len(u))
    chosen = tuning if tuning is not None else _tuning(y, f, u, w, v)
    rest = y - chosen * f
    value = chosen * _mean(u, v) + _mean(rest, w)
    se = math.sqrt(chosen**2 * _variance(u, u, v) + _variance(rest, rest, w))
    few = (Reason.N_TOO_SMALL,) if n < MIN_LABELS else ()
    flat = (Reason.ZERO_VARIANCE,) if se == 0 else ()
    only = two_sided_interval(_mean(y, w), math.sqrt(_variance(y, y, w)), alpha=alpha, method="labelled_only")
    everything = np.concatenate([f, u]), None if w is None or v is None else np.concatenate([w, v])
    return PredictionPowered(
        value=value,
        se=se,
        interval=two_sided_interval(value, se, alpha=alpha, method="ppi" if tuning is not None else "ppi++"),
        tuning=chosen,
        labelled_only=only,
        labelled_mean=_mean(y, w),
        judge_mean=_mean(*everything),
        n_labelled=n,
        n_unlabelled=len(u),
        reasons=(*few, *flat),
    )


def _checked(weights: tuple[Any, Any] | None, n: int, others: int) -> tuple[Floats | None, Floats | None]:
    """Weights of both parts, checked; None where all chances are equal."""
    if weights is None:
        return None, None
    w, v = numbers(weights[0], "weights of labelled calls"), numbers(weights[1], "weights of other calls")
    same_length(weights=w, labels=np.empty(n))
    same_length(weights=v, judged_only=np.empty(others))
    if (w < 1).any() or (v < 1).any():
        msg = (
            f"weights hold {min(w.min(), v.min()):g}; expected 1 or more, one over the chance of being drawn"
        )
        raise EstimateError(msg)
    return w, v


def _mean(values: Floats, weights: Floats | None) -> float:
    """Plain or Hajek mean."""
    if weights is None:
        return math.fsum(values) / len(values)
    return math.fsum(weights * values) / math.fsum(weights)


def _variance(first: Floats, second: Floats, weights: Floats | None) -> float:
    """Variance of a mean (or covariance of two): over n with ddof=0, or of the design."""
    a, b = first - _mean(first, weights), second - _mean(second, weights)
    if weights is None:
        return float(a @ b) / len(a) ** 2
    return float((weights * (weights - 1) * a) @ b) / float(weights.sum()) ** 2


def _tuning(y: Floats, f: Floats, u: Floats, w: Floats | None, v: Floats | None) -> float:
    """The weight of the judge that makes the variance smallest, between 0 and 1."""
    n, others = len(y), len(u)
    covariance = _variance(y, f, w)
    if w is None:
        pooled = np.concatenate([f, u])
        spread = float(pooled.var(ddof=1)) if n + others > 1 else 0.0
        below = (1 / n + 1 / others) * spread
    else:
        below = _variance(f, f, w) + _variance(u, u, v)
    return min(1.0, max(0.0, covariance / below)) if below > 0 else 0.0
