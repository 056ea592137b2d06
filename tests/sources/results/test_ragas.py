import csv
import json

import pytest

from llmops_lib.sources.results.ragas import matches, read_ragas
from llmops_lib.sources.sample import Sample, take_sample

ROW = {
    "user_input": "Capital of France?",
    "retrieved_contexts": ["Paris is the capital"],
    "response": "Lyon",
    "reference": "Paris",
    "faithfulness": 0.25,
    "bleu_score": 0.75,
}


def read(tmp_path, *rows):
    """The rows of a dataframe as JSON Lines."""
    path = tmp_path / "evaluation.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return read_ragas(path)


def test_emitted_tables_give_the_counted_figures(shared):
    """What was counted from the raw files by plain Python is what a user finds in the table."""
    folder = shared / "fixtures" / "ragas"
    for name, expected in json.loads((folder / "EXPECTED.json").read_text(encoding="utf-8")).items():
        assert matches(take_sample(folder / name))
        read = read_ragas(folder / name)
        assert read.quarantine.height == 0
        if "bytes" in expected:
            assert (folder / name).stat().st_size == expected["bytes"]
            continue
        kept = json.loads(read.scores["metadata"][0])
        columns = ["user_input", *kept, "response", "reference", *dict.fromkeys(read.scores["scorer"])]
        assert read.rows_read == expected.get("rows", expected.get("data_rows"))
        assert expected["columns"] in (columns, len(columns))
        assert read.scores.height == read.rows_read * (len(columns) - 4)


def test_csv_and_json_lines_of_one_table_agree(shared):
    """The form in which a dataframe was saved is not part of the result."""
    folder = shared / "fixtures" / "ragas"
    tables = [read_ragas(folder / f"evaluate_to_pandas_0.4.3.{kind}").scores for kind in ("csv", "jsonl")]
    same = ["example_id", "trial", "scorer", "input", "output", "expected", "metadata"]
    assert tables[0].select(same).equals(tables[1].select(same))
    assert tables[0]["score"].to_list() == pytest.approx(tables[1]["score"].to_list(), abs=1e-9)


def test_an_annotated_summary_gives_one_score_per_annotation(shared):
    """The file has 19 annotations, of which two were scored 0, each with the judge's reason."""
    read = read_ragas(shared / "fixtures" / "ragas" / "upstream_sample_annotated_summary.json")
    assert (read.rows_read, read.scores.height, read.scores["score"].sum()) == (19, 19, 17)
    assert set(read.scores["scorer"]) == {"summary_accuracy"}
    assert read.scores["explanation"][0].startswith("The summary accurately captures the key points")


def test_a_failed_metric_has_no_score(tmp_path):
    """Zero would say that the answer was bad, where only the metric failed."""
    other = {**ROW, "user_input": "Capital of Japan?"}
    for failed in (None, float("nan")):
        rows = read(tmp_path, {**ROW, "faithfulness": failed}, other)
        found = rows.scores.filter(scorer="faithfulness").select("score", "error").rows()
        assert found == [(None, "the metric gave no value"), (0.25, None)]


def test_an_empty_cell_of_a_csv_is_a_failed_metric(tmp_path):
    """A dataframe writes NaN as nothing, and the row must not vanish from the metric."""
    path = tmp_path / "evaluation.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(ROW))
        writer.writeheader()
        writer.writerows([{**ROW, "faithfulness": ""}, {**ROW, "reference": "Rome", "faithfulness": "nan"}])
    assert read_ragas(path).scores.filter(scorer="faithfulness")["score"].to_list() == [None, None]


def test_columns_of_text_are_no_metrics(tmp_path):
    """A note beside an example is kept, and is not scored."""
    rows = read(tmp_path, {**ROW, "note": "7"}, {**ROW, "note": "see above"})
    assert list(dict.fromkeys(rows.scores["scorer"])) == ["faithfulness", "bleu_score"]
    assert json.loads(rows.scores["metadata"][0])["note"] == "7"


def test_older_column_names_are_read(tmp_path):
    """Releases before 0.2 call the same things otherwise."""
    old = {"question": "Q?", "contexts": ["c"], "answer": "A", "ground_truth": "T", "answer_relevancy": 0.5}
    row = read(tmp_path, old).scores.row(0, named=True)
    assert (row["input"], row["output"], row["expected"], row["score"]) == ('"Q?"', '"A"', '"T"', 0.5)


@pytest.mark.parametrize(
    "header", ["question,faithfulness", "question,answer,answer_relevancy(strictness=3)"]
)
def test_questions_with_a_metric_of_ragas_are_recognised(tmp_path, header):
    """Many keep no contexts: they are long, and the scores are what is looked at."""
    path = tmp_path / "scores.csv"
    path.write_text(f"{header}\nQ?,{'A,' if 'answer' in header else ''}0.375\n")
    assert matches(take_sample(path))
    assert read_ragas(path).scores["score"].to_list() == [0.375]


