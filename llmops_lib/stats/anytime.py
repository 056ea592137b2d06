"""Anyone may look at any time: asymptotic confidence sequences."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, between_zero_and_one, numbers
from llmops_lib.stats.ratios import Ratio, ratio_difference
from llmops_lib.stats.results import Interval, Reason, no_interval
from llmops_lib.stats.sequences import ConfidenceSequence
from llmops_lib.stats.welch import APPROXIMATE_BELOW


@dataclass(frozen=True, slots=True)
class AnytimeDifference:
    """A difference of two arms with limits and a p value that stay valid under peeking.

    Attributes:
        diff: Candidate minus baseline; None where an arm has no ratio.
        interval: Confidence sequence at this number of users.
        p_value: Anytime-valid; report the running minimum over looks. None where there is no interval.
        rho: Tuning parameter.
        n_users: Users in both arms.
        reasons: Why something is None; `n_too_small` below 50 users in an arm: do not act on it yet.
    """

    diff: float | None
    interval: Interval
    p_value: float | None
    rho: float
    n_users: int
    reasons: tuple[Reason, ...] = ()


def anytime_difference(
    candidate: Ratio, baseline: Ratio, *, alpha: float = 0.05, tightest_at: int = 500
) -> AnytimeDifference:
    """Difference of two ratios with an asymptotic confidence sequence over users.

    With n users, `s^2 = n (V_A + V_B)`: half-width
    `sqrt(s^2 / n) sqrt(2 (n rho^2 + 1) / (n rho^2) ln(sqrt(n rho^2 + 1) / alpha))`,
    `rho^2 = (-2 ln alpha + ln(1 - 2 ln alpha)) / tightest_at`, and
    `p = min(1, sqrt(n rho^2 + 1) exp(-rho^2 z^2 n / (2 (n rho^2 + 1))))`. Valid in the limit of many
    users, so not to be acted on before 50 in each arm.

    Args:
        candidate: Ratio of the candidate's arm.
        baseline: Ratio of the baseline's arm.
        alpha: Chance of ever excluding the truth.
        tightest_at: Users in both arms at which the limits are to be tightest, decided beforehand.

    Raises:
        EstimateError: If `tightest_at` is not positive.

    Source:
        Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic
        confidence sequences (arXiv:2103.06476), as GrowthBook ships it.

    Example:
        >>> found = anytime_difference(Ratio(1.2, 0.001, 300), Ratio(1.0, 0.001, 300))
        >>> round(found.interval.lower, 3), found.p_value < 0.05
        (0.064, True)
    """
    between_zero_and_one(alpha, "alpha")
    rho_squared = _rho_squared(alpha, tightest_at)
    n = candidate.n_users + baseline.n_users
    plain = ratio_difference(candidate, baseline, alpha=alpha)
    method, rho = "asymptotic_cs", math.sqrt(rho_squared)
    if plain.value is None or plain.se is None:
        return AnytimeDifference(
            plain.value, no_interval(alpha, method, *plain.reasons), None, rho, n, plain.reasons
        )
    early = min(candidate.n_users, baseline.n_users) < APPROXIMATE_BELOW
    reasons: tuple[Reason, ...] = (Reason.N_TOO_SMALL,) if early else ()
    if plain.se == 0:
        interval = Interval(plain.interval.lower, plain.interval.upper, alpha, method, plain.reasons)
        return AnytimeDifference(plain.value, interval, plain.p_two_sided, rho, n, (*plain.reasons, *reasons))
    information = n * rho_squared
    half = plain.se * math.sqrt(
        2 * (information + 1) / information * (0.5 * math.log1p(information) - math.log(alpha))
    )
    z = plain.value / plain.se
    p = math.sqrt(information + 1) * math.exp(-information * z**2 / (2 * (information + 1)))
    interval = Interval(plain.value - half, plain.value + half, alpha, method, reasons)
    return AnytimeDifference(plain.value, interval, min(1.0, p), rho, n, reasons)


def _rho_squared(alpha: float, tightest_at: float) -> float:
    """Tuning parameter that makes the limits nearly tightest at a number of users."""
    if not (math.isfinite(tightest_at) and tightest_at > 0):
        msg = f"tightest_at is {tightest_at!r}; expected a positive number of users"
        raise EstimateError(msg)
    return (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / tightest_at


def asymptotic_sequence(values: Any, *, alpha: float = 0.05, tightest_at: int = 500) -> ConfidenceSequence:
    """Confidence sequence of the mean of a stream of independent values of any scale.

    Half-width after n `s_n sqrt((n + eta) / n^2 ln((n + eta) / (eta alpha^2)))`, s_n the running standard
    deviation (ddof=1), eta the value that makes it smallest at `tightest_at`. From n = 2 on; valid in the
    limit.

    Args:
        values: The stream, in its order.
        alpha: Chance of ever excluding the truth.
        tightest_at: n at which the limits are to be tightest, decided beforehand.

    Raises:
        EstimateError: If a value is NaN or `tightest_at` not positive.

    Source:
        Waudby-Smith et al. (arXiv:2103.06476); eta by the Lambert W function as in Howard, Ramdas,
        McAuliffe and Sekhon, Annals of Statistics 49 (2021).

    Example:
        >>> sequence = asymptotic_sequence([0.0, 1.0] * 100)
        >>> round(sequence.at(200).lower, 3), round(sequence.at(200).upper, 3)
        (0.39, 0.61)
    """
    found = numbers(values, "values")
    eta = tightest_eta(alpha, tightest_at)
    n = np.arange(2, len(found) + 1)
    mean, variance = _running(found)
    half = np.sqrt(variance * (n + eta) / n**2 * np.log((n + eta) / (eta * alpha**2)))
    return ConfidenceSequence(n, mean, mean - half, mean + half, alpha, "asymptotic_cs")


def tightest_eta(alpha: float, tightest_at: float) -> float:
    """The mixture parameter that makes an asymptotic sequence tightest at a given n.

    `eta = n / (-W_{-1}(-alpha^2 / e) - 1)`.

    Example:
        >>> round(tightest_eta(0.05, 500), 3)
        60.887
    """
    from scipy.special import lambertw

    between_zero_and_one(alpha, "alpha")
    _rho_squared(alpha, tightest_at)
    return float(tightest_at / (-lambertw(-(alpha**2) * math.exp(-1), -1).real - 1))


def _running(values: Floats) -> tuple[Floats, Floats]:
    """Running mean and variance (ddof=1) from n = 2 on; centred first, so that nothing cancels."""
    if len(values) < 2:
        return np.empty(0), np.empty(0)
    centre = float(values.mean())
    shifted = values - centre
    n = np.arange(1, len(values) + 1)
    sums, squares = np.cumsum(shifted), np.cumsum(shifted**2)
    variance = np.maximum(squares[1:] - sums[1:] ** 2 / n[1:], 0.0) / (n[1:] - 1)
    return centre + sums[1:] / n[1:], variance
