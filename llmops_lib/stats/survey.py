"""What a sample drawn with known chances says about everything it was drawn from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import two_sided_interval
from llmops_lib.stats.inputs import between_zero_and_one, group_codes, numbers, same_length
from llmops_lib.stats.results import Estimate, Reason, no_interval

MIN_EFFECTIVE = 30
"""Effective sample size below which no interval is given."""


def effective_sample_size(weights: Any) -> float:
    """How many equally weighted observations these are worth: `(sum w)^2 / sum w^2`; 0 without any.

    Args:
        weights: One positive weight per observation.

    Raises:
        EstimateError: If a weight is NaN or not positive.

    Source:
        Kish, Survey Sampling (1965).

    Example:
        >>> effective_sample_size([1, 1, 1, 1]), round(effective_sample_size([97, 1, 1, 1]), 2)
        (4.0, 1.06)
    """
    found = numbers(weights, "weights")
    if (found <= 0).any():
        msg = f"weights hold {found.min():g}; expected positive weights, one over the chance of being drawn"
        raise EstimateError(msg)
    return float(found.sum() ** 2 / (found @ found)) if len(found) else 0.0


def effective_cluster_count(weights: Any, clusters: Any) -> float:
    """How many equally weighted clusters these are worth: `(sum w)^2 / sum_u (sum_{i in u} w)^2`.

    Args:
        weights: One positive weight per observation.
        clusters: User per observation.

    Raises:
        EstimateError: If a weight is NaN or not positive, or lengths differ.

    Source:
        Kish, Survey Sampling (1965), on the totals of the clusters.

    Example:
        >>> effective_cluster_count([1, 1, 1, 1], ["a", "a", "b", "b"])
        2.0
    """
    codes, _ = group_codes(clusters, "clusters")
    found = numbers(weights, "weights")
    same_length(weights=found, clusters=codes)
    return effective_sample_size(np.bincount(codes, weights=found))


def hajek_mean(
    values: Any, chances: Any, *, clusters: Any = None, alpha: float = 0.05, unit: str = "user"
) -> Estimate:
    """Mean over everything sampled from, each value weighted by one over its chance of being drawn.

    `m = sum(w y) / sum(w)`, `w = 1 / pi`; `se^2 = sum w^2 (1 - pi) (y - m)^2 / (sum w)^2` for independent
    draws. With clusters `se^2 = G / (G - 1) sum_u (sum_{i in u} w (y - m))^2 / (sum w)^2`: users are then a
    sample too, of the users to come. t with the effective sample size, or G, less one. An effective
    sample size below 30, or fewer than 5 clusters: no interval.

    Args:
        values: One value per sampled call.
        chances: Its probability of being drawn, above 0 and at most 1.
        clusters: User per call; None for independent calls.
        alpha: One minus the confidence level.
        unit: What is independent; `call` without clusters.

    Raises:
        EstimateError: If a value is NaN, a chance not in (0, 1], or lengths differ.

    Source:
        Hajek (1971); Sarndal, Swensson and Wretman, Model Assisted Survey Sampling (1992), 5.7.

    Example:
        >>> found = hajek_mean([1, 0, 1, 1] * 20, [0.5, 0.01, 0.5, 0.5] * 20)
        >>> round(found.value, 3), found.reasons
        (0.057, (<Reason.N_TOO_SMALL: 'n_too_small'>,))
    """
    found, pi = numbers(values, "values"), numbers(chances, "chances")
    n = same_length(values=found, chances=pi)
    if ((pi <= 0) | (pi > 1)).any():
        wrong = pi[(pi <= 0) | (pi > 1)][0]
        msg = f"chances hold {wrong:g}; expected above 0 and at most 1: no chance, no estimate"
        raise EstimateError(msg)
    weights = 1 / pi
    size = effective_sample_size(weights)
    if n == 0:
        nothing = no_interval(alpha, "hajek", Reason.N_TOO_SMALL)
        return Estimate(None, None, nothing, unit, 0, reasons=nothing.reasons)
    total = math.fsum(weights)
    mean = math.fsum(weights * found) / total
    pulls = weights * (found - mean)
    if clusters is None:
        variance, groups = float((pulls**2) @ (1 - pi)) / total**2, n
        df, enough = size - 1, size >= MIN_EFFECTIVE
    else:
        codes, groups = group_codes(clusters, "clusters")
        same_length(values=found, clusters=codes)
        sums = np.bincount(codes, weights=pulls, minlength=groups)
        variance = float(sums @ sums) / total**2 * groups / max(groups - 1, 1)
        df, enough = groups - 1.0, size >= MIN_EFFECTIVE and groups >= 5
    how = _How(alpha, "hajek", "call" if clusters is None else unit, groups)
    # Of a single unit nothing says how much it varies: unknown, where the formula gives zero.
    return _estimate(mean, variance if groups > 1 else None, df if enough else None, how)


class _How(NamedTuple):
    """What an estimate tells about itself."""

    alpha: float
    method: str
    unit: str
    n_units: int


def _estimate(mean: float, variance: float | None, df: float | None, how: _How) -> Estimate:
    """An estimate with its t interval; without one where there are no degrees of freedom or no variance."""
    se = None if variance is None else math.sqrt(variance)
    if df is None or not se:
        reason = Reason.ZERO_VARIANCE if df is not None and se == 0 else Reason.N_TOO_SMALL
        nothing = no_interval(how.alpha, how.method, reason)
        return Estimate(mean, se, nothing, how.unit, how.n_units, reasons=nothing.reasons)
    interval = two_sided_interval(mean, se, alpha=how.alpha, method=how.method, df=df)
    return Estimate(mean, se, interval, how.unit, how.n_units, df)


@dataclass(frozen=True, slots=True)
class Stratum:
    """What was seen of one stratum.

    Attributes:
        n: Sampled.
        size: All there are.
        mean: Mean of the sampled.
        variance: Their variance (ddof=1).
    """

    n: int
    size: int
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class StratifiedMean:
    """Mean and total over strata.

    Attributes:
        mean: The mean with its interval; None where a stratum was not sampled.
        total: The total with its interval.
    """

    mean: Estimate
    total: Estimate


def stratified_mean(strata: Sequence[Stratum], *, alpha: float = 0.05) -> StratifiedMean:
    """Mean over strata of known sizes, from a sample of fixed size in each.

    `sum W_h ybar_h`, `se^2 = sum W_h^2 (1 - f_h) s_h^2 / n_h` with `W_h = N_h / N`, `f_h = n_h / N_h`; t
    with n less the number of strata. A stratum without a sample makes all of it unknown; one with a single
    draw leaves no standard error.

    Args:
        strata: What was seen of each.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If more were sampled than there are, or there is no stratum.

    Source:
        Lohr, Sampling: Design and Analysis, section 3.2.

    Example:
        >>> found = stratified_mean([Stratum(20, 100, 0.8, 0.16), Stratum(30, 900, 0.5, 0.25)])
        >>> round(found.mean.value, 2), round(found.mean.se, 4)
        (0.53, 0.0812)
    """
    between_zero_and_one(alpha, "alpha")
    wrong = [stratum for stratum in strata if stratum.n > stratum.size or stratum.n < 0]
    size = sum(stratum.size for stratum in strata)
    if wrong or not size:
        msg = f"{len(strata)} strata, n above size in {len(wrong)}; expected one or more, n within size"
        raise EstimateError(msg)
    used = [stratum for stratum in strata if stratum.size]
    n = sum(stratum.n for stratum in used)
    if any(stratum.n == 0 for stratum in used):
        nothing = no_interval(alpha, "stratified", Reason.N_TOO_SMALL)
        unknown = Estimate(None, None, nothing, "call", n, reasons=nothing.reasons)
        return StratifiedMean(unknown, unknown)
    mean = math.fsum(stratum.size / size * stratum.mean for stratum in used)
    if any(stratum.n == 1 < stratum.size for stratum in used):
        nothing = no_interval(alpha, "stratified", Reason.N_TOO_SMALL)
        lone = [Estimate(at, None, nothing, "call", n, reasons=nothing.reasons) for at in (mean, mean * size)]
        return StratifiedMean(lone[0], lone[1])
    variance = math.fsum(_variance(stratum, size) for stratum in used)
    how = _How(alpha, "stratified", "call", n)
    df = float(n - len(used)) if n > len(used) else None
    return StratifiedMean(
        _estimate(mean, variance, df, how), _estimate(mean * size, variance * size**2, df, how)
    )


def _variance(stratum: Stratum, size: int) -> float:
    """What a stratum adds to the variance of the mean."""
    unseen = 1 - stratum.n / stratum.size
    return (stratum.size / size) ** 2 * unseen * stratum.variance / stratum.n
