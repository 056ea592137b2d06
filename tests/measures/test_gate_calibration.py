"""How often a gate blocks what did not change."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from llmops_lib import calibrate_gate
from llmops_lib.errors import GateError
from tests.measures.test_gate import many, run


def shares(table):
    """Counts by outcome."""
    return dict(table.select("outcome", "outcome_count").rows())


def flaky(run_id="run", seed=1, trials=6, **facts):
    """Thirty examples, each with a pass rate of its own."""
    rates = np.random.default_rng(0).beta(2, 1, 30)
    generator = np.random.default_rng(seed)
    return run(
        {f"e{n}": generator.binomial(1, rate, trials).tolist() for n, rate in enumerate(rates)},
        run_id=run_id,
        **facts,
    )


def test_splits_of_one_run_are_blocked_no_more_often_than_stated():
    """The interval is the exact one of the count; the same seed splits the same."""
    found = calibrate_gate(flaky(), split_count=60, seed=2)
    block = found.row(0, named=True)
    assert (block["outcome"], block["design"], block["comparison_count"]) == ("block", "splits", 60)
    exact = binomtest(block["outcome_count"], 60).proportion_ci(method="exact")
    assert (block["share_lower"], block["share_upper"]) == pytest.approx((exact.low, exact.high))
    assert block["share_lower"] <= 0.05
    counts = shares(found)
    assert counts["block"] + counts["pass"] + counts["inconclusive"] == 60
    assert found.equals(calibrate_gate(flaky(), split_count=60, seed=2))


def test_runs_are_compared_with_the_first_of_them():
    """A run that is worse is blocked, whatever it is called."""
    first = run(many(60, 2), run_id="first")
    others = [run(many(60, 2), run_id="same"), run(many(60, 2, failing=20), run_id="worse")]
    started = [
        one.with_columns(
            started_at=pl.lit(f"2026-11-0{day}").str.to_datetime(time_unit="us", time_zone="UTC")
        )
        for day, one in zip((2, 1, 3), (others[0], first, others[1]), strict=True)
    ]
    found = calibrate_gate(pl.concat(started))
    assert shares(found) | {"block_by_drop": 1} == shares(found)
    assert (shares(found)["block"], shares(found)["pass"], found["design"][0]) == (1, 1, "runs")


def test_a_flaky_example_that_must_pass_shows_as_what_it_is():
    """It blocks harmless changes, and no statistics can help it."""
    steady = run(many(30, 6))
    vip = run({"vip": [1, 1, 1, 1, 1, 0]}, must_pass=True)
    counts = shares(calibrate_gate(pl.concat([steady, vip]), split_count=40))
    assert counts["block"] == counts["block_by_failure"] > 8
    assert counts["block_by_drop"] == 0


def test_what_cannot_be_calibrated_is_one_clear_error():
    """Too few trials, two prompts, or no valid comparison at all."""
    with pytest.raises(GateError, match="two trials or more"):
        calibrate_gate(flaky(trials=1))
    two = [flaky(run_id=name).with_columns(prompt_hash=pl.lit(name)) for name in ("a", "b")]
    with pytest.raises(GateError, match="one and the same prompt"):
        calibrate_gate(pl.concat(two))
    with pytest.raises(GateError, match="no run of a locked suite"):
        calibrate_gate(flaky(is_locked=False), split_count=2)


def test_the_command_says_no_where_the_share_is_above_its_level(llmops, tmp_path):
    """Six of seven runs that are worse than the first are no chance."""
    runs = [run(many(40, 2, failing=20 * (n > 0)), run_id=f"r{n}") for n in range(8)]
    own = pl.concat(runs).with_columns(source_format=pl.lit("table"), source_file=pl.lit("x"))
    own.write_parquet(tmp_path / "scores.parquet")
    code, out, _ = llmops("gate", "calibrate", tmp_path / "scores.parquet")
    assert code == 1
    assert "block              100.0%  (7; 95%: 59.0% to 100.0%)" in out
    own.filter(run_id="r1").write_parquet(tmp_path / "one.parquet")
    code, out, _ = llmops("gate", "calibrate", tmp_path / "one.parquet", "--splits", "5", "--json")
    assert code == 0
    assert '"design": "splits"' in out
