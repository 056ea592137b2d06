"""What a gate would see, planned from a pilot run."""

import numpy as np
import polars as pl
import pytest

from llmops_lib import plan_gate
from llmops_lib.errors import GateError


def pilot(items, *, scorer="facts", run_id="pilot"):
    """A run: a list of the scores of its trials for each example."""
    rows = [
        (run_id, f"e{n}", trial, scorer, float(score))
        for n, scores in enumerate(items)
        for trial, score in enumerate(scores, start=1)
    ]
    return pl.DataFrame(rows, schema=["run_id", "example_id", "trial", "scorer", "score"], orient="row")


def flaky(count, trials, seed=1):
    """Examples that pass two times in three, some always, some never."""
    generator = np.random.default_rng(seed)
    return [generator.binomial(1, rate, trials).tolist() for rate in generator.beta(2, 1, count)]


def test_more_trials_see_smaller_drops_and_the_same_seed_gives_the_same_plan():
    """A plan is a fact about pilot, rule and seed."""
    own = pilot(flaky(40, 4))
    plan = plan_gate(own, trials=(4, 1), escalates=False, simulation_count=100)
    assert plan["rule"].to_list() == ["1", "4"]
    for column in ("smallest_diffuse_drop", "smallest_concentrated_drop", "items_needed"):
        one, four = plan[column].to_list()
        assert one > four > 0
    assert plan["false_block_share"].max() <= 0.05 + 3 * (0.05 * 0.95 / 100) ** 0.5
    assert plan.equals(plan_gate(own, trials=(4, 1), escalates=False, simulation_count=100))


def test_each_metric_pays_for_the_others():
    """Of two metrics that gate, each sees less than it would alone."""
    both = pl.concat([pilot(flaky(40, 4)), pilot(flaky(40, 4, seed=2), scorer="status")])
    alone = plan_gate(both, trials=(4,), escalates=False, metrics=("facts",), simulation_count=100)
    together = plan_gate(both, trials=(4,), escalates=False, simulation_count=100)
    assert together["metric"].to_list() == ["facts", "status"]
    assert together["smallest_diffuse_drop"][0] > alone["smallest_diffuse_drop"].item()


def test_what_a_pilot_cannot_tell_is_null_with_its_reason():
    """One trial, or trials that are all alike, say nothing about noise."""
    for items in ([[1], [0], [1]], [[1, 1], [1, 1]], [[0.5, 0.5], [1, 1]]):
        row = plan_gate(pilot(items), trials=(2,), escalates=False, simulation_count=20).row(0, named=True)
        assert row["smallest_diffuse_drop"] is None
        assert "not known" in row["note"]


def test_a_pilot_without_noise_plans_what_breaks_and_says_so():
    """At temperature 0 an example passes always or never; three that break are seen, whatever the items."""
    steady = [[1, 1]] * 40 + [[0, 0]] * 20
    row = plan_gate(pilot(steady), trials=(2,), escalates=False, simulation_count=100).row(0, named=True)
    assert row["smallest_diffuse_drop"] is None
    assert 0.02 < row["smallest_concentrated_drop"] < 0.12
    assert 20 < row["items_needed"] < 120
    assert row["note"].startswith("each example passed always or never")


def test_scores_between_zero_and_one_are_planned_by_the_formula_and_say_so():
    """Their spread over items has no fitted distribution."""
    generator = np.random.default_rng(5)
    row = plan_gate(pilot(generator.uniform(0.3, 0.9, (40, 4)).tolist()), trials=(4,), escalates=False).row(
        0, named=True
    )
    assert row["simulation_count"] == 0
    assert "normal formula" in row["note"]
    assert 0.01 < row["smallest_diffuse_drop"] < 0.1
    assert row["smallest_concentrated_drop"] is None


def test_what_cannot_be_planned_is_one_clear_error():
    """Two runs are no pilot."""
    own = pilot(flaky(10, 2))
    two = pl.concat([own, pilot(flaky(10, 2), run_id="other")])
    with pytest.raises(GateError, match="2 runs"):
        plan_gate(two)
    wrong = ({"trials": (0,)}, {"trials": ()}, {"drop": 0}, {"baseline_trials": 0}, {"metrics": ("none",)})
    for one in (*wrong, {"alpha": 0.6}, {"margin": 0}, {"simulation_count": 1}):
        with pytest.raises(GateError):
            plan_gate(own, **one)


def test_the_command_prints_the_plan(llmops, tmp_path):
    """The same numbers for a person and for a script."""
    own = pilot(flaky(30, 4)).with_columns(source_format=pl.lit("table"), source_file=pl.lit("x"))
    own.write_parquet(tmp_path / "pilot.parquet")
    options = ("--trials", "4", "--simulations", "40")
    code, out, _ = llmops("gate", "plan", tmp_path / "pilot.parquet", *options)
    assert code == 0
    assert "sees concentrated" in out
    assert out.count("2-4-8") == 1
    code, out, _ = llmops("gate", "plan", tmp_path / "pilot.parquet", *options, "--json")
    assert code == 0
    assert '"is_simulated": true' in out
    code, _, err = llmops("gate", "plan", tmp_path / "pilot.parquet", "--trials", "two")
    assert code == 2
    assert "2,4,8" in err
