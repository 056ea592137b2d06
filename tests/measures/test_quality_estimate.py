"""Quality from a judge that errs: corrected, weighted, by user, and called by its name."""

import numpy as np
import polars as pl
import pytest

from llmops_lib import live_quality, quality_alarms, quality_estimate
from llmops_lib.errors import SchemaError
from llmops_lib.stats.clustered_prediction import Judged, clustered_prediction_powered
from llmops_lib.stats.prediction_powered import prediction_powered_mean
from tests.measures.judged import labels_of, made, scored

N = 2_000


@pytest.fixture
def generator():
    """The same numbers every time."""
    return np.random.default_rng(7)


def only(table):
    """The one row of a table."""
    (row,) = table.to_dicts()
    return row


def test_the_mean_of_a_judge_is_never_called_quality(generator):
    """Without labels nobody knows how the judge errs."""
    _, judged = made(N, generator)
    row = only(quality_estimate(scored(judged)))
    assert (row["what"], row["reasons"], row["missing_label_count"]) == ("judge score", "no_labels", 100)
    assert row["value"] == row["judge_score"] == pytest.approx(judged.mean())


def test_a_hundred_labels_of_the_sample_correct_the_judge(generator):
    """PPI++: the interval holds the truth that the judge misses, narrower than that of labels."""
    truth, judged = made(N, generator)
    places = generator.choice(N, 300, replace=False)
    scores, labels = scored(judged), labels_of(places, truth)
    row, naive = only(quality_estimate(scores, labels)), only(quality_estimate(scores))
    assert (row["what"], row["method"], row["labelled_count"]) == ("quality", "ppi++", 300)
    assert row["lower"] < truth.mean() < row["upper"]
    assert naive["lower"] > truth.mean()
    few = only(quality_estimate(scores.head(300), labels_of(range(300), truth)))
    assert row["upper"] - row["lower"] < few["upper"] - few["lower"]


def test_fewer_labels_stand_alone_and_say_how_many_are_missing(generator):
    """Below 100 PPI++ covers too seldom."""
    truth, judged = made(N, generator)
    row = only(quality_estimate(scored(judged), labels_of(range(40), truth)))
    assert (row["method"], row["missing_label_count"], row["reasons"]) == ("wilson", 60, "n_too_small")
    assert row["value"] == pytest.approx(truth[:40].mean())


def test_labels_from_elsewhere_correct_by_the_errors_of_the_judge(generator):
    """Rogan and Gladen: another prevalence than that of the traffic does no harm."""
    truth, judged = made(N, generator, good=0.6)
    known, said = made(400, generator, good=0.5)
    labels = labels_of(range(400), known).with_columns(judge_score=pl.Series(said))
    row = only(quality_estimate(scored(judged), labels, labels_from="elsewhere"))
    assert (row["what"], row["method"], row["labelled_count"]) == ("quality", "lang_reiczigel", 0)
    assert row["lower"] < truth.mean() < row["upper"]
    assert row["judge_score"] > row["upper"]


def test_a_judge_that_tells_nothing_apart_corrects_nothing(generator):
    """Sensitivity + specificity of 1 is a coin."""
    _, judged = made(N, generator, sensitivity=0.8, specificity=0.2)
    known, said = made(400, generator, good=0.5, sensitivity=0.8, specificity=0.2)
    labels = labels_of(range(400), known).with_columns(judge_score=pl.Series(said))
    row = only(quality_estimate(scored(judged), labels, labels_from="elsewhere"))
    assert (row["what"], row["value"], row["lower"]) == ("quality", None, None)
    assert "not_identifiable" in row["reasons"]


def test_a_group_with_few_labels_leans_on_those_of_all(generator):
    """A day has a handful of labels: the judge's errors are known from the whole sample."""
    truth, judged = made(N, generator)
    features = ["small" if number % 20 == 0 else "large" for number in range(N)]
    places = generator.choice(N, 400, replace=False)
    by = quality_estimate(scored(judged, feature=features), labels_of(places, truth), by="feature")
    assert by.select("feature", "method").rows() == [("large", "ppi++"), ("small", "lang_reiczigel")]
    days = quality_estimate(scored(judged), labels_of(places, truth), by=["day"])
    assert days.height == 20
    assert days["method"].unique().to_list() == ["lang_reiczigel"]


def test_what_was_drawn_more_often_weighs_less():
    """Failures that were drawn ten times as often must not count ten times."""
    judged = [0.0] * 100 + [1.0] * 100
    chance = np.array([0.5] * 100 + [0.05] * 100)
    row = only(quality_estimate(scored(judged, chance=chance)))
    assert row["value"] == pytest.approx(10 / 11)


def test_calls_of_one_user_count_as_alike(generator):
    """Ten calls of one user are not ten opinions."""
    truth = np.repeat(generator.random(100) < 0.7, 10).astype(float)
    alone = only(quality_estimate(scored(truth)))
    together = only(quality_estimate(scored(truth, users=np.repeat(np.arange(100), 10))))
    assert together["unit_count"] == 100
    assert together["standard_error"] > 2.5 * alone["standard_error"]


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        ([1, 0] * 10, "n_too_small"),
        ([None] * 3, "n_too_small"),
        ([1] * 90 + [None] * 10, "missing"),
    ],
)
def test_what_cannot_be_said_has_a_reason(judged, reason):
    """Null with a reason, never zero."""
    row = only(quality_estimate(scored(judged)))
    assert reason in row["reasons"]
    assert row["lower"] is None


