"""Calls summed per user, so that users are what varies; and the calls of each arm in order of latency."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.comparing.arms import NUMBERS
from llmops_lib.comparing.prompt_metrics import PromptMetric
from llmops_lib.stats.inputs import Floats, Integers

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Latencies:
    """The calls of one arm that have a latency.

    Attributes:
        ordered: Latencies, sorted, ms.
        latency_ms: The same in the order of the calls.
        rows: Row of the user of each call.
        totals: Calls of each user, those without any included.
    """

    ordered: Floats
    latency_ms: Floats
    rows: Integers
    totals: Integers

    def counted_below(self, value: float) -> Integers:
        """How many calls of each user with calls lie at or below a latency.

        Args:
            value: Latency, ms.
        """
        below = np.bincount(self.rows[self.latency_ms <= value], minlength=len(self.totals))
        return below[self.totals > 0]


@dataclass(frozen=True)
class Users:
    """The users of both arms, those in one arm only.

    Attributes:
        table: One row per user, by name: what `sums_per_user` gives, and `is_b`.
        both_count: Users that were in both arms, and were dropped.
        both_call_count: Their calls.
        rows: Row of the user of each call; -1 for those of users in both arms.
        latencies: Of baseline and candidate.
    """

    table: pl.DataFrame
    both_count: int
    both_call_count: int
    rows: Integers
    latencies: tuple[Latencies, Latencies]

    @property
    def is_b(self) -> Flags:
        """Whether each user is in the candidate's arm."""
        return self.table["is_b"].to_numpy()

    def sums(self, metric: PromptMetric) -> tuple[Floats, Floats]:
        """Sum and divisor of a metric, per user.

        Args:
            metric: The metric.
        """
        parts = self.table.select(top=metric.top, bottom=metric.bottom)
        return parts["top"].to_numpy(), parts["bottom"].to_numpy()


def users_of(calls: pl.DataFrame) -> Users:
    """The users of the calls of two arms.

    Args:
        calls: What `arm_calls` returns.
    """
    codes = _codes(calls)
    sums = sums_per_user(calls, codes)
    of_b = np.bincount(codes[calls["is_b"].to_numpy()], minlength=int(codes.max()) + 1)[
        sums["code"].to_numpy()
    ]
    counted = sums["call_count"].to_numpy()
    is_in_both = (of_b > 0) & (of_b < counted)
    told = sums.with_columns(is_b=pl.Series(of_b > 0)).filter(pl.Series(~is_in_both))
    kept = told.sort("unit")
    place = np.full(int(codes.max()) + 1, -1, dtype=np.int64)
    place[kept["code"].to_numpy()] = np.arange(kept.height)
    rows = place[codes]
    arms = [
        _latencies(calls["latency_ms"].to_numpy(), rows, calls["is_b"].to_numpy() == is_b, kept.height)
        for is_b in (False, True)
    ]
    return Users(kept, int(is_in_both.sum()), int(counted[is_in_both].sum()), rows, (arms[0], arms[1]))


def _latencies(latency: Floats, rows: Integers, is_own: Flags, user_count: int) -> Latencies:
    used = np.flatnonzero(is_own & (rows >= 0) & ~np.isnan(latency))
    own, own_rows = latency[used], rows[used]
    return Latencies(np.sort(own), own, own_rows, np.bincount(own_rows, minlength=user_count))


def earlier_sums(calls: pl.DataFrame) -> pl.DataFrame:
    """Sums per user of calls from before an experiment.

    Args:
        calls: What `calls_before` returns.
    """
    return sums_per_user(calls, _codes(calls))


def sums_per_user(calls: pl.DataFrame, codes: Integers) -> pl.DataFrame:
    """One row per user: `unit`, `code`, `call_count`, and of each number what is known of it.

    Counting by number is several times faster here than grouping by name, which a million calls feel.

    Args:
        calls: Calls with `unit`, `is_error`, `is_refused` and numbers.
        codes: Number of the user of each call.

    Returns:
        `sum_...` and `known_...` (calls that have the value) for each number, and
        `sum_cached_input_tokens`, the input of the calls whose cached tokens are known.
    """
    size = int(codes.max()) + 1 if len(codes) else 0
    counts = np.bincount(codes, minlength=size)
    columns: dict[str, Floats] = {"call_count": counts.astype(np.float64)}
    for name in (*NUMBERS, "is_error", "is_refused"):
        columns[f"sum_{name}"], columns[f"known_{name}"] = _summed(calls[name], codes, counts)
    has_cache = calls["cache_read_tokens"].is_not_null()
    of_cache = pl.select(pl.when(has_cache).then(calls["input_tokens"])).to_series()
    columns["sum_cached_input_tokens"], _ = _summed(of_cache, codes, counts)
    first = np.zeros(size, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    used = np.flatnonzero(counts)
    table = {"unit": calls["unit"].gather(first[used]), "code": used}
    return pl.DataFrame({**table, **{name: column[used] for name, column in columns.items()}})


def _codes(calls: pl.DataFrame) -> Integers:
    return calls["unit"].cast(pl.Categorical).to_physical().to_numpy().astype(np.int64)


def _summed(values: pl.Series, codes: Integers, counts: Integers) -> tuple[Floats, Floats]:
    known = values.is_not_null().to_numpy() if values.null_count() else None
    if known is not None:
        codes, values = codes[known], values.drop_nulls()
    sums = np.bincount(codes, weights=values.cast(pl.Float64).to_numpy(), minlength=len(counts))
    found = counts if known is None else np.bincount(codes, minlength=len(counts))
    return np.asarray(sums, dtype=np.float64), found.astype(np.float64)