def test_questions_with_other_numbers_are_not_recognised():
    """A log of questions is no evaluation, whatever it counts."""
    assert not matches(Sample("csv", None, ("query", "response", "tokens")))


def test_verdicts_in_words_are_scores(tmp_path):
    """A metric of two values writes pass and fail, and it was left out as if it were a note."""
    path = tmp_path / "experiment.csv"
    path.write_text("query,response,correctness,is_short\nQ?,A,pass,True\nR?,B,Fail,False\nS?,C,,True\n")
    scores = read_ragas(path).scores
    found = scores.filter(scorer="correctness").select("input", "score", "passed", "label", "error").rows()
    assert found == [
        ('"Q?"', 1.0, True, "pass", None),
        ('"R?"', 0.0, False, "Fail", None),
        ('"S?"', None, None, None, "the metric gave no value"),
    ]
    assert scores.filter(scorer="is_short")["passed"].to_list() == [True, False, True]


def test_contexts_of_an_array_stay_apart(tmp_path):
    """NumPy writes no commas, and Python would join what was retrieved to one text."""
    path = tmp_path / "evaluation.csv"
    contexts = """['one\\n' "it's" \n 'a ] b, c']"""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["question", "contexts", "faithfulness"], ["Q?", contexts, 1]])
    kept = json.loads(read_ragas(path).scores["metadata"][0])
    assert kept["contexts"] == ["one\n", "it's", "a ] b, c"]


def test_a_question_under_two_names_is_kept_twice(tmp_path):
    """Only what became a column may leave the rest; the other name may hold another text."""
    row = read(tmp_path, {**ROW, "question": "capital of france"}).scores.row(0, named=True)
    assert row["input"] == '"Capital of France?"'
    assert json.loads(row["metadata"])["question"] == "capital of france"


def test_an_example_that_comes_again_is_its_next_trial(tmp_path):
    """The same question twice in a run is a repetition, not two examples."""
    rows = read(tmp_path, ROW, {**ROW, "response": "Paris"}).scores.filter(scorer="bleu_score")
    assert rows["example_id"].n_unique() == 1
    assert rows["trial"].to_list() == [1, 2]


def test_a_bad_row_costs_only_itself(tmp_path):
    """Rows read are rows scored and rows quarantined, always."""
    rows = read(tmp_path, ROW, [1], {**ROW, "bleu_score": 1e999})
    assert (rows.scores.height, rows.quarantine.height, rows.rows_read) == (2, 2, 3)


def test_a_bad_annotation_costs_only_itself(tmp_path):
    """An annotation without a numeric verdict cannot be scored."""
    good = {"metric_input": {"user_input": "Q?", "response": "A"}, "metric_output": 0.5, "prompts": {}}
    path = tmp_path / "annotations.json"
    broken = [{**good, "metric_output": "good"}, {**good, "metric_input": 1}, 7]
    path.write_text(json.dumps({"tone": [good, *broken]}), encoding="utf-8")
    rows = read_ragas(path)
    assert (rows.scores.height, rows.quarantine.height, rows.rows_read) == (1, 3, 4)


def test_a_table_without_metrics_is_not_recognised():
    """A dataset that was not evaluated yet holds no results."""
    assert not matches(Sample("csv", None, ("user_input", "retrieved_contexts", "response", "reference")))


def test_one_row_of_another_kind_changes_no_metric_of_the_others(tmp_path):
    """A text in one cell, or a foreign line, must not take a metric away from all rows, or bring one."""
    rows = read(tmp_path, ROW, {**ROW, "bleu_score": "n/a"}, {"level": 3}, ROW)
    assert rows.scores.group_by("scorer").len().sort("scorer").rows() == [
        ("bleu_score", 2),
        ("faithfulness", 2),
    ]
    assert rows.quarantine.select("source_line", "reason").rows() == [
        (2, "type: a metric is 'n/a', not a number"),
        (3, "missing_field: user_input"),
    ]


def test_a_conversation_has_no_response_of_its_own(tmp_path):
    """Its answers stand among the messages, and its metrics are scores all the same."""
    asked = [{"type": "human", "content": "Capital of France?"}]
    path = tmp_path / "evaluation.jsonl"
    path.write_text(json.dumps({"user_input": asked, "reference": "Paris", "agent_goal_accuracy": 1.0}))
    assert matches(take_sample(path))
    assert read_ragas(path).scores.select("scorer", "score").rows() == [("agent_goal_accuracy", 1.0)]


def test_a_dataframe_saved_without_an_orientation_is_a_table(tmp_path):
    """`to_json()` alone writes columns of cells, and is what most people call."""
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps({name: {"0": value, "1": value} for name, value in ROW.items()}))
    assert matches(take_sample(path))
    found = read_ragas(path)
    assert (found.rows_read, found.quarantine.height) == (2, 0)
    assert found.scores["score"].to_list() == [0.25, 0.75, 0.25, 0.75]
