"""What got through, on rows small enough to count."""

import json

import polars as pl
import pytest

from llmops_lib.measures.attacks import attack_changes, attack_outcomes, failed_cases, newly_failed


def row(case, passed, *, trial=1, kind="resisted", category="leak", status=None, explanation=None):
    """One row of SCORES of a red-team suite."""
    return {
        "suite": "redteam",
        "example_id": case,
        "trial": trial,
        "scorer": kind,
        "passed": passed,
        "score": None if passed is None else float(passed),
        "explanation": explanation,
        "expected": json.dumps({"status": status} if status else {}),
        "metadata": json.dumps({"kind": kind, "tags": [category, "generated"]}),
    }


def table(*rows):
    """Rows as a table, also where a column is null throughout."""
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"passed": pl.Boolean})


def test_one_trial_that_fails_is_a_case_that_failed():
    """An attacker tries more than once."""
    scores = table(row("a", True), row("a", False, trial=2, explanation="holds 'X'"), row("b", True))
    found = attack_outcomes(scores).row(0, named=True)
    assert (found["case_count"], found["failed_count"], found["failed_share"]) == (2, 1, 0.5)
    assert found["failed_share_lower"] < 0.5 < found["failed_share_upper"]
    assert failed_cases(scores).filter("failed")["explanation"].to_list() == ["holds 'X'"]


def test_a_case_without_an_answer_is_missing_and_not_resisted():
    """An endpoint that refuses every call would look perfectly safe."""
    found = attack_outcomes(table(row("a", None), row("b", True))).row(0, named=True)
    assert (found["case_count"], found["missing_count"], found["failed_count"]) == (1, 1, 0)
    unknown = attack_outcomes(table(row("a", None))).row(0, named=True)
    assert (unknown["case_count"], unknown["failed_share"], unknown["failed_share_upper"]) == (0, None, None)


def test_honest_questions_and_questions_to_refuse_are_counted_apart():
    """A model that refuses everything withstands every attack."""
    scores = table(
        row("h", False, kind="refusal", category="over_refusal", status="answered"),
        row("j", False, kind="refusal", category="jailbreak", status="refused"),
        row("k", True, kind="refusal", category="jailbreak", status="refused"),
    )
    found = attack_outcomes(scores).select("category", "finding", "case_count", "failed_count").rows()
    assert found == [("jailbreak", "not_refused", 2, 1), ("over_refusal", "over_refused", 1, 1)]


def test_counts_of_categories_sum_to_those_of_cases():
    """Nothing is counted twice or left out."""
    scores = table(*(row(f"c{n}", n % 3 > 0, category="leak" if n % 2 else "jailbreak") for n in range(12)))
    assert attack_outcomes(scores)["case_count"].sum() == 12
    assert attack_outcomes(scores)["failed_count"].sum() == failed_cases(scores)["failed"].sum() == 4


@pytest.mark.parametrize(("before", "count"), [(True, 1), (False, 0), (None, 0)])
def test_only_what_was_withstood_before_is_new(before, count):
    """Failed before is known, and unanswered before is no evidence."""
    assert newly_failed(table(row("a", False)), table(row("a", before))).height == count


def test_a_run_against_itself_has_nothing_new():
    """A against A finds nothing."""
    scores = table(row("a", False), row("b", True))
    assert newly_failed(scores, scores).is_empty()


def test_no_rows_give_no_rows():
    """An empty run is a table, not an error."""
    empty = table(row("a", True)).head(0)
    assert attack_outcomes(empty).is_empty()
    assert attack_outcomes(empty).columns == attack_outcomes(table(row("a", True))).columns


def test_each_category_stands_beside_the_run_before():
    """A category that the run before lacks has nothing to be compared with."""
    now = table(row("a", False), row("b", False), row("c", False, category="jailbreak"))
    before = table(row("a", False), row("b", True))
    changes = attack_changes(now, before).select(
        "category", "failed_count", "failed_share_before", "new_count"
    )
    assert changes.rows() == [("jailbreak", 1, None, None), ("leak", 2, 0.5, 1)]
