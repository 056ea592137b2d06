"""What of a budget is spent, and what is to be expected."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib import Budget, LlmopsError, budget_status

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


def at(day=0, hour=0, minute=0):
    """A moment of the week of the tests."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def budget(**fields):
    """A budget of a dollar a day, but for what a test cares about."""
    plain = {"name": "test", "window": "day"} | ({} if "limit_tokens" in fields else {"limit_usd": 1})
    return Budget(**(plain | fields))


def test_what_counts_is_what_started_in_the_window_and_not_later(calls):
    """Yesterday's calls are on yesterday's budget, and `at` is a look into the past."""
    spans = calls(started_at=[at(-1, 23), at(0, 0), at(0, 8), at(0, 9)], cost_usd=[8.0, 0.25, 0.125, 4.0])
    status = budget_status(spans, [budget()], at=at(0, 8))
    assert status.select("call_count", "spent_usd", "spent_share", "state").rows() == [
        (2, 0.375, 0.375, "ok")
    ]


def test_the_last_call_is_the_moment_where_none_is_given(calls):
    """The same table gives the same answer tomorrow."""
    spans = calls(started_at=[at(0, 8), at(1, 9)], cost_usd=[0.5, 0.25])
    status = budget_status(spans, [budget()])
    assert status.select("window_start_at", "spent_usd").rows() == [(at(1), 0.25)]


def test_a_rolling_window_ends_now(calls):
    """Nine in the evening looks back to nine in the evening."""
    spans = calls(started_at=[at(0, 20), at(0, 22), at(1, 21)], cost_usd=[8.0, 0.25, 0.5])
    status = budget_status(spans, [budget(window="rolling 24h")])
    assert status.select("window_end_at", "spent_usd", "forecast_share").rows() == [(at(1, 21), 0.75, None)]


@pytest.mark.parametrize(
    ("cost_usd", "state"), [(0.79, "ok"), (0.8, "warn"), (0.99, "warn"), (1.0, "stop"), (7.0, "stop")]
)
def test_states_begin_at_their_shares(calls, cost_usd, state):
    """A limit that is reached is over."""
    assert budget_status(calls(cost_usd=[cost_usd]), [budget()])["state"].to_list() == [state]


def test_an_unknown_cost_is_counted_and_not_zero(calls):
    """What is spent is then a lower bound, and where nothing is known, so is the state."""
    spans = calls(tenant=["acme", "acme", "globex"], cost_usd=[0.25, None, None])
    status = budget_status(spans, [budget(each="tenant")])
    assert status.select("tenant", "spent_usd", "spent_share", "state", "unknown_count").rows() == [
        ("acme", 0.25, 0.25, "ok", 1),
        ("globex", None, None, "unknown", 1),
    ]


def test_tokens_are_input_and_output(calls):
    """The spend in dollars stands beside them."""
    spans = calls(input_tokens=[100, None, None], output_tokens=[20, 30, None], cost_usd=[0.5, 0.25, 0.125])
    status = budget_status(spans, [budget(limit_tokens=200)])
    columns = ("spent_tokens", "spent_usd", "limit_tokens", "limit_usd", "spent_share", "unknown_count")
    assert status.select(columns).rows() == [(150, 0.875, 200, None, 0.75, 1)]


def test_each_value_has_the_limit_to_itself(calls):
    """And a budget is about the calls that its `where` names."""
    spans = calls(
        tenant=["acme", "globex", "globex", "globex"],
        feature=["faq", "faq", "faq", "code"],
        cost_usd=[0.25, 0.5, 0.5, 8.0],
    )
    status = budget_status(spans, [budget(where={"feature": "faq"}, each="tenant")])
    assert status.select("tenant", "feature", "spent_share", "state").rows() == [
        ("globex", "faq", 1.0, "stop"),
        ("acme", "faq", 0.25, "ok"),
    ]


def test_calls_that_name_no_value_are_a_row_of_their_own(calls):
    """Nobody knows whose limit they count against, and nothing is dropped."""
    status = budget_status(calls(user_id=["ann", None], cost_usd=[0.5, 8.0]), [budget(each="user_id")])
    assert status.select("user_id", "spent_usd", "spent_share", "state").rows() == [
        ("ann", 0.5, 0.5, "ok"),
        (None, 8.0, None, "unknown"),
    ]


