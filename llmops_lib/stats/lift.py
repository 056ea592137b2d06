"""The relative difference of two arms: plus 12% cost per call, with an interval."""

import math

from llmops_lib.stats.distributions import t_above
from llmops_lib.stats.inputs import between_zero_and_one
from llmops_lib.stats.ratios import Ratio, ratio_difference, ratio_interval
from llmops_lib.stats.results import Estimate, Interval, Reason, no_interval
from llmops_lib.stats.welch import welch_df, welch_estimate


def lift(candidate: Ratio, baseline: Ratio, *, alpha: float = 0.05, unit: str = "user") -> Estimate:
    """Candidate over baseline minus one, with an interval from the logarithm of the ratio.

    `exp(log(R_B / R_A) -/+ t sqrt(V_A / R_A^2 + V_B / R_B^2)) - 1`, Welch's degrees of freedom of the two
    relative variances. The interval cannot fall below -100%; `se` is that of the logarithm. Both ratios
    must be positive. Where the interval of the baseline holds zero it carries `zero_denominator`: do not
    compare such lifts.

    Args:
        candidate: Ratio of the candidate's arm.
        baseline: Ratio of the baseline's arm.
        alpha: One minus the confidence level.
        unit: What is independent.

    Source:
        Deng, Knoblich and Lu (KDD 2018), delta method on the logarithm.

    Example:
        >>> found = lift(Ratio(1.1, 0.001, 100), Ratio(1.0, 0.001, 100))
        >>> round(found.value, 3), round(found.interval.lower, 3), round(found.interval.upper, 3)
        (0.1, 0.011, 0.197)
    """
    refused = _without_interval(candidate, baseline, alpha, "log_delta", unit)
    if refused:
        return refused
    top, bottom = candidate.value or 0.0, baseline.value or 0.0
    if min(top, bottom) <= 0:
        nothing = no_interval(alpha, "log_delta", Reason.ZERO_DENOMINATOR)
        n = candidate.n_users + baseline.n_users
        return Estimate(top / bottom - 1, None, nothing, unit, n, reasons=nothing.reasons)
    parts = (
        ((candidate.variance or 0.0) / top**2, candidate.n_users),
        ((baseline.variance or 0.0) / bottom**2, baseline.n_users),
    )
    found = welch_estimate(math.log(top / bottom), parts, alpha=alpha, method="log_delta", unit=unit)
    reasons = found.interval.reasons + _touching_zero(baseline, alpha)
    lower, upper = (
        None if end is None else math.expm1(end) for end in (found.interval.lower, found.interval.upper)
    )
    interval = Interval(lower, upper, alpha, "log_delta", reasons)
    return Estimate(
        top / bottom - 1, found.se, interval, unit, found.n_units, found.df, found.p_two_sided, reasons
    )


def lift_linear(candidate: Ratio, baseline: Ratio, *, alpha: float = 0.05, unit: str = "user") -> Estimate:
    """Candidate over baseline minus one, with the symmetric interval of the linear delta method.

    `se^2 = V_B / R_A^2 + V_A R_B^2 / R_A^4`, t with Welch's degrees of freedom of the absolute difference,
    whose p value it carries. `lift` is the default; this is what GrowthBook shows.

    Args:
        candidate: Ratio of the candidate's arm.
        baseline: Ratio of the baseline's arm.
        alpha: One minus the confidence level.
        unit: What is independent.

    Source:
        GrowthBook, statistics documentation, relative effect.

    Example:
        >>> round(lift_linear(Ratio(1.1, 0.001, 100), Ratio(1.0, 0.001, 100)).se, 4)
        0.047
    """
    refused = _without_interval(candidate, baseline, alpha, "linear_delta", unit)
    if refused:
        return refused
    top, bottom = candidate.value or 0.0, baseline.value or 0.0
    own, other = candidate.variance or 0.0, baseline.variance or 0.0
    plain = ratio_difference(candidate, baseline, alpha=alpha, unit=unit)
    reasons = plain.interval.reasons + _touching_zero(baseline, alpha)
    value, se = top / bottom - 1, math.sqrt(own / bottom**2 + other * top**2 / bottom**4)
    if se == 0:
        ends = plain.interval.lower, plain.interval.upper
        return Estimate(
            value, 0.0, Interval(*ends, alpha, "linear_delta", reasons), unit, plain.n_units, reasons=reasons
        )
    df = welch_df((own, candidate.n_users), (other, baseline.n_users))
    half = t_above(alpha / 2, df) * se
    interval = Interval(value - half, value + half, alpha, "linear_delta", reasons)
    return Estimate(value, se, interval, unit, plain.n_units, df, plain.p_two_sided, reasons)


def _without_interval(
    candidate: Ratio, baseline: Ratio, alpha: float, method: str, unit: str
) -> Estimate | None:
    """The answer where an arm is too small, or there is nothing to divide by."""
    between_zero_and_one(alpha, "alpha")
    n = candidate.n_users + baseline.n_users
    plain = ratio_difference(candidate, baseline, alpha=alpha)
    if not baseline.value:
        reasons = (*plain.reasons, Reason.ZERO_DENOMINATOR)
        return Estimate(None, None, no_interval(alpha, method, *reasons), unit, n, reasons=reasons)
    if plain.se is None:
        value = None if candidate.value is None else candidate.value / baseline.value - 1
        return Estimate(
            value, None, no_interval(alpha, method, *plain.reasons), unit, n, reasons=plain.reasons
        )
    return None


def _touching_zero(baseline: Ratio, alpha: float) -> tuple[Reason, ...]:
    """A warning where the interval of the denominator holds zero."""
    interval = ratio_interval(baseline, alpha=alpha).interval
    holds_zero = (interval.lower or 0.0) <= 0 <= (interval.upper or 0.0)
    return (Reason.ZERO_DENOMINATOR,) if holds_zero else ()
