"""Caps on a day or two of calls, worked out by hand, and against the replay of a breaker call by call."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from llmops_lib import BreakerPolicy, CapPolicy, capped_by_day, simulate_breaker, simulate_caps, spend_strata
from llmops_lib.errors import MissingColumnError, ParameterError, PeriodError

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


@pytest.fixture
def traffic(calls):
    """Calls of one tenant, an hour apart from Monday midnight, at the costs given."""

    def build(costs, **columns):
        hours = [MONDAY + timedelta(hours=hour) for hour in range(len(costs))]
        plain = {"tenant": ["acme"] * len(costs), "started_at": hours, "cost_usd": costs}
        return calls(**(plain | columns))

    return build


def capped(table, limit, *, each="", timezone="UTC", **policy):
    """The rows of a cap."""
    return simulate_caps(spend_strata(table, timezone=timezone), CapPolicy(limit, each=each, **policy))


def test_what_comes_after_the_cap_is_refused(engine, traffic):
    """Of four dollars in four hours, two and a half pass."""
    strata = spend_strata(engine(traffic([1.0, 1.0, 1.0, 1.0])))
    row = simulate_caps(strata, CapPolicy(2.5)).row(0, named=True)
    assert (row["spend_usd_before"], row["spend_usd_after"], row["refused_usd"]) == (4.0, 2.5, 1.5)
    assert (row["capped_window_count"], row["largest_window_usd"]) == (1, 4.0)
    assert row["refused_count"] == 2


def test_each_value_has_the_whole_cap_and_each_day_a_new_one(traffic):
    """What one tenant spends is not taken from another, and midnight begins anew."""
    costs, tenants = [1.0] * 48, ["acme", None] * 24
    by_tenant = capped(traffic(costs, tenant=tenants), 10, each="tenant")
    assert by_tenant["value"].to_list() == ["acme", None]
    assert by_tenant["refused_usd"].to_list() == [4.0, 4.0]
    assert capped(traffic(costs, tenant=tenants), 10)["refused_usd"].item() == 28.0
    assert capped(traffic(costs), 10, window="week")["refused_usd"].item() == 38.0


def test_growth_is_more_of_the_same(traffic):
    """Half as much again: six dollars, of which the same cap lets the same through."""
    row = capped(traffic([1.0] * 4), 2.5, growth_share=0.5).row(0, named=True)
    assert (row["spend_usd_before"], row["spend_usd_after"]) == (6.0, 2.5)


def test_a_cap_that_is_never_reached_refuses_nothing(traffic):
    """It must cost nobody an answer."""
    row = capped(traffic([0.25, None]), 100, each="tenant").row(0, named=True)
    assert (row["refused_count"], row["capped_window_count"], row["unpriced_count"]) == (0, 0, 1)


def test_calls_of_unknown_cost_are_refused_once_the_cap_is_reached(traffic):
    """They spend nothing that is known, and a closed gate is closed for them too."""
    row = capped(traffic([None, 2.0, None, None]), 2).row(0, named=True)
    assert (row["refused_count"], row["spend_usd_after"]) == (2, 2.0)


def test_failed_calls_are_no_good_calls(traffic):
    """What is lost with a failed call is nothing."""
    row = capped(traffic([1.0] * 4, is_error=[False, False, True, False]), 2).row(0, named=True)
    assert (row["refused_count"], row["refused_good_count"]) == (2, 1)


def test_days_are_local(traffic):
    """Tokyo's Tuesday begins at three in the afternoon of UTC's Monday."""
    table = traffic([1.0] * 24)
    assert capped(table, 15)["refused_usd"].item() == 9
    assert capped(table, 15, timezone="Asia/Tokyo")["refused_usd"].item() == 0


def test_days_add_up_to_the_whole(traffic):
    """The chart by day and the table by value tell the same story."""
    strata, policy = spend_strata(traffic([0.5] * 60)), CapPolicy(8)
    days = capped_by_day(strata, policy)
    assert days["started_on"].to_list() == ["2026-11-09", "2026-11-10", "2026-11-11"]
    assert days["refused_usd"].to_list() == [4.0, 4.0, 0.0]
    assert days["passed_usd"].sum() == simulate_caps(strata, policy)["spend_usd_after"].sum()


def test_the_cap_agrees_with_a_breaker_that_is_replayed_call_by_call(calls):
    """The pre-aggregate may differ by what one window leaves unused below a call's reservation."""
    generator = np.random.default_rng(4)
    height = 2000
    started_at = [
        MONDAY + timedelta(seconds=int(second)) for second in np.sort(generator.integers(0, 432_000, height))
    ]
    table = calls(
        tenant=generator.choice(["a", "b", "c"], height).tolist(),
        started_at=started_at,
        ended_at=[at + timedelta(milliseconds=5) for at in started_at],
        cost_usd=generator.exponential(0.01, height).clip(0, 0.02).tolist(),
    )
    policy = BreakerPolicy(limit_usd=0.6, window="day", reserve_usd=0.02, each="tenant")
    replayed = simulate_breaker(table, policy).sort("tenant")
    found = capped(table, 0.6, each="tenant").sort("value")
    for row, cap in zip(replayed.iter_rows(named=True), found.iter_rows(named=True), strict=True):
        assert cap["spend_usd_after"] == pytest.approx(row["spend_usd"], abs=5 * 0.02)
        assert cap["refused_count"] == pytest.approx(row["blocked_count"], rel=0.1)


def test_no_calls_have_nothing_to_cap(traffic):
    """An empty month has no rows."""
    assert capped(traffic([1.0]).clear(), 1).is_empty()


@pytest.mark.parametrize(
    "policy",
    [
        {"limit_usd": 0},
        {"limit_usd": float("nan")},
        {"growth_share": -1},
        {"window": "year"},
        {"each": "planet"},
    ],
)
def test_a_cap_that_cannot_be_is_refused(policy):
    """A cap of nothing would refuse everything silently."""
    with pytest.raises(ParameterError):
        CapPolicy(**({"limit_usd": 1} | policy))


def test_missing_columns_dimensions_and_zones_are_named(calls, traffic):
    """The first mistakes that anyone makes."""
    with pytest.raises(MissingColumnError, match=r"Call price_calls\(\)"):
        spend_strata(calls(tenant=["a"]).drop("cost_usd"))
    with pytest.raises(PeriodError):
        spend_strata(traffic([1.0]), timezone="Mars")
    with pytest.raises(ParameterError, match="each: found 'model'"):
        simulate_caps(spend_strata(traffic([1.0]), each=["tenant"]), CapPolicy(1, each="model"))


def test_strata_hold_each_call_once_per_dimension(traffic):
    """A law: every dimension adds up to all calls."""
    strata = spend_strata(traffic([0.5, None, 0.25], tenant=["a", None, "b"]))
    sums = strata.group_by("dimension").agg(pl.col("call_count", "unpriced_count", "spend_usd").sum())
    assert set(sums.drop("dimension").rows()) == {(3, 1, 0.75)}
