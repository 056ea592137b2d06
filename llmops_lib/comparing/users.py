"""Calls summed per user, so that users are what varies; and the calls of each arm in order of latency."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.comparing.arms import NUMBERS
from llmops_lib.comparing.prompt_metrics import METRICS, PromptMetric
from llmops_lib.stats.inputs import Floats, Integers
from llmops_lib.stats.owners import Owners, owners_of

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Latencies:
    """The calls of one arm that have a latency.

    Attributes:
        ordered: Latencies, sorted, ms.
        latency_ms: The same in the order of the calls.
        codes: Number of the user of each call.
        users: Numbers of the users with such calls.
        totals: How many calls each of them has.
    """

    ordered: Floats
    latency_ms: pl.Series
    codes: pl.Series
    users: Integers
    totals: Integers

    def counted_below(self, value: float) -> Integers:
        """How many calls of each user lie at or below a latency.

        Args:
            value: Latency, ms.
        """
        below = self.codes.filter(self.latency_ms <= value).to_numpy()
        return np.bincount(below, minlength=len(self.totals) and int(self.users[-1]) + 1)[self.users]


@dataclass(frozen=True)
class Users:
    """The users of both arms, those in one arm only.

    Attributes:
        table: One row per user, those of the baseline first: what `sums_per_user` gives, its number among
            the `owners` as `code`, and `is_b`.
        both_count: Users that were in both arms, and were dropped.
        both_call_count: Their calls.
        latencies: Of baseline and candidate.
        owners: Users of the calls, those in both arms included.
    """

    table: pl.DataFrame
    both_count: int
    both_call_count: int
    latencies: tuple[Latencies, Latencies]
    owners: Owners

    @property
    def is_b(self) -> Flags:
        """Whether each user is in the candidate's arm."""
        return self.table["is_b"].to_numpy()

    @property
    def sides(self) -> tuple[slice, slice]:
        """The rows of the baseline's users, and those of the candidate's."""
        return sides_of(self.is_b)

    @property
    def names(self) -> pl.Series:
        """Name of each user."""
        return self.owners.names.gather(self.table["code"])

    def sums(self, metric: PromptMetric) -> tuple[Floats, Floats]:
        """Sum and divisor of a metric, per user.

        Args:
            metric: The metric.
        """
        return self._parts[f"top_{metric.name}"].to_numpy(), self._parts[f"bottom_{metric.name}"].to_numpy()

    @cached_property
    def _parts(self) -> pl.DataFrame:
        """Sums and divisors of all metrics, in one go."""
        tops = [one.top.alias(f"top_{one.name}") for one in METRICS]
        return self.table.select(*tops, *(one.bottom.alias(f"bottom_{one.name}") for one in METRICS))


def sides_of(is_b: Flags) -> tuple[slice, slice]:
    """Where the users of baseline and candidate stand, the baseline's being first.

    Args:
        is_b: Whether each user is in the candidate's arm.

    Example:
        >>> sides_of(np.array([False, False, True]))
        (slice(0, 2, None), slice(2, 3, None))
    """
    first = len(is_b) - int(np.count_nonzero(is_b))
    return slice(0, first), slice(first, len(is_b))


def users_of(calls: pl.DataFrame) -> Users:
    """The users of the calls of two arms.

    Args:
        calls: What `arm_calls` returns.
    """
    owners = owners_of(calls["unit"])
    of_b, counted = owners.counted(calls["is_b"]), owners.call_counts
    is_in_both = (of_b > 0) & (of_b < counted)
    kept = np.concatenate([np.flatnonzero(side & ~is_in_both) for side in (of_b == 0, of_b > 0)])
    table = sums_per_user(calls, owners)[kept].with_columns(code=kept, is_b=pl.Series(of_b[kept] > 0))
    arms = _latencies(calls, owners, is_in_both)
    return Users(table, int(is_in_both.sum()), int(counted[is_in_both].sum()), arms, owners)


def _latencies(calls: pl.DataFrame, owners: Owners, is_in_both: Flags) -> tuple[Latencies, Latencies]:
    latency, codes = calls["latency_ms"], owners.codes
    is_used = latency.is_not_null()
    if is_in_both.any():
        is_used &= pl.Series(~is_in_both[codes.to_numpy()])
    arms = []
    for is_arm in (~calls["is_b"], calls["is_b"]):
        own, own_codes = latency.filter(is_arm & is_used), codes.filter(is_arm & is_used)
        totals = np.bincount(own_codes.to_numpy())
        users = np.flatnonzero(totals)
        arms.append(Latencies(np.sort(own.to_numpy()), own, own_codes, users, totals[users]))
    return arms[0], arms[1]


def earlier_sums(calls: pl.DataFrame) -> pl.DataFrame:
    """Sums per user of calls from before an experiment, with their `unit`.

    Args:
        calls: What `calls_before` returns.
    """
    owners = owners_of(calls["unit"])
    return sums_per_user(calls, owners).with_columns(unit=owners.names)


def sums_per_user(calls: pl.DataFrame, owners: Owners) -> pl.DataFrame:
    """One row per user, by its number: `call_count`, and of each number what is known of it.

    Counting by number is several times faster here than grouping by name, which a million calls feel.

    Args:
        calls: Calls with `is_error`, `is_refused` and numbers.
        owners: Their users.

    Returns:
        `sum_...` and `known_...` (calls that have the value) for each number, and
        `sum_cached_input_tokens`, the input of the calls whose cached tokens are known.
    """
    columns = {"call_count": owners.call_counts}
    for name in (*NUMBERS, "is_error", "is_refused"):
        columns[f"sum_{name}"], columns[f"known_{name}"] = owners.summed(calls[name])
    columns["sum_cached_input_tokens"] = columns["sum_input_tokens"]
    if calls["cache_read_tokens"].null_count():
        cached = pl.when(pl.col("cache_read_tokens").is_not_null()).then("input_tokens")
        columns["sum_cached_input_tokens"], _ = owners.summed(calls.select(cached).to_series())
    return pl.DataFrame(columns)
