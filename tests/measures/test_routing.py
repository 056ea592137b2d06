"""Routing what-ifs on traffic small enough to work out by hand."""

import numpy as np
import polars as pl
import pytest

from llmops_lib import (
    RoutingPolicy,
    calls_on_other_models,
    price_calls,
    routing_by_stratum,
    routing_strata,
    routing_tradeoff,
    simulate_routing,
)
from llmops_lib.errors import MissingColumnError, ParameterError

LARGE, SMALL = "gpt-4o", "gpt-4o-mini"
LARGE_USD, SMALL_USD = 1000 * 2.5e-6, 1000 * 0.15e-6
"""A call of a thousand input tokens at list prices."""


@pytest.fixture
def traffic(calls):
    """Calls without output tokens, of one feature and a user each, with the models and judgements given."""

    def build(models, judged=None, **columns):
        height = len(models)
        plain = {
            "provider": ["openai"] * height,
            "model": models,
            "request_model": models,
            "feature": ["chat"] * height,
            "user_id": [f"u{row}" for row in range(height)],
            "input_tokens": [1000] * height,
            "output_tokens": [0] * height,
            "cache_read_tokens": [0] * height,
            "cache_write_tokens": [0] * height,
            "feedback_score": judged or [None] * height,
        }
        return price_calls(calls(**(plain | columns)))

    return build


def strata_of(table, engine=lambda table: table, **options):
    """The strata of a table; the calls on other models are priced by polars."""
    moved = calls_on_other_models(table, ["feature", "model", "input_tokens"], least_calls=1)
    return routing_strata(engine(table), price_calls(moved), **options)


def simulated(strata, **policy):
    """The one row of a policy."""
    return simulate_routing(strata, RoutingPolicy(SMALL, **policy)).row(0, named=True)


def test_half_of_the_calls_cost_what_the_small_model_takes(traffic):
    """Two of four large calls at 0.15 instead of 2.50 USD per million tokens."""
    found = simulated(strata_of(traffic([LARGE] * 4 + [SMALL])))
    assert (found["call_count"], found["eligible_count"], found["moved_count"]) == (5, 4, 2)
    assert found["spend_usd_before"] == pytest.approx(4 * LARGE_USD + SMALL_USD)
    assert found["saving_usd"] == pytest.approx(2 * (LARGE_USD - SMALL_USD))
    assert found["spend_usd_after"] == pytest.approx(2 * LARGE_USD + 3 * SMALL_USD)


def test_quality_is_that_of_the_small_models_own_answers(engine, traffic):
    """Eight of ten liked against six of eight: -0.05 with the interval of two independent means."""
    judged = [1.0] * 8 + [0.0] * 2 + [1.0] * 6 + [0.0] * 2
    found = simulated(strata_of(traffic([LARGE] * 10 + [SMALL] * 8, judged), engine), share=1)
    assert found["quality_before"] == pytest.approx(0.8)
    assert found["quality_after"] == pytest.approx(0.75)
    assert found["quality_change"] == pytest.approx(-0.05)
    spread = (0.16 / 9 + 0.1875 / 7) ** 0.5
    half = found["quality_change_high"] - found["quality_change"]
    assert 2.1 * spread < half < 2.2 * spread
    assert found["quality_reason"] is None


def test_judgements_of_one_user_count_as_one_opinion(traffic):
    """Ten likes of two users are no ten users: without enough of them, there is no interval."""
    users = [f"u{row % 2}" for row in range(10)] + [f"v{row}" for row in range(10)]
    found = simulated(strata_of(traffic([LARGE] * 10 + [SMALL] * 10, [1.0] * 20, user_id=users)))
    assert found["quality_change"] is None
    assert (found["quality_reason"], found["unjudged_share"]) == ("n_too_small", 1.0)


def test_all_answers_liked_is_no_certainty(traffic):
    """Five equal judgements have a variance of zero, which proves nothing: the pooled one stands in."""
    judged = [1.0] * 5 + [1.0, 0.0] * 5
    found = simulated(strata_of(traffic([SMALL] * 5 + [LARGE] * 10, judged)), share=1)
    assert found["quality_after_high"] - found["quality_after"] > 0.1


