"""The one decision of a circuit breaker, on live calls and on replayed ones alike.

Amounts are whole billionths of a dollar and times whole microseconds since 1970, so that both give the same
answers to the last call.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple


class Limits(NamedTuple):
    """What the decision needs of a policy."""

    limit_nano: int
    cooldown_us: int


class Hold:
    """What one call takes of the limit: its reservation, and its cost once that is known."""

    __slots__ = ("amount_nano", "at_us", "is_counted")

    def __init__(self, at_us: int, amount_nano: int) -> None:
        self.at_us = at_us
        self.amount_nano = amount_nano
        self.is_counted = True


@dataclass(slots=True)
class BreakerState:
    """What one breaker remembers: the calls of its window and whether it is open.

    Attributes:
        holds: Calls in the window, by start.
        used_nano: Sum of their amounts.
        peak_nano: The most that the window ever held.
        opened_us: When the breaker opened; None while it is closed.
        opened_count: How often it opened.
        probe: The call that is let through while the breaker is half open.
    """

    holds: deque[Hold] = field(default_factory=deque)
    used_nano: int = 0
    peak_nano: int = 0
    opened_us: int | None = None
    opened_count: int = 0
    probe: Hold | None = None


def reserve(state: BreakerState, limits: Limits, at_us: int, from_us: int, amount_nano: int) -> Hold | None:
    """The hold of a call that may go ahead; None for one that is refused.

    Args:
        state: The breaker; changed.
        limits: Of the policy.
        at_us: Start of the call; never before that of an earlier one.
        from_us: First moment of the window at that time.
        amount_nano: What the call may cost at most.
    """
    holds = state.holds
    while holds and holds[0].at_us < from_us:
        forgotten = holds.popleft()
        forgotten.is_counted = False
        state.used_nano -= forgotten.amount_nano
    is_half_open = state.opened_us is not None
    if state.opened_us is not None and (
        at_us < state.opened_us + limits.cooldown_us or state.probe is not None
    ):
        return None
    if state.used_nano + amount_nano > limits.limit_nano:
        state.opened_count += not is_half_open
        state.opened_us = at_us
        return None
    hold = Hold(at_us, amount_nano)
    holds.append(hold)
    _use(state, amount_nano)
    if is_half_open:
        state.probe = hold
    return hold


def settle(state: BreakerState, limits: Limits, hold: Hold, at_us: int, cost_nano: int | None) -> None:
    """Puts the cost of a call that has ended in the place of its reservation.

    Args:
        state: The breaker; changed.
        limits: Of the policy.
        hold: What `reserve` gave.
        at_us: End of the call.
        cost_nano: Its cost; None, which means unknown, leaves the reservation in place.
    """
    if cost_nano is not None:
        if hold.is_counted:
            _use(state, cost_nano - hold.amount_nano)
        hold.amount_nano = cost_nano
    if state.probe is hold:
        state.probe = None
        state.opened_us = None if state.used_nano <= limits.limit_nano else at_us


def _use(state: BreakerState, more_nano: int) -> None:
    state.used_nano += more_nano
    if state.used_nano > state.peak_nano:  # noqa: PLR1730 - a million times; max() takes three times as long
        state.peak_nano = state.used_nano
