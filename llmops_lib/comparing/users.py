"""Calls summed per user, so that users are what varies; and the calls of each arm in order of latency."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.comparing.arms import NUMBERS
from llmops_lib.comparing.prompt_metrics import METRICS, PromptMetric
from llmops_lib.stats.inputs import Floats
from llmops_lib.stats.owners import Owners, owners_of

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Arm:
    """The users of one arm, who are in no other.

    Attributes:
        calls: The calls of both arms, as `arm_calls` has them.
        owners: Users of all those calls.
        place: Which of the owners these are.
        table: What `sums_per_user` gives, one row per user.
    """

    calls: pl.DataFrame
    owners: Owners
    place: slice
    table: pl.DataFrame

    @property
    def user_count(self) -> int:
        """How many users there are."""
        return self.table.height

    @property
    def call_count(self) -> int:
        """How many calls they have."""
        return int(self.table["call_count"].sum())

    @property
    def names(self) -> pl.Series:
        """Name of each user."""
        return self.owners.names[self.place]

    @cached_property
    def timed(self) -> pl.DataFrame:
        """Their calls that have a latency: `code` (number among the owners) and `latency_ms`."""
        codes, latency = self.owners.codes, self.calls["latency_ms"].cast(pl.Float64)
        is_own = codes.is_between(self.place.start, self.place.stop, closed="left")
        return pl.DataFrame({"code": codes, "latency_ms": latency}).filter(is_own).drop_nulls("latency_ms")

    @cached_property
    def latencies(self) -> Floats:
        """Those latencies, sorted, ms."""
        return np.sort(self.timed["latency_ms"].to_numpy())

    def slower_calls(self, latency_ms: float) -> Floats:
        """How many calls of each user took longer.

        Args:
            latency_ms: Latency, ms.
        """
        slower = self.timed["code"].filter(self.timed["latency_ms"] > latency_ms)
        return np.bincount(slower.to_numpy(), minlength=self.place.stop)[self.place].astype(np.float64)

    def sums(self, metric: PromptMetric) -> tuple[Floats, Floats]:
        """Sum and divisor of a metric, per user that has it.

        Args:
            metric: The metric.
        """
        tops, bottoms = (self._parts[f"{part}_{metric.name}"].to_numpy() for part in ("top", "bottom"))
        has_it = bottoms > 0
        return (tops, bottoms) if has_it.all() else (tops[has_it], bottoms[has_it])

    def names_with(self, metric: PromptMetric) -> pl.Series:
        """Names of the users that have a metric.

        Args:
            metric: The metric.
        """
        return self.names.filter(self._parts[f"bottom_{metric.name}"] > 0)

    @cached_property
    def _parts(self) -> pl.DataFrame:
        """Sums and divisors of all metrics, in one go."""
        tops = [one.top.alias(f"top_{one.name}") for one in METRICS]
        return self.table.select(*tops, *(one.bottom.alias(f"bottom_{one.name}") for one in METRICS))


@dataclass(frozen=True)
class Users:
    """The users of both arms, those in one arm only.

    Attributes:
        arms: Baseline and candidate.
        both_count: Users that were in both arms, and were dropped.
        both_call_count: Their calls.
    """

    arms: tuple[Arm, Arm]
    both_count: int
    both_call_count: int

    @property
    def sizes(self) -> tuple[int, int]:
        """How many users each arm has."""
        return self.arms[0].user_count, self.arms[1].user_count


def in_candidate(sizes: Sequence[int]) -> Flags:
    """Whether each user is in the candidate's arm, where the baseline's users come first.

    Args:
        sizes: Users of baseline and candidate.

    Example:
        >>> in_candidate((2, 1)).tolist()
        [False, False, True]
    """
    return np.arange(sum(sizes)) >= sizes[0]


def users_of(calls: pl.DataFrame) -> Users:
    """The users of the calls of two arms.

    Args:
        calls: What `arm_calls` returns.
    """
    found = owners_of(calls["unit"])
    of_b = found.counted(calls["is_b"])
    is_a, is_b = of_b == 0, of_b == found.call_counts
    groups = [np.flatnonzero(group) for group in (is_a, is_b, ~(is_a | is_b))]
    # By arm, so that each is a slice, and those in both come last.
    owners = found.renumbered(np.concatenate(groups))
    table = sums_per_user(calls, owners)
    first, last = len(groups[0]), len(groups[0]) + len(groups[1])
    places = slice(0, first), slice(first, last)
    a, b = (Arm(calls, owners, place, table[place]) for place in places)
    return Users((a, b), len(groups[2]), int(owners.call_counts[last:].sum()))


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
