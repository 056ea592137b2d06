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
        "incident": ["2026-11-12T14:00Z"],
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
    {
        "cause": ["tenant=acme"],
        "columns": [["tenant"]],
        "is_new": [True],
        "explained_share": [1.07],
        "same_as": [["<i>x</i>"]],
    }
)
NO_MATCH = pl.DataFrame(schema={"playbook": pl.String, "title": pl.String, "match_share": pl.Float64})


def test_the_summary_says_what_is_not_known():
    """An incident that lasts has no end, an unrecorded user is a dash and no zero."""
    told = str(incident_summary(INCIDENT, CAUSES.clear(), IMPACT, NO_MATCH).markup)
    assert "Since Thu 12 Nov 14:00 UTC, and not over when the data ended, failed calls" in told
    assert '<div class="kpi-value">–</div>' in told
    assert "no cause stands out" in told
    assert "no playbook matches" in told


def test_the_summary_tells_cause_and_wrong_answers_with_their_interval():
    """More than the whole change is the whole; an estimate without its interval is a claim."""
    told = str(incident_summary(INCIDENT, CAUSES, IMPACT, NO_MATCH).markup)
    assert "tenant=acme, which came up just before, accounts for 100%" in told
    assert "12 wrong answers" in told
    assert "95%: 4 to 21" in told


def test_a_hash_is_told_by_prompt_and_version():
    """Nobody knows a prompt by its hash; as one of the same calls it stays."""
    name = "prompt_name=answer, prompt_version=2"
    hashed = CAUSES.with_columns(
        cause=pl.lit("prompt_hash=bb22"), columns=pl.lit(["prompt_hash"]), same_as=pl.lit([name])
    )
    told = str(incident_summary(INCIDENT, hashed, IMPACT, NO_MATCH).markup)
    assert f"{name}, which came up just before, accounts for 100%" in told
    assert "the very same calls: prompt_hash=bb22" in told


def test_many_times_the_usual_is_said():
    """Two levels of spend side by side make a reader divide."""
    told = str(incident_summary(INCIDENT, CAUSES, IMPACT, NO_MATCH).markup)
    assert "usual 1.0%, 50 times as much" in told


def match(share):
    """A playbook of four signs, of which three hold."""
    return pl.DataFrame(
        {
            "playbook": ["schema_break"], "title": ["Schema break"], "match_share": [share],
            "held": [["a", "b", "c"]], "missing": [["a new tool schema"]],
            "mitigation": [["Pin the schema."]],
            "rollback": ["git revert X"],
        }
    )  # fmt: skip


def test_the_first_step_of_a_playbook_that_fits_is_what_to_do():
    """At three in the morning a name of a playbook is no step; how well it fits stands beside it."""
    told = str(incident_summary(INCIDENT, CAUSES, IMPACT, match(0.8)).markup)
    assert "Do first: <strong>Pin the schema.</strong> (roll back: git revert X)" in told
    assert "3 of its 4 signs, 80.0% by weight; not seen: a new tool schema" in told


def test_a_playbook_that_fits_badly_advises_nothing():
    """Moving all traffic elsewhere because one sign in four holds may be the second incident."""
    told = str(incident_summary(INCIDENT, CAUSES, IMPACT, match(0.3)).markup)
    assert "no playbook fits well" in told
    assert "Pin the schema" not in told


def test_less_spend_and_fewer_wrong_answers_are_no_cost():
    """Minus one wrong answer is noise."""
    better = IMPACT.with_columns(
        excess_spend_usd=-1.5,
        wrong_answer_count=-1.0,
        wrong_answer_count_low=-4.0,
        wrong_answer_count_high=2.0,
    )
    told = str(incident_summary(INCIDENT, CAUSES, better, NO_MATCH).markup)
    assert "spend as usual or less; 0 wrong answers more than usual" in told
    assert "if unscored answers are like the 20 scored (95%: 0 to 2)" in told


def test_what_strikes_all_calls_is_said_so():
    """No value is to blame where all calls rose alike."""
    spread = CAUSES.with_columns(cause=pl.lit("all calls"), columns=pl.lit([], pl.List(pl.String)))
    assert "It is spread over all calls" in str(incident_summary(INCIDENT, spread, IMPACT, NO_MATCH).markup)


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
            "incident": pl.String, "onset_at": pl.Datetime("us", "UTC"),
            "detected_at": pl.Datetime("us", "UTC"),
        }
    )  # fmt: skip
    assert "Nothing did." in str(detections_table(changes, INCIDENT).markup)
    assert "No playbook" in str(playbooks_list(NO_MATCH, ()).markup)
    assert "No playbook matches." in str(actions_table(NO_MATCH, ()).markup)
