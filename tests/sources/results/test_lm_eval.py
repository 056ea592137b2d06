import json

import polars as pl
import pytest

from llmops_lib.errors import SourceError
from llmops_lib.sources.results.lm_eval import matches, read_lm_eval
from llmops_lib.sources.sample import sample_text, take_sample


def line(**changes):
    """One sample as the harness writes it."""
    return {
        "doc_id": 3,
        "doc": {"q": "2+2?"},
        "target": "4",
        "arguments": [["Q: 2+2?", {"until": ["\n"]}]],
        "resps": [["five"]],
        "filtered_resps": ["five"],
        "filter": "none",
        "metrics": ["acc"],
        "acc": 0.0,
        **changes,
    }


def read(tmp_path, *lines, name="samples_sums_2026-11-23T09-45-07.722758.jsonl"):
    """The rows of a file of samples."""
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(one) for one in lines), encoding="utf-8")
    return read_lm_eval(path)


def expected_files(shared, key):
    """The fixtures that hold samples or results, with what was counted from them."""
    folder = shared / "fixtures" / "lm_eval"
    figures = json.loads((folder / "EXPECTED.json").read_text(encoding="utf-8"))
    return [(folder / name, expected) for name, expected in figures.items() if key in expected]


def test_samples_give_the_counted_figures(shared):
    """What was counted from the raw files by plain Python is what a user finds in the table."""
    for path, expected in expected_files(shared, "metric_means"):
        assert matches(take_sample(path))
        read = read_lm_eval(path)
        means = dict(read.scores.group_by("scorer").agg(pl.col("score").mean()).rows())
        kept = {*json.loads(read.scores["metadata"][0]), *expected["metrics"]}
        mapped = {"doc_id", "arguments", "filtered_resps", "target", "metrics", "filter"}
        assert (read.rows_read, read.quarantine.height) == (expected["rows"], 0)
        assert read.scores.height == expected["rows"] * len(expected["metrics"])
        assert means == pytest.approx(expected["metric_means"], abs=1e-6)
        assert list(dict.fromkeys(read.scores["scorer"])) == expected["metrics"]
        assert sorted(kept | mapped) == expected["keys"]


def test_results_are_recognised_and_set_aside_with_their_figures(shared):
    """An average among single examples would be counted as one of them; its figures are still to be seen."""
    for path, expected in expected_files(shared, "results"):
        assert matches(take_sample(path))
        read = read_lm_eval(path)
        tasks = {}
        for raw in read.quarantine["raw"]:
            tasks |= json.loads(raw)
        figures = {
            task: {name: tasks[task].get(name) for name in known}
            for task, known in expected["results"].items()
        }
        assert (read.scores.height, read.rows_read, len(tasks)) == (0, expected["tasks"], expected["tasks"])
        assert figures == expected["results"]


def test_the_task_is_read_from_the_name_of_the_file(tmp_path):
    """No line names it, and acc of one task is not acc of another."""
    assert read(tmp_path, line()).scores["suite"].to_list() == ["sums"]
    assert read(tmp_path, line(), name="renamed.jsonl").scores["suite"].to_list() == [None]


def test_each_filter_is_a_scorer(tmp_path):
    """Filters score the same answer differently, so their rows must not overwrite each other."""
    rows = read(tmp_path, line(filter="strict-match"), line(filter="flexible-extract", acc=1.0))
    assert rows.scores.select("scorer", "score", "trial").rows() == [
        ("acc,strict-match", 0.0, 1),
        ("acc,flexible-extract", 1.0, 1),
    ]


def test_a_value_of_many_numbers_has_no_score(tmp_path):
    """A perplexity exists for the whole set only; its parts are kept."""
    rows = read(tmp_path, line(metrics=["word_perplexity"], word_perplexity=[-12.5, 7]))
    assert rows.scores["score"].to_list() == [None]
    assert json.loads(rows.scores["metadata"][0])["value"] == [-12.5, 7]


def test_a_metric_that_is_not_a_number_is_unknown_and_not_zero(tmp_path):
    """Python writes NaN into JSON, and the other metrics of the line are good."""
    rows = read(tmp_path, line(metrics=["acc", "f1"], acc=float("nan"), f1=0.25))
    assert rows.scores.select("scorer", "score").rows() == [("acc", None), ("f1", 0.25)]
    assert rows.quarantine.height == 0


