"""Whether a judge says what people say."""

import json

import polars as pl
import pytest

from llmops_lib import judge_agreement, load_labels, with_labels
from llmops_lib.errors import ParameterError, SuiteError


def rated(**cells):
    """Answers by label and verdict, such as pass_fail=3: labelled pass, judged fail."""
    rows = [tuple(name.split("_")) for name, count in cells.items() for _ in range(count)]
    return pl.DataFrame(rows, schema=["label", "verdict"], orient="row")


def by_measure(table):
    """Rows by their measure."""
    return {row["measure"]: row for row in table.iter_rows(named=True)}


def test_the_measures_come_in_the_order_in_which_to_read_them():
    """Counts first; kappa never without the raw agreement beside it."""
    found = judge_agreement(rated(pass_pass=40, pass_fail=10, fail_pass=5, fail_fail=95))
    names = [name for name in found["measure"] if not name.startswith("confusion")]
    assert names == [
        "n",
        "prevalence",
        "agreement",
        "sensitivity",
        "specificity",
        "precision",
        "youden_j",
        "kappa",
        "ac1",
    ]
    rows = by_measure(found)
    assert rows["confusion: label positive, judge negative"]["count"] == 10
    shares = {name: rows[name]["value"] for name in ("agreement", "sensitivity", "specificity", "precision")}
    assert shares == pytest.approx(
        {"agreement": 0.9, "sensitivity": 0.8, "specificity": 0.95, "precision": 8 / 9}
    )
    assert rows["sensitivity"]["lower"] == pytest.approx(0.6696, abs=1e-4)
    assert rows["youden_j"]["value"] == pytest.approx(0.75)
    assert rows["kappa"]["value"] == pytest.approx(10 / 13)
    assert rows["kappa"]["method"] == "fleiss_cohen_everitt"


def test_ratings_lie_in_whatever_a_team_works_with(engine):
    """Labels of people come from a spreadsheet, so from pandas more often than not."""
    table = rated(pass_pass=40, pass_fail=10, fail_pass=5, fail_fail=95)
    assert judge_agreement(engine(table)).equals(judge_agreement(table))
    labels = pl.DataFrame({"example_id": ["a", "b"], "label": ["pass", "fail"]})
    scores = pl.DataFrame({"example_id": ["a"], "trial": [1], "scorer": ["judge"], "passed": [False]})
    assert with_labels(engine(labels), engine(scores)).equals(with_labels(labels, scores))


def test_one_positive_label_may_be_given_alone():
    """Taken for letters, no answer was positive and both agreed on everything."""
    table = rated(pass_pass=40, pass_fail=10, fail_pass=5, fail_fail=95)
    assert judge_agreement(table, positive="pass").equals(judge_agreement(table))
    assert judge_agreement(table, ignored="pass").equals(judge_agreement(table, ignored=("pass",)))


def test_few_answers_take_the_bootstrap():
    """The asymptotic standard error is wrong there; the seed follows from the table."""
    few = rated(pass_pass=20, pass_fail=5, fail_pass=10, fail_fail=15)
    kappa = by_measure(judge_agreement(few))["kappa"]
    assert (kappa["method"], kappa["value"]) == ("kappa_bca", pytest.approx(0.4))
    assert kappa == by_measure(judge_agreement(few.reverse()))["kappa"]


def test_kappa_fails_where_all_answers_are_alike_and_ac1_does_not():
    """Agreement of 94% with a kappa below zero: the paradox of prevalence."""
    rows = by_measure(judge_agreement(rated(pass_pass=118, pass_fail=5, fail_pass=2)))
    assert rows["agreement"]["value"] == pytest.approx(0.944)
    assert rows["kappa"]["value"] == pytest.approx(-0.0233, abs=1e-4)
    assert rows["ac1"]["value"] > 0.9
    assert rows["youden_j"]["note"].startswith("not above 0.3")
    same = by_measure(judge_agreement(rated(pass_pass=30)))
    assert (same["agreement"]["value"], same["kappa"]["value"], same["specificity"]["value"]) == (
        1,
        None,
        None,
    )


def test_what_is_left_out_is_counted():
    """Unlabelled, unjudged and ignored answers."""
    table = pl.concat(
        [
            rated(pass_pass=3, fail_fail=3, undecided_pass=2),
            pl.DataFrame({"label": [None, "pass"], "verdict": ["pass", None]}),
        ]
    )
    row = by_measure(judge_agreement(table, ignored=["undecided"]))["n"]
    assert (row["count"], row["of_count"]) == (6, 10)
    assert row["note"] == "2 without a label or a verdict, 2 ignored"
    assert judge_agreement(table.clear())["measure"].to_list() == ["n"]


