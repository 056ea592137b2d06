"""Spikes: the planted ones are found, quiet months are quiet, and what is unknown is not judged."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from llmops_lib.demo import write_demo
from llmops_lib.demo.quiet import quiet_calls
from llmops_lib.errors import LlmopsError, MissingColumnError
from llmops_lib.frames import collected
from llmops_lib.measures.spike_coverage import spike_coverage
from llmops_lib.measures.spikes import spend_spikes
from llmops_lib.periods import Period
from llmops_lib.pricing import price_calls
from llmops_lib.sources.load import load_traces

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)


def spent(costs, *, tenant="acme", start=MONDAY, every=timedelta(days=1), at=timedelta(hours=12)):
    """Calls of one tenant at even intervals, one per cost."""
    return pl.DataFrame(
        {
            "is_model_call": True,
            "started_at": [start + at + every * place for place in range(len(costs))],
            "tenant": tenant,
            "feature": "chat",
            "cost_usd": pl.Series(costs, dtype=pl.Float64),
            "input_tokens": 100,
            "output_tokens": 10,
        }
    )


STEADY = [1.0, 1.1, 0.9, 1.0, 1.2, 0.8, 1.0]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The synthetic export as `llmops demo` writes it, priced, and its planted runaway."""
    facts = write_demo(tmp_path_factory.mktemp("demo") / "demo.jsonl", calls_per_week=8000)
    calls = price_calls(load_traces(facts.path))
    return calls, next(event for event in facts.events if event.name == "cost_runaway")


def test_the_planted_runaway_is_found_and_nothing_else(demo):
    """Six weeks, thirty groups, one runaway: an alarm that is not it would be a false one."""
    calls, runaway = demo
    found = spend_spikes(calls)
    assert found.select("tenant", "feature").rows() == [(runaway.where["tenant"], runaway.where["feature"])]
    assert runaway.start <= found["started_at"].item() < runaway.end
    assert found["spend_usd"].item() > 10 * found["expected_usd"].item()


def test_the_planted_runaway_is_found_within_the_first_day_it_shows(demo):
    """Found after the money is gone would be a report, not an alarm: the data ends hours into the event."""
    calls, runaway = demo
    seen = calls.filter(pl.col("started_at") < runaway.start + timedelta(hours=3))
    found = spend_spikes(seen).filter(tenant=runaway.where["tenant"], feature=runaway.where["feature"])
    assert found["started_at"].item().date() == runaway.start.date()
    assert found["detected_at"].item() < runaway.start + timedelta(hours=3)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_runaway_of_a_small_export_is_found_by_the_end_of_its_day(tmp_path, seed):
    """A tenth of the traffic: the group makes five calls a day and is judged by the day."""
    facts = write_demo(tmp_path / "demo.jsonl", seed=seed, calls_per_week=1500)
    runaway = next(event for event in facts.events if event.name == "cost_runaway")
    midnight = runaway.start.replace(hour=0) + timedelta(days=1)
    calls = price_calls(load_traces(facts.path)).filter(pl.col("started_at") < midnight)
    found = spend_spikes(calls)
    assert (runaway.where["tenant"], runaway.where["feature"]) in found.select("tenant", "feature").rows()


def test_quiet_months_raise_at_most_the_stated_number_of_alarms():
    """60 groups, several seeds, cold and warm: the rate is what the docstring promises."""
    stated = 0.02
    alarms = judged_weeks = 0
    for seed in range(1, 5):
        calls = quiet_calls(seed, weeks=8)
        first_month = calls.filter(pl.col("started_at") < MONDAY + timedelta(weeks=4))
        second = Period.days(date(2026, 11, 2), date(2026, 11, 30))
        alarms += spend_spikes(first_month, false_alarms_per_week=stated).height
        alarms += spend_spikes(calls, period=second, false_alarms_per_week=stated).height
        judged_weeks += 60 * (3 + 4)
    assert alarms <= stated * judged_weeks


def test_a_rate_that_allows_more_alarms_raises_no_fewer():
    """The dial turns the right way."""
    calls = quiet_calls(3, weeks=6)
    counts = [
        spend_spikes(calls, false_alarms_per_week=rate, least_excess_usd=0).height
        for rate in (0.01, 0.03, 0.1)
    ]
    assert counts == sorted(counts)
    assert counts[-1] > 0


