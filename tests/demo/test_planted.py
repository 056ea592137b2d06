from datetime import timedelta

import polars as pl
import pytest


def between(calls, start, end):
    """The calls that started in `[start, end)`."""
    return calls.filter(pl.col("started_at") >= start, pl.col("started_at") < end)


def test_the_runaway_agent_makes_about_six_times_its_usual_calls(demo):
    """The report must be able to name the tenant, the feature and the hours."""
    event = demo.event("cost_runaway")
    calls = demo.calls.filter(tenant=event.where["tenant"], feature=event.where["feature"])
    usual = [
        between(calls, event.start - timedelta(weeks=back), event.end - timedelta(weeks=back)).height
        for back in range(1, 6)
    ]
    factor = between(calls, event.start, event.end).height / (sum(usual) / len(usual))
    assert (str(event.start), event.end - event.start) == ("2026-11-12 14:00:00+00:00", timedelta(hours=9))
    assert 4 < factor < 9


def test_inputs_of_the_runaway_agent_grow_but_fit_a_context_window(demo):
    """What makes a loop expensive is that every turn pays for all turns before it."""
    event = demo.event("cost_runaway")
    calls = demo.calls.filter(tenant=event.where["tenant"], feature=event.where["feature"])
    usual = calls.filter(pl.col("started_at") < event.start)["input_tokens"]
    inputs = between(calls, event.start, event.end)["input_tokens"]
    assert inputs.median() > 5 * usual.median()
    assert inputs.max() < 128_000


def test_the_incident_makes_one_model_three_times_slower(demo):
    """A latency report must be able to name the model and the hours, and only those."""
    event = demo.event("latency_incident")
    chats = demo.calls.filter(~pl.col("is_error"), operation="chat")
    calm = chats.filter(pl.col("started_at") < event.start)
    slow = between(chats, event.start, event.end)

    def pace(calls):
        return calls.select((pl.col("latency_ms") / pl.col("output_tokens")).median()).item()

    hit = pl.col("model") == event.where["request_model"]
    assert (str(event.start), event.end - event.start) == ("2026-11-10 09:00:00+00:00", timedelta(hours=2.5))
    assert 2 < pace(slow.filter(hit)) / pace(calm.filter(hit)) < 4
    assert 0.5 < pace(slow.filter(~hit)) / pace(calm.filter(~hit)) < 2


def test_the_incident_brings_timeouts_and_server_errors(demo):
    """Slow is one symptom; the error report shows the other."""
    event = demo.event("latency_incident")
    calls = between(demo.calls, event.start, event.end).filter(model=event.where["request_model"])
    assert calls["is_error"].mean() > 0.05
    assert set(calls["error_type"].drop_nulls()) <= {
        "APITimeoutError",
        "InternalServerError",
        "RateLimitError",
    }


def test_the_prompt_changes_with_a_release_in_the_fourth_week(demo):
    """Comparing prompt versions needs a before and an after."""
    event = demo.event("prompt_change")
    answers = demo.calls.filter(feature=event.where["feature"])
    assert str(event.start) == "2026-10-28 10:00:00+00:00"
    before, after = answers.filter(prompt_version="3"), answers.filter(prompt_version="4")
    assert before.height + after.height == answers.height
    assert before["started_at"].max() < event.end
    assert after["started_at"].min() >= event.start
    assert 400 < after["input_tokens"].median() - before["input_tokens"].median() < 800
    assert set(after["release"]) & set(before["release"]) == set()


@pytest.mark.parametrize("week", range(5))
def test_an_ordinary_week_has_the_calls_asked_for_and_one_to_two_percent_errors(demo, week):
    """Planted events must stand out from something believable."""
    start = demo.event("cost_runaway").start - timedelta(days=3, hours=14, weeks=week + 1)
    calls = between(demo.calls, start, start + timedelta(weeks=1))
    assert calls.height == pytest.approx(4_000, rel=0.1)
    assert 0.008 < calls["is_error"].mean() < 0.025


def test_retries_are_calls_of_their_own(demo):
    """A retried call costs twice and fails once; folding the two would hide both."""
    failed = demo.calls.filter("is_error", operation="chat").select(
        "trace_id", failed_ns="ended_ns", asked="asked"
    )
    later = failed.join(demo.calls.filter(operation="chat"), on=["trace_id", "asked"])
    retried = later.filter(pl.col("started_ns") > pl.col("failed_ns"))
    assert retried["trace_id"].n_unique() > failed.height / 2
