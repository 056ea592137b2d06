"""The value of a router that did not run, from decisions that were made by chance."""

import json

import numpy as np
import polars as pl
import pytest

from llmops_lib.errors import MissingColumnError, OverlapError, SchemaError
from llmops_lib.measures.off_policy import off_policy_value

HARD = ("math", "physics", "chemistry", "computer", "engineering", "statistics", "logic")


def decisions(reward, propensity, target, predicted=0.0, predicted_target=0.0):
    """A literal log."""
    return pl.DataFrame(
        {
            "reward": reward,
            "propensity": propensity,
            "target_propensity": target,
            "predicted_reward": [predicted] * len(reward),
            "predicted_target_reward": [predicted_target] * len(reward),
        }
    )


def test_a_coin_that_the_policy_always_follows_weighs_its_answers_twice():
    """Half of the log is what the policy does, each row standing for two."""
    found = off_policy_value(decisions([1.0, 0.0, 1.0, 1.0], [0.5] * 4, [1.0, 1.0, 0.0, 0.0]))
    values = dict(found.select("estimator", "value").rows())
    assert values == {"dr": 0.5, "snips": 0.5, "ips": 0.5, "dm": 0.0}
    assert found["effective_count"].unique().to_list() == [2.0]


def test_what_was_never_tried_is_refused(shared):
    """Propensity 0 where the policy acts: no number of calls would tell."""
    vectors = json.loads((shared / "reference" / "stats_vectors.json").read_text("utf-8"))["vectors"]
    inputs = next(one["inputs"] for one in vectors if one["name"] == "routing.ope.no_overlap")
    propensity = [float(chance) for chance in inputs["propensity"]]
    with pytest.raises(OverlapError, match="in 1 of 2 rows"):
        off_policy_value(decisions([1.0, 1.0], propensity, inputs["target"]))


def test_a_handful_of_heavy_rows_is_no_overlap():
    """Two rows that carry the weight of forty would make an interval of luck."""
    found = off_policy_value(decisions([1.0] * 40, [0.01] * 2 + [0.99] * 38, [1.0] * 2 + [0.0] * 38))
    assert found["reason"].unique().to_list() == ["no_overlap"]
    assert found["value"].null_count() == 4


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reward": ["good"] * 4}, "0 of 4 rows hold a number"),
        ({"reward": [1.0, 0.0, float("inf"), 1.0]}, "3 of 4 rows hold a number"),
        ({"propensity": [0.5, 0.5, 2.0, 0.5]}, "propensity holds 2; expected the chance of an action"),
        ({"target_propensity": [1.0, -1.0, 0.0, 0.0]}, "target_propensity holds -1; expected the chance"),
    ],
)
def test_what_is_no_chance_and_no_number_is_refused(changed, said):
    """A weight above one over the exploration, or below zero, would pass for an estimate."""
    log = decisions([1.0, 0.0, 1.0, 1.0], [0.5] * 4, [1.0, 1.0, 0.0, 0.0])
    wrong = log.with_columns(pl.Series(name, values, strict=False) for name, values in changed.items())
    with pytest.raises(SchemaError, match=said):
        off_policy_value(wrong)


def test_next_to_no_users_have_no_interval():
    """The sums of a single user are zero around their mean: an interval without width."""
    log = decisions([1.0, 0.0, 1.0, 1.0] * 5, [0.5] * 20, [1.0, 1.0, 0.0, 0.0] * 5)
    one = off_policy_value(log.with_columns(user_id=pl.lit("u")), cluster="user_id").row(0, named=True)
    assert (one["value"], one["standard_error"], one["value_low"]) == (0.5, None, None)
    few = log.with_columns(user_id=pl.int_range(pl.len()) % 4)
    four = off_policy_value(few, cluster="user_id").row(0, named=True)
    assert (four["value_high"], four["reason"]) == (None, "too_few_clusters")
    assert off_policy_value(log.head(1))["reason"].unique().to_list() == ["n_too_small"]
    with pytest.raises(MissingColumnError, match="user_id"):
        off_policy_value(log, cluster="user_id")


def test_an_unknown_value_is_refused():
    """A reward that is missing is not a reward of zero."""
    with pytest.raises(SchemaError, match="0 of 1 rows hold a number"):
        off_policy_value(decisions([None], [0.5], [1.0]))


def test_all_estimators_agree_with_the_reference_on_real_answers(shared):
    """A coin per topic logged them, a rule by topic is the policy; the truth lies in every interval."""
    vectors = json.loads((shared / "reference" / "stats_vectors.json").read_text("utf-8"))["vectors"]
    expected = next(one["expected"] for one in vectors if one["name"] == "routing.ope.mmlu_logged")
    table = pl.read_csv(shared / "reference" / "data" / "routellm_mmlu.csv").filter(contaminated=0)
    is_hard = table["domain"].str.contains("|".join(HARD)).to_numpy()
    digits = table["prompt_sha1"].str.slice(8, 4).str.to_integer(base=16).to_numpy()
    chance = np.where(is_hard, 0.7, 0.3)
    is_strong = digits / 65536 < chance
    reward = np.where(is_strong, table["strong"].to_numpy(), table["weak"].to_numpy()).astype(float)
    guess = {action: reward[is_strong == action].mean() for action in (True, False)}
    log = pl.DataFrame(
        {
            "reward": reward,
            "propensity": np.where(is_strong, chance, 1 - chance),
            "target_propensity": (is_strong == is_hard).astype(float),
            "predicted_reward": np.where(is_strong, guess[True], guess[False]),
            "predicted_target_reward": np.where(is_hard, guess[True], guess[False]),
        }
    )
    found = {row["estimator"]: row for row in off_policy_value(log).iter_rows(named=True)}
    for name in ("ips", "snips", "dm", "dr"):
        assert found[name]["value"] == pytest.approx(expected[name], rel=1e-8)
    for name in ("ips", "snips", "dr"):
        assert found[name]["standard_error"] == pytest.approx(expected[f"{name}_se"], rel=1e-8)
        assert found[name]["value_low"] < expected["truth_full_information"] < found[name]["value_high"]
    assert found["dr"]["effective_count"] == pytest.approx(expected["ess"], rel=1e-8)
    assert found["dr"]["largest_weight"] == pytest.approx(expected["max_weight"], rel=1e-8)
    assert found["dr"]["mean_weight"] == pytest.approx(expected["mean_weight"], rel=1e-8)
