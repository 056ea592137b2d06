"""Quality before a reader: the number first, its name never wrong, and nothing said that is not known."""

import polars as pl
import pytest

from llmops_lib.sampling.estimates import ESTIMATES_SCHEMA
from llmops_lib.views.input_drift import drift_note, feedback_table, reweighted_table, trait_shifts_table
from llmops_lib.views.quality import alarms_table, quality_summary, quality_table
from llmops_lib.views.quality_charts import live_quality_chart, quality_by_chart

ROW = {
    "what": "quality",
    "value": 0.871,
    "lower": 0.84,
    "upper": 0.9,
    "standard_error": 0.015,
    "method": "ppi++",
    "judge_score": 0.93,
    "judged_count": 2000,
    "unjudged_count": 0,
    "labelled_count": 300,
    "unit_count": 180,
    "effective_count": 1500.0,
    "tuning": 0.5,
    "missing_label_count": 0,
    "reasons": None,
}
NO_ALARMS = pl.DataFrame(schema={"feature": pl.String, "is_news": pl.Boolean})


def estimate(**changes):
    """The one row of an estimate."""
    return pl.DataFrame([ROW | changes], schema=ESTIMATES_SCHEMA)


def summary(**changes):
    """The summary of an estimate without alarms."""
    return str(quality_summary(estimate(**changes), NO_ALARMS, days=365, by=["feature"]).markup)


def test_the_estimate_comes_first_with_what_corrected_it():
    """A reader who stops after one sentence has the answer."""
    text = summary()
    assert text.index("87.1% of answers were good (95%: 84.0% to 90.0%)") < text.index("PPI++")
    assert "The judge alone says 93.0%" in text
    assert "No alarm; false alarms are 365 days apart" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"what": "judge score", "reasons": "no_labels"}, "Quality is not known: there are no labels"),
        ({"value": None, "lower": None, "reasons": "not_identifiable"}, "cannot tell good from bad"),
        ({"method": "wilson", "labelled_count": 40, "missing_label_count": 60}, "60 labels more"),
    ],
)
def test_what_is_not_known_is_not_said(changes, said):
    """A judge score is never called quality, and a null never a number."""
    text = summary(**changes)
    assert said in text
    assert ("of answers were good" in text) == ("method" in changes)


def test_a_group_without_labels_shows_no_quality():
    """Its judge score stands in the column of judge scores."""
    rows = estimate(what="judge score").with_columns(feature=pl.lit("<b>"))
    text = str(quality_table(rows, "feature", caption="By feature").markup)
    assert "&lt;b&gt;" in text
    assert "84.0% to" not in text
    assert "no labels" in text


def test_charts_of_nothing_and_of_unknown_quality_are_drawn():
    """Points of unknown quality are left out; the judge score stays."""
    empty = pl.DataFrame(schema=["day", "what", "value", "lower", "upper"])
    assert live_quality_chart(empty).to_dict()["layer"]
    rows = estimate(what="judge score").with_columns(feature=pl.lit("a"))
    (data,) = quality_by_chart(rows, "feature").to_dict()["datasets"].values()
    assert (data[0]["value"], data[0]["judge_score"]) == (None, 0.93)


def test_nothing_compared_is_said_so():
    """No sample is no drift found, and not none."""
    assert "were not compared" in str(drift_note(None, 0, 113).markup)
    weeks = pl.DataFrame({"week": ["2026-W40"], "feedback_count": [3], "mean_feedback": [2 / 3]})
    assert "0.67" in str(feedback_table(weeks, (None, None, None)).markup)
    assert "None." in str(alarms_table(NO_ALARMS, ["feature"]).markup)


SHIFT = {
    "trait": "tool called",
    "value": "<b>pay</b>",
    "before_share": 0.0,
    "fresh_share": 0.125,
    "change": 0.125,
    "lower": 0.03,
    "upper": 0.22,
    "is_clear": True,
    "before_unknown_share": 0.25,
    "fresh_unknown_share": 0.0,
}


def test_what_clearly_changed_is_said_before_the_table():
    """A reader wants the answer, and names of tools come from outside."""
    told = str(trait_shifts_table(pl.DataFrame([SHIFT]), before="the cases", header="Suite").markup)
    assert "Clearly changed against the cases: tool called &lt;b&gt;pay&lt;/b&gt;, 0% to 12.5%." in told
    assert "+12.5 points (+3 to +22)" in told
    assert "0%, 25.0%" in told


def test_no_clear_change_is_said_of_what_is_recorded_only():
    """Traffic of which nothing is recorded may have changed all the same."""
    unknown = dict.fromkeys(("before_share", "fresh_share", "change", "lower", "upper", "is_clear", "value"))
    shifts = pl.DataFrame([SHIFT | unknown], schema_overrides={"is_clear": pl.Boolean})
    told = str(trait_shifts_table(shifts, before="before").markup)
    assert "Of what is recorded, nothing clearly differs" in told
    assert "not recorded" in told
    assert "Clearly" not in told


def test_a_weighted_score_says_how_much_traffic_it_says_nothing_of():
    """A score of a suite that no traffic resembles is no news of production."""
    row = {
        "scorer": "facts",
        "raw_score": 0.5,
        "reweighted_score": 0.75,
        "lower": None,
        "upper": None,
        "reason": "n_too_small",
        "uncovered_share": 0.741,
        "case_count": 91,
        "effective_case_count": 5.8,
    }
    told = str(reweighted_table(pl.DataFrame([row]), is_simulated=True).markup)
    assert all(cell in told for cell in ("50.0%", "75.0%", "too few", "74.1%", "simulated"))
    assert "No run of the suite" in str(reweighted_table(pl.DataFrame()).markup)
