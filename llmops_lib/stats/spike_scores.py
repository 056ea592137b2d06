"""z of every hour, or every day, of one series of spend; the noise is worked out only where it decides."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from llmops_lib.stats.compound_poisson import demand_noise, spend_z
from llmops_lib.stats.robust import Floats
from llmops_lib.stats.seasonal import seasonal_median, smoothed

Flags = npt.NDArray[np.bool_]

DAY = 24
WEEKS_BACK = 4

_NOISE_DAYS = 14
_COLD_NOISE = 0.5
"""Least noise while fewer than four weeks are known: three values or fewer are a poor median."""


@dataclass(frozen=True)
class HourlySpend:
    """One series, by the hour from a midnight on, in whole days.

    Attributes:
        spend: USD; NaN where it is unknown, such as before the first call and after the last.
        calls: Calls.
        squared: Sum of squared costs.
        first_day: Day of the first call.
    """

    spend: Floats
    calls: Floats
    squared: Floats
    first_day: int

    @property
    def days(self) -> "HourlySpend":
        """The same by the day; a day is known where any of its hours is."""
        is_known = ~np.isnan(self.spend).reshape(-1, DAY).all(axis=1)
        spend, calls, squared = (
            np.nan_to_num(part).reshape(-1, DAY).sum(axis=1)
            for part in (self.spend, self.calls, self.squared)
        )
        return HourlySpend(np.where(is_known, spend, np.nan), calls, squared, self.first_day)


class Scores:
    """What is expected of every bucket of a series, and how far above that its spend is.

    Args:
        series: The series.
        per_day: Buckets in a day: 24 for hours, 1 for days.
        is_wild: Hours that raised an alarm; what calls cost in them says nothing of what they usually cost.
            May be filled as days are judged, in order.

    Attributes:
        expected: USD; NaN where no week before is known.
        known_weeks: Weeks behind it, at most 4.
    """

    def __init__(self, series: HourlySpend, per_day: int, is_wild: Flags) -> None:
        self.series, self.per_day = series, per_day
        self._is_wild = is_wild
        usual, self.known_weeks = seasonal_median(series.spend, season=7 * per_day, seasons=WEEKS_BACK)
        # A neighbour of a day is another day of the week and says little of it.
        self.expected = smoothed(usual) if per_day > 1 else usual
        self._z: dict[int, Floats] = {}

    def z(self, day: int) -> Floats:
        """Z of the buckets of a day; NaN where spend or what is expected is unknown."""
        if day not in self._z:
            self._z[day] = self._scored(day, self._noise(day))
        return self._z[day]

    def z_of(self, day: int, spend: Floats) -> Floats:
        """Z that the buckets of a day would have had at another spend."""
        here = self.buckets(day)
        return spend_z(spend, self.expected[here], call_size=self._call_size(day), noise=self._noise(day))

    def highest_z(self, day: int) -> Floats:
        """What z of the buckets of a day cannot exceed, had without working out the noise."""
        return self._scored(day, 0.0)

    def buckets(self, day: int) -> slice:
        """Where the buckets of a day are."""
        return slice(day * self.per_day, (day + 1) * self.per_day)

    def _scored(self, day: int, noise: Floats | float) -> Floats:
        here = self.buckets(day)
        return spend_z(
            self.series.spend[here], self.expected[here], call_size=self._call_size(day), noise=noise
        )

    def _call_size(self, day: int) -> float:
        today = day * self.per_day
        four_weeks = slice(max(0, day - 7 * WEEKS_BACK) * self.per_day, today)
        # A group that spent nothing for weeks is judged by what its calls cost before, or cost today.
        by_bucket = self._is_wild.reshape(len(self.series.spend), -1)
        is_usual = np.logical_not(by_bucket.max(axis=1))
        for past in (four_weeks, slice(0, today), self.buckets(day)):
            spent = float(np.nansum(self.series.spend[past][is_usual[past]]))
            if spent > 0:
                return float(self.series.squared[past][is_usual[past]].sum()) / spent
        return float("nan")

    def _noise(self, day: int) -> Floats:
        past = slice(max(0, day - _NOISE_DAYS) * self.per_day, day * self.per_day)
        spend, expected = self.series.spend[past], self.expected[past]
        is_known = ~np.isnan(spend) & ~np.isnan(expected)
        noise = demand_noise(spend[is_known], expected[is_known], call_size=self._call_size(day))
        learned = _COLD_NOISE if noise is None else noise
        is_cold = self.known_weeks[self.buckets(day)] < WEEKS_BACK
        return np.where(is_cold, max(learned, _COLD_NOISE), learned)
