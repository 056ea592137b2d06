"""The picture of an incident: every hour is there, with and without a cause to narrow to."""

from datetime import timedelta

import pytest
from measures.incident_traffic import ONSET, failing, in_incident, quiet_spans

from llmops_lib.measures.incident_hours import incident_hours

INCIDENT = {"metric": "errors", "onset_at": ONSET, "ended_at": ONSET + timedelta(hours=6)}


@pytest.fixture(scope="module")
def burst():
    """Two in three calls of everyone fail for six hours."""
    return failing(quiet_spans(), in_incident())


def test_without_a_cause_the_hours_are_those_of_all_calls(burst):
    """Where nothing stands out there is nothing to narrow to, and a filter of no condition is an error."""
    hours = incident_hours(burst, INCIDENT)
    during = hours.filter("is_during")
    assert (during.height, during["hour_at"].min()) == (6, ONSET)
    assert during["seen_count"].sum() == burst.filter(in_incident()).height
    assert hours["value"].max() == pytest.approx(2 / 3, abs=0.2)


def test_a_cause_narrows_the_hours_to_its_calls(burst):
    """The share of one tenant is told by its calls alone."""
    hours = incident_hours(burst, INCIDENT, where={"tenant": "globex"}).filter("is_during")
    globex = burst.filter(in_incident(), tenant="globex")
    assert hours["seen_count"].sum() == globex.height
    assert (hours["value"] * hours["seen_count"]).sum() == pytest.approx(globex["is_error"].sum())


def test_spend_without_a_call_is_zero_and_a_share_of_nothing_unknown(burst):
    """Nobody spends where nobody calls; of no calls no share fails."""
    gap = burst.filter(~in_incident(hours=1))
    first = {metric: incident_hours(gap, {**INCIDENT, "metric": metric}).filter("is_during")["value"][0]
             for metric in ("spend", "errors")}  # fmt: skip
    assert first == {"spend": 0.0, "errors": None}
