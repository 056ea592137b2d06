"""The breaker on calls as they are made."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib import Breaker, BreakerPolicy, LlmopsError, breaker_decisions
from llmops_lib.errors import BreakerOpenError

pytestmark = pytest.mark.usefixtures("no_running_loop")

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
ACME = {"tenant": "acme"}


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.at = MONDAY

    def __call__(self):
        """The time."""
        return self.at


def breaker(clock=None, **fields):
    """A dollar an hour for each tenant, a quarter of it for a call."""
    plain = {"limit_usd": 1, "window": "rolling 1h", "reserve_usd": 0.25, "each": "tenant"}
    return Breaker(BreakerPolicy(**(plain | fields)), clock=clock or Clock())


def spend(own, cost_usd, scope=ACME, **reserved):
    """One call."""
    with own.reserve(scope, **reserved) as reservation:
        reservation.settle(cost_usd)


def test_money_is_reserved_while_a_call_runs():
    """Four calls at once take the whole dollar, whatever they turn out to cost."""
    own = breaker()
    with ExitStack() as running:
        reservations = [running.enter_context(own.reserve(ACME)) for _ in range(4)]
        assert own.used_usd(ACME) == 1.0
        with pytest.raises(BreakerOpenError, match=r"tenant 'acme': \$1\.0000 of \$1\.0000 in a rolling 1h"):
            spend(own, 0.01)
        for reservation in reservations:
            reservation.settle(0.125)
    assert own.used_usd(ACME) == 0.5


def test_a_call_that_dies_keeps_its_reservation():
    """It may have been billed."""
    own = breaker()
    with pytest.raises(ConnectionError), own.reserve(ACME):
        raise ConnectionError
    assert own.used_usd(ACME) == 0.25


def test_a_call_that_was_never_sent_costs_nothing_if_its_maker_says_so():
    """A refused connection is no reason to stop a tenant."""
    own = breaker()
    spend(own, 0.0)
    assert own.used_usd(ACME) == 0.0


def test_a_call_can_state_what_it_may_cost():
    """A short prompt with a small `max_tokens` need not wait for the room of a long one."""
    own = breaker()
    spend(own, 0.9)
    spend(own, 0.05, reserve_usd=0.0625)
    assert own.used_usd(ACME) == 0.95


def test_scopes_do_not_share_a_limit_and_others_are_not_watched():
    """A looping tenant stops alone."""
    own = breaker(where={"feature": "agent"})
    spend(own, 1.0, {"tenant": "acme", "feature": "agent"})
    spend(own, 9.0, {"tenant": "acme", "feature": "faq"})
    spend(own, 0.5, {"tenant": None, "feature": "agent"})
    with pytest.raises(LlmopsError):
        spend(own, 0.1, {"tenant": "acme", "feature": "agent"})


def test_spend_under_a_clock_that_is_set_back_counts_when_it_is_right_again():
    """Written down as of five hours ago, a dollar of this minute would be out of the window."""
    clock = Clock()
    own = breaker(clock)
    spend(own, 0.1, {"tenant": "globex"})
    clock.at = MONDAY - timedelta(hours=5)
    spend(own, 1.0)
    clock.at = MONDAY + timedelta(minutes=1)
    with pytest.raises(BreakerOpenError):
        spend(own, 0.1)


@pytest.mark.parametrize("cost_usd", [-0.1, float("nan"), float("inf")])
def test_an_impossible_cost_is_refused_and_the_reservation_stays(cost_usd):
    """A negative cost would make room that is not there."""
    own = breaker()
    with pytest.raises(ValueError, match="found a cost"):
        spend(own, cost_usd)
    assert own.used_usd(ACME) == 0.25


def test_an_impossible_reservation_is_refused():
    """Zero would let everything through at once."""
    with pytest.raises(ValueError, match="expected USD above 0"):
        spend(breaker(), 0.1, reserve_usd=0)


async def ask(client, own, url):
    """One call over HTTP, if the breaker lets it through."""
    try:
        with own.reserve(ACME) as reservation:
            answer = await client.post(url, content=b"{}")
            reservation.settle(answer.json()["cost_usd"])
    except (BreakerOpenError, httpx.TransportError) as error:
        return type(error)


def test_200_tasks_at_once_never_spend_more_than_the_limit(provider):
    """Checked on the side that charges; calls that it charges and cuts off count too."""
    own = Breaker(BreakerPolicy(limit_usd=3, window="day", reserve_usd=0.05, each="tenant"))

    async def all_at_once():
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=200), timeout=30) as client:
            return await asyncio.gather(*(ask(client, own, provider.url) for _ in range(200)))

    outcomes = [outcome for _ in range(3) for outcome in asyncio.run(all_at_once())]
    assert sum(provider.charged) <= 300
    assert sum(provider.charged) > 150
    assert outcomes.count(BreakerOpenError) == 600 - len(provider.charged)
    assert len(provider.charged) // 10 == len(
        [one for one in outcomes if one not in {None, BreakerOpenError}]
    )


def test_200_threads_at_once_never_spend_more_than_the_limit(provider):
    """The same through a client that blocks."""
    own = Breaker(BreakerPolicy(limit_usd=3, window="day", reserve_usd=0.05, each="tenant"))

    def one_call(client):
        try:
            with own.reserve(ACME) as reservation:
                reservation.settle(client.post(provider.url, content=b"{}").json()["cost_usd"])
        except (BreakerOpenError, httpx.TransportError):
            pass

    limits = httpx.Limits(max_connections=200)
    with httpx.Client(limits=limits, timeout=30) as client, ThreadPoolExecutor(200) as threads:
        list(threads.map(one_call, [client] * 400))
    assert 150 < sum(provider.charged) <= 300


CALLS = st.lists(
    st.tuples(
        st.integers(0, 3 * 3600),
        st.integers(0, 4000),
        st.one_of(st.none(), st.integers(0, 300)),
        st.sampled_from(["acme", "globex", None]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(
    rows=CALLS,
    limit=st.integers(1, 24),
    window=st.sampled_from(["rolling 1h", "day"]),
    cooldown=st.sampled_from([0, 60, 3600]),
)
def test_the_live_breaker_decides_as_the_simulated_one(rows, limit, window, cooldown):
    """Call by call on the same sequence: a policy does live what it did in the replay."""
    policy = BreakerPolicy(
        limit_usd=limit / 4,
        window=window,
        reserve_usd=0.5,
        each="tenant",
        timezone="Asia/Kolkata",
        cooldown=timedelta(seconds=cooldown),
    )
    starts = [MONDAY + timedelta(hours=17, seconds=second) for second, *_ in rows]
    ends = [start + timedelta(seconds=row[1]) for start, row in zip(starts, rows, strict=True)]
    costs = [None if row[2] is None else row[2] / 100 for row in rows]
    spans = pl.DataFrame(
        {
            "trace_id": "t",
            "span_id": [f"s{row:02}" for row in range(len(rows))],
            "is_model_call": True,
            "is_error": False,
            "started_at": starts,
            "ended_at": ends,
            "cost_usd": costs,
            "tenant": [tenant for *_, tenant in rows],
        },
        schema_overrides={"cost_usd": pl.Float64, "tenant": pl.String},
    )
    replayed = breaker_decisions(spans, policy).sort("span_id")["is_blocked"].to_list()
    assert live(policy, starts, ends, costs, [tenant for *_, tenant in rows]) == replayed


def live(policy, starts, ends, costs, tenants):
    """Which calls the live breaker refuses when they start and end at these times."""
    clock = Clock()
    own = Breaker(policy, clock=clock)
    running, refused = {}, [False] * len(starts)
    # A call that ends when another starts has ended before; one that takes no time ends after it started.
    events = [(at, 1, row) for row, at in enumerate(starts)]
    events += [(at, 0 if at > starts[row] else 2, row) for row, at in enumerate(ends)]
    instant = {row for row, at in enumerate(ends) if at == starts[row]}
    for at, kind, row in sorted(event for event in events if event[1] != 2):
        clock.at = at
        if kind == 1:
            stack = ExitStack()
            try:
                running[row] = stack, stack.enter_context(own.reserve({"tenant": tenants[row]}))
            except BreakerOpenError:
                refused[row] = True
        if row in running and (kind == 0 or row in instant):
            stack, reservation = running.pop(row)
            reservation.settle(costs[row])
            stack.close()
    return refused
