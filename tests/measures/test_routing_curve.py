"""Routers on questions that both models answered: hand-worked curves and RouteLLM's figures."""

import json

import numpy as np
import polars as pl
import pytest

from llmops_lib.errors import MissingColumnError, ParameterError, SchemaError
from llmops_lib.frames import collected
from llmops_lib.measures.routing_curve import routing_curve, routing_summary


@pytest.fixture(scope="module")
def vector(shared):
    """A reference vector by name."""
    vectors = json.loads((shared / "reference" / "stats_vectors.json").read_text("utf-8"))["vectors"]
    named = {vector["name"]: vector for vector in vectors}
    return lambda name: named[name]["expected"]


@pytest.fixture(scope="module")
def mmlu(shared):
    """Answers of GPT-4 and Mixtral to 14,037 questions, with a router that knows nothing."""
    table = pl.read_csv(shared / "reference" / "data" / "routellm_mmlu.csv").filter(contaminated=0)
    digits = pl.col("prompt_sha1").str.slice(0, 8).str.to_integer(base=16, dtype=pl.Int64)
    return table.select("domain", strong_score="strong", weak_score="weak", router_score=digits / 16**8)


def points(curve):
    """Percent of strong calls and percent right, the way RouteLLM lists them."""
    return curve.select(pl.col("strong_share", "quality") * 100)


def outcomes(strong, weak, scores=None, **columns):
    """A literal table of outcomes."""
    return pl.DataFrame({"strong_score": strong, "weak_score": weak, "router_score": scores, **columns})


def test_questions_move_to_the_strong_model_from_the_highest_score_down(engine):
    """Two ties move together, so that there is no point between them."""
    table = outcomes([1, 1, 1, 0], [0, 1, 0, 0], [0.9, 0.5, 0.5, 0.1])
    curve = collected(routing_curve(engine(table)))
    assert curve["strong_share"].to_list() == [0, 0.25, 0.75, 1]
    assert curve["quality"].to_list() == [0.25, 0.5, 0.75, 0.75]
    assert routing_curve(table)["pgr"].null_count() == 4


def test_cost_follows_the_questions_that_move():
    """0.10 USD on the weak model, 1.00 USD on the strong one for the question that moves first."""
    costs = {"strong_cost_usd": [1.0, 3.0], "weak_cost_usd": [0.1, 0.1]}
    curve = routing_curve(outcomes([1, 1], [0, 0], [0.9, 0.1], **costs))
    assert curve["cost_usd"].to_list() == pytest.approx([0.1, 0.55, 2.0])


def test_models_that_cannot_be_told_apart_leave_nothing_to_recover():
    """A gap of less than two standard errors would make PGR a ratio of noise."""
    alike = outcomes([1, 0, 1, 0], [0, 1, 1, 0], [4, 3, 2, 1])
    assert routing_curve(alike)["pgr"].null_count() == 5
    assert routing_summary(routing_curve(alike)).row(0) == (None, None, None, None)


def test_a_single_question_has_an_end_and_a_beginning():
    """No spread is known, and nothing fails."""
    curve = routing_curve(outcomes([1.0], [0.0], [0.5]))
    assert curve["quality"].to_list() == [0, 1]


def test_a_curve_may_lie_in_any_order(engine):
    """Tables of a database have none; read backwards the area was negative."""
    curve = routing_curve(outcomes([1, 1, 1, 0], [0, 1, 0, 0], [0.9, 0.5, 0.4, 0.1]))
    backwards = routing_summary(engine(curve.reverse()))
    assert backwards.equals(routing_summary(curve))
    assert routing_summary(curve.clear())["apgr"].to_list() == [None]


def test_questions_of_one_topic_have_no_standard_error():
    """Whether another topic would say the same is unknown, and not certain."""
    table = outcomes([1, 1, 1, 0], [0, 1, 0, 0], [0.9, 0.5, 0.4, 0.1], topic=["law"] * 4)
    assert routing_curve(table, cluster="topic")["quality_se"].null_count() == 5


def test_a_curve_has_a_point_or_more():
    """No points were taken for all of them, and fewer than none for a table without rows."""
    with pytest.raises(ParameterError, match="points: found 0, expected 1 or more"):
        routing_curve(outcomes([1], [0], [0.5]), points=0)


def test_an_unanswered_question_is_refused():
    """Leaving it out silently would favour the model that did not answer."""
    with pytest.raises(SchemaError, match="1 of 2 rows have strong_score"):
        routing_curve(outcomes([1, None], [1, 1], [0.1, 0.2]))
    with pytest.raises(MissingColumnError, match="weak_score"):
        routing_curve(pl.DataFrame({"strong_score": [1]}))
    with pytest.raises(ParameterError, match="router 'best' is unknown"):
        routing_curve(outcomes([1], [0], [1]), router="best")


