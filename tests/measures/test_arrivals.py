"""What came with a new prompt or model is found with less evidence than what may have begun at any hour."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from measures.incident_traffic import FIRST, ONSET, in_incident, quiet_spans

from llmops_lib import change_points, find_incidents
from llmops_lib.signals.arrivals import Arrival, arrivals
from llmops_lib.signals.grouping import told_by
from llmops_lib.stats.rate_since import rise_since

HOURS = 60
CHANGED = in_incident(pl.col("feature") == "search", hours=HOURS)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def quiet():
    """Quiet weeks."""
    return quiet_spans()


def released(spans: pl.DataFrame) -> pl.DataFrame:
    """The spans with a new prompt version for one feature from the onset on."""
    return spans.with_columns(
        prompt_version=pl.when(CHANGED).then(pl.lit("2")).otherwise("prompt_version"),
        prompt_hash=pl.when(CHANGED).then(pl.lit("bb22")).otherwise("prompt_hash"),
    )


def scored(spans: pl.DataFrame, failing: float) -> pl.DataFrame:
    """Every twentieth answer scored; one in eight fails, and so large a part of those of the new version."""
    rng = np.random.default_rng(5)
    fails = pl.when(CHANGED).then(failing).otherwise(0.125) > pl.Series(rng.random(spans.height))
    kept = spans.with_columns(passed=~fails).filter(pl.int_range(pl.len()) % 20 == 0)
    return kept.select(
        "trace_id", "started_at", "passed", pl.col("passed").cast(pl.Float64).alias("score"),
        scorer=pl.lit("correct"),
    )  # fmt: skip


def test_a_regression_of_a_few_scored_answers_is_found_by_the_version_that_came_with_it(quiet):
    """Some forty scored answers are few among all hours and streams, and enough for one change."""
    incident = find_incidents(released(quiet), scored(quiet, 0.4)).row(0, named=True)
    assert (incident["metric"], incident["unit"]) == ("quality: correct", "answers")
    assert (incident["dimension"], incident["value"]) == ("prompt_version", "2")
    assert incident["onset_at"] == ONSET
    assert 30 < incident["call_count"] < 45
    assert incident["usual"] == pytest.approx(0.125, abs=0.04)


def test_the_same_fall_without_a_change_is_below_what_chance_does(quiet):
    """Else the test above would show nothing about changes."""
    assert find_incidents(quiet, scored(quiet, 0.4)).is_empty()


def test_a_version_that_changes_nothing_is_no_incident(quiet):
    """Most releases are harmless."""
    assert find_incidents(released(quiet), scored(quiet, 0.125)).is_empty()


def test_a_version_is_held_against_its_own_feature(quiet):
    """A feature that always was harder than others is no regression of its new prompt."""
    hard = quiet.with_columns(is_error=(pl.col("feature") == "search") & (pl.int_range(pl.len()) % 5 == 0))
    assert find_incidents(released(hard)).is_empty()


def test_a_column_that_was_recorded_late_tells_no_change(quiet):
    """The day on which versions are first written down is a change of the records."""
    is_late = pl.col("started_at") >= ONSET
    late = quiet.with_columns(pl.when(is_late).then("prompt_version").alias("prompt_version"))
    assert arrivals(late) == []


def test_arrivals_come_in_order_with_version_before_hash(quiet):
    """Of two names of the very same calls the one that people know is told."""
    first = released(quiet).filter(CHANGED)["started_at"].min()
    assert arrivals(released(quiet)) == [
        Arrival("prompt_version", "2", first), Arrival("prompt_hash", "bb22", first)
    ]  # fmt: skip


def test_every_engine_finds_what_came_with_a_version(quiet, engine):
    """What is new is known before it is counted, on whatever counts."""
    spans = (
        released(quiet).drop("tags", "attributes").filter(pl.col("started_at") > FIRST + timedelta(days=8))
    )
    scores = scored(quiet, 0.6)
    wanted = change_points(spans, scores)
    assert "prompt_version" in wanted["dimension"]
    assert change_points(engine(spans), scores).drop("evidence").equals(wanted.drop("evidence"))


def test_a_false_alarm_is_as_rare_as_its_evidence_says():
    """Ville's inequality, whatever the number of looks: at one in twenty, 500 tries stay below 25 by far."""
    rng = np.random.default_rng(1)
    seen, share = np.full(100, 2.0), np.full(100, 0.2)
    rises = [rise_since(rng.binomial(2, 0.2, 100).astype(float), seen, share, share, 1.0) for _ in range(500)]
    assert sum(rise is not None and rise.evidence.max() >= np.log(20) for rise in rises) <= 25


def test_a_rise_that_began_days_after_the_version_is_not_laid_at_its_door():
    """The version had been fine for so long that what happened then is something else."""
    seen, share = np.full(100, 4.0), np.full(100, 0.1)
    bad = np.where(np.arange(100) >= 60, 3.0, 0.0)
    assert rise_since(bad, seen, share, share + 0.04, 1.0) is None
    assert rise_since(np.full(100, 3.0), seen, share, share + 0.04, 1.0).end == 100


def _change(metric: str, value: str, hour: int, **others: float) -> dict[str, object]:
    onset = ONSET + hour * HOUR
    return {
        "metric": metric, "dimension": "tenant" if value else "", "value": value, "onset_at": onset,
        "onset_low_at": onset, "onset_high_at": onset, "ended_at": onset + 6 * HOUR, "usual": 0.01, **others,
    }  # fmt: skip


def test_the_stream_that_knows_best_when_it_began_tells_the_incident():
    """A stray failure hours before makes the onset of all calls early, and adds to their excess."""
    everywhere = _change("errors", "", -2, during=0.5, excess=455.0, evidence=900.0)
    tenant = _change("errors", "acme", 0, during=0.9, excess=450.0, evidence=1500.0)
    assert told_by([everywhere, tenant]) is tenant


def test_dollars_tell_dear_calls_of_the_same_tenant_that_were_noticed_later():
    """The share of dear calls needs longer; what they came to is told, from when it was spent."""
    spend = _change("spend", "acme", 0, during=3.0, excess=16.0, evidence=17.0)
    dear = _change("cost per call", "acme", 3, during=0.4, excess=50.0, evidence=20.0)
    assert told_by([spend, dear]) is spend
