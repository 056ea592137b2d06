"""Whom an incident reached, what changed before it, and what happened when."""

from datetime import timedelta

import polars as pl
import pytest
from measures.incident_traffic import FIRST, ONSET, failing, in_incident, quiet_spans

from llmops_lib import blast_radius, changes_before, incident_examples, incident_timeline
from llmops_lib.errors import IncidentError, MissingColumnError

SEARCH = pl.col("feature") == "search"
INCIDENT = {"metric": "errors", "onset_at": ONSET, "ended_at": ONSET + timedelta(hours=6)}
QUALITY = INCIDENT | {"metric": "quality: correct"}


@pytest.fixture(scope="module")
def quiet():
    """Quiet weeks."""
    return quiet_spans()


@pytest.fixture(scope="module")
def burst(quiet):
    """Two in three calls of one feature fail for six hours."""
    return failing(quiet, in_incident(SEARCH))


def test_the_affected_are_those_whose_calls_failed(burst):
    """Everyone who was there is not everyone who was hit."""
    failed = burst.filter(in_incident(pl.col("is_error")))
    (found,) = blast_radius(burst, INCIDENT).to_dicts()
    assert found["affected_count"] == found["error_count"] == failed.height
    assert found["user_count"] == failed["user_id"].n_unique()
    assert found["call_count"] == burst.filter(in_incident()).height
    assert found["excess_error_count"] == pytest.approx(failed.height, abs=1)


def test_where_narrows_it_to_a_cause(burst):
    """The cause that was found is what the impact is asked of."""
    failed = burst.filter(in_incident(pl.col("is_error"), pl.col("tenant") == "acme"))
    assert blast_radius(burst, INCIDENT, where={"tenant": "acme"})["affected_count"].item() == failed.height


def test_a_cause_of_a_missing_column_is_an_error(burst):
    """A wider answer than was asked for would be taken for the narrower one."""
    with pytest.raises(MissingColumnError, match="cluster"):
        blast_radius(burst, INCIDENT, where={"cluster": "eu"})


def test_unknown_is_not_zero(burst):
    """An export without users reached nobody knows how many."""
    (found,) = blast_radius(burst.with_columns(pl.lit(None, pl.String).alias("user_id")), INCIDENT).to_dicts()
    assert found["user_count"] is None
    assert found["wrong_answer_count"] is None


def test_excess_spend_is_above_the_same_hours_before(quiet):
    """Not above zero, and not above a night."""
    dear = quiet.with_columns(cost_usd=pl.when(in_incident(SEARCH)).then(2.0).otherwise("cost_usd"))
    (found,) = blast_radius(dear, INCIDENT | {"metric": "spend"}).to_dicts()
    now, usual = (table.filter(in_incident())["cost_usd"].sum() for table in (dear, quiet))
    assert found["spend_usd"] == pytest.approx(now)
    assert found["excess_spend_usd"] == pytest.approx(now - usual, rel=0.1)


def test_wrong_answers_are_scaled_from_scores_with_an_interval(quiet):
    """One in two answers is scored; all wrong ones were not seen, so the number is an estimate."""
    scored = quiet.filter(pl.int_range(pl.len()) % 2 == 0, ~pl.col("is_error"))
    passed = ~in_incident(SEARCH)
    scores = scored.select(
        "trace_id", "started_at", passed.cast(pl.Float64).alias("score"), scorer=pl.lit("correct")
    )
    (found,) = blast_radius(quiet, QUALITY, scores).to_dicts()
    wrong = quiet.filter(in_incident(SEARCH), ~pl.col("is_error")).height
    assert found["wrong_answer_count_low"] <= wrong <= found["wrong_answer_count_high"]
    assert found["wrong_answer_count"] == pytest.approx(wrong, rel=0.3)
    assert found["scored_count"] == scored.filter(in_incident()).height


def test_a_cause_that_is_new_is_held_against_all_calls_before(quiet):
    """A prompt version that never ran before has no usual share of its own; what it replaced has."""
    changed = in_incident(SEARCH)
    spans = quiet.with_columns(
        prompt_version=pl.when(changed).then(pl.lit("2")).otherwise("prompt_version"),
        feedback_score=pl.when(changed).then(0.0).otherwise(1.0),
    )
    (found,) = blast_radius(
        spans, QUALITY | {"metric": "quality: feedback"}, where={"prompt_version": "2"}
    ).to_dicts()
    answers = spans.filter(changed, ~pl.col("is_error"))
    assert found["wrong_answer_count"] == pytest.approx(answers.height, rel=0.01)
    assert found["expected_spend_usd"] == pytest.approx(
        spans["cost_usd"].mean() * found["call_count"], rel=0.05
    )