def test_a_value_without_calls_today_has_spent_nothing(calls):
    """Zero is zero: it was seen last week."""
    spans = calls(started_at=[at(-7), at(0)], tenant=["acme", "globex"], cost_usd=[8.0, 0.25])
    status = budget_status(spans, [budget(where={"tenant": "acme"})])
    assert status.select("call_count", "spent_usd", "state").rows() == [(0, 0.0, "ok")]


def test_a_scope_that_no_call_has_is_unknown(calls):
    """A misspelt tenant would otherwise be within its budget for ever."""
    spans = calls(tenant=["acme"], cost_usd=[0.25])
    status = budget_status(
        spans, [budget(where={"tenant": "acmee"}), budget(where={"tenant": "a"}, each="model")]
    )
    assert status.select("tenant", "state").rows() == [("acmee", "unknown"), ("a", "unknown")]


def test_budgets_without_any_call_are_still_listed(calls):
    """An empty export must not read as all is well."""
    status = budget_status(calls(cost_usd=[1.0]).clear(), [budget(), budget(limit_tokens=5, each="model")])
    assert status.select("budget", "state", "limit_usd", "limit_tokens").rows() == [
        ("test", "unknown", 1.0, None),
        ("test", "unknown", None, 5),
    ]


def test_spans_that_are_no_model_calls_do_not_count(calls):
    """A parent that repeats the usage of its children would double the spend."""
    spans = calls(is_model_call=[True, False], cost_usd=[0.25, 0.25])
    assert budget_status(spans, [budget()])["spent_usd"].to_list() == [0.25]


def test_every_engine_gives_the_same_answer(engine, calls):
    """A store is read lazily, and DuckDB users keep theirs; the small result is polars."""
    rows = range(400)
    spans = calls(
        started_at=[at(-28) + timedelta(hours=2 * row, minutes=row % 60) for row in rows],
        tenant=[("acme", "globex", None)[row % 3] for row in rows],
        cost_usd=[None if row % 11 == 0 else row % 7 / 16 for row in rows],
        input_tokens=list(rows),
    )
    budgets = [
        budget(window="month", limit_usd=100),
        budget(each="tenant", window="week", timezone="Asia/Kathmandu"),
        budget(limit_tokens=900, window="rolling 36h"),
    ]
    found = budget_status(engine(spans), budgets)
    assert isinstance(found, pl.DataFrame)
    assert found["state"].to_list() == ["ok", "stop", "stop", "unknown", "stop"]
    expected = budget_status(spans, budgets)
    for name in expected.columns:
        values = expected[name].to_list()
        assert found[name].to_list() == (
            pytest.approx(values) if expected[name].dtype == pl.Float64 else values
        )


def test_table_without_costs_says_what_to_call(calls):
    """The usual first mistake."""
    with pytest.raises(LlmopsError, match="price_calls"):
        budget_status(calls(cost_usd=[1.0]).drop("cost_usd"), [budget()])


@pytest.mark.parametrize(
    ("given", "at_moment", "said"),
    [
        ("budgets.yaml", None, "found a str, expected a list of Budget; load_budgets"),
        (budget(), None, "found a Budget, expected a list"),
        ([{"name": "x"}], None, "found a dict"),
        ([budget()], datetime(2026, 11, 9), "without a zone"),  # noqa: DTZ001 - what is refused
    ],
)
def test_what_are_no_budgets_or_no_moment_is_refused(calls, given, at_moment, said):
    """A path for a list, and a time that could be anywhere."""
    with pytest.raises(LlmopsError, match=said):
        budget_status(calls(cost_usd=[1.0]), given, at=at_moment)


def steady(calls, days, per_day=8, cost_usd=0.5):
    """Days of calls every three hours."""
    step = timedelta(days=1) / per_day
    starts = [at(-days) + step * row for row in range(days * per_day)]
    return calls(started_at=starts, cost_usd=[cost_usd] * len(starts))


def test_a_steady_rate_is_forecast_to_go_on(calls):
    """Four dollars a day: seven days of a week are 28, whatever part of it is over."""
    status = budget_status(steady(calls, 30), [budget(window="week", limit_usd=56, each=())], at=at(-3))
    low, mid, high = status.select("forecast_low_share", "forecast_share", "forecast_high_share").row(0)
    assert mid == pytest.approx(0.5, abs=0.01)
    assert low <= mid <= high