def test_two_judges_are_not_averaged():
    """A change of the judge looks like a change of quality."""
    both = pl.concat(
        [scored([1, 0]), scored([1], judge_model="judge-2").with_columns(example_id=pl.lit("x"))]
    )
    with pytest.raises(SchemaError, match="2 judges"):
        quality_estimate(both)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"example_id": ["t99999/s"], "score": [1.0]}, "1 of 1 labels are of calls that were not judged"),
        ({"example_id": ["t00000/s"] * 2, "score": [1.0, 0.0]}, "twice"),
        ({"example_id": ["t00000/s"], "score": [5.0]}, "labels hold 5"),
        ({"example_id": ["t00000/s"]}, r"lack \['score'\]"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    """A label that is silently left out biases what is left."""
    with pytest.raises(SchemaError, match=message):
        quality_estimate(scored([1, 0, 1]), pl.DataFrame(labels))


def test_scores_and_labels_lie_in_whatever_a_team_works_with(engine):
    """All three measures of judged samples once took polars alone."""
    truth, judged = np.array([1.0, 0.0, 1.0] * 60), np.array([1.0, 1.0, 0.0] * 60)
    scores, labels = scored(judged), labels_of(range(0, 180, 3), truth)
    assert quality_estimate(engine(scores), engine(labels)).equals(quality_estimate(scores, labels))
    assert live_quality(engine(scores)).equals(live_quality(scores))
    alarms = quality_alarms(engine(scores), reference_quality=0.7)
    assert alarms.streams.equals(quality_alarms(scores, reference_quality=0.7).streams)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"labels": pl.DataFrame({"example_id": ["t00000/s"], "score": ["good"]})}, "score holds 'good'"),
        ({"labels_from": "people"}, "found 'people', expected one of sample, elsewhere"),
        ({"scores": scored([1.0, 0.0], chance=2.0)}, "2 one that is none, such as 2; expected above 0"),
    ],
)
def test_what_cannot_be_used_is_said(changed, said):
    """One line: what was found, what was expected."""
    asked = {"scores": scored([1.0, 0.0]), "labels": None, **changed}
    with pytest.raises(SchemaError, match=said):
        quality_estimate(asked.pop("scores"), **asked)


def test_a_single_label_has_no_standard_error():
    """The formula gives zero, which would say that it is known exactly."""
    row = only(quality_estimate(scored([1.0, 0.0, 1.0, 1.0]), labels_of([0], [1.0])))
    assert (row["value"], row["standard_error"], row["lower"]) == (1.0, None, None)


def test_labels_of_one_user_have_no_standard_error(generator):
    """However many they are: what another user would say is unknown."""
    truth, judged = made(600, generator)
    scores = scored(judged, users=[0 if place < 120 else place for place in range(600)])
    row = only(quality_estimate(scores, labels_of(range(120), truth)))
    assert (row["method"], row["standard_error"], row["reasons"]) == ("ppi++", None, "too_few_clusters")


def test_labels_from_elsewhere_need_the_judgement_of_the_same_calls():
    """Without it nobody knows how the judge erred there."""
    with pytest.raises(SchemaError, match="judge_score"):
        quality_estimate(scored([1, 0, 1]), labels_of([0], [1]), labels_from="elsewhere")
    with pytest.raises(SchemaError, match="feature"):
        quality_estimate(scored([1]), by="colour")


def test_clustering_agrees_with_the_plain_formula_where_calls_are_independent(generator):
    """One user per call and equal chances: the same number as PPI++ of the vectors, to the last factor."""
    truth, judged = made(N, generator)
    known = np.where(np.arange(N) < 300, truth, np.nan)
    clustered = clustered_prediction_powered(Judged(known, judged, np.ones(N), np.arange(N)))
    plain = prediction_powered_mean((truth[:300], judged[:300]), judged[300:])
    assert clustered.tuning == pytest.approx(plain.tuning, abs=0.05)
    assert clustered.value == pytest.approx(plain.value, abs=2e-3)
    assert clustered.se == pytest.approx(plain.se, rel=0.01)


def test_the_live_limits_hold_the_truth_on_every_day(generator):
    """Looked at daily; the judge score alone is outside on every late day."""
    truth, judged = made(N, generator)
    places = generator.choice(N, 500, replace=False)
    days = live_quality(scored(judged), labels_of(places, truth))
    assert (days["what"].unique().to_list(), days.height) == (["quality"], 20)
    assert days.select((pl.col("lower") < truth.mean()) & (pl.col("upper") > truth.mean())).to_series().all()
    assert days["judged_count"].to_list() == list(range(100, 2_001, 100))
    alone = live_quality(scored(judged))
    assert (alone["what"][0], alone["method"][0]) == ("judge score", "beta_binomial_cs")
    assert alone["lower"][-1] > truth.mean()
    assert live_quality(scored(judged / 2))["method"][0] == "hedged_betting_cs"
    assert live_quality(scored([None])).is_empty()