def test_answer_is_the_same_on_every_engine(engine):
    """The engine sums by hour; the rest is the same numbers."""
    calls = spent([*STEADY * 5, 40.0])
    found = spend_spikes(engine(calls))
    assert found.equals(spend_spikes(calls))
    assert found.height == 1


def test_effects_add_up_to_the_excess():
    """More calls, longer ones, dearer tokens: each gets its part and nothing is left over."""
    usual = spent(STEADY * 5)
    loop = pl.concat(
        [spent([8.0], start=MONDAY + timedelta(days=35), at=timedelta(hours=hour)) for hour in (3, 4)]
    )
    found = spend_spikes(pl.concat([usual, loop.with_columns(input_tokens=pl.lit(500))]))
    row = found.row(0, named=True)
    effects = [row[f"{name}_effect_usd"] for name in ("volume", "tokens", "price")]
    assert sum(effects) == pytest.approx(row["excess_usd"])
    assert all(effect > 0 for effect in effects)


def test_more_calls_of_the_same_kind_are_a_volume_effect_only():
    """A hand-worked case: ten times the calls at the same tokens and price."""
    usual = spent([1.0] * 35)
    burst = pl.concat(
        [spent([1.0], start=MONDAY + timedelta(days=35), at=timedelta(hours=hour)) for hour in range(10)]
    )
    row = spend_spikes(pl.concat([usual, burst])).row(0, named=True)
    assert row["excess_usd"] == pytest.approx(9.0)
    assert row["volume_effect_usd"] == pytest.approx(9.0)
    assert row["tokens_effect_usd"] == pytest.approx(0.0)
    assert row["price_effect_usd"] == pytest.approx(0.0, abs=1e-12)


def test_a_new_group_is_not_judged_in_its_first_week():
    """A launch is no spike: there is nothing yet that it could have left."""
    old = spent(STEADY * 5)
    new = spent([1.0, 2.0, 80.0], tenant="new", start=MONDAY + timedelta(days=32))
    calls = pl.concat([old, new])
    assert spend_spikes(calls).is_empty()
    assert (
        spike_coverage(calls).filter(tenant="new")["reason"].item() == "new: 2 days of history, 7 are needed"
    )


def test_a_day_that_was_not_recorded_is_no_day_without_spend():
    """A week of lost data before a normal day must not make the normal day a spike, nor vanish silently."""
    busy = quiet_calls(5, tenants=2, features=2, weeks=6)
    lost_from, lost_to = MONDAY + timedelta(days=31), MONDAY + timedelta(days=36)
    holed = busy.filter(~pl.col("started_at").is_between(lost_from, lost_to, closed="left"))
    assert spend_spikes(holed).rows() == spend_spikes(busy).rows() == []
    assert spike_coverage(holed)["unknown_hour_count"].min() >= 5 * 24 - 24


def test_zeros_between_calls_are_zeros():
    """A group that calls on Mondays only is expected to spend nothing on a Tuesday."""
    others = spent([0.01] * 36, tenant="others")
    mondays = spent([5.0] * 5, every=timedelta(days=7))
    tuesday = spent([30.0], start=MONDAY + timedelta(days=29))
    calm = pl.concat([others, mondays])
    assert spend_spikes(calm).is_empty()
    found = spend_spikes(
        pl.concat([calm, tuesday, spent([30.0], start=MONDAY + timedelta(days=29, hours=2))])
    )
    assert found.select("tenant", "expected_usd").rows() == [("acme", 0.0)]


def test_a_group_without_any_known_cost_is_said_to_be_unwatched():
    """Null is unknown and not zero."""
    calls = spent([None] * 36)
    assert spend_spikes(calls).is_empty()
    assert spike_coverage(calls).select("detector", "reason").rows() == [(None, "no call has a known cost")]


def test_costs_that_become_known_are_told_apart_from_spend_that_rises():
    """A model gets its price in the last week: the days before are unknown, so nothing is claimed."""
    found = spend_spikes(spent([*[None] * 28, *[3.0] * 8]))
    assert found.is_empty()


