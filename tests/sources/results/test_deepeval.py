"""DeepEval test runs."""

import json

import polars as pl
import pytest

from llmops_lib import load_scores
from llmops_lib.errors import BadLineError
from llmops_lib.sources.results.deepeval import matches, read_deepeval
from llmops_lib.sources.sample import sample_text


def metric(name="Relevancy", **parts):
    """A metric that passed."""
    return {"name": name, "threshold": 0.5, "success": True, "score": 0.75, "reason": "close", **parts}


def case(**parts):
    """A test case of one metric."""
    return {
        "name": "case-0",
        "input": "capital of France",
        "actualOutput": "Paris",
        "expectedOutput": "Paris.",
        "tokenCost": 0.002,
        "completionTime": 0.5,
        "metricsData": [metric()],
        **parts,
    }


def read(tmp_path, *cases, **run):
    """The scores of a run."""
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"testCases": list(cases), "testPassed": 1, **run}))
    return read_deepeval(path)


def test_a_metric_becomes_a_score(tmp_path):
    """Seconds become milliseconds, and the cost is that of the call, not of the judge."""
    row = read(tmp_path, case(), hyperparameters={"model": "gpt-4o"}).scores.row(0, named=True)
    assert (row["example_id"], row["scorer"], row["score"], row["passed"]) == (
        "case-0",
        "Relevancy",
        0.75,
        True,
    )
    assert (row["latency_ms"], row["cost_usd"], row["model"]) == (500, 0.002, "gpt-4o")
    assert (row["input"], row["output"], row["expected"]) == ('"capital of France"', '"Paris"', '"Paris."')
    assert json.loads(row["metadata"])["metric"] == {"threshold": 0.5}


def test_a_metric_that_raised_neither_passed_nor_failed(tmp_path):
    """DeepEval writes success false, which would count an outage of the judge as a bad answer."""
    raised = metric(success=False, score=None, error="judge timed out")
    row = read(tmp_path, case(metricsData=[raised])).scores.row(0, named=True)
    assert (row["score"], row["passed"], row["error"]) == (None, None, "judge timed out")


def test_a_case_without_metrics_keeps_its_verdict(tmp_path):
    """Otherwise the case would be in no count."""
    rows = read(tmp_path, case(metricsData=[], success=False)).scores
    assert rows.select("scorer", "passed").rows() == [("success", False)]


def test_cases_of_one_name_are_told_apart_and_equal_ones_are_trials(tmp_path):
    """A parametrized test gives all of its cases one name."""
    other = case(input="capital of Japan")
    rows = read(tmp_path, case(), other, case()).scores
    assert rows.select("example_id", "trial").rows() == [("case-0", 1), ("case-0 (2)", 1), ("case-0", 2)]


def test_a_conversation_is_a_case_too(tmp_path):
    """They stand in a list of their own."""
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    talk = {"name": "talk", "turns": turns, "metricsData": [metric("Retention")]}
    rows = read(tmp_path, case(), conversationalTestCases=[talk])
    assert (rows.rows_read, rows.scores["source_line"].to_list()) == (2, [1, 2])
    assert json.loads(rows.scores["input"][1]) == turns


def test_the_latest_run_is_the_run_that_was_saved(tmp_path):
    """DeepEval keeps a copy wrapped in an object, and a folder with both must count it once."""
    run = {"testCases": [case()], "testPassed": 1}
    (tmp_path / ".latest_test_run.json").write_text(json.dumps({"testRunData": run, "testRunLink": None}))
    (tmp_path / "run.json").write_text(json.dumps(run, indent=1))
    assert load_scores(tmp_path / ".latest_test_run.json").height == 1
    assert load_scores([tmp_path / ".latest_test_run.json", tmp_path / "run.json"]).height == 1


def test_turns_of_old_conversations_are_test_cases(tmp_path):
    """Before release 3 each turn held a question and an answer."""
    talk = {"name": "talk", "success": True, "metricsData": [metric()]}
    talk["testCases"] = [{"name": "turn_0", "input": "hi", "actualOutput": "hello"}]
    row = read(tmp_path, conversationalTestCases=[talk]).scores.row(0, named=True)
    assert json.loads(row["input"]) == talk["testCases"]
    assert "testCases" not in json.loads(row["metadata"])


