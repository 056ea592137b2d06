"""A gate on small runs: it passes, blocks, leaves open, or refuses to compare."""

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib import gate, gate_junit
from llmops_lib.errors import GateError

FACTS = {
    "is_locked": True,
    "must_pass": False,
    "kind": "facts",
    "grader_hash": "g",
    "planned_case_count": None,
}


def run(scores, *, run_id="run", metric="facts", suite_hash="s", **changed):
    """A run: for each example a list of the scores of its trials; None is a missing score."""
    facts = {name: value for name, value in {**FACTS, **changed}.items() if value is not None}
    return pl.DataFrame(
        [
            {
                "run_id": run_id,
                "suite_hash": suite_hash,
                "example_id": str(name),
                "trial": trial,
                "scorer": metric,
                "score": None if score is None else float(score),
                "passed": None if score is None else score == 1,
                "latency_ms": 100.0 + trial,
                "cost_usd": 0.001,
                "metadata": orjson.dumps(facts).decode(),
            }
            for name, trials in scores.items()
            for trial, score in enumerate(trials, start=1)
        ],
        schema_overrides={"score": pl.Float64, "passed": pl.Boolean},
    )


def many(count, trials, *, failing=0):
    """Examples of which some fail all of their trials."""
    return {f"e{n}": [0 if n < failing else 1] * trials for n in range(count)}


def test_the_same_run_passes():
    """A against A finds nothing."""
    own = run(many(60, 4, failing=20))
    found = gate(own, own)
    assert found.verdict == "pass"
    assert found.metrics.select("diff", "p_drop").row(0) == (0.0, 1.0)
    assert found.failures.is_empty()
    assert found.items.is_empty()


def test_a_drop_on_many_examples_blocks_and_says_where():
    """Ten of sixty examples that failed in no trial now fail in all."""
    found = gate(run(many(60, 4)), run(many(60, 4, failing=10)))
    assert found.verdict == "block"
    assert found.reasons[0].startswith("facts dropped from 1.000 to 0.833 on 60 examples")
    assert found.items.height == 10
    assert found.items["p_drop"].to_list() == pytest.approx([1 / 70] * 10)


def test_one_flaky_example_neither_blocks_nor_is_called_proof():
    """One trial of one example in three: too few to tell, and the answer says what it would take."""
    found = gate(run({"a": [1, 1], "b": [1, 0], "c": [1, 1]}), run({"a": [1, 1], "b": [0, 0], "c": [1, 1]}))
    assert found.verdict == "inconclusive"
    row = found.metrics.row(0, named=True)
    assert row["smallest_drop_seen"] > row["margin"]
    assert row["trials_needed"] > 2
    assert "trials of each example" in found.reasons[0]


def test_one_trial_is_mcnemars_exact_test():
    """Five examples got worse and none better: one half to the fifth."""
    found = gate(run(many(20, 1)), run(many(20, 1, failing=5)))
    assert found.metrics["p_drop"].item() == pytest.approx(0.5**5)


def test_several_metrics_share_the_chance_of_a_false_block():
    """Holm: of three metrics the smallest p counts threefold."""
    names = ("facts", "status", "number")
    before = pl.concat([run(many(20, 1), metric=name) for name in names])
    after = pl.concat([run(many(20, 1, failing=5 if name == "facts" else 0), metric=name) for name in names])
    found = gate(before, after).metrics.filter(metric="facts").row(0, named=True)
    assert found["p_adjusted"] == pytest.approx(3 * 0.5**5)


def test_what_must_pass_and_failed_blocks_whatever_the_mean():
    """One failed trial is enough where there was none before."""
    before = run({**many(100, 8), "vip": [1] * 8}, must_pass=True)
    found = gate(before, run({**many(100, 2), "vip": [1, 0]}, must_pass=True))
    assert (found.verdict, found.reasons) == ("block", ("vip must pass facts and failed 1 of 2 trials",))


def test_what_must_pass_and_failed_as_often_before_is_told_and_does_not_block():
    """The change did not do it; people and CI servers still see it."""
    failing = run({**many(100, 2), "vip": [0, 0]}, must_pass=True)
    again = gate(failing, failing)
    assert again.verdict == "pass"
    assert again.failures.select("is_blocking", "baseline_failed_count").rows() == [(False, 2)]
    assert again.reasons[-1].startswith("warning: vip must pass facts: failed no more often")
    told = gate_junit(again)
    assert 'failures="0"' in told
    assert "must pass: vip facts" in told


def test_what_must_pass_and_failed_now_and_then_may_not_break():
    """One failure of eight before is no leave to fail always."""
    flaky = run({**many(100, 8), "vip": [1] * 7 + [0]}, must_pass=True)
    found = gate(flaky, run({**many(100, 2), "vip": [0, 0]}, must_pass=True))
    assert found.reasons == ("vip must pass facts and failed 2 of 2 trials (1 of 8 before)",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"suite_hash": "other"}, "suite is not the same"),
        ({"suite_hash": None}, "no run of a locked suite"),
        ({"is_locked": False}, "no run of a locked suite"),
        ({"grader_hash": "other"}, "the grader of facts is not the same"),
        ({"judge_model": "other"}, "the model that judges of facts is not the same"),
        ({"judge_prompts": {"a": "b"}}, "the prompt of the judge of facts is not the same"),
        ({"planned_case_count": 40}, "holds 30 of the 40 examples"),
        ({"metric": "other"}, "lacks the metric facts"),
    ],
)
def test_runs_that_cannot_be_compared_are_never_a_pass(change, said):
    """A changed suite, grader or judge makes every number another one."""
    found = gate(run(many(30, 2)), run(many(30, 2), **change))
    assert found.verdict == "invalid"
    assert any(said in reason for reason in found.reasons)
    assert found.metrics.is_empty()


