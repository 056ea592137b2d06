"""A level that follows a series: the exponentially weighted moving average."""

from typing import Any

import polars as pl

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, numbers


def exponential_average(values: Any, weight: float) -> Floats:
    """The moving average after each value, from the first one on.

    `m_t = weight x_t + (1 - weight) m_{t-1}`. For the eye: it has no false-alarm rate of its own.

    Args:
        values: The series, in order of time.
        weight: Weight of the newest value, above 0 and at most 1.

    Raises:
        EstimateError: If a value is NaN or the weight outside.

    Source:
        Roberts, Technometrics 1 (1959).

    Example:
        >>> exponential_average([1, 2, 4], 0.5).tolist()
        [1.0, 1.5, 2.75]
    """
    if not 0 < weight <= 1:
        msg = f"weight is {weight!r}; expected above 0 and at most 1"
        raise EstimateError(msg)
    return pl.Series(numbers(values, "values")).ewm_mean(alpha=weight, adjust=False).to_numpy()