def test_tokens_time_and_model_come_from_the_trace(tmp_path):
    """Only the trace tells them, and an answer of two models is of no single one."""
    calls = [
        {"model": "gpt-4o", "provider": "openai", "inputTokenCount": 20, "outputTokenCount": 3},
        {"model": "gpt-4o-mini", "provider": "openai", "inputTokenCount": 5, "outputTokenCount": 4},
    ]
    trace = {
        "uuid": "t1",
        "startTime": "2026-11-02T08:00:00Z",
        "endTime": "2026-11-02T08:00:02Z",
        "llmSpans": calls,
    }
    row = read(tmp_path, case(trace=trace, completionTime=None)).scores.row(0, named=True)
    assert (row["trace_id"], row["latency_ms"], row["provider"], row["model"]) == (
        "t1",
        2_000,
        "openai",
        None,
    )
    assert (row["input_tokens"], row["output_tokens"]) == (25, 7)


def test_tokens_of_the_case_are_those_of_the_call(tmp_path):
    """Newer releases count them beside the cost; the judge's stand with its metric."""
    judged = metric(inputTokenCount=900, outputTokenCount=80)
    counted = case(metricsData=[judged], inputTokenCount=12, outputTokenCount=0)
    row = read(tmp_path, counted).scores.row(0, named=True)
    assert (row["input_tokens"], row["output_tokens"]) == (12, 0)
    assert json.loads(row["metadata"])["metric"]["inputTokenCount"] == 900


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        ({"testRunLink": "https://example.test/run"}, "set DEEPEVAL_RESULTS_FOLDER"),
        (
            {"testCases": [], "conversationalTestCases": [], "metricsScores": []},
            "look whether it was cut off",
        ),
    ],
    ids=["link", "nothing"],
)
def test_a_run_without_cases_is_in_the_quarantine(tmp_path, run, reason):
    """No scores and no word would look like a run that went well."""
    path = tmp_path / ".latest_test_run.json"
    path.write_text(json.dumps(run))
    with pytest.raises(BadLineError, match=reason):
        load_scores(path, on_bad="raise")


def test_metrics_of_spans_are_kept_apart(tmp_path):
    """They judge steps; counted as scores they would change the scores of the answers."""
    trace = {"llmSpans": [{"name": "rerank", "metricsData": [metric("Faithfulness", score=0.25)]}]}
    row = read(tmp_path, case(trace=trace)).scores.row(0, named=True)
    assert row["scorer"] == "Relevancy"
    assert json.loads(row["metadata"])["span_metrics"][0]["span"] == "rerank"


def test_a_bad_case_costs_only_itself(tmp_path):
    """One bad number must not lose a night's run."""
    bad = case(name="bad", metricsData=[metric(score="high")])
    rows = read(tmp_path, case(), bad, "odd")
    assert (rows.rows_read, rows.scores.height) == (3, 1)
    assert rows.quarantine["source_line"].to_list() == [2, 3]


@pytest.mark.parametrize(
    ("text", "is_match"),
    [
        (b'{"testCases": [{"metricsData": []}]}', True),
        (b'{"testCases": [], "testPassed": 0}', True),
        (b'{"testCases": [{"id": 1}]}', False),
        (b'{"traces": []}', False),
    ],
)
def test_a_test_run_is_told_by_its_cases(text, is_match):
    """Many test tools write lists of that name."""
    assert matches(sample_text(text)) is is_match


@pytest.mark.parametrize(
    "name",
    ["emitted_4.3.1_test_run_20261123_093554.json", "upstream_inspect_fixture_test_run_sample.json"],
)
def test_real_runs_hold_what_was_counted_from_them(shared, name):
    """The figures were counted from the raw file without this library."""
    folder = shared / "fixtures" / "deepeval"
    expected = json.loads((folder / "EXPECTED.json").read_text())[name]
    rows = read_deepeval(folder / name)
    cases = rows.scores.group_by("example_id", "trial").agg(pl.col("passed").all())
    assert rows.rows_read == cases.height == expected["test_cases"]
    assert cases["passed"].sum() == expected["passed"]
    assert rows.scores.height == expected["metric_rows"]
    assert rows.scores["error"].count() == expected["metric_errors"]


def test_metrics_of_older_releases_and_of_dumped_results_are_scores(tmp_path):
    """Passed over, they would leave one verdict per case where each metric had a score."""
    older = {**metric(), "metric": "Relevancy"}
    del older["name"]
    dumped = {"actual_output": "Paris", "input": "q", "metrics_data": [metric()], "success": True}
    runs = ({"testCases": [{"input": "q", "metricsMetadata": [older]}]}, {"test_results": [dumped]})
    for run in runs:
        path = tmp_path / "run.json"
        path.write_text(json.dumps(run))
        scores = load_scores(path)
        assert scores["source_format"].to_list() == ["deepeval"]
        assert scores.select("scorer", "score", "passed").row(0) == ("Relevancy", 0.75, True)
