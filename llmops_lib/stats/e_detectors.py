"""Alarms that a failure rate has risen, with a bound on false alarms that needs no model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, between_zero_and_one, shares

RATES = (0.25, 0.5, 1.0, 2.0)
"""Bets that are averaged: small ones find small rises late, large ones large rises soon."""


def e_shiryaev_roberts(failures: Any, acceptable: float, *, rates: Sequence[float] | None = None) -> Floats:
    """Logarithm of the e-SR statistic after each observation.

    `E_t = 1 + l (x_t - m0)`, `M_t = (M_{t-1} + 1) E_t`, averaged over the rates l. Alarm where it reaches
    `ln(average run length)`: while the mean failure is at most m0, however it came about, false alarms are
    on average at least that many observations apart.

    Args:
        failures: Scores of failure from 0 to 1, in order of time: one minus quality.
        acceptable: m0, the highest mean failure that is still acceptable.
        rates: Bets l, each below 1 / m0; those of `RATES` that are, where None.

    Raises:
        EstimateError: If a score is NaN or outside 0 to 1, or a rate is not below 1 / m0.

    Source:
        Shin, Ramdas and Rinaldo, E-detectors (arXiv:2203.03532).

    Example:
        >>> path = e_shiryaev_roberts([0, 1, 1, 1, 1, 1, 1, 1], 0.3)
        >>> bool(path[0] < path[-1]), len(path)
        (True, 8)
    """
    gains, walks = _walks(failures, acceptable, rates)
    starts = np.logaddexp.accumulate(np.concatenate([np.zeros((1, len(gains))), -walks[:-1]]), axis=0)
    return _averaged(walks + starts[: len(walks)])


def e_cusum(failures: Any, acceptable: float, *, rates: Sequence[float] | None = None) -> Floats:
    """Logarithm of the e-CUSUM statistic after each observation: fewer false alarms, later alarms.

    `M_t = max(M_{t-1}, 1) E_t`, averaged over the rates; the rest as `e_shiryaev_roberts`.

    Args:
        failures: Scores of failure from 0 to 1, in order of time.
        acceptable: m0, the highest mean failure that is still acceptable.
        rates: Bets l, each below 1 / m0.

    Raises:
        EstimateError: If a score is NaN or outside 0 to 1, or a rate is not below 1 / m0.

    Source:
        Shin, Ramdas and Rinaldo, E-detectors (arXiv:2203.03532).

    Example:
        >>> bool((e_cusum([0, 1, 1], 0.3) <= e_shiryaev_roberts([0, 1, 1], 0.3)).all())
        True
    """
    gains, walks = _walks(failures, acceptable, rates)
    lowest = np.minimum.accumulate(np.concatenate([np.zeros((1, len(gains))), walks[:-1]]), axis=0)
    return _averaged(walks - lowest[: len(walks)])


def _walks(failures: Any, acceptable: float, rates: Sequence[float] | None) -> tuple[Floats, Floats]:
    """The rates, and the logarithm of the wealth of each after each observation."""
    between_zero_and_one(acceptable, "acceptable failure")
    found = shares(failures, "failures")
    chosen = [rate for rate in RATES if rate < 1 / acceptable] if rates is None else list(rates)
    if not chosen or any(not 0 < rate < 1 / acceptable for rate in chosen):
        told = f"rates {chosen} at an acceptable failure of {acceptable}"
        msg = f"{told}; expected each above 0 and below {1 / acceptable:g}"
        raise EstimateError(msg)
    gains = np.array(chosen)
    return gains, np.cumsum(np.log1p(gains[None, :] * (found[:, None] - acceptable)), axis=0)


def _averaged(logarithms: Floats) -> Floats:
    """Logarithm of the average over the rates."""
    return np.asarray(np.logaddexp.reduce(logarithms, axis=1) - math.log(logarithms.shape[1]))


@dataclass(frozen=True, slots=True)
class Rise:
    """An alarm.

    Attributes:
        at: Position of the observation that raised it, from 0.
        started_at: Position at which the rise most likely began.
    """

    at: int
    started_at: int


def rises(
    failures: Any, acceptable: float, *, average_run_length: float, rates: Sequence[float] | None = None
) -> list[Rise]:
    """Alarms of the e-SR detector, which starts anew after each.

    Args:
        failures: Scores of failure from 0 to 1, in order of time.
        acceptable: m0, the highest mean failure that is still acceptable.
        average_run_length: Observations between false alarms, at least: judged per day, times days wanted
            between false alarms, times streams watched.
        rates: Bets, each below 1 / m0.

    Returns:
        Alarms in order of time.

    Raises:
        EstimateError: If a score is NaN or outside 0 to 1, a rate too large, or the run length below 1.

    Source:
        Shin, Ramdas and Rinaldo, E-detectors (arXiv:2203.03532).

    Example:
        >>> found = rises([0.0] * 50 + [1.0] * 20, 0.2, average_run_length=1000)
        >>> found[0].started_at, found[0].at < 65
        (50, True)
    """
    if not average_run_length > 1:
        msg = f"average run length is {average_run_length!r}; expected more than one observation"
        raise EstimateError(msg)
    found = shares(failures, "failures")
    alarms: list[Rise] = []
    start = 0
    while start < len(found):
        path = e_shiryaev_roberts(found[start:], acceptable, rates=rates)
        over = path >= math.log(average_run_length)
        if not over.any():
            break
        at = start + int(over.argmax())
        gains, walks = _walks(found[start : at + 1], acceptable, rates)
        before = np.concatenate([np.zeros((1, len(gains))), walks[:-1]])
        began = start + int(np.logaddexp.reduce(walks[-1] - before, axis=1).argmax())
        alarms.append(Rise(at, began))
        start = at + 1
    return alarms
