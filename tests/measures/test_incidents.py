"""Incidents: what breaks is found near when it broke, quiet weeks are quiet, and all engines agree."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measures.incident_traffic import FIRST, ONSET, failing, in_incident, quiet_spans

from llmops_lib import change_points, check_calls, find_incident, find_incidents
from llmops_lib.errors import EstimateError, IncidentError, LlmopsError, MissingColumnError
from llmops_lib.signals.nearest import nearest_incident
from llmops_lib.stats.rate_shifts import rate_rises

HOUR = timedelta(hours=1)
FEATURE = pl.col("feature") == "search"


@pytest.fixture(scope="module")
def quiet():
    """Quiet weeks."""
    return quiet_spans()


@pytest.fixture(scope="module")
def burst(quiet):
    """Two in three calls of one feature fail for six hours."""
    return failing(quiet, in_incident(FEATURE))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_quiet_weeks_hold_no_incident(seed):
    """An on-call who is woken for nothing stops reading; 0.05 are expected in these two weeks."""
    assert find_incidents(quiet_spans(seed), false_alarms_per_week=0.025).is_empty()


def test_a_burst_of_one_error_class_is_one_incident_with_its_class(burst):
    """One row per episode, however many streams it moved."""
    (incident,) = find_incidents(burst).to_dicts()
    assert abs(incident["onset_at"] - ONSET) <= HOUR
    assert abs(incident["ended_at"] - ONSET - 6 * HOUR) <= HOUR
    assert incident["detected_at"] <= ONSET + 3 * HOUR
    assert {"errors", "errors: BadRequestError"} <= set(incident["metrics"])
    assert (incident["dimension"], incident["value"]) == ("feature", "search")
    assert incident["confidence"] > 0.99
    assert incident["during"] == pytest.approx(2 / 3, abs=0.15)


def test_two_troubles_three_hours_apart_are_two_incidents(quiet):
    """Refusals of one feature and then failures of one tenant have two causes and need two people."""
    refusal = pl.lit('[{"role":"assistant","content":"I am sorry, but I cannot help with that."}]')
    refused = quiet.with_columns(output=pl.when(in_incident(FEATURE)).then(refusal).otherwise("output"))
    later = in_incident(pl.col("tenant") == "globex") & (pl.col("started_at") >= ONSET + 3 * HOUR)
    found = find_incidents(failing(refused, later))
    assert found["metric"].str.head(6).to_list() == ["refusa", "errors"]
    assert found["value"].to_list() == ["search", "globex"]
    assert found["change_count"].sum() > 2


def test_what_goes_on_in_the_same_calls_is_one_incident(quiet):
    """It fails, and three hours later it is slow too: one thing got worse."""
    slow = in_incident(FEATURE) & (pl.col("started_at") >= ONSET + 3 * HOUR)
    spans = failing(quiet, in_incident(FEATURE)).with_columns(
        latency_ms=pl.when(slow).then(pl.col("latency_ms") * 6).otherwise("latency_ms")
    )
    (incident,) = find_incidents(spans).to_dicts()
    assert {"errors", "latency"} <= set(incident["metrics"])


def test_what_has_not_ended_has_no_end(quiet):
    """Null means that nobody knows yet; a made-up end would call the all-clear."""
    lasting = failing(quiet, in_incident(FEATURE, hours=200))
    assert find_incidents(lasting)["ended_at"].to_list() == [None]


def test_slow_calls_of_one_model_are_found(quiet):
    """Latency is watched as the share of slow calls, each against its own feature and model."""
    slow = in_incident(pl.col("request_model") == "large")
    slowed = quiet.with_columns(
        latency_ms=pl.when(slow).then(pl.col("latency_ms") * 4).otherwise("latency_ms")
    )
    (incident,) = find_incidents(slowed).to_dicts()
    assert (incident["metric"], incident["value"]) == ("latency", "large")
    assert abs(incident["onset_at"] - ONSET) <= HOUR


def test_spend_that_runs_away_is_found_with_its_excess_in_dollars(quiet):
    """Spend is an amount, so it is judged against the same hours of the weeks before."""
    runaway = in_incident(pl.col("tenant") == "globex")
    spans = quiet.with_columns(cost_usd=pl.when(runaway).then(pl.col("cost_usd") * 15).otherwise("cost_usd"))
    (incident,) = find_incidents(spans).to_dicts()
    assert (incident["metric"], incident["value"], incident["unit"]) == ("spend", "globex", "USD")
    excess = spans["cost_usd"].sum() - quiet["cost_usd"].sum()
    assert incident["excess"] == pytest.approx(excess, rel=0.2)


def test_refusals_are_read_from_answers(quiet):
    """No export says that an answer refuses."""
    refusal = pl.lit('[{"role":"assistant","content":"I am sorry, but I cannot help with that."}]')
    spans = quiet.with_columns(output=pl.when(in_incident(FEATURE)).then(refusal).otherwise("output"))
    assert find_incidents(spans)["metric"].to_list() == ["refusals"]


def test_scores_count_with_the_calls_of_their_trace(quiet):
    """A score knows its trace and not the feature; the incident must."""
    passed = ~in_incident(FEATURE, hours=24)
    scores = quiet.select("trace_id", "started_at", passed.alias("passed"), scorer=pl.lit("correct"))
    scores = scores.with_columns(score=pl.col("passed").cast(pl.Float64))
    incident = find_incidents(quiet, scores).row(0, named=True)
    assert (incident["metric"], incident["unit"]) == ("quality: correct", "answers")
    assert (incident["dimension"], incident["value"]) == ("feature", "search")


def test_runs_of_tools_are_watched_by_name(quiet):
    """A tool whose schema broke fails alone; the model calls beside it are fine."""
    runs = quiet.filter(pl.int_range(pl.len()) % 2 == 0).with_columns(
        operation=pl.lit("execute_tool"), is_model_call=pl.lit(value=False), span_id=pl.col("span_id") + "x",
        tool_name=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("pay")).otherwise(pl.lit("look")),
        is_error=pl.lit(value=False),
    )  # fmt: skip
    spans = pl.concat([quiet, failing(runs, in_incident(pl.col("tool_name") == "pay"))])
    incident = find_incidents(spans).row(0, named=True)
    assert (incident["metric"], incident["value"], incident["unit"]) == ("tool failures", "pay", "runs")


def test_findings_are_watched_by_kind(quiet):
    """What a safety filter found comes as a table of its own."""
    leaks = quiet.filter(in_incident(FEATURE)).select("started_at", "trace_id", finding=pl.lit("email"))
    incident = find_incidents(quiet, findings=leaks).row(0, named=True)
    assert (incident["metric"], incident["value"]) == ("findings: email", "search")


def test_findings_of_the_filters_of_the_library_are_taken_as_they_are(quiet):
    """They name the call and not the time, and one call may hold ten addresses."""
    said = pl.lit('[{"role":"assistant","content":"ann@example.com, bob@example.com"}]')
    leaking = quiet.with_columns(output=pl.when(in_incident(FEATURE)).then(said).otherwise("output"))
    found = check_calls(leaking, fields=["output"])
    incident = find_incidents(leaking, findings=found).row(0, named=True)
    assert incident["metric"].startswith("findings: ")
    assert (incident["value"], incident["during"]) == ("search", pytest.approx(1))


def test_findings_without_time_or_call_are_refused(quiet):
    """They cannot be counted by the hour."""
    with pytest.raises(MissingColumnError, match="expected `finding` or `kind`"):
        find_incidents(quiet, findings=pl.DataFrame({"kind": ["EMAIL"]}))


def test_the_first_week_is_not_judged(quiet):
    """There is nothing to compare it with."""
    early = (pl.col("started_at") > FIRST + timedelta(days=3)) & (
        pl.col("started_at") < FIRST + timedelta(days=4)
    )
    first_week = failing(quiet, early).filter(pl.col("started_at") < FIRST + timedelta(days=7))
    assert find_incidents(first_week).is_empty()


@pytest.fixture(scope="module")
def small(burst):
    """The last days of the burst, and what is found in them on polars."""
    spans = burst.drop("tags", "attributes").filter(pl.col("started_at") > FIRST + timedelta(days=8))
    return spans, change_points(spans)


def test_every_engine_finds_the_same(small, engine):
    """The engine counts; what is done with the counts is the same code."""
    spans, wanted = small
    found = change_points(engine(spans))
    assert found.height >= 3
    assert found.drop("evidence").equals(wanted.drop("evidence"))


def test_what_cannot_be_told_of_some_calls_stops_no_engine(small, engine):
    """Embeddings refuse nothing and say nothing, so that real tables know of some calls only."""
    spans, wanted = small
    is_known = pl.int_range(pl.len()) % 3 > 0
    told = spans.with_columns(is_refused=pl.when(is_known).then(pl.lit(value=False)))
    assert change_points(engine(told)).drop("evidence").equals(wanted.drop("evidence"))


def test_an_incident_is_found_by_time_and_by_trace(burst):
    """The on-call has an alert with a time, or a user's trace."""
    trace = burst.filter(in_incident(FEATURE))["trace_id"].item(5)
    by_time = find_incident(burst, around=ONSET.isoformat())
    assert find_incident(burst, around=trace).equals(by_time)
    assert find_incident(burst, around=ONSET + 5 * HOUR).equals(by_time)


