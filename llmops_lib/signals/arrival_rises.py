"""What became worse with a value that came up: its calls against those like them before."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import polars as pl

from llmops_lib.signals.arrivals import ALIKE, CHANGED, Arrival
from llmops_lib.signals.counts import Signal, Signals
from llmops_lib.signals.rises import Rise, tolerance_of, unit_of
from llmops_lib.signals.streams import Floats, Hours, Stream
from llmops_lib.stats.rate_shifts import (
    DAY,
    HIGHEST_ACCEPTABLE,
    LEAST_BAD,
    LOOK_AHEAD,
    RELATIVE_TOLERANCE,
    WEEK,
    log_wealth,
    spread_before,
)
from llmops_lib.stats.rate_since import RiseSince, rise_since

_PAST = timedelta(weeks=4)
_LEAST_PAST, _LEAST_SEEN, _GOES_ON = 20, 10, 5
_NOT_COMPARED = {"spend", "tool failures"}
_LARGEST_CHANCE = 0.05
"""Chance of a false alarm that one comparison has at the most, however few there are."""


@dataclass(frozen=True)
class _Comparison:
    """One signal of the calls of one arrival, by the hour from when they came."""

    arrival: Arrival
    stream: Stream
    rows: pl.DataFrame
    first: int
    bad: Floats
    seen: Floats


def arrival_rises(
    found: Sequence[Arrival], signals: Signals, hours: Hours, expected_false: float
) -> Iterator[tuple[Stream, Rise]]:
    """The rises of shares that came with a value seen for the first time.

    When a prompt or a model changed, the hour and the calls are known, and only so many comparisons are
    made: less evidence is enough than where every hour of every stream may be the first. Calls are held
    against those of the same model, feature and prompt in the four weeks before, or else of the same feature.

    Args:
        found: Arrivals, the columns of which `signals` is counted by.
        signals: Counts by `hour_at` and those columns.
        hours: The grid.
        expected_false: False alarms granted to all of them together. Models, prompts and releases have equal
            parts of it, of which their comparisons have equal parts again.
    """
    made = list(_comparisons(found, signals, hours))
    of_kind = Counter(CHANGED[one.arrival.column] for one in made)
    for one in made:
        count = len(of_kind) * of_kind[CHANGED[one.arrival.column]]
        needed = -math.log(min(expected_false / count, _LARGEST_CHANCE)) if expected_false else math.inf
        told = _rise(one, hours, needed) if one.bad.sum() >= LEAST_BAD else None
        if told:
            yield one.stream, replace(told, log_false=told.log_false + math.log(count))


def _comparisons(found: Sequence[Arrival], signals: Signals, hours: Hours) -> Iterator[_Comparison]:
    """Every comparison; those of the very same calls by another name are left out."""
    done: set[tuple[Signal, bytes, bytes]] = set()
    for signal in signals.signals():
        if signal.metric in _NOT_COMPARED or (signal.metric == "errors" and signal.detail):
            continue
        rows = signals.counts(signal)
        for arrival in found:
            own = rows.filter(pl.col(arrival.column) == arrival.value)
            first = hours.place(arrival.first_at)
            here = slice(first, min(hours.place(hours.as_of) + 1, first + LOOK_AHEAD))
            bad, seen = (part[here] for part in hours.spread(own, "bad_count", "seen_count"))
            key = (signal, bad.tobytes(), seen.tobytes())
            if seen.sum() >= _LEAST_SEEN and key not in done:
                done.add(key)
                yield _Comparison(
                    arrival, Stream(signal, arrival.column, arrival.value, own), rows, first, bad, seen
                )


def _rise(one: _Comparison, hours: Hours, needed: float) -> Rise | None:
    start = hours.at(one.first)
    rows = one.rows
    past = rows.filter(pl.col("hour_at").is_between(start - _PAST, start, closed="left"))
    alike = [name for name in ALIKE if name in rows.columns]
    held = _held(one.stream, past, alike)
    here = slice(one.first, one.first + len(one.seen))
    bad, seen, expected, accepted = (
        part[here] for part in hours.spread(held, "bad_count", "seen_count", "expected", "accepted")
    )
    if seen.sum() < _LEAST_SEEN:
        return None
    bad, whole = np.minimum(bad, seen), seen.clip(min=1e-9)
    acceptable = (accepted / whole).clip(1e-6, HIGHEST_ACCEPTABLE)
    # A spread of more than one only takes evidence away.
    most, _ = log_wealth(bad[:WEEK], seen[:WEEK], acceptable[:WEEK], np.ones(len(seen[:WEEK])))
    if most.max() < needed:
        return None
    like = rows.join(held.select(alike).unique(), on=alike, how="semi", nulls_equal=True)
    like_bad, like_seen = hours.spread(like, "bad_count", "seen_count")
    spread = spread_before(like_bad, like_seen, one.first // DAY)
    rise = rise_since(bad, seen, expected / whole, acceptable, spread)
    if rise is None or rise.evidence.max() < needed:
        return None
    end = min(rise.end, _last_seen(seen, like_seen[here]))
    return _told(
        one,
        rise,
        hours,
        counts=[float(part[:end].sum()) for part in (bad, seen, expected)],
        end=end,
        needed=needed,
    )


def _last_seen(seen: Floats, like: Floats) -> int:
    """Hour after the last one that something was seen in, where calls like those went on without it."""
    last = int(seen.nonzero()[0].max()) + 1
    return last if like[last:].sum() >= _GOES_ON else len(seen)


def _held(stream: Stream, past: pl.DataFrame, alike: list[str]) -> pl.DataFrame:
    """The calls of an arrival with what is expected of them and what is still acceptable; others left out."""
    rows = stream.rows.with_columns(
        pl.lit(None, pl.Float64).alias("share"), pl.lit(None, pl.Float64).alias("of")
    )
    whole = float(past["bad_count"].sum()) / max(float(past["seen_count"].sum()), 1.0)
    for by in (alike, ["feature"]):
        before = past.group_by(by).agg(pl.col("bad_count", "seen_count").sum().name.prefix("past_"))
        known = before.filter(pl.col("past_seen_count") >= _LEAST_PAST).select(
            *by,
            ((pl.col("past_bad_count") + whole) / (pl.col("past_seen_count") + 1)).alias("_share"),
            pl.col("past_seen_count").cast(pl.Float64).alias("_of"),
        )
        rows = rows.join(known, on=by, how="left", nulls_equal=True).with_columns(
            pl.coalesce("share", "_share").alias("share"), pl.coalesce("of", "_of").alias("of")
        )
        rows = rows.drop("_share", "_of")
    share = pl.col("share").clip(0, 1)
    unsure = 2 * (share * (1 - share) / pl.col("of")).sqrt()
    margin = pl.max_horizontal(pl.lit(tolerance_of(stream.signal)), RELATIVE_TOLERANCE * share, unsure)
    return rows.drop_nulls("share").with_columns(
        (pl.col("seen_count") * share).alias("expected"),
        (pl.col("seen_count") * (share + margin)).alias("accepted"),
    )


def _told(  # noqa: PLR0913 - a rise and the counts that it is told by
    one: _Comparison, rise: RiseSince, hours: Hours, *, counts: Sequence[float], end: int, needed: float
) -> Rise:
    bad, seen, expected = counts
    known = max(seen, 1.0)
    return Rise(
        one.first, one.first + end if end < len(one.seen) else hours.count,
        one.first, one.first + rise.high, one.first + int((rise.evidence >= needed).argmax()),
        expected / known, bad / known, bad - expected, unit_of(one.stream.signal), int(seen),
        -float(rise.evidence.max()), False,
    )  # fmt: skip
