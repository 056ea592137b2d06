"""When budgets would have warned and stopped."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib import (
    BreakerPolicy,
    Budget,
    budget_backtest,
    budget_status,
    load_traces,
    price_calls,
    simulate_breaker,
    write_demo,
)
from llmops_lib.demo.planted import RUNAWAY_FEATURE, RUNAWAY_TENANT, Calendar
from llmops_lib.periods import Period

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


def at(day=0, hour=0, minute=0):
    """A moment of the week of the tests."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def budget(**fields):
    """A budget of a dollar a day, but for what a test cares about."""
    plain = {"name": "test", "window": "day"} | ({} if "limit_tokens" in fields else {"limit_usd": 1})
    return Budget(**(plain | fields))


def test_the_calls_that_reach_a_share_are_named_by_their_time(calls):
    """And what came after the stop is what a stop could have saved at most."""
    spans = calls(
        started_at=[at(0, 9), at(0, 10), at(0, 11), at(0, 12), at(1, 9)],
        cost_usd=[0.5, 0.375, 0.25, 2.0, 0.5],
    )
    past = budget_backtest(spans, [budget()])
    columns = ("window_start_at", "spent_share", "state", "warned_at", "stopped_at", "after_stop_usd")
    assert past.select(columns).rows() == [
        (at(0), 3.125, "stop", at(0, 10), at(0, 11), 2.0),
        (at(1), 0.5, "ok", None, None, 0.0),
    ]


def test_each_value_has_its_windows(calls):
    """Windows in order, the fullest first; calls of nobody are shown and not judged."""
    spans = calls(
        started_at=[at(0, 9), at(0, 10), at(0, 11), at(7, 9)],
        tenant=["acme", "globex", None, "acme"],
        cost_usd=[0.25, 0.9, 5.0, None],
    )
    past = budget_backtest(spans, [budget(each="tenant", window="week")])
    assert past.select("tenant", "spent_share", "state", "unknown_count").rows() == [
        ("globex", 0.9, "warn", 0),
        ("acme", 0.25, "ok", 0),
        (None, None, "unknown", 0),
        ("acme", None, "unknown", 1),
    ]


def test_a_rolling_budget_is_told_by_the_day(calls):
    """The window of 01:00 reaches back into the evening before."""
    spans = calls(started_at=[at(0, 22), at(1, 1), at(1, 23)], cost_usd=[0.5, 0.5, 0.25])
    past = budget_backtest(spans, [budget(window="rolling 24h")])
    assert past.select("window_start_at", "spent_share", "stopped_at").rows() == [
        (at(0), 0.5, None),
        (at(1), 1.0, at(1, 1)),
    ]


def test_a_call_of_exactly_a_day_ago_is_in_a_rolling_day(calls):
    """As in the status of a budget and in a breaker."""
    spans = calls(started_at=[at(0, 9), at(1, 9)], cost_usd=[0.5, 0.5])
    own = [budget(window="rolling 24h")]
    assert budget_backtest(spans, own)["stopped_at"].to_list() == [None, at(1, 9)]
    assert budget_status(spans, own)["spent_usd"].to_list() == [1.0]


def test_tokens_and_the_moment_to_look_from(calls):
    """Later calls are left out."""
    spans = calls(started_at=[at(0, 9), at(0, 10)], input_tokens=[80, 50], output_tokens=[10, None])
    past = budget_backtest(spans, [budget(limit_tokens=100)], at=at(0, 9))
    assert past.select("call_count", "spent_tokens", "spent_usd", "state").rows() == [(1, 90, None, "warn")]


def test_without_calls_there_is_no_past(calls):
    """Nothing to look back on is no error."""
    spans = calls(tenant=["acme"], cost_usd=[1.0])
    assert budget_backtest(spans, [budget(where={"tenant": "other"})]).height == 0
    assert budget_backtest(spans.clear(), [budget()]).height == 0


def test_every_engine_gives_the_same_answer(engine, calls):
    """The order of the rows must not matter, which SQL engines do not keep."""
    rows = range(300)
    spans = calls(
        started_at=[at(-9, row % 240, row % 50) for row in rows],
        tenant=[("acme", "globex", None)[row % 3] for row in rows],
        cost_usd=[None if row % 11 == 0 else row % 7 / 16 for row in rows],
    )
    budgets = [budget(each="tenant", timezone="Asia/Kolkata"), budget(window="rolling 6h")]
    expected = budget_backtest(spans, budgets)
    assert set(expected["state"]) == {"ok", "warn", "stop", "unknown"}
    assert budget_backtest(engine(spans), budgets).rows() == expected.rows()