def test_where_the_small_model_never_answered_nothing_is_said_of_its_quality(traffic):
    """Answers to short questions say nothing of long ones."""
    long, short = [20_000] * 6, [500] * 12
    models, judged = [LARGE] * 6 + [LARGE] * 6 + [SMALL] * 6, [1.0] * 18
    strata = strata_of(traffic(models, judged, input_tokens=long + short))
    half, all_of_it = simulated(strata, share=0.5), simulated(strata, share=1)
    assert half["quality_change"] == 0
    assert all_of_it["quality_change"] is None
    assert (all_of_it["quality_reason"], all_of_it["no_overlap_share"]) == ("no_overlap", 0.5)
    assert all_of_it["saving_usd"] > half["saving_usd"] > 0


def test_the_shortest_calls_move_first_and_by_chance_all_alike(traffic):
    """Half of the calls by length are the short ones, a tenth of the money."""
    strata = strata_of(traffic([LARGE] * 4 + [SMALL], input_tokens=[500, 500, 4500, 4500, 500]))
    per_token = (2.5 - 0.15) * 1e-6
    assert simulated(strata)["saving_usd"] == pytest.approx(1000 * per_token)
    assert simulated(strata, order="by chance")["saving_usd"] == pytest.approx(5000 * per_token)


def test_only_the_features_and_models_of_the_policy_move(traffic):
    """A call without a feature is a feature of its own."""
    models, features = [LARGE, LARGE, "gpt-4.1", SMALL], [None, "chat", "chat", "chat"]
    strata = strata_of(traffic(models, feature=features))
    assert simulated(strata, features=[None], share=1)["eligible_count"] == 1
    assert simulated(strata, features=["chat"], share=1)["eligible_count"] == 2
    assert simulated(strata, from_models=[LARGE], share=1)["eligible_count"] == 2


def test_calls_without_a_price_are_counted_and_in_no_sum(traffic):
    """A price is never guessed: what an unknown model costs stays unknown."""
    strata = strata_of(traffic([LARGE, "our-own-model", SMALL]))
    found = simulated(strata, share=1)
    assert (found["unpriced_count"], found["moved_count"], found["moved_unpriced_count"]) == (1, 2, 1)
    assert found["saving_usd"] == pytest.approx(LARGE_USD - SMALL_USD)
    only_unknown = simulated(strata, share=1, from_models=["our-own-model"])
    assert only_unknown["saving_usd"] is None
    assert only_unknown["spend_usd_after"] is None


def test_calls_whose_length_is_unknown_stay_where_they_are(traffic):
    """A rule on the length cannot place them; failed calls are among them."""
    strata = strata_of(traffic([LARGE, LARGE, SMALL], input_tokens=[1000, None, 1000]))
    assert simulated(strata, share=1)["eligible_count"] == 1


def test_a_difficulty_score_orders_calls_as_well(traffic):
    """Any number that says how hard a question is."""
    table = traffic([LARGE] * 4 + [SMALL], input_tokens=[4000, 4000, 100, 100, 100])
    scored = table.with_columns(difficulty_score=pl.Series([0.1, 0.1, 0.9, 0.9, 0.1]))
    moved = calls_on_other_models(scored, ["feature", "model", "difficulty_score"], least_calls=1)
    strata = routing_strata(scored, price_calls(moved), rule="difficulty_score", edges=(0.5,))
    assert simulated(strata)["saving_usd"] == pytest.approx(8000 * (2.5 - 0.15) * 1e-6)


