"""What a circuit breaker would have done to past traffic."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib import BreakerPolicy, breaker_decisions, simulate_breaker
from llmops_lib.budgets.decision import BreakerState, Limits, reserve, settle

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


def policy(**fields):
    """A dollar an hour, ten cents of it for a call, but for what a test cares about."""
    return BreakerPolicy(**({"limit_usd": 1, "window": "rolling 1h", "reserve_usd": 0.1} | fields))


def traffic(calls, *rows, **columns):
    """Calls from minutes since midnight, seconds they took, and costs."""
    starts = [MONDAY + timedelta(minutes=minute) for minute, _, _ in rows]
    ends = [
        None if took is None else start + timedelta(seconds=took)
        for start, (_, took, _) in zip(starts, rows, strict=True)
    ]
    return calls(started_at=starts, ended_at=ends, cost_usd=[cost for _, _, cost in rows], **columns)


def blocked(spans, rule):
    """Which of the calls are refused, in order of start."""
    return breaker_decisions(spans, rule).sort("started_at", "span_id")["is_blocked"].to_list()


def test_a_call_that_does_not_fit_is_refused_and_the_limit_holds(calls):
    """Of the ten cents that are left when 0.9 are spent, the third call takes all."""
    spans = traffic(calls, (0, 1, 0.5), (1, 1, 0.4), (2, 1, 0.1), (3, 1, 0.1))
    assert blocked(spans, policy()) == [False, False, False, True]


def test_a_reservation_counts_until_the_call_has_ended(calls):
    """Ten calls at once may cost a dollar; when they have ended at a cent each, there is room again."""
    at_once = [(0, 90, 0.01)] * 11
    assert blocked(traffic(calls, *at_once, (2, 1, 0.01)), policy()) == [False] * 10 + [True, False]


def test_a_call_of_unknown_cost_keeps_its_reservation(calls):
    """Unknown is not zero."""
    spans = traffic(calls, *[(minute, 1, None) for minute in range(11)])
    assert blocked(spans, policy()) == [False] * 10 + [True]


def test_a_call_of_unknown_end_is_settled_at_once(calls):
    """Its cost is known, when it came is not."""
    spans = traffic(calls, *[(0, None, 0.01)] * 20)
    assert blocked(spans, policy()) == [False] * 20


def test_spend_leaves_a_rolling_window(calls):
    """An hour later there is room for the next dollar."""
    spans = traffic(calls, (0, 1, 1.0), (30, 1, 0.1), (59, 1, 0.1), (61, 1, 0.1))
    assert blocked(spans, policy()) == [False, True, True, False]


def test_a_call_of_exactly_an_hour_ago_is_in_the_window(calls):
    """As in the status of a budget; a minute later it is not."""
    assert blocked(traffic(calls, (0, 1, 1.0), (60, 1, 0.1)), policy()) == [False, True]


def test_a_rolling_window_reaches_into_the_hour_before(calls):
    """Eighty cents of 00:30 leave no room at 01:11, though either hour alone is within the limit."""
    spans = traffic(calls, (30, 1, 0.8), (70, 1, 0.15), (71, 1, 0.1))
    assert blocked(spans, policy()) == [False, False, True]


def test_a_call_that_ends_after_it_has_left_the_window_makes_no_room(calls):
    """The first call is free when it ends after two hours; the window of then knows nothing of it."""
    spans = traffic(calls, (0, 7200, 0.0), (61, 1, 0.95), (121, 1, 0.1))
    assert blocked(spans, policy()) == [False, False, True]


def test_a_breaker_stays_open_over_midnight(calls):
    """A new window has room; the cool-down is not over."""
    spans = traffic(calls, (23 * 60, 1, 1.0), (23 * 60 + 30, 1, 0.1), (24 * 60 + 15, 1, 0.1))
    rule = policy(window="day", cooldown=timedelta(hours=2))
    assert blocked(spans, rule) == [False, True, True]


def test_a_calendar_window_begins_anew(calls):
    """Midnight in Berlin is eleven in the evening, UTC."""
    spans = traffic(calls, (22 * 60, 1, 1.0), (22 * 60 + 30, 1, 0.1), (23 * 60, 1, 0.1))
    assert blocked(spans, policy(window="day", timezone="Europe/Berlin")) == [False, True, False]


def test_an_open_breaker_refuses_everything_until_it_has_cooled_down(calls):
    """The window has room at 61 minutes, the breaker is open until 90."""
    spans = traffic(calls, (0, 1, 1.0), (30, 1, 0.1), (61, 1, 0.1), (89, 1, 0.1), (91, 1, 0.1), (92, 1, 0.1))
    rule = policy(cooldown=timedelta(hours=1))
    assert blocked(spans, rule) == [False, True, True, True, False, False]


def test_a_half_open_breaker_tries_one_call_at_a_time(calls):
    """The call of minute 91 is on its way until 93; the one of 92 has to wait for what becomes of it."""
    spans = traffic(calls, (0, 1, 1.0), (30, 1, 0.1), (91, 120, 0.1), (92, 1, 0.1), (94, 1, 0.1))
    assert blocked(spans, policy(cooldown=timedelta(hours=1))) == [False, True, False, True, False]


def test_a_trial_call_beyond_the_limit_opens_the_breaker_again(calls):
    """It cost two dollars; the hour of rest begins when it ended."""
    spans = traffic(
        calls, (0, 1, 1.0), (30, 1, 0.1), (91, 60, 2.0), (93, 1, 0.1), (151, 1, 0.1), (153, 1, 0.1)
    )
    rule = policy(cooldown=timedelta(hours=1))
    assert blocked(spans, rule) == [False, True, False, True, True, False]


def test_each_value_has_a_breaker_of_its_own(calls):
    """A looping tenant must not stop the others; calls outside `where` are not watched."""
    spans = traffic(
        calls,
        (0, 1, 1.0),
        (1, 1, 0.5),
        (2, 1, 0.25),
        (3, 1, 0.125),
        tenant=["acme", "globex", "acme", "acme"],
        feature=["faq", "faq", "faq", "code"],
    )
    outcome = simulate_breaker(spans, policy(each="tenant", where={"feature": "faq"}))
    columns = ("tenant", "call_count", "blocked_count", "saved_usd", "spend_usd")
    assert outcome.select(columns).rows() == [("acme", 2, 1, 0.25, 1.0), ("globex", 1, 0, 0.0, 0.5)]


def test_what_a_breaker_did_is_told_with_its_price(calls):
    """Failed and runaway calls are no loss; the delay is from the first runaway call to the first block."""
    spans = traffic(
        calls,
        (0, 1, 0.5),
        (10, 1, 0.5),
        (20, 1, 0.25),
        (21, 1, None),
        (22, 1, 0.0625),
        is_error=[False, False, False, False, True],
    ).with_columns(loops=pl.Series([False, True, True, False, False]))
    row = simulate_breaker(spans, policy(), runaway="loops").row(0, named=True)
    assert row == {
        "call_count": 5,
        "unpriced_count": 1,
        "spend_usd": 1.0,
        "blocked_count": 3,
        "blocked_good_count": 1,
        "saved_usd": 0.3125,
        "blocked_unpriced_count": 1,
        "opened_count": 1,
        "overshoot_usd": 0.0,
        "first_blocked_at": MONDAY + timedelta(minutes=20),
        "runaway_count": 2,
        "blocked_runaway_count": 1,
        "detection_delay_s": 600.0,
    }


def test_a_call_dearer_than_its_reservation_overshoots_and_is_told(calls):
    """The limit is only as true as `reserve_usd`."""
    outcome = simulate_breaker(traffic(calls, (0, 1, 0.5), (1, 1, 0.75)), policy())
    assert outcome["overshoot_usd"].to_list() == [0.25]


def test_without_calls_there_are_no_breakers(calls):
    """An empty day is simulated like any other."""
    spans = traffic(calls, (0, 1, 0.5)).clear()
    assert simulate_breaker(spans, policy(each="tenant")).height == 0
    assert breaker_decisions(spans, policy(window="day")).height == 0


def test_every_engine_gives_the_same_answer(engine, calls):
    """The order of the rows must not matter, which SQL engines do not keep."""
    rows = [(minute % 50, minute % 7, (minute % 5) / 10) for minute in range(200)]
    spans = traffic(calls, *rows, tenant=[("acme", "globex", None)[row % 3] for row in range(200)])
    rule = policy(each="tenant", cooldown=timedelta(minutes=5))
    expected, found = simulate_breaker(spans, rule), simulate_breaker(engine(spans), rule)
    assert expected["blocked_count"].sum() > 20
    assert found.rows() == expected.rows()


def call_by_call(spans, rule):
    """The decisions of a breaker that walks through every call, one after the other."""
    limits = Limits(round(rule.limit_usd * 1e9), round(rule.cooldown.total_seconds() * 1e6))
    states, pending, decisions = {}, [], []
    for call in spans.sort("started_at", "trace_id", "span_id").to_dicts():
        at = round(call["started_at"].timestamp() * 1e6)
        for ended, key, hold, cost in sorted(pending, key=lambda entry: entry[0]):
            if ended <= at:
                settle(states[key], limits, hold, ended, cost)
                pending = [entry for entry in pending if entry[2] is not hold]
        state = states.setdefault(call["tenant"], BreakerState())
        if rule.window == "day":
            start = round(call["started_at"].replace(hour=0, minute=0, second=0).timestamp() * 1e6)
        else:
            start = at - 3_600_000_000
        hold = reserve(state, limits, at, start, round(rule.reserve_usd * 1e9))
        decisions.append((call["span_id"], hold is None))
        cost = None if call["cost_usd"] is None else round(call["cost_usd"] * 1e9)
        if hold is not None and (call["ended_at"] is None or call["ended_at"] <= call["started_at"]):
            settle(state, limits, hold, at, cost)
        elif hold is not None:
            pending.append((round(call["ended_at"].timestamp() * 1e6), call["tenant"], hold, cost))
    return sorted(decisions)


CALLS = st.lists(
    st.tuples(
        st.integers(0, 60 * 60 * 30),
        st.one_of(st.none(), st.integers(0, 4000)),
        st.one_of(st.none(), st.integers(0, 300)),
        st.sampled_from(["acme", "globex", None]),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(
    rows=CALLS,
    limit=st.integers(1, 40),
    reserve_usd=st.sampled_from([0.01, 0.1, 1.0]),
    window=st.sampled_from(["rolling 1h", "day"]),
    cooldown=st.sampled_from([0, 60, 7200]),
)
def test_skipping_quiet_stretches_changes_no_decision(rows, limit, reserve_usd, window, cooldown):
    """It is why a million calls take a second; it must be the walk through all of them, to the last call."""
    starts = [MONDAY + timedelta(seconds=second) for second, _, _, _ in rows]
    spans = pl.DataFrame(
        {
            "trace_id": "t",
            "span_id": [f"s{row:03}" for row in range(len(rows))],
            "is_model_call": True,
            "is_error": False,
            "started_at": starts,
            "ended_at": [
                None if took is None else start + timedelta(seconds=took)
                for start, (_, took, _, _) in zip(starts, rows, strict=True)
            ],
            "cost_usd": [None if cents is None else cents / 100 for _, _, cents, _ in rows],
            "tenant": [tenant for *_, tenant in rows],
        },
        schema_overrides={
            "cost_usd": pl.Float64,
            "tenant": pl.String,
            "ended_at": pl.Datetime("us", "UTC"),
        },
    )
    rule = policy(
        limit_usd=limit / 4,
        reserve_usd=reserve_usd,
        window=window,
        each="tenant",
        cooldown=timedelta(seconds=cooldown),
    )
    found = breaker_decisions(spans, rule)
    assert sorted(found.select("span_id", "is_blocked").rows()) == call_by_call(spans, rule)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), limit=st.integers(1, 20))
def test_no_window_holds_more_than_its_limit_where_reservations_are_true(seed, limit):
    """The promise of reserve-then-settle, whatever runs at once."""
    draw = np.random.default_rng(seed)
    starts = np.sort(draw.integers(0, 86_400, 300))
    spans = pl.DataFrame(
        {
            "trace_id": "t",
            "span_id": [f"s{row:03}" for row in range(300)],
            "is_model_call": True,
            "is_error": False,
            "started_at": [MONDAY + timedelta(seconds=int(second)) for second in starts],
            "ended_at": [
                MONDAY + timedelta(seconds=int(s + d))
                for s, d in zip(starts, draw.integers(0, 3000, 300), strict=True)
            ],
            "cost_usd": draw.integers(0, 101, 300) / 100,
        }
    )
    rule = policy(limit_usd=limit, reserve_usd=1)
    outcome = simulate_breaker(spans, rule)
    assert outcome["overshoot_usd"].to_list() == [0.0]
    let_through = breaker_decisions(spans, rule).filter(~pl.col("is_blocked"))
    in_an_hour = let_through.rolling("started_at", period="1h", closed="both").agg(pl.col("cost_usd").sum())
    assert in_an_hour["cost_usd"].max() <= limit + 1e-9
