"""What a season repeats: the usual value of the same hour of the week, or of the same day of it."""

import numpy as np

from llmops_lib.stats.robust import Floats


def seasonal_median(series: Floats, *, season: int, seasons: int) -> tuple[Floats, Floats]:
    """The median of the same place in the seasons before, and how many of them are known.

    Args:
        series: Values in order of time along the last axis; NaN where unknown.
        season: Length of a season, such as 168 hours.
        seasons: How many seasons to look back.

    Returns:
        The medians, NaN where no season before is known; and the number of known values behind each.

    Example:
        >>> usual, known = seasonal_median(np.array([1.0, 5.0, 3.0, np.nan, 0.0]), season=2, seasons=2)
        >>> usual.tolist(), known.tolist()
        ([nan, nan, 1.0, 5.0, 2.0], [0, 0, 1, 1, 2])
    """
    length = series.shape[-1]
    lags = np.full((seasons, *series.shape), np.nan)
    for back in range(1, seasons + 1):
        shift = back * season
        if shift < length:
            lags[back - 1, ..., shift:] = series[..., : length - shift]
    known = (~np.isnan(lags)).sum(axis=0)
    # Unknown values sort last, so the middle of the known ones is a matter of counting.
    ranked = np.sort(lags, axis=0)
    low = np.take_along_axis(ranked, np.maximum(known - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ranked, np.minimum(known // 2, seasons - 1)[None], axis=0)[0]
    return np.where(known > 0, (low + high) / 2, np.nan), known


def smoothed(series: Floats) -> Floats:
    """The series averaged with its neighbours, half for each value and a quarter for either side.

    Args:
        series: Values in order along the last axis; NaN where unknown.

    Returns:
        The averages over what is known of the three; NaN where the value itself is unknown.

    Example:
        >>> smoothed(np.array([0.0, 4.0, 0.0, np.nan])).tolist()
        [1.3333333333333333, 2.0, 1.3333333333333333, nan]
    """
    is_known = ~np.isnan(series)
    values = np.where(is_known, series, 0.0)
    total = values / 2
    weight = is_known / 2
    for here, there in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        total[..., here] += values[..., there] / 4
        weight[..., here] += is_known[..., there] / 4
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(is_known, total / weight, np.nan)
