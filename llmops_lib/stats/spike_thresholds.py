"""From which z on an alarm is raised, for a wanted rate of false alarms.

The values were found by `benchmarks/spikes.py` on simulated quiet traffic: daily and weekly rhythm, demand
that wanders, calls as long as those of real services. It prints the rates that they give.
"""

from dataclasses import dataclass
from math import log

from llmops_lib.errors import LlmopsError


@dataclass(frozen=True)
class Thresholds:
    """Values of z from which a detector raises an alarm.

    Attributes:
        spike: Of one hour.
        sustained: Of the mean over 24 hours of z, cut at 6 on either side.
        daily: Of one day of a series with few calls.
    """

    spike: float
    sustained: float
    daily: float


LOWEST_RATE, HIGHEST_RATE = 0.01, 0.1
"""False alarms per series and week that thresholds are known for."""

_FEW_CALLS, _MANY_CALLS = 6, 300
_AT = {
    (HIGHEST_RATE, _FEW_CALLS): Thresholds(6.25, 1.25, 3.75),
    (HIGHEST_RATE, _MANY_CALLS): Thresholds(7.0, 1.75, 3.75),
    (LOWEST_RATE, _FEW_CALLS): Thresholds(8.5, 1.75, 5.0),
    (LOWEST_RATE, _MANY_CALLS): Thresholds(9.0, 2.5, 5.0),
}
"""By rate and calls per hour; between them the logarithms run straight."""


def checked_rate(false_alarms_per_week: float) -> float:
    """The rate itself, once it is known to be one that thresholds are known for.

    Raises:
        LlmopsError: If it is not.
    """
    if not LOWEST_RATE <= false_alarms_per_week <= HIGHEST_RATE:
        msg = (
            f"false_alarms_per_week is {false_alarms_per_week!r}; expected a rate per group from "
            f"{LOWEST_RATE} to {HIGHEST_RATE}, for which thresholds have been measured"
        )
        raise LlmopsError(msg)
    return false_alarms_per_week


def thresholds(false_alarms_per_week: float, calls_per_hour: float) -> Thresholds:
    """The thresholds for a series.

    Args:
        false_alarms_per_week: False alarms to be expected per week at the most.
        calls_per_hour: Calls of the series.

    Example:
        >>> thresholds(0.1, 300)
        Thresholds(spike=7.0, sustained=1.75, daily=3.75)
    """
    rate = log(false_alarms_per_week / LOWEST_RATE) / log(HIGHEST_RATE / LOWEST_RATE)
    calls = min(max(calls_per_hour, _FEW_CALLS), _MANY_CALLS)
    size = log(calls / _FEW_CALLS) / log(_MANY_CALLS / _FEW_CALLS)
    weights = {
        (HIGHEST_RATE, _FEW_CALLS): rate * (1 - size),
        (HIGHEST_RATE, _MANY_CALLS): rate * size,
        (LOWEST_RATE, _FEW_CALLS): (1 - rate) * (1 - size),
        (LOWEST_RATE, _MANY_CALLS): (1 - rate) * size,
    }
    return Thresholds(
        *(
            sum(weight * getattr(_AT[place], name) for place, weight in weights.items())
            for name in ("spike", "sustained", "daily")
        )
    )


def rate_at(z: float, detector: str, calls_per_hour: float) -> float:
    """False alarms per series and week that a threshold at z gives; carried on beyond what was measured.

    Args:
        z: Value of the detector.
        detector: `spike`, `sustained` or `daily`.
        calls_per_hour: Calls of the series.

    Example:
        >>> round(rate_at(7.0, "spike", 300), 6)
        0.1
    """
    high, low = (getattr(thresholds(rate, calls_per_hour), detector) for rate in (HIGHEST_RATE, LOWEST_RATE))
    decades = (z - high) / (low - high)
    return float(HIGHEST_RATE * (LOWEST_RATE / HIGHEST_RATE) ** decades)