def test_missing_and_doubled_examples_are_no_pass():
    """Crashes must not improve a score, nor may an example count twice."""
    before = run(many(40, 1, failing=2))
    crashed = run({name: [None] if score == [0] else score for name, score in many(40, 1, failing=2).items()})
    assert gate(before, crashed).verdict == "invalid"
    absent = run({name: score for name, score in many(40, 1).items() if name != "e0"})
    assert gate(before, absent).verdict == "invalid"
    doubled = pl.concat([before, before])
    assert "twice" in gate(before, doubled).reasons[0]
    two_runs = pl.concat([before, run(many(40, 1), run_id="second")])
    assert any("2 runs" in reason for reason in gate(before, two_runs).reasons)
    assert gate(before, before.clear()).verdict == "invalid"


def test_a_missing_example_that_must_pass_is_no_pass_among_thousands():
    """The share that may be missing is for the others."""
    before = run(many(200, 1), must_pass=True)
    after = run({**many(200, 1), "e7": [None]}, must_pass=True)
    assert "e7, which must pass" in gate(before, after).reasons[0]


def test_limits_on_latency_and_cost_block():
    """They need no statistics; an unknown cost is within no limit."""
    own = run(many(40, 2))
    assert gate(own, own, most_p95_latency_ms=90).verdict == "block"
    assert gate(own, own, most_cost_usd=0.0001).verdict == "block"
    assert gate(own, own, most_p95_latency_ms=200, most_cost_usd=0.01).verdict == "pass"
    unknown = own.with_columns(cost_usd=pl.lit(None, dtype=pl.Float64))
    assert "unknown" in gate(own, unknown, most_cost_usd=1).reasons[0]


def test_scores_between_zero_and_one_are_compared_too():
    """Shares of facts and verdicts of judges."""
    generator = np.random.default_rng(7)
    before = {f"e{n}": generator.uniform(0.5, 1, 4).tolist() for n in range(50)}
    worse = {name: [score - 0.3 for score in scores] for name, scores in before.items()}
    assert gate(run(before), run(worse)).verdict == "block"
    assert gate(run(before), run(before)).metrics["p_drop"].item() > 0.4


def test_latency_and_cost_are_measured_but_do_not_gate():
    """Lower is better there; limits are the way to bound them."""
    before = pl.concat([run(many(30, 1)), run(many(30, 1), metric="latency", kind="latency")])
    assert gate(before, before).metrics["metric"].to_list() == ["facts"]


def test_what_cannot_be_asked_is_one_clear_error():
    """Of a level, a margin or a metric."""
    own = run(many(10, 1))
    for wrong in ({"alpha": 0}, {"margin": 0}, {"margins": {"facts": -1}}, {"metrics": ("nothing",)}):
        with pytest.raises(GateError):
            gate(own, own, **wrong)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=25), st.randoms())
def test_the_order_of_rows_does_not_matter_and_a_gain_never_blocks(counts, shuffle):
    """The verdict is a fact about the scores; better everywhere is never worse."""
    before = run({f"e{n}": [1] * a + [0] * (3 - a) for n, (a, _) in enumerate(counts)})
    after = run({f"e{n}": [1] * max(a, b) + [0] * (3 - max(a, b)) for n, (a, b) in enumerate(counts)})
    found = gate(before, after)
    assert found.verdict != "block"
    rows = after.rows(named=True)
    shuffle.shuffle(rows)
    again = gate(before, pl.DataFrame(rows, schema=after.schema))
    assert again.metrics.equals(found.metrics)


def test_a_harmless_change_is_blocked_no_more_often_than_stated():
    """Two hundred pairs of runs of one flaky system: at most five in a hundred, within Monte-Carlo error."""
    generator = np.random.default_rng(11)
    rates = generator.beta(2, 1, 40)
    blocks = 0
    for _ in range(200):
        sides = [
            run({f"e{n}": generator.binomial(1, rate, 2).tolist() for n, rate in enumerate(rates)})
            for _ in range(2)
        ]
        blocks += gate(*sides).verdict == "block"
    assert blocks <= 200 * 0.05 + 3 * (200 * 0.05 * 0.95) ** 0.5


def test_a_block_for_a_limit_fails_in_the_report_of_a_ci_server_too():
    """A server that counts failures must not show a blocked change as green."""
    own = run(many(40, 2))
    found = gate(own, own, most_p95_latency_ms=90)
    assert found.verdict == "block"
    told = gate_junit(found)
    assert 'failures="1"' in told
    assert "95th percentile of latency" in told