def test_examples_are_the_first_a_typical_and_the_worst(burst):
    """A reader opens three traces and not three hundred."""
    examples = incident_examples(burst, INCIDENT)
    failed = burst.filter(in_incident(pl.col("is_error")))
    assert set(examples["example"]) == {"first", "typical", "worst"}
    first, worst = (examples.filter(example=name) for name in ("first", "worst"))
    assert first["started_at"].item() == failed["started_at"].min()
    assert worst["latency_ms"].item() == failed["latency_ms"].max()


def test_examples_of_bad_ratings_are_answers_that_were_rated_badly(quiet):
    """A call that timed out has no answer to read, and an answer that was liked shows nothing."""
    place = pl.int_range(pl.len())
    rating = pl.when(place % 3 == 0).then(
        pl.when(in_incident(SEARCH, place % 2 == 0)).then(0.0).otherwise(1.0)
    )
    spans = failing(quiet, in_incident(place % 5 == 1)).with_columns(feedback_score=rating)
    examples = incident_examples(
        spans, QUALITY | {"metric": "quality: feedback"}, where={"feature": "search"}
    )
    shown = spans.join(examples, on="span_id", how="semi")
    assert examples.height == 3
    assert shown["feedback_score"].to_list() == [0.0] * 3
    assert not shown["is_error"].any()


def test_every_engine_tells_the_same_impact(burst, engine):
    """The engine counts; what is done with the counts is the same code."""
    small = burst.drop("tags", "attributes").filter(pl.col("started_at") > FIRST + timedelta(days=9))
    wanted = blast_radius(small, INCIDENT, where={"feature": "search"})
    assert blast_radius(engine(small), INCIDENT, where={"feature": "search"}).equals(wanted)


def test_what_came_up_just_before_is_listed_with_its_time(quiet):
    """A response model answers for the first time two hours before the onset."""
    came = ONSET - timedelta(hours=2)
    is_new = (pl.col("started_at") >= came) & SEARCH
    spans = quiet.with_columns(
        response_model=pl.when(is_new).then(pl.lit("small-2026-10")).otherwise("response_model")
    )
    (found,) = changes_before(spans, INCIDENT).to_dicts()
    assert (found["kind"], found["what"]) == ("first seen", "response_model=small-2026-10")
    assert found["hours_before"] == pytest.approx(2, abs=0.3)


def test_commits_of_the_days_before_are_listed(quiet):
    """The registry knows what was changed, and by whom; older commits are no suspects."""
    versions = pl.DataFrame(
        {
            "prompt_name": ["answer", "answer"],
            "prompt_version": ["2", "1"],
            "commit": ["c0ffee0123456", "bada55"],
            "subject": ["Ask for shorter answers", "First"],
            "committed_at": [ONSET - timedelta(hours=3), FIRST],
        }
    )
    (found,) = changes_before(quiet, INCIDENT, versions=versions).to_dicts()
    assert found["what"] == "answer version 2 (c0ffee0123): Ask for shorter answers"
    assert found["hours_before"] == 3


def test_nothing_is_new_where_nothing_is_known_before(quiet):
    """On the first day of an export everything would be new."""
    early = INCIDENT | {"onset_at": FIRST + timedelta(hours=20), "ended_at": None}
    assert changes_before(quiet, early).is_empty()


def test_the_timeline_is_in_order_and_says_what_is_known(burst):
    """An incident that lasts has no line for its end."""
    lasting = INCIDENT | {"ended_at": None, "detected_at": ONSET + timedelta(hours=2)}
    changes = changes_before(burst, lasting)
    line = incident_timeline(lasting, changes, incident_examples(burst, lasting))
    assert line["happened_at"].is_sorted()
    assert "back to usual" not in line["event"].to_list()
    assert "onset of errors (to the hour)" in line["event"].to_list()


def test_an_incident_after_the_data_is_refused(quiet):
    """There is nothing to look at."""
    with pytest.raises(IncidentError, match="found no spans"):
        blast_radius(quiet.clear(), INCIDENT)