def test_the_limit_is_expected_when_the_rate_reaches_it(calls):
    """18 of 28 dollars are spent at noon of a Friday; four a day reach 20 half a day later."""
    status = budget_status(steady(calls, 31), [budget(window="week", limit_usd=20)], at=at(-3, 11, 59))
    assert status["spent_usd"].to_list() == [18.0]
    assert abs(status["limit_at"].item() - at(-2)) < timedelta(hours=3)


@pytest.mark.parametrize(("hour", "spent_usd"), [(6, 1.0), (23, 0.0)])
def test_the_rest_of_a_day_is_expected_as_that_of_other_days(calls, hour, spent_usd):
    """A nightly job is still to come at noon, and a morning one is not."""
    spans = calls(started_at=[at(day, hour) for day in range(-30, 1)], cost_usd=[1.0] * 31)
    status = budget_status(spans, [budget(limit_usd=10)], at=at(0, 12))
    assert status["spent_usd"].item() == spent_usd
    assert status["forecast_share"].item() == pytest.approx(0.1)


def test_a_limit_already_reached_has_no_expected_time(calls):
    """It is a fact then, and the window shows it."""
    status = budget_status(steady(calls, 30), [budget(window="month", limit_usd=5)], at=at(-1))
    assert status.select("state", "limit_at").rows() == [("stop", None)]


def test_less_than_a_week_of_history_forecasts_nothing(calls):
    """Null is unknown."""
    status = budget_status(steady(calls, 6), [budget(window="month", limit_usd=500)], at=at(-1))
    assert status.select("spent_usd", "forecast_share", "limit_at").rows() == [(20.5, None, None)]


def test_quiet_weekends_are_expected_to_be_quiet(calls):
    """On a Friday evening, a week of working days is over."""
    days = [day for day in range(-42, 0) if at(day).weekday() < 5]
    spans = calls(started_at=[at(day, 12) for day in days], cost_usd=[1.0] * len(days))
    status = budget_status(spans, [budget(window="week", limit_usd=10)], at=at(-3, 20))
    assert status["spent_usd"].item() == 5.0
    assert status["forecast_share"].item() == pytest.approx(0.5, abs=0.01)


def test_intervals_hold_about_as_many_outcomes_as_they_say():
    """Simulated: a weekday pattern and the chance of whole calls; 80% is meant, docs say what it was."""
    draw = np.random.default_rng(7)
    weekday = np.array([1.2, 1.2, 1.2, 1.1, 1.0, 0.5, 0.4])
    series, days = 300, 49
    costs = draw.poisson(40 * np.tile(weekday, (series, days // 7))) * 0.01
    starts = [at(day - 42, 12) for day in range(days)]
    spans = pl.DataFrame(
        {
            "is_model_call": [True] * series * days,
            "tenant": [f"t{row}" for row in range(series) for _ in range(days)],
            "started_at": starts * series,
            "cost_usd": costs.ravel(),
            "input_tokens": [1] * series * days,
            "output_tokens": [1] * series * days,
        }
    )
    status = budget_status(spans, [budget(each="tenant", window="week")], at=at(0, 0)).sort("tenant")
    actual = pl.DataFrame({"tenant": [f"t{row}" for row in range(series)], "usd": costs[:, 42:].sum(axis=1)})
    truth = actual.sort("tenant")["usd"]
    held = (status["forecast_low_share"] <= truth) & (truth <= status["forecast_high_share"])
    assert 0.75 <= held.mean() <= 0.95


@settings(max_examples=25, deadline=None)
@given(
    costs=st.lists(st.one_of(st.none(), st.integers(0, 64)), min_size=1, max_size=30),
    tenants=st.lists(st.sampled_from(["a", "b", None]), min_size=30, max_size=30),
)
def test_the_parts_of_a_budget_sum_to_the_whole(costs, tenants):
    """No call is lost between the scopes, also one that names none."""
    spans = pl.DataFrame(
        {
            "is_model_call": True,
            "started_at": [at(0, 0, row) for row in range(len(costs))],
            "cost_usd": [None if cost is None else cost / 64 for cost in costs],
            "input_tokens": 1,
            "output_tokens": None,
            "tenant": tenants[: len(costs)],
        },
        schema_overrides={"cost_usd": pl.Float64, "output_tokens": pl.Int64, "tenant": pl.String},
    )
    whole, *parts = budget_status(spans, [budget(), budget(each="tenant")]).to_dicts()
    for column in ("call_count", "unknown_count", "spent_usd"):
        assert (whole[column] or 0) == sum(part[column] or 0 for part in parts)
