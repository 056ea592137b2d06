"""How small an incident would have been noticed: what the number says is what the detector does."""

import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measures.incident_traffic import FIRST, ONSET, quiet_spans

from llmops_lib import incident_floors
from llmops_lib.errors import IncidentError, NoIncidentError
from llmops_lib.measures.incident_choice import chosen_incident
from llmops_lib.measures.incident_floors import asked_moment
from llmops_lib.signals.episodes import INCIDENTS
from llmops_lib.stats.least_rise import HOURS, least_rise
from llmops_lib.stats.rate_shifts import rate_rises
from llmops_lib.views.quiet import floors_table, quiet_summary


@pytest.fixture(scope="module")
def quiet():
    """Quiet weeks."""
    return quiet_spans()


@pytest.fixture(scope="module")
def floors(quiet):
    """The floors at a busy hour of the third week."""
    return incident_floors(quiet, around=ONSET)


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 0.2), st.integers(2, 30))
def test_as_many_as_it_says_raise_an_alarm(share, seen):
    """The number is the promise of the page."""
    count, bad = np.full(500, float(seen)), np.full(500, share * seen)
    least = least_rise(bad, count, at=450, tolerance=0.01, needed=math.log(1e5)).bad
    if least is not None:
        bad[450 : 450 + HOURS] = least / HOURS
        assert rate_rises(bad, count, tolerance=0.01, average_run_length=1e5)


def test_every_stream_has_what_is_usual_and_what_would_be_noticed(floors):
    """Spend in dollars, shares as so many of those that six hours hold."""
    (errors,) = floors.filter(metric="errors", dimension="").to_dicts()
    assert errors["usual"] == pytest.approx(0.005, abs=0.003)
    assert errors["seen_count"] == pytest.approx(120, abs=10)
    assert 4 <= errors["least_count"] < 25
    (spend,) = floors.filter(metric="spend", dimension="").to_dicts()
    assert (spend["unit"], spend["seen_count"], spend["least_count"]) == ("USD in an hour", None, None)
    assert spend["least_usd"] > spend["usual"] / 2


def test_nothing_is_said_of_the_first_week_and_of_times_without_data(quiet):
    """There is nothing to hold them against."""
    for moment in (FIRST + timedelta(days=3), FIRST - timedelta(days=3), FIRST + timedelta(days=90)):
        assert incident_floors(quiet, around=moment).is_empty()


def test_the_moment_is_a_time_a_trace_or_the_end_of_the_data(quiet):
    """As for the postmortem; what is none of them is said."""
    last = quiet.row(-1, named=True)
    assert asked_moment(quiet) == asked_moment(quiet, last["trace_id"]) == last["started_at"]
    with pytest.raises(IncidentError, match="expected a time such as"):
        asked_moment(quiet, "soon")


def test_no_incident_is_an_error_of_its_own(quiet):
    """The command has to tell it from a mistyped time."""
    with pytest.raises(NoIncidentError, match="found no incident"):
        chosen_incident(pl.DataFrame(schema=INCIDENTS), quiet)


@pytest.mark.parametrize(
    ("hours", "told"),
    [(0, "There is an incident at"), (30, "No incident was found within a day of"), (-30, "No incident")],
)
def test_the_summary_says_whether_an_incident_is_near(floors, hours, told):
    """Asked of the time of an incident, the page must not say that there was none."""
    at: datetime = ONSET
    incident = {"onset_at": at, "ended_at": at + timedelta(hours=2), "detected_at": at, "metric": "errors"}
    incidents = pl.DataFrame([incident], schema={name: INCIDENTS[name] for name in incident})
    page = quiet_summary(at + timedelta(hours=hours), incidents, floors)
    assert told in page.markup
    assert "Nothing can be said of" in quiet_summary(at, incidents.clear(), floors.clear()).markup


def test_floors_are_told_in_words(floors):
    """Where not even all of the calls would do, that is what stands there."""
    told = floors_table(floors.filter(metric="errors"), caption="All").markup
    assert "calls in six hours" in told
    none = floors.head(1).with_columns(metric=pl.lit("errors"), unit=pl.lit("calls"), seen_count=pl.lit(3))
    assert "not even all of 3 calls in six hours" in floors_table(none, caption="All").markup