def test_the_tradeoff_runs_from_nothing_to_everything(traffic):
    """The curve says at each share what the simulation says there."""
    judged = [1.0] * 12 + [0.0, 1.0] * 6
    strata = strata_of(traffic([LARGE] * 12 + [SMALL] * 12, judged))
    curve = routing_tradeoff(strata, RoutingPolicy(SMALL), steps=4)
    assert curve["moved_share"].to_list() == [0, 0.25, 0.5, 0.75, 1]
    assert curve["saving_usd"].is_sorted()
    assert curve["traffic_quality_change"].to_list() == pytest.approx([0, -0.125, -0.25, -0.375, -0.5])
    for row in curve.iter_rows(named=True):
        assert row == simulated(strata, share=row["moved_share"])


def test_strata_say_where_the_evidence_is(traffic):
    """The parts add up to the whole, and each has its own reason."""
    features = ["chat"] * 12 + ["code"] * 2
    strata = strata_of(traffic([LARGE] * 6 + [SMALL] * 6 + [LARGE] * 2, [1.0] * 14, feature=features))
    policy = RoutingPolicy(SMALL, share=1)
    table = routing_by_stratum(strata, policy)
    assert table["saving_usd"].sum() == pytest.approx(simulate_routing(strata, policy)["saving_usd"].item())
    found = {row["feature"]: row for row in table.iter_rows(named=True)}
    assert (found["chat"]["quality_change"], found["chat"]["judged_count"]) == (0, 6)
    assert (found["code"]["quality_reason"], found["code"]["judged_count"]) == ("no_overlap", 0)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"to_model": "nobody"}, "to_model: found 'nobody', expected one of those in the strata: gpt-4o"),
        ({"features": ["none"]}, "features: found 'none'"),
        ({"from_models": ["none"]}, "from_models: found 'none'"),
        ({"share": 1.5}, "share 1.5 is not between 0 and 1"),
        ({"share": float("nan")}, "share nan is not between 0 and 1"),
        ({"order": "hardest"}, "order 'hardest' is unknown"),
    ],
)
def test_a_policy_that_cannot_be_run_says_what_there_is(traffic, policy, message):
    """A typo in a notebook is answered with the names that exist."""
    with pytest.raises(ParameterError, match=message):
        simulate_routing(strata_of(traffic([LARGE, SMALL])), RoutingPolicy(**({"to_model": SMALL} | policy)))


def test_strata_of_calls_without_costs_say_what_to_do(calls):
    """The first mistake that anyone makes."""
    with pytest.raises(MissingColumnError, match=r"Call price_calls\(\)"):
        routing_strata(calls(model=["a"]).drop("cost_usd"), calls(model=["a"]))


@pytest.mark.parametrize(
    ("rule", "edges"), [("length", None), ("input_tokens", [5, 1]), ("input_tokens", [])]
)
def test_rules_and_edges_are_checked(traffic, rule, edges):
    """Bands that do not ascend would overlap."""
    with pytest.raises(ParameterError):
        strata_of(traffic([LARGE, SMALL]), rule=rule, edges=edges)


def test_no_traffic_is_simulated_too(traffic):
    """A month without calls has no model to move to, and its strata are empty."""
    strata = strata_of(traffic([LARGE, SMALL]).clear())
    assert (strata.cells.height, strata.models, strata.features) == (0, [], [])


def test_intervals_hold_what_they_promise():
    """A law on made traffic: the 95% interval covers the true change in about 95 of 100 worlds."""
    from llmops_lib.stats.clusters import group_means, weighted_interval

    generator, covered = np.random.default_rng(11), 0
    for _ in range(400):
        users = generator.normal(0, 0.3, 40)
        counts = generator.integers(1, 6, (40, 2)).astype(float)
        noise = generator.normal(0, 1, (40, 2)) * np.sqrt(counts)
        sums = counts * (np.array([0.5, 0.2]) + users[:, None]) + noise
        squares = counts * 2.0
        groups, clusters = np.tile([0, 1], 40), np.repeat(np.arange(40), 2)
        means = group_means(groups, clusters, (counts.ravel(), sums.ravel(), squares.ravel()), group_count=2)
        _, low, high = weighted_interval(np.array([-1.0, 1.0]), means)
        covered += low <= -0.3 <= high
    assert 370 <= covered <= 396
