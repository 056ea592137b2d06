"""An eval run case by case: failing, flaky, missing, and what changed since."""

import polars as pl
import pytest

from llmops_lib import case_changes, case_costs, case_outcomes, load_scores, one_run, scorer_outcomes
from llmops_lib.errors import SuiteError
from llmops_lib.evals.runs import open_run, run_facts, run_name
from llmops_lib.measures.eval_totals import eval_totals
from llmops_lib.schema import SCORES


def run(verdicts, *, scorer="facts", **columns):
    """SCORES of one run: verdicts of the trials by case; None is a trial without a score."""
    rows = [
        {
            "run_id": "r",
            "example_id": case,
            "trial": trial,
            "scorer": scorer,
            "score": None if passed is None else float(passed),
            "passed": passed,
            "explanation": f"trial {trial}",
        }
        for case, trials in verdicts.items()
        for trial, passed in enumerate(trials, start=1)
    ]
    made = pl.DataFrame(rows, schema_overrides={"score": pl.Float64, "passed": pl.Boolean})
    return made.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def test_each_case_has_one_outcome():
    """Trials that disagree are neither a pass nor a failure."""
    scores = run({"a": [True, True], "b": [False, False], "c": [True, False], "d": [None, None]})
    outcomes = case_outcomes(scores)
    assert outcomes.select("example_id", "outcome").rows() == [
        ("a", "passed"),
        ("b", "failed"),
        ("c", "flaky"),
        ("d", "missing"),
    ]
    assert outcomes.filter(example_id="c")["explanation"].item() == "trial 2"


def test_trials_of_one_case_do_not_count_as_many_cases():
    """Wilson's interval is that of four cases, however many trials they have."""
    wide = scorer_outcomes(case_outcomes(run({name: [True] for name in "abcd"})))
    many = scorer_outcomes(case_outcomes(run({name: [True] * 50 for name in "abcd"})))
    limits = ["passed_case_share_low", "passed_case_share_high"]
    assert wide.select(limits).equals(many.select(limits))
    assert wide["passed_case_share_low"].item() == pytest.approx(0.51, abs=0.01)


def test_a_scorer_without_verdicts_has_a_mean_and_no_pass_rate():
    """Unknown is no failure."""
    numbers = run({"a": [None]}).with_columns(score=pl.lit(0.7))
    row = scorer_outcomes(case_outcomes(numbers)).row(0, named=True)
    assert (row["mean_score"], row["passed_case_share"], row["case_count"]) == (0.7, None, 1)


def test_changes_come_worst_first_and_name_what_came_and_went():
    """A reviewer reads from the top; a case that vanished must not go unseen."""
    before = case_outcomes(run({"a": [True], "b": [False], "c": [True], "gone": [True]}))
    after = case_outcomes(run({"a": [False], "b": [True], "c": [True], "new": [True]}))
    assert case_changes(before, after).select("change", "example_id", "before", "after").rows() == [
        ("worse", "a", "1 of 1", "0 of 1"),
        ("gone", "gone", "1 of 1", None),
        ("better", "b", "0 of 1", "1 of 1"),
        ("new", "new", None, "1 of 1"),
    ]


def test_a_call_is_paid_once_however_many_scorers_judge_it():
    """Cost repeats on each score of a call."""
    scores = pl.concat([run({"a": [True, True]}, scorer=name, cost_usd=0.5) for name in ("facts", "schema")])
    assert case_costs(scores).select("call_count", "cost_usd").row(0) == (2, 1.0)


def test_an_unknown_cost_makes_the_sum_unknown():
    """A part of a sum is not the sum."""
    scores = run({"a": [True, True]}).with_columns(cost_usd=pl.Series([0.5, None]))
    assert case_costs(scores)["cost_usd"].item() is None


def test_an_empty_table_of_scores_is_said_to_be_one():
    """`found 0 runs, name one of them` sends people looking for a name."""
    with pytest.raises(SuiteError, match="no run, because there are no scores"):
        one_run(SCORES.empty())


def test_several_runs_in_one_file_need_a_name():
    """Scores of two prompts mixed would be a review of neither."""
    both = pl.concat([run({"a": [True]}), run({"a": [False]}).with_columns(run_id=pl.lit("s"))])
    with pytest.raises(SuiteError, match="found 2 runs, name one of them: r, s"):
        one_run(both)
    assert one_run(both, "s")["passed"].to_list() == [False]
    with pytest.raises(SuiteError, match="'t' is not among them"):
        one_run(both, "t")


@pytest.mark.parametrize(
    "export",
    [
        "promptfoo/claude_cookbooks_retrieval_results.v2.trimmed.json",
        "inspect_ai/emitted_0.3.285_capitals.json",
        "deepeval/emitted_4.3.1_test_run_20261123_093554.json",
        "openai_evals/emitted_localrecorder_3.0.1.jsonl",
    ],
)
def test_runs_of_other_tools_are_reviewed_too(export, shared):
    """Every score of every format lands in one outcome of one case."""
    path = shared / "fixtures" / export
    for run_id in load_scores(path)["run_id"].unique():
        scores = one_run(load_scores(path), run_id)
        outcomes = case_outcomes(scores)
        judged = outcomes["trial_count"].sum() + outcomes["missing_count"].sum()
        numbers = scores.filter(pl.col("passed").is_null() & pl.col("score").is_not_null()).height
        assert judged + numbers == scores.height
        assert (
            scorer_outcomes(outcomes)["case_count"].sum() + outcomes.filter(outcome="missing").height
            == outcomes.height
        )
        assert eval_totals(scores)["case_count"].item() == scores["example_id"].n_unique()
    facts = run_facts(open_run(path))
    assert facts["files"][0]["name"] == path.name
    assert run_name(f"{export} 2026:{run_id}").isascii()