def test_one_cluster_per_question_is_independence():
    """The clustered error must fall back to the ordinary one."""
    generator = np.random.default_rng(5)
    strong, weak = generator.random(200), generator.random(200) * 0.5
    table = outcomes(strong, weak, generator.random(200), each=range(200))
    plain, clustered = routing_curve(table), routing_curve(table, cluster="each")
    assert clustered["quality_se"].to_list() == pytest.approx(plain["quality_se"].to_list(), rel=1e-9)
    ends = plain.filter(pl.col("strong_share").is_in([0.0, 1.0]))["quality_se"].to_list()
    expected = [np.std(values, ddof=1) / 200**0.5 for values in (weak, strong)]
    assert ends == pytest.approx(expected)


def test_the_oracle_and_the_endpoints_are_those_of_routellm(mmlu, vector):
    """Real answers: 80.6 and 68.1 percent right, 85.9 with every question at the model that knows it."""
    expected = vector("routing.mmlu.endpoints_and_oracle")
    curve = points(routing_curve(mmlu, router="oracle", points=10))
    assert curve["quality"].to_list() == pytest.approx(
        list(expected["optimal_by_strong_pct"].values()), rel=1e-9
    )
    ends = points(routing_curve(mmlu, router="random", points=1))["quality"].to_list()
    assert ends == pytest.approx([expected["weak"], expected["strong"]], rel=1e-9)


def test_a_router_with_scores_has_the_curve_of_routellm(mmlu, vector):
    """Eleven thresholds, the area under them and where they recover 20, 50 and 80 percent."""
    expected = vector("routing.mmlu.sha1_router")
    curve = routing_curve(mmlu, points=10)
    listed = sorted(expected["curve_strongpct_accuracy"])
    assert points(curve)["strong_share"].to_list() == pytest.approx([share for share, _ in listed], rel=1e-9)
    assert points(curve)["quality"].to_list() == pytest.approx([right for _, right in listed], rel=1e-9)
    summary = routing_summary(curve).row(0, named=True)
    assert summary["apgr"] == pytest.approx(expected["apgr"], rel=1e-6)
    for percent in (20, 50, 80):
        assert summary[f"cpt_{percent}_share"] * 100 == pytest.approx(
            expected[f"cpt{percent}_pct"], abs=0.006
        )


def test_the_random_router_is_a_straight_line_as_published(mmlu, vector):
    """APGR 0.500, CPT(50) 50.07 and CPT(80) 79.93 in the paper's tables, exact here."""
    expected = vector("routing.mmlu.random_router_published")
    summary = routing_summary(routing_curve(mmlu, router="random")).row(0, named=True)
    assert summary["apgr"] == pytest.approx(expected["apgr_expected"], abs=1e-12)
    for percent in (50, 80):
        found = summary[f"cpt_{percent}_share"] * 100
        assert found == pytest.approx(expected[f"cpt{percent}_expected"], abs=1e-9)
        assert found == pytest.approx(float(expected["published"][f"cpt{percent}"].split()[0]), abs=0.1)


def test_standard_errors_are_those_of_the_delta_method(mmlu, vector):
    """By question and by topic, at one threshold of 13,933."""
    expected = vector("routing.pgr.delta_se.mmlu")
    at = pl.col("strong_share").is_close(expected["strong_fraction"])
    alone = routing_curve(mmlu).filter(at).row(0, named=True)
    by_topic = routing_curve(mmlu, cluster="domain").filter(at).row(0, named=True)
    assert alone["quality"] == pytest.approx(expected["accuracy"], rel=1e-8)
    assert alone["quality_se"] == pytest.approx(expected["se_accuracy"], rel=1e-8)
    assert alone["pgr"] == pytest.approx(expected["pgr"], rel=1e-8)
    assert alone["pgr_se"] == pytest.approx(expected["se_pgr_delta"], rel=1e-8)
    assert by_topic["pgr_se"] == pytest.approx(expected["se_pgr_cluster_CR1"], rel=1e-8)


def test_graded_answers_have_the_endpoints_of_routellm(shared, vector):
    """MT-bench grades from 1 to 10, without the questions that a model was trained on."""
    expected = vector("routing.mtbench.endpoints")
    table = pl.read_csv(shared / "reference" / "data" / "routellm_mtbench.csv").filter(contaminated=0)
    key = ["question_id", "turn"]
    pairs = table.pivot("model", index=key, values="score").rename(
        {"strong": "strong_score", "weak": "weak_score"}
    )
    quality = routing_curve(pairs, router="random", points=1)["quality"].to_list()
    assert quality == pytest.approx([expected["weak"], expected["strong"]], rel=1e-9)
