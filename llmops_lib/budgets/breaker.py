"""A circuit breaker on calls as they are made: reserve, then settle."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from llmops_lib.budgets.decision import BreakerState, Hold, Limits, reserve, settle
from llmops_lib.budgets.declared import NANO_PER_USD, BreakerPolicy
from llmops_lib.budgets.windows import window_start
from llmops_lib.errors import BreakerOpenError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)

Scope = Mapping[str, str | None]
"""What a call is about, by column of SPANS, such as `{"tenant": "acme", "feature": "faq"}`."""


class Reservation:
    """What is set aside for one call until its cost is known.

    Attributes:
        cost_usd: Cost that was settled; None while it is unknown.
    """

    def __init__(self) -> None:
        self.cost_usd: float | None = None

    def settle(self, cost_usd: float | None) -> None:
        """States what the call cost.

        Args:
            cost_usd: USD; None where nobody knows, which leaves the whole reservation in place. 0 for a call
                that was never sent.

        Raises:
            ValueError: If the cost is negative or no number.
        """
        if cost_usd is not None and not 0 <= cost_usd < float("inf"):
            msg = f"found a cost of {cost_usd!r} USD, expected 0 or more, or None where it is unknown"
            raise ValueError(msg)
        self.cost_usd = cost_usd


class Breaker:
    """A circuit breaker for one process, safe to use from threads and from asyncio tasks.

    It decides as `simulate_breaker` does, call by call. What it has seen is kept in memory: another process,
    or the same one after a restart, starts with an empty window. Where several processes share a limit, let a
    gateway hold it (`llmops budgets export`).

    Args:
        policy: Limit, window, reservation and cool-down.
        clock: Gives the time; what it gives may not be without a zone.

    Example:
        >>> breaker = Breaker(BreakerPolicy(limit_usd=1, window="day", reserve_usd=0.5, each="tenant"))
        >>> with breaker.reserve({"tenant": "acme"}) as reservation:
        ...     reservation.settle(0.75)  # what the answer of the endpoint costs
        >>> with breaker.reserve({"tenant": "acme"}) as reservation:
        ...     pass
        Traceback (most recent call last):
            ...
        llmops_lib.errors.BreakerOpenError: tenant 'acme': $0.7500 of $1.0000 in a day are spent ...
    """

    def __init__(
        self, policy: BreakerPolicy, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.policy = policy
        self._clock = clock
        self._limits = Limits(nano(policy.limit_usd), policy.cooldown // _US)
        self._states: dict[tuple[str | None, ...], BreakerState] = {}
        self._last = _EPOCH
        # No call waits for the endpoint under this lock, so asyncio tasks may take it too.
        self._lock = threading.Lock()

    @contextmanager
    def reserve(self, scope: Scope, *, reserve_usd: float | None = None) -> Iterator[Reservation]:
        """Sets money aside for a call, which is made inside the `with` block and settled there.

        A block that is left without a settled cost, by an error too, leaves the reservation in place: a call
        that died may have been billed.

        Args:
            scope: What the call is about; must name the dimensions of the policy, None where it has none.
            reserve_usd: The most that this call may cost; that of the policy where it is None.

        Yields:
            The reservation, to settle.

        Raises:
            BreakerOpenError: If the call is refused.
            KeyError: If `scope` lacks a dimension of the policy.
            ValueError: If `reserve_usd` is not above 0.
        """
        if reserve_usd is not None and not 0 < reserve_usd < float("inf"):
            msg = f"found reserve_usd {reserve_usd!r}, expected USD above 0"
            raise ValueError(msg)
        reservation = Reservation()
        if any(scope[name] != value for name, value in self.policy.where.items()):
            yield reservation
            return
        key = tuple(scope[name] for name in self.policy.each)
        hold = self._hold(key, nano(self.policy.reserve_usd if reserve_usd is None else reserve_usd))
        try:
            yield reservation
        finally:
            with self._lock:
                known = None if reservation.cost_usd is None else nano(reservation.cost_usd)
                settle(self._states[key], self._limits, hold, self._now_us(), known)

    def used_usd(self, scope: Scope) -> float:
        """USD spent or reserved in the window of a scope, as of the last call that was asked for."""
        with self._lock:
            state = self._states.get(tuple(scope[name] for name in self.policy.each))
            return state.used_nano / NANO_PER_USD if state else 0.0

    def _hold(self, key: tuple[str | None, ...], amount_nano: int) -> Hold:
        with self._lock:
            at_us = self._now_us()
            start = window_start(self.policy.window, self._last, self.policy.timezone)
            state = self._states.setdefault(key, BreakerState())
            hold = reserve(state, self._limits, at_us, (start - _EPOCH) // _US, amount_nano)
            if hold is None:
                raise BreakerOpenError(self._refusal(key, state, amount_nano))
            return hold

    def _now_us(self) -> int:
        # A clock that is set back must not bring back what has left the window.
        self._last = max(self._last, self._clock())
        return (self._last - _EPOCH) // _US

    def _refusal(self, key: tuple[str | None, ...], state: BreakerState, amount_nano: int) -> str:
        whose = ", ".join(f"{name} {value!r}" for name, value in zip(self.policy.each, key, strict=True))
        again = _EPOCH + ((state.opened_us or 0) + self._limits.cooldown_us) * _US
        used, limit, more = (
            amount / NANO_PER_USD for amount in (state.used_nano, self._limits.limit_nano, amount_nano)
        )
        return (
            f"{whose or 'all calls'}: ${used:.4f} of ${limit:.4f} in a {self.policy.window} are spent or "
            f"reserved, and this call may cost ${more:.4f}; the breaker is open, and half open from "
            f"{again:%Y-%m-%d %H:%M:%S} UTC on"
        )


def nano(usd: float) -> int:
    """USD as whole billionths."""
    return round(usd * NANO_PER_USD)
