import json

import polars as pl
import pytest

from llmops_lib.sources.results.alpaca_eval import matches, read_alpaca_eval
from llmops_lib.sources.sample import take_sample


def annotation(**changes):
    """One annotation as AlpacaEval before 0.6 writes it."""
    return {
        "instruction": "Name a river",
        "output_1": "Rhine",
        "output_2": "Elbe",
        "generator_1": "old-model",
        "generator_2": "new-model",
        "annotator": "judge-a",
        "preference": 2.0,
        **changes,
    }


def read(tmp_path, *annotations):
    """The rows of a file of annotations."""
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(annotations), encoding="utf-8")
    return read_alpaca_eval(path)


def test_an_emitted_file_gives_the_counted_figures(shared):
    """What was counted from the raw file by plain Python is what a user finds in the table."""
    folder = shared / "fixtures" / "alpaca_eval"
    for name, expected in json.loads((folder / "EXPECTED.json").read_text(encoding="utf-8")).items():
        assert matches(take_sample(folder / name))
        read = read_alpaca_eval(folder / name)
        prices = [json.loads(text).get("judge_cost_usd", 0) for text in read.scores["metadata"]]
        assert (read.rows_read, read.scores.height, read.quarantine.height) == (expected["rows"],) * 2 + (0,)
        assert read.scores["score"].null_count() == expected["preference_null"]
        assert read.scores["passed"].sum() == expected["wins_output_2"]
        assert sum(prices) == pytest.approx(expected["price"])


@pytest.mark.parametrize(
    ("preference", "score", "passed"),
    [(1, 0.0, False), (2.0, 1.0, True), (1.25, 0.25, False), (1.5, 0.5, None), (0, 0.5, None)],
)
def test_the_score_is_that_of_the_second_answer(tmp_path, preference, score, passed):
    """The second answer is the model under test; a draw is neither won nor lost."""
    row = read(tmp_path, annotation(preference=preference)).scores.row(0, named=True)
    assert (row["model"], row["output"], row["score"], row["passed"]) == (
        "new-model",
        '"Elbe"',
        score,
        passed,
    )


def test_an_unreadable_verdict_has_no_score(tmp_path):
    """A judge that was not understood did not vote for the reference."""
    row = read(tmp_path, annotation(preference=None)).scores.row(0, named=True)
    assert (row["score"], row["error"]) == (None, "the judge's answer states no preference")


@pytest.mark.parametrize("preference", [3, -1, 0.5, "both", True, [2]])
def test_an_impossible_preference_is_refused(tmp_path, preference):
    """Clamping it would invent a verdict."""
    rows = read(tmp_path, annotation(preference=preference), annotation())
    assert (rows.scores.height, rows.quarantine.height, rows.rows_read) == (1, 1, 2)


def test_the_price_of_the_judge_is_not_the_cost_of_the_call(tmp_path):
    """Both spellings of the judge's price stay out of the money of the model under test."""
    rows = read(
        tmp_path,
        annotation(price_per_example=0.01),
        annotation(instruction="Name a lake", preference_price_per_example=0.02),
    )
    assert rows.scores["cost_usd"].null_count() == 2
    assert [json.loads(text)["judge_cost_usd"] for text in rows.scores["metadata"]] == [0.01, 0.02]


def test_each_pair_of_models_is_a_run(tmp_path):
    """A file of cached annotations holds many models, whose scores must not mix."""
    rows = read(tmp_path, annotation(), annotation(generator_2="other-model", annotator="judge-b"))
    keys = rows.scores.select("run_id", "model", "scorer")
    assert keys["run_id"].n_unique() == 2
    assert keys["scorer"].to_list() == ["judge-a", "judge-b"]
    assert (rows.scores["trial"] == 1).all()


def test_an_example_keeps_its_id_in_another_order(tmp_path):
    """Runs are paired by example, and a shuffled file holds the same examples."""
    first = read(tmp_path, annotation(), annotation(instruction="Name a lake")).scores
    second = read(tmp_path, annotation(instruction="Name a lake"), annotation()).scores
    assert (
        first["example_id"].to_list() == second.select(pl.col("example_id").reverse()).to_series().to_list()
    )


def test_what_is_no_annotation_is_quarantined(tmp_path):
    """One odd entry costs only itself."""
    rows = read(tmp_path, annotation(), 7, {"output_1": "x"})
    assert rows.quarantine["reason"].to_list() == ["not_object", "schema: no output_2 or no generator_2"]
