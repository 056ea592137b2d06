"""A series as trend, season and rest, for the chart beside an alarm.

The decomposition looks ahead and smears a spike to the days around it, so an alarm never rests on it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, numbers


@dataclass(frozen=True, slots=True, eq=False)
class SeasonalTrend:
    """Three parts that add up to the series.

    Attributes:
        trend: Slow part.
        season: Part that repeats.
        rest: What is left.
    """

    trend: Floats
    season: Floats
    rest: Floats


def seasonal_trend(values: Any, *, period: int, window: int = 7) -> SeasonalTrend:
    """Robust decomposition by locally weighted regression (STL); give logarithms of money.

    Needs the extra `trend` (statsmodels).

    Args:
        values: The series in equal steps of time, at least two periods.
        period: Steps of a season, such as 24.
        window: Seasons that the season is smoothed over; odd.

    Raises:
        EstimateError: If a value is NaN, the series too short, the window even, or statsmodels not installed.

    Source:
        Cleveland et al., STL, Journal of Official Statistics 6 (1990), through statsmodels.

    Example:
        >>> parts = seasonal_trend([0.0, 1.0] * 20, period=2)
        >>> bool(abs(parts.rest).max() < 0.01)
        True
    """
    found = numbers(values, "values")
    if period < 2 or len(found) < 2 * period or window < 3 or window % 2 == 0:
        told = f"{len(found)} values, period {period}, window {window}"
        msg = f"{told}; expected two periods or more, and an odd window of 3 or more"
        raise EstimateError(msg)
    try:
        from statsmodels.tsa.seasonal import STL
    except ImportError as error:
        msg = "statsmodels is not installed; install llmops-workbench[trend] to decompose a series"
        raise EstimateError(msg) from error
    made = STL(found, period=period, seasonal=window, robust=True).fit()
    return SeasonalTrend(np.asarray(made.trend), np.asarray(made.seasonal), np.asarray(made.resid))