def test_a_time_far_from_any_incident_lists_those_there_are(burst):
    """A mistyped day is the usual reason."""
    with pytest.raises(IncidentError, match=r"no incident within a day of 2026-10-15.*2026-10-22T10:00Z"):
        find_incident(burst, around="2026-10-15")


def test_what_is_neither_time_nor_trace_is_said(quiet):
    """The message names both that are possible."""
    with pytest.raises(IncidentError, match=r"'soon'; expected a time such as"):
        find_incident(quiet, around="soon")


def test_an_incident_that_never_ended_does_not_claim_every_later_day(burst):
    """A level that stayed high is news on its first day only."""
    incident = find_incidents(burst).with_columns(ended_at=pl.lit(None, burst.schema["ended_at"]))
    with pytest.raises(IncidentError):
        nearest_incident(incident, ONSET + timedelta(days=6))


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_of_false_alarms_is_above_zero(quiet, rate):
    """At none at all, nothing can be found."""
    with pytest.raises(LlmopsError, match="expected a rate above 0"):
        find_incidents(quiet, false_alarms_per_week=rate)


def test_a_missing_column_is_named(quiet):
    """Better than a stack of some engine."""
    with pytest.raises(MissingColumnError, match="is_error"):
        find_incidents(quiet.drop("is_error"))


