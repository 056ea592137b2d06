"""Spread that a few wild values cannot move."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_MAD_TO_SIGMA = 1.482602218505602
_IQR_TO_SIGMA = 1 / 1.349
_MEAN_DEVIATION_TO_SIGMA = 1.2533


def mad_sigma(values: Floats) -> float:
    """Standard deviation as told by the median absolute deviation from the median.

    Args:
        values: At least one number, none NaN.

    Returns:
        1.4826 times the median absolute deviation: the standard deviation of normal values; 0 where more
        than half of the values are equal.

    Source:
        Rousseeuw and Croux (1993), Alternatives to the Median Absolute Deviation.

    Example:
        >>> round(mad_sigma(np.array([1.0, 2.0, 3.0, 4.0, 100.0])), 4)
        1.4826
    """
    return _MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))


def robust_sigma(values: Floats) -> float | None:
    """Standard deviation by the first of three estimates that is not zero, the most robust one first.

    Args:
        values: Numbers, none NaN.

    Returns:
        `mad_sigma`; where that is 0, the interquartile range / 1.349; where that is 0 too, 1.2533 times the
        mean absolute deviation from the median; None for equal values and for none at all.

    Example:
        >>> robust_sigma(np.array([0.0, 0.0, 0.0, 0.0, 10.0])), robust_sigma(np.array([5.0, 5.0]))
        (2.5066, None)
    """
    if not values.size:
        return None
    middle = np.median(values)
    low, high = np.quantile(values, [0.25, 0.75])
    estimates = (
        _MAD_TO_SIGMA * float(np.median(np.abs(values - middle))),
        _IQR_TO_SIGMA * float(high - low),
        _MEAN_DEVIATION_TO_SIGMA * float(np.abs(values - middle).mean()),
    )
    return next((estimate for estimate in estimates if estimate > 0), None)