def test_an_infinite_metric_says_so_and_costs_no_other(tmp_path):
    """A relative error by zero is infinite; the line's other metrics and its requests are good."""
    resps = [[[float("-inf"), False]]]
    rows = read(tmp_path, line(metrics=["err", "f1"], err=float("inf"), f1=0.25, resps=resps))
    assert rows.scores.select("scorer", "score", "error").rows() == [
        ("err", None, "the metric is Infinity"),
        ("f1", 0.25, None),
    ]
    assert json.loads(rows.scores["metadata"][1])["resps"] == [[["-Infinity", False]]]


def test_results_with_an_infinite_perplexity_are_recognised(tmp_path):
    """A broken model has one, and its file is no other for that."""
    figures = {"rhymes": {"word_perplexity,none": float("inf")}}
    rows = read(tmp_path, {"results": figures, "versions": {"rhymes": 1}}, name="results.json")
    assert "aggregates of task rhymes" in rows.quarantine["reason"].item()


def test_the_prompt_in_a_list_of_one_is_the_input(tmp_path):
    """So it is written for models behind a chat API."""
    arguments = {"gen_args_0": {"arg_0": ["Q: 2+2?"], "arg_1": {"until": []}}}
    assert read(tmp_path, line(arguments=arguments)).scores["input"].to_list() == ['"Q: 2+2?"']


def test_the_prompt_is_the_input_where_all_requests_share_it(tmp_path):
    """Multiple choice asks once per choice; the question is one."""
    choices = {
        "gen_args_0": {"arg_0": "Q: 2+2?", "arg_1": " 3"},
        "gen_args_1": {"arg_0": "Q: 2+2?", "arg_1": " 4"},
    }
    rows = read(tmp_path, line(), line(doc_id=4, arguments=choices)).scores
    assert rows["input"].to_list() == ['"Q: 2+2?"', '"Q: 2+2?"']
    assert rows["output"].to_list() == ['"five"', '"five"']


@pytest.mark.parametrize(
    "bad", [7, {"doc_id": 1}, line(metrics="acc"), line(acc={"deep": 1}, doc_id=[1]), line(metrics=[])]
)
def test_a_bad_line_costs_only_itself(tmp_path, bad):
    """Rows read are rows scored and rows quarantined, always."""
    rows = read(tmp_path, bad, line())
    assert (rows.scores.height, rows.quarantine.height, rows.rows_read) == (1, 1, 2)


def test_samples_among_the_results_are_scores(tmp_path):
    """A script that saves what `simple_evaluate()` returned has them, with the task and the model."""
    path = tmp_path / "all.json"
    kept = {"sums": [line(), 7, line(doc_id=4, acc=1.0)], "odd": None}
    figures = {"sums": {"acc,none": 0.5}, "words": {"acc,none": 0.25}}
    whole = {"results": figures, "versions": {}, "samples": kept, "model_name": "tiny", "date": 1_758_065_695}
    path.write_text(json.dumps(whole), encoding="utf-8")
    rows = read_lm_eval(path)
    assert rows.scores.select("suite", "model", "example_id", "score", "source_line").rows() == [
        ("sums", "tiny", "3", 0.0, 3),
        ("sums", "tiny", "4", 1.0, 5),
    ]
    assert rows.scores["started_at"][0].isoformat() == "2025-09-16T23:34:55+00:00"
    assert rows.quarantine.select("source_line", "reason").rows() == [
        (1, "merged: aggregates of task sums, whose samples are in the file"),
        (2, "schema: aggregates of task words, no examples; --log_samples writes a file of them"),
        (4, "not_object"),
    ]
    assert rows.rows_read == 5


def test_long_results_are_recognised_by_their_beginning():
    """Detection sees 64 kB, which in a large suite are the results alone."""
    prefix = '{"results": {"a": {"acc,none": 0.5, "acc_stderr,none": 0.1}, "b": {"acc'
    assert matches(sample_text(prefix.encode(), is_whole=False))


def test_results_that_break_off_are_an_error(tmp_path):
    """A half file must not pass for an empty one."""
    path = tmp_path / "results.json"
    path.write_text(
        '{"results": {"a": {"acc,none": 0.5, "acc_stderr,none": 0.1}, "b": {"acc', encoding="utf-8"
    )
    with pytest.raises(SourceError, match="not one valid JSON value"):
        read_lm_eval(path)


def test_samples_of_older_releases_name_no_metrics(tmp_path):
    """Up to 0.4.7 a metric is whatever is no part of the document; refused, whole files would be lost."""
    older = line(acc=1.0, exact_match=0.0, doc_hash="d", prompt_hash="p", target_hash="t", note="no figure")
    del older["metrics"], older["filter"]
    rows = read(tmp_path, older)
    assert rows.scores.select("scorer", "score").rows() == [("acc", 1.0), ("exact_match", 0.0)]
    assert rows.quarantine.is_empty()
