"""OpenAI evals record logs."""

import json

import polars as pl
import pytest

from llmops_lib.schema import BENIGN_REASONS
from llmops_lib.sources.results.openai_evals import matches, read_openai_evals
from llmops_lib.sources.sample import sample_text

SPEC = {
    "spec": {
        "completion_fns": ["gpt-4o", "judge"],
        "eval_name": "capitals.dev.v0",
        "split": "dev",
        "run_id": "r1",
        "created_at": "2026-11-02 08:00:00.5",
    }
}
REPORT = {"final_report": {"accuracy": 0.5}, "run_id": "r1"}


def event(kind, sample="s0", **data):
    """An event of a sample."""
    return {
        "run_id": "r1",
        "event_id": 0,
        "sample_id": sample,
        "type": kind,
        "data": data,
        "created_by": "",
        "created_at": "2026-11-02 08:00:01.25+00:00",
    }


def read(tmp_path, *events):
    """The scores of a log."""
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    return read_openai_evals(path)


def sampling(answer="Paris", **more):
    """A call under test."""
    usage = {"prompt_tokens": 20, "completion_tokens": 5}
    return event("sampling", prompt="capital?", sampled=answer, model="gpt-4o-2024", usage=usage, **more)


def test_a_match_becomes_a_score_of_the_sampling_before_it(tmp_path):
    """The verdict and the call under test stand in two events."""
    match = event("match", correct=True, expected="Paris", picked="Paris")
    row = read(tmp_path, SPEC, sampling(), match).scores.row(0, named=True)
    assert (row["run_id"], row["example_id"], row["suite"]) == ("r1", "s0", "capitals.dev.v0")
    assert (row["scorer"], row["score"], row["passed"], row["expected"]) == ("match", 1.0, True, '"Paris"')
    assert (row["model"], row["input_tokens"], row["output_tokens"]) == ("gpt-4o-2024", 20, 5)
    assert row["started_at"].isoformat() == "2026-11-02T08:00:01.250000+00:00"


def test_the_first_releases_name_the_model_in_the_specification(tmp_path):
    """They had no completion functions, and their calls no model."""
    spec = {"spec": {"eval_name": "capitals", "run_id": "r1", "model_name": "gpt-3.5-turbo"}}
    rows = read(tmp_path, spec, event("match", correct=True, expected="Paris", sampled="Paris"))
    assert rows.scores["model"].to_list() == ["gpt-3.5-turbo"]


def test_every_line_is_accounted_for(tmp_path):
    """What gave no score of its own is set aside with a reason that says nothing was lost."""
    rows = read(tmp_path, SPEC, REPORT, sampling(), event("match", correct=False))
    assert rows.rows_read == 4
    assert rows.quarantine["reason"].str.split(":").list.first().is_in(BENIGN_REASONS).all()


def test_the_judge_is_not_the_call_under_test(tmp_path):
    """A model-graded eval samples the answer first and the judge's choice after it."""
    judge = event("sampling", prompt="grade it", sampled="C", model="judge")
    rows = read(tmp_path, SPEC, sampling(), judge, event("metrics", choice="C", score=0.25)).scores
    assert rows.select("scorer", "score", "label", "model", "output").rows() == [
        ("score", 0.25, "C", "gpt-4o-2024", '"Paris"')
    ]


def test_each_number_of_a_metrics_event_is_a_score(tmp_path):
    """One event may carry several metrics."""
    rows = read(tmp_path, SPEC, event("metrics", accuracy=True, f1_score=0.5)).scores
    assert rows.select("scorer", "score", "passed").rows() == [
        ("accuracy", 1.0, True),
        ("f1_score", 0.5, None),
    ]


def test_a_judgement_that_could_not_be_read_is_missing_from_no_count(tmp_path):
    """Under another scorer, unreadable judgements would raise the average of the others."""
    unread = event("metrics", "s1", choice="__invalid__", score=None)
    rows = read(tmp_path, SPEC, event("metrics", choice="C", score=0.25), unread).scores
    assert rows.select("example_id", "scorer", "score", "label").rows() == [
        ("s0", "score", 0.25, "C"),
        ("s1", "score", None, "__invalid__"),
    ]


def test_samples_drawn_again_are_trials(tmp_path):
    """Several answers to one question are several measurements."""
    again = [sampling("Lyon"), event("match", correct=False)]
    rows = read(tmp_path, SPEC, sampling(), event("match", correct=True), *again).scores
    assert rows.select("trial", "score", "output").rows() == [(1, 1.0, '"Paris"'), (2, 0.0, '"Lyon"')]


def test_a_sample_that_raised_is_missing_from_no_count(tmp_path):
    """Without a row for its scorer, failed samples would raise the average of the others."""
    raised = event("error", "s1", type="TimeoutError", message="too slow")
    rows = read(tmp_path, SPEC, raised, sampling(), event("match", correct=True)).scores.sort("example_id")
    assert rows.select("example_id", "scorer", "score", "error").rows() == [
        ("s0", "match", 1.0, None),
        ("s1", "match", None, "TimeoutError: too slow"),
    ]


def test_a_sample_of_an_aborted_run_is_no_benign_loss(tmp_path):
    """Its answer is in no table, and the warning must say so."""
    rows = read(tmp_path, SPEC, sampling())
    assert rows.quarantine["reason"].to_list()[1:] == ["missing_field: no score of sampling"]


def test_other_events_stand_in_the_metadata(tmp_path):
    """What a sample recorded besides its score is not lost."""
    rows = read(tmp_path, SPEC, event("function_call", name="lookup"), event("match", correct=True))
    found = json.loads(rows.scores["metadata"][0])
    assert found["events"] == [{"type": "function_call", "data": {"name": "lookup"}}]


def test_a_line_that_is_no_event_is_refused_alone(tmp_path):
    """One broken line must not cost the run."""
    rows = read(tmp_path, SPEC, {"a": 1}, [1], event("match", correct=True))
    assert rows.quarantine["reason"].to_list()[1:] == ["schema: no event of a run", "not_object"]
    assert rows.scores.height == 1


@pytest.mark.parametrize("first", [SPEC, REPORT, sampling()])
def test_a_log_is_told_by_any_first_line(first):
    """An aborted run may begin with any of them."""
    assert matches(sample_text(json.dumps(first).encode()))


def test_a_real_log_holds_what_was_counted_from_it(shared):
    """The figures were counted from the raw file without this library."""
    folder = shared / "fixtures" / "openai_evals"
    name = "emitted_localrecorder_3.0.1.jsonl"
    expected = json.loads((folder / "EXPECTED.json").read_text())[name]
    rows = read_openai_evals(folder / name)
    matched = rows.scores.filter(pl.col("scorer") == "match")
    assert rows.rows_read == expected["lines"]
    assert matched.height == expected["types"]["match"]
    assert matched["example_id"].n_unique() == expected["samples"]
    assert matched["passed"].sum() == expected["correct"]
    assert matched["score"].mean() == pytest.approx(expected["final_report"]["accuracy"])
    assert matched["input_tokens"].sum() == expected["prompt_tokens"]
    report = rows.quarantine.filter(pl.col("reason").str.starts_with("not_a_span"))
    assert report["source_line"].to_list() == [expected["final_report_line"]]
