"""Replays the calls of many breakers through the one decision, skipping stretches where nothing can happen.

A breaker decides call by call on what it decided before, which no table expression says; but as long as all
costs of a window and the reservations of as many calls as ever ran at once in it fit below the limit, a
closed breaker refuses nothing. Only windows where they do not fit are walked through, and what follows while
the breaker is open.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np
import numpy.typing as npt

from llmops_lib.budgets.decision import BreakerState, Hold, Limits, reserve, settle

Ints = npt.NDArray[np.int64]
UNKNOWN = -1
"""A cost or an end that nobody knows."""


@dataclass(frozen=True)
class Replay:
    """Calls by breaker and start, as equally long arrays.

    Attributes:
        scope: Which breaker watches the call; ascending.
        bucket: Stretch of time of the call, ascending within a breaker: its window, or its length of time.
        start_us: Start.
        end_us: End, or `UNKNOWN`.
        cost_nano: Cost, or `UNKNOWN`.
        from_us: First moment of the window at the start of the call.
        is_rolling: Whether a window can reach into the bucket before.
    """

    scope: Ints
    bucket: Ints
    start_us: Ints
    end_us: Ints
    cost_nano: Ints
    from_us: Ints
    is_rolling: bool


@dataclass(frozen=True)
class Decided:
    """What the breakers did.

    Attributes:
        is_blocked: One per call.
        opened_count: One per breaker.
        overshoot_nano: One per breaker: the most that its window held beyond the limit.
    """

    is_blocked: npt.NDArray[np.bool_]
    opened_count: list[int]
    overshoot_nano: list[int]


def replayed(calls: Replay, limits: Limits, reserve_nano: int) -> Decided:
    """What the breakers would have done."""
    is_blocked = np.zeros(len(calls.scope), dtype=np.bool_)
    scopes = int(calls.scope[-1]) + 1 if len(calls.scope) else 0
    opened, overshoot = [0] * scopes, [0] * scopes
    for scope, segments in _by_scope(calls, limits, reserve_nano):
        breaker = _Replayed(limits, reserve_nano)
        for low, high, is_tight in segments:
            if is_tight or breaker.state.opened_us is not None:
                is_blocked[low:high] = breaker.refusals(calls, slice(low, high))
        breaker.settle_until(None)
        opened[scope] = breaker.state.opened_count
        overshoot[scope] = max(0, breaker.state.peak_nano - limits.limit_nano)
    return Decided(is_blocked, opened, overshoot)


@dataclass
class _Replayed:
    """One breaker and its calls that have not ended: end, row, hold and cost of each, earliest end first."""

    limits: Limits
    reserve_nano: int
    state: BreakerState = field(default_factory=BreakerState)
    pending: list[tuple[int, int, Hold, int | None]] = field(default_factory=list)

    def settle_until(self, at_us: int | None) -> None:
        """Settles the calls that have ended by a moment; all of them where it is None."""
        while self.pending and (at_us is None or self.pending[0][0] <= at_us):
            ended_us, _, hold, cost_nano = heappop(self.pending)
            settle(self.state, self.limits, hold, ended_us, cost_nano)

    def refusals(self, calls: Replay, rows: slice) -> list[bool]:
        """Whether each of the calls is refused."""
        state, limits, pending = self.state, self.limits, self.pending
        refused = []
        columns = (calls.start_us, calls.end_us, calls.cost_nano, calls.from_us)
        values = zip(*(column[rows].tolist() for column in columns), strict=True)
        for row, (start_us, end_us, cost_nano, from_us) in enumerate(values, start=rows.start):
            if pending and pending[0][0] <= start_us:
                self.settle_until(start_us)
            hold = reserve(state, limits, start_us, from_us, self.reserve_nano)
            refused.append(hold is None)
            if hold is not None:
                known_nano = None if cost_nano == UNKNOWN else cost_nano
                if end_us <= start_us:
                    settle(state, limits, hold, start_us, known_nano)
                else:
                    heappush(pending, (end_us, row, hold, known_nano))
        return refused


def _by_scope(
    calls: Replay, limits: Limits, reserve_nano: int
) -> Iterator[tuple[int, list[tuple[int, int, bool]]]]:
    """Breakers that may open, each with the bounds of its buckets and whether one may not be skipped."""
    changed = (np.diff(calls.scope) != 0) | (np.diff(calls.bucket) != 0)
    low = np.concatenate([[0], np.flatnonzero(changed) + 1]) if len(calls.scope) else np.array([], np.int64)
    if not len(low):
        return
    high = np.append(low[1:], len(calls.scope))
    counted = np.where(calls.cost_nano == UNKNOWN, reserve_nano, np.maximum(calls.cost_nano, 0))
    spent = np.add.reduceat(counted, low)
    held = (np.maximum.reduceat(_running(calls), low) + 1) * reserve_nano
    is_tight = _tight(calls, low, spent, limits.limit_nano - held)
    scope = calls.scope[low]
    for one in np.unique(scope[is_tight]).tolist():
        first, last = np.searchsorted(scope, [one, one + 1])
        own = slice(int(first), int(last))
        yield one, list(zip(low[own].tolist(), high[own].tolist(), is_tight[own].tolist(), strict=True))


def _running(calls: Replay) -> Ints:
    """How many earlier calls of its breaker have not ended when a call starts; those of the same ms count."""
    start_ms, end_ms = calls.start_us // 1000, np.maximum(calls.end_us, calls.start_us) // 1000
    span = int(end_ms.max() - start_ms.min()) + 1
    key = calls.scope * span - start_ms.min()
    ended = np.searchsorted(np.sort(key + end_ms), key + start_ms)
    running: Ints = np.arange(len(key)) - ended
    return running


def _tight(calls: Replay, low: Ints, spent: Ints, room: Ints) -> npt.NDArray[np.bool_]:
    if not calls.is_rolling:
        return spent > room
    # A rolling window reaches into the bucket before, whose calls must then be walked through too.
    scope, bucket = calls.scope[low], calls.bucket[low]
    is_next = np.append(False, (np.diff(scope) == 0) & (np.diff(bucket) == 1))
    is_tight = spent + np.where(is_next, np.append(0, spent[:-1]), 0) > room
    is_before_tight = np.append(is_next[1:] & is_tight[1:], False)
    tight: npt.NDArray[np.bool_] = is_tight | is_before_tight
    return tight