def test_no_spans_hold_no_incident(quiet):
    """An empty export is no incident either."""
    assert find_incidents(quiet.clear()).is_empty()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.3), st.integers(1, 40))
def test_alarms_about_an_unchanged_share_are_rarer_than_stated(seed, share, seen):
    """The e-detector's promise, on one long series: at one in 1e6 hours none of 1,000 should alarm."""
    bad = np.random.default_rng(seed).binomial(seen, share, 1000).astype(float)
    found = rate_rises(bad, np.full(1000, float(seen)), tolerance=0.05, average_run_length=1e6)
    assert not found


@settings(deadline=None, max_examples=50)  # the first example imports ruptures
@given(st.integers(170, 900), st.integers(4, 100))
def test_a_total_failure_is_found_at_its_hour(first, length):
    """Nothing could be plainer; a miss or a wrong hour is a bug and no bad luck."""
    hours = np.arange(1100)
    bad = np.where((hours >= first) & (hours < first + length), 12.0, 0.0)
    found = rate_rises(bad, np.full(1100, 12.0), tolerance=0.02, average_run_length=1e5)
    assert [(rise.first, rise.end) for rise in found] == [(first, first + length)]


def test_more_failures_than_calls_are_refused():
    """A count that cannot be is a bug of whoever counted."""
    with pytest.raises(EstimateError, match="more failures than were seen"):
        rate_rises(np.full(300, 2.0), np.ones(300), tolerance=0.1, average_run_length=1e4)
