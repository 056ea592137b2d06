"""The true share of passes behind a judge whose errors were measured elsewhere."""

import math
from dataclasses import dataclass

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import normal_above
from llmops_lib.stats.inputs import between_zero_and_one, counts
from llmops_lib.stats.proportions import wilson
from llmops_lib.stats.results import Interval, Reason, no_interval

MIN_CALIBRATION = 30
MIN_YOUDEN = 0.3


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a judge did on calls whose truth is known.

    Attributes:
        true_positives: Truly passing, judged passing.
        false_negatives: Truly passing, judged failing.
        false_positives: Truly failing, judged passing.
        true_negatives: Truly failing, judged failing.
    """

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int


@dataclass(frozen=True, slots=True)
class JudgeCorrected:
    """The share of passes, corrected for the judge's errors.

    Attributes:
        value: Corrected share, cut to 0 and 1; None where it cannot be identified.
        uncut: The same before cutting: far outside 0 to 1 the calibration does not fit the traffic.
        se: Standard error by the delta method.
        interval: Lang and Reiczigel's interval, cut to 0 and 1.
        apparent: Share that the judge passed.
        sensitivity: Share of true passes that it passes.
        specificity: Share of true failures that it fails.
        youden: Sensitivity plus specificity minus one.
        youden_lower: Lower limit of it; the judge is of use above 0.3.
        n: Judged calls.
        reasons: Why something is None, or not to be relied on.
    """

    value: float | None
    uncut: float | None
    se: float | None
    interval: Interval
    apparent: float | None
    sensitivity: float | None
    specificity: float | None
    youden: float | None
    youden_lower: float | None
    n: int
    reasons: tuple[Reason, ...] = ()


def corrected_share(
    judged_positive: int, n: int, calibration: Calibration, *, alpha: float = 0.05
) -> JudgeCorrected:
    """True share of passes from a judge's, with an interval that carries the doubt about the judge.

    `p = (p_app + spec - 1) / (sens + spec - 1)`. Interval: with 1/2 + 1/2 pseudo-counts (one success in two)
    for sens and spec and z^2/2 in z^2 for the apparent share,
    `p' + d -/+ z sqrt(p_app (1 - p_app) / n + p'^2 v_s + (1 - p')^2 v_f) / J`, `v_s = sens (1 - sens) / n_s`,
    `v_f = spec (1 - spec) / n_f`, `d = 2 z^2 (p' v_s - (1 - p') v_f)`. Assumes the judge to err alike on
    the calibration set and on the traffic, for passes and for failures.

    Args:
        judged_positive: Calls that the judge passed.
        n: Calls that it judged.
        calibration: Its errors where the truth is known.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a count is negative or fractional, or more passed than were judged.

    Source:
        Rogan and Gladen, American Journal of Epidemiology 107 (1978); Lang and Reiczigel, Preventive
        Veterinary Medicine 113 (2014).

    Example:
        >>> found = corrected_share(120, 400, Calibration(45, 5, 10, 90))
        >>> round(found.value, 3), round(found.interval.lower, 3), round(found.interval.upper, 3)
        (0.25, 0.162, 0.335)
    """
    between_zero_and_one(alpha, "alpha")
    cells = [judged_positive, n, *(getattr(calibration, name) for name in Calibration.__slots__)]
    positive, judged, tp, fn, fp, tn = (int(cell) for cell in counts(cells, "counts"))
    if positive > judged:
        msg = f"{positive} of {judged} judged calls passed; expected no more than were judged"
        raise EstimateError(msg)
    return _corrected((positive, judged), Calibration(tp, fn, fp, tn), alpha)


def corrected_weighted_share(
    apparent: float, effective_n: float, calibration: Calibration, *, alpha: float = 0.05
) -> JudgeCorrected:
    """The same for a weighted share of clustered calls, which is worth fewer independent ones.

    Args:
        apparent: Weighted share of calls that the judge passed.
        effective_n: Independent calls whose share would vary as much: `p (1 - p) / se^2`.
        calibration: Its errors where the truth is known.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If the share is not in 0 to 1, or `effective_n` not positive and finite.

    Source:
        As `corrected_share`; the effective size as in Korn and Graubard, Survey Methodology 24 (1998).

    Example:
        >>> found = corrected_weighted_share(0.3, 400, Calibration(45, 5, 10, 90))
        >>> found.value == corrected_share(120, 400, Calibration(45, 5, 10, 90)).value
        True
    """
    between_zero_and_one(alpha, "alpha")
    if not (0 <= apparent <= 1 and 0 < effective_n < math.inf):
        msg = f"share {apparent!r} of {effective_n!r} calls; expected 0 to 1 of a positive number"
        raise EstimateError(msg)
    return _corrected((apparent * effective_n, effective_n), calibration, alpha)


def _corrected(passed: tuple[float, float], calibration: Calibration, alpha: float) -> JudgeCorrected:
    """The corrected share of passed and judged calls, which need not be whole numbers."""
    positive, judged = passed
    tp, fn = calibration.true_positives, calibration.false_negatives
    fp, tn = calibration.false_positives, calibration.true_negatives
    passing, failing = tp + fn, fp + tn
    apparent = positive / judged if judged else None
    n = round(judged)
    if not (judged and passing and failing):
        nothing = no_interval(alpha, "lang_reiczigel", Reason.N_TOO_SMALL)
        return JudgeCorrected(None, None, None, nothing, apparent, None, None, None, None, n, nothing.reasons)
    sens, spec = tp / passing, tn / failing
    youden = sens + spec - 1
    lower = _youden_lower(tp, passing, tn, failing, alpha)
    reasons = _doubts(min(passing, failing), lower)
    if youden <= 0:
        told = (Reason.NOT_IDENTIFIABLE,)
        nothing = no_interval(alpha, "lang_reiczigel", *told)
        return JudgeCorrected(None, None, None, nothing, apparent, sens, spec, youden, lower, n, told)
    share = positive / judged
    uncut = (share + spec - 1) / youden
    spread = (
        share * (1 - share) / judged
        + uncut**2 * sens * (1 - sens) / passing
        + (1 - uncut) ** 2 * spec * (1 - spec) / failing
    )
    return JudgeCorrected(
        value=min(1.0, max(0.0, uncut)),
        uncut=uncut,
        se=math.sqrt(spread) / youden,
        interval=_lang_reiczigel((positive, judged), (tp, passing), (tn, failing), alpha),
        apparent=apparent,
        sensitivity=sens,
        specificity=spec,
        youden=youden,
        youden_lower=lower,
        n=n,
        reasons=reasons,
    )


def _youden_lower(tp: int, passing: int, tn: int, failing: int, alpha: float) -> float:
    """Lower limit of sensitivity plus specificity minus one, from two Wilson intervals."""
    sens, spec = tp / passing, tn / failing
    below_sens = sens - (wilson(tp, passing, alpha=alpha).lower or 0.0)
    below_spec = spec - (wilson(tn, failing, alpha=alpha).lower or 0.0)
    return sens + spec - 1 - math.hypot(below_sens, below_spec)


def _doubts(smallest: int, youden_lower: float) -> tuple[Reason, ...]:
    """Why a corrected share is not to be relied on."""
    few = (Reason.N_TOO_SMALL,) if smallest < MIN_CALIBRATION else ()
    weak = (Reason.NOT_IDENTIFIABLE,) if youden_lower <= MIN_YOUDEN else ()
    return (*few, *weak)


def _lang_reiczigel(
    judged: tuple[float, float], passing: tuple[int, int], failing: tuple[int, int], alpha: float
) -> Interval:
    """The interval, from counts of successes and trials of the three samples."""
    z = normal_above(alpha / 2)
    n, n_s, n_f = judged[1] + z**2, passing[1] + 2, failing[1] + 2
    apparent, sens, spec = (judged[0] + z**2 / 2) / n, (passing[0] + 1) / n_s, (failing[0] + 1) / n_f
    youden = sens + spec - 1
    if youden <= 0:
        return no_interval(alpha, "lang_reiczigel", Reason.NOT_IDENTIFIABLE)
    share = (apparent + spec - 1) / youden
    of_sens, of_spec = sens * (1 - sens) / n_s, spec * (1 - spec) / n_f
    centre = share + 2 * z**2 * (share * of_sens - (1 - share) * of_spec)
    spread = apparent * (1 - apparent) / n + share**2 * of_sens + (1 - share) ** 2 * of_spec
    half = z * math.sqrt(spread) / youden
    lower, upper = (min(1.0, max(0.0, end)) for end in (centre - half, centre + half))
    return Interval(lower, upper, alpha, "lang_reiczigel")