def test_unpriced_calls_of_a_spike_are_counted_and_compared():
    """The spend of such a spike is a lower bound, and a reader must see it."""
    half = [cost for cost in STEADY * 5 for cost in (cost, None)]
    usual = spent(half, every=timedelta(hours=12), at=timedelta(0))
    burst = spent([20.0, 20.0, None], start=MONDAY + timedelta(days=35), every=timedelta(hours=1))
    row = spend_spikes(pl.concat([usual, burst])).row(0, named=True)
    assert row["unpriced_count"] == 1
    assert row["unpriced_share_before"] == pytest.approx(0.5)


def test_the_last_day_counts_as_far_as_it_has_come():
    """At noon half of the day's money is gone; waiting for midnight would lose the other half."""
    calls = pl.concat(
        [spent(STEADY * 5), spent([40.0], start=MONDAY + timedelta(days=35), at=timedelta(hours=2))]
    )
    row = spend_spikes(calls).row(0, named=True)
    assert row["is_partial"]
    assert row["detected_at"] == MONDAY + timedelta(days=35, hours=2)


def test_a_quiet_start_of_the_last_day_raises_nothing():
    """A day that has hardly begun is not low, it is not over; and low is no alarm anyway."""
    calls = pl.concat([spent(STEADY * 5), spent([0.01], start=MONDAY + timedelta(days=35), at=timedelta(0))])
    assert spend_spikes(calls).is_empty()


def test_period_judges_its_days_and_knows_nothing_of_later_ones():
    """Replaying last week must give what last week knew."""
    calls = spent([*STEADY * 5, 40.0, *STEADY])
    spike_on = date(2026, 11, 9)
    before = Period.days(spike_on - timedelta(days=7), spike_on)
    assert spend_spikes(calls, period=before).is_empty()
    found = spend_spikes(calls, period=Period.days(spike_on, spike_on + timedelta(days=1)))
    assert found["started_at"].to_list() == [datetime(2026, 11, 9, tzinfo=UTC)]


def test_spikes_less_than_a_day_apart_are_one():
    """Three bad days are one event with one message."""
    calls = spent([*STEADY * 5, 40.0, 50.0, 60.0])
    row = spend_spikes(calls).row(0, named=True)
    assert (row["ended_at"] - row["started_at"], row["spend_usd"]) == (timedelta(days=3), 150.0)


def test_small_money_raises_no_alarm():
    """From a tenth of a cent to ten is a hundredfold and no news."""
    assert spend_spikes(spent([cost / 1000 for cost in [*STEADY * 5, 100.0]])).is_empty()


def test_a_null_key_is_a_group():
    """Calls without a tenant run away too."""
    calls = spent([*STEADY * 5, 40.0]).with_columns(tenant=pl.lit(None, pl.String))
    assert spend_spikes(calls)["tenant"].to_list() == [None]


def test_no_groups_at_all_watch_the_whole():
    """`by=()` is the total."""
    assert spend_spikes(spent([*STEADY * 5, 40.0]), by=()).height == 1


def test_no_calls_give_no_spikes(engine):
    """An empty week is reported like any other."""
    empty = engine(spent([1.0]).clear())
    assert spend_spikes(empty).rows() == spike_coverage(empty).rows() == []


@pytest.mark.parametrize("rate", [0, 0.5, -1, float("nan")])
def test_a_rate_without_measured_thresholds_is_refused(rate):
    """A promise that nobody measured would be none."""
    with pytest.raises(LlmopsError, match=r"0\.01"):
        spend_spikes(spent([1.0]), false_alarms_per_week=rate)


def test_spend_must_be_priced_first():
    """The message says what to do."""
    with pytest.raises(MissingColumnError, match="price_calls"):
        spend_spikes(spent([1.0]).drop("cost_usd"))


def test_rows_in_any_order_give_the_same_spikes():
    """An export has no order that can be relied on."""
    calls = quiet_calls(2, tenants=2, features=2, weeks=5)
    wild = pl.concat([calls, calls.tail(300)])
    shuffled = wild.sample(fraction=1, shuffle=True, seed=1)
    assert collected(spend_spikes(shuffled)).equals(spend_spikes(wild))
    assert np.isfinite(spend_spikes(wild)["excess_usd"].to_numpy()).all()