@settings(max_examples=15, deadline=None)
@given(
    calls_made=st.lists(
        st.tuples(st.integers(0, 4000), st.one_of(st.none(), st.integers(0, 40))), min_size=1, max_size=30
    ),
    window=st.sampled_from(["day", "week", "month"]),
)
def test_the_last_window_is_that_of_the_status(calls_made, window):
    """Two roads to one number, and to one state."""
    spans = pl.DataFrame(
        {
            "is_model_call": True,
            "started_at": [at(0, 0, 7 * minute) for minute, _ in calls_made],
            "cost_usd": [None if cost is None else cost / 64 for _, cost in calls_made],
            "input_tokens": 1,
            "output_tokens": 1,
        },
        schema_overrides={"cost_usd": pl.Float64},
    )
    own = [budget(window=window, timezone="Europe/Berlin")]
    columns = ["window_start_at", "window_end_at", "call_count", "unknown_count", "spent_usd", "state"]
    past, now = budget_backtest(spans, own).tail(1), budget_status(spans, own)
    assert past.select(columns).rows() == now.select(columns).rows()
    assert past["spent_share"].item() == pytest.approx(now["spent_share"].item())


def test_eight_times_ten_cents_reach_four_fifths_of_a_dollar(calls):
    """Floats that add up to 0.7999999999999999 must not be late."""
    spans = calls(started_at=[at(0, hour) for hour in range(8)], cost_usd=[0.1] * 8)
    assert budget_backtest(spans, [budget()])["warned_at"].to_list() == [at(0, 7)]
    assert budget_status(spans, [budget()])["state"].to_list() == ["warn"]


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """The synthetic export with its planted runaway, priced, and its looping calls marked."""
    path = tmp_path_factory.mktemp("demo") / "export.jsonl"
    write_demo(path, weeks=4, calls_per_week=1500)
    runaway = Calendar(Period.week("2026-W46"), 4).cost_runaway
    is_planted = (pl.col(name) == value for name, value in runaway.where.items())
    is_then = pl.col("started_at").is_between(runaway.start, runaway.end, closed="left")
    spans = price_calls(load_traces(path)).with_columns(is_loop=pl.all_horizontal(is_then, *is_planted))
    return spans.filter(pl.col("feature") == RUNAWAY_FEATURE), runaway


def dearest_day_usd(spans, runaway):
    """What the feature cost a tenant on the dearest day before the runaway."""
    days = budget_backtest(spans, [budget(each="tenant")])
    return days.filter(pl.col("window_end_at") <= runaway.start)["spent_usd"].max()


def test_the_planted_runaway_is_stopped_within_hours(month):
    """Simulated data; a budget of twice the dearest day of any tenant stops that tenant alone."""
    spans, runaway = month
    limit_usd = 2 * dearest_day_usd(spans, runaway)
    past = budget_backtest(spans, [budget(each="tenant", limit_usd=limit_usd)])
    stopped = past.filter(pl.col("state") == "stop")
    assert stopped["tenant"].to_list() == [RUNAWAY_TENANT]
    assert runaway.start < stopped["stopped_at"].item() < runaway.end
    assert stopped["after_stop_usd"].item() > 0


def test_a_breaker_stops_the_planted_runaway_and_no_other_tenant(month):
    """Simulated data; the same limit, held call by call, and what it spares."""
    spans, runaway = month
    policy = BreakerPolicy(
        limit_usd=2 * dearest_day_usd(spans, runaway),
        window="day",
        reserve_usd=spans["cost_usd"].max(),
        each="tenant",
        cooldown=timedelta(hours=2),
    )
    outcome = simulate_breaker(spans, policy, runaway="is_loop")
    hit = outcome.row(0, named=True)
    loop_usd = spans.filter("is_loop")["cost_usd"].sum()
    assert hit["tenant"] == RUNAWAY_TENANT
    assert hit["saved_usd"] > loop_usd / 4
    assert 0 < hit["detection_delay_s"] < 9 * 3600
    assert hit["overshoot_usd"] == 0
    assert outcome["blocked_count"].to_list()[1:] == [0] * 5