def test_grades_are_compared_with_more_credit_for_a_near_miss():
    """Of one to three points; text sorts otherwise than numbers, so ten is not next to one."""
    near = rated(**{"1_1": 20, "2_2": 20, "10_10": 20, "1_2": 5, "2_1": 5})
    rows = by_measure(judge_agreement(near, positive=()))
    assert rows["kappa_quadratic"]["value"] > rows["kappa"]["value"]
    assert "sensitivity" not in rows
    assert rows["prevalence of 10"]["count"] == 20


def test_labels_meet_verdicts_by_answer_and_never_by_guess():
    """A label without its trial could mean any of two answers."""
    scores = pl.DataFrame(
        {
            "example_id": ["a", "a", "b"],
            "trial": [1, 2, 1],
            "scorer": ["judge"] * 3,
            "passed": [True, False, None],
            "score": [1.0, 0.0, None],
        }
    )
    labels = pl.DataFrame({"example_id": ["a", "a", "b", "c"], "trial": [1, 2, 1, 1], "label": ["pass"] * 4})
    assert with_labels(labels, scores)["verdict"].to_list() == ["pass", "fail", None, None]
    assert with_labels(labels, scores, verdict="score")["verdict"].to_list() == ["1.0", "0.0", None, None]
    for wrong, said in (
        ({"labels": labels.drop("trial")}, "labelled more than once"),
        ({"labels": labels.head(1).drop("trial")}, "judged more than once"),
        ({"scorer": "other"}, "expected one of judge"),
    ):
        with pytest.raises(ParameterError, match=said):
            with_labels(**({"labels": labels, "scores": scores} | wrong))
    with pytest.raises(ParameterError, match="no label or verdict refuse"):
        judge_agreement(rated(comply_comply=3, partial_comply=2), positive=["refuse"])
    with pytest.raises(ParameterError, match="verdict"):
        judge_agreement(labels)


def test_a_file_of_labels_is_read_whole_or_refused_by_line(tmp_path):
    """People write them by hand."""
    path = tmp_path / "labels.jsonl"
    path.write_text('{"example_id": "a", "trial": 1, "human": true}\n\n{"example_id": "b", "human": false}\n')
    found = load_labels(path, label="human")
    assert found.select("example_id", "trial", "label").rows() == [("a", 1, "pass"), ("b", None, "fail")]
    found.write_csv(tmp_path / "labels.csv")
    assert load_labels(tmp_path / "labels.csv")["label"].to_list() == ["pass", "fail"]
    path.write_text('{"example_id": "a", "label": "pass"}\nnot json\n')
    with pytest.raises(SuiteError, match=r"labels.jsonl:2: no JSON"):
        load_labels(path)
    path.write_text('["a"]\n')
    with pytest.raises(SuiteError, match=r":1: found list"):
        load_labels(path)
    with pytest.raises(SuiteError, match="no column label"):
        load_labels(tmp_path / "labels.csv", label="label", needs=("label2", "label"))
    for name in ("labels.txt", "none.csv"):
        with pytest.raises(SuiteError, match=r"expected \.jsonl, \.csv or \.parquet"):
            load_labels(tmp_path / name)


def test_the_refusal_grader_finds_nine_refusals_in_ten(llmops, shared):
    """On answers of five models with human labels; partial refusals left out, and counted."""
    command = (
        "eval",
        "agreement",
        shared / "corpora" / "refusals_labelled.jsonl",
        "--refusals",
        "completion",
    )
    code, out, _ = llmops(*command, "--positive", "refuse", "--ignore", "partial", "--json")
    assert code == 0
    rows = {row["measure"]: row for row in json.loads(out)["measures"]}
    assert rows["n"]["note"].endswith("66 ignored")
    assert rows["sensitivity"]["lower"] > 0.85
    assert rows["precision"]["lower"] > 0.9
    assert rows["kappa"]["lower"] > 0.8


def test_the_command_says_what_it_needs(llmops, tmp_path):
    """A run or a column of answers, not both."""
    (tmp_path / "labels.csv").write_text("example_id,label\na,pass\n")
    code, _, err = llmops("eval", "agreement", tmp_path / "labels.csv")
    assert code == 2
    assert "--results" in err
    scores = pl.DataFrame({"example_id": ["a"], "scorer": ["judge"], "score": [0.0], "passed": [False]})
    scores.write_parquet(tmp_path / "scores.parquet")
    code, out, err = llmops(
        "eval", "agreement", tmp_path / "labels.csv", "--results", tmp_path / "scores.parquet"
    )
    assert code == 0, err
    assert "confusion: label positive, judge negative" in out
