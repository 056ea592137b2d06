"""A postmortem says what is known, escapes what was traced, and stays whole where nothing is known."""

from datetime import UTC, datetime, timedelta

import polars as pl

from llmops_lib.views.incident_charts import incident_chart
from llmops_lib.views.incident_tables import breakdown_table, detections_table, impact_facts
from llmops_lib.views.incidents import incident_summary
from llmops_lib.views.playbooks import actions_table, playbooks_list

ONSET = datetime(2026, 11, 12, 14, tzinfo=UTC)
INCIDENT = pl.DataFrame(
    {
        "metric": ["errors: <b>Boom</b>"], "dimension": ["tenant"], "value": ["acme"], "unit": ["calls"],
        "usual": [0.01], "during": [0.5],
        "onset_at": [ONSET], "onset_low_at": [ONSET], "onset_high_at": [ONSET],
        "ended_at": pl.Series([None], dtype=pl.Datetime("us", "UTC")),
    }
)  # fmt: skip
IMPACT = pl.DataFrame(
    {
        "call_count": 90, "affected_count": 40, "user_count": None, "session_count": 7, "trace_count": 30,
        "tenant_count": 1, "spend_usd": None, "excess_spend_usd": None, "error_count": 40,
        "excess_error_count": 38.6, "scorer": "correct", "scored_count": 20, "wrong_answer_count": 12.2,
        "wrong_answer_count_low": 4.0, "wrong_answer_count_high": 21.0,
    }
)  # fmt: skip
CAUSES = pl.DataFrame(
    {"cause": ["tenant=acme"], "is_new": [True], "explained_share": [1.07], "same_as": [["<i>x</i>"]]}
)
NO_MATCH = pl.DataFrame(schema={"playbook": pl.String, "title": pl.String, "match_share": pl.Float64})


def test_the_summary_says_what_is_not_known():
    """An incident that lasts has no end, an unrecorded user is a dash and no zero."""
    told = str(incident_summary(INCIDENT, CAUSES.clear(), IMPACT, NO_MATCH).markup)
    assert "was not over when the data ended" in told
    assert '<div class="kpi-value">–</div>' in told
    assert "no cause stands out" in told
    assert "no playbook matches" in told


def test_the_summary_tells_cause_and_wrong_answers_with_their_interval():
    """More than the whole change is the whole; an estimate without its interval is a claim."""
    told = str(incident_summary(INCIDENT, CAUSES, IMPACT, NO_MATCH).markup)
    assert "tenant=acme, which came up just before, accounts for 100%" in told
    assert "12 wrong answers" in told
    assert "95%: 4 to 21" in told


def test_text_of_traces_is_escaped():
    """An error class is named by whoever raised it."""
    told = str(incident_summary(INCIDENT, CAUSES, IMPACT, NO_MATCH).markup)
    assert "<b>Boom" not in told
    assert "<i>x" not in told
    assert "&lt;b&gt;Boom" in told


def test_the_chart_marks_the_incident_and_takes_no_rows():
    """An empty table draws an empty chart and no error."""
    hours = pl.DataFrame(
        {"hour_at": [ONSET - timedelta(hours=1), ONSET], "value": [0.1, 0.5], "is_during": [False, True]}
    )
    for rows in (hours, hours.clear()):
        drawn = incident_chart(rows, INCIDENT, subject="tenant=acme").to_dict()
        assert drawn["layer"][0]["encoding"]["y"]["title"] == "Errors (share)"
    values = next(
        data
        for data in incident_chart(hours, INCIDENT, subject="x").to_dict()["datasets"].values()
        if len(data) == 2
    )
    assert [row["time"] for row in values] == ["before and after", "incident"]


def test_facts_and_parts_are_written_by_their_unit():
    """A share moves by points, spend by dollars."""
    parts = pl.DataFrame(
        {"tenant": ["acme"], "seen_during": [90.0], "contribution": [0.25], "explained_share": [1.0]}
    )
    assert "+25.00 points" in str(breakdown_table(parts, INCIDENT).markup)
    dollars = INCIDENT.with_columns(unit=pl.lit("USD"))
    assert "$0.25" in str(breakdown_table(parts, dollars).markup)
    assert "12 (4 to 21)" in str(impact_facts(IMPACT, caption="All").markup)


def test_tables_without_rows_say_so():
    """Nothing found is an answer."""
    changes = pl.DataFrame(
        schema={
            "metric": pl.String, "dimension": pl.String, "value": pl.String, "confidence": pl.Float64,
            "onset_at": pl.Datetime("us", "UTC"), "detected_at": pl.Datetime("us", "UTC"),
        }
    )  # fmt: skip
    assert "Nothing did." in str(detections_table(changes, INCIDENT).markup)
    assert "No playbook" in str(playbooks_list(NO_MATCH, ()).markup)
    assert "No playbook matches." in str(actions_table(NO_MATCH, ()).markup)
