"""`llmops eval sample`: what is written, and what the terminal does not show."""

import json
from datetime import timedelta

import polars as pl
import pytest

from llmops_lib import load_scores, sample_scores
from tests.endpoints.conftest import completion
from tests.evals.test_production import honest
from tests.measures.test_sampling import START, call, spans
from tests.sources.fetch.conftest import reply, serve

__all__ = ["serve"]


@pytest.fixture
def export(tmp_path):
    """A plain table of 400 calls with an e-mail address in their text and in the name of their feature."""
    rows = [
        call(number, feature="ask ann@example.com", input="SECRET ann@example.com", prompt_name="p")
        | {"started_at": START + timedelta(minutes=number)}
        for number in range(400)
    ]
    path = tmp_path / "calls.jsonl"
    columns = ["trace_id", "span_id", "operation", "started_at", "is_error", "feature", "tenant", "input"]
    kept = spans(*rows).select(*columns, "output", "input_tokens", "output_tokens", model=pl.lit("gpt-4o"))
    kept.write_ndjson(path)
    return path


def test_a_sample_is_written_with_its_weights_and_no_text_is_shown(llmops, export, tmp_path):
    """Files are where the traces are; a terminal, and what logs it, is elsewhere."""
    code, out, err = llmops("eval", "sample", export, "--rate", "0.2", "--out", tmp_path / "s")
    assert (code, "ann@" in out + err, "SECRET" in out + err) == (0, False, False)
    assert "of      " in out
    sample = pl.read_parquet(tmp_path / "s" / "sample.parquet")
    assert sample.height == len((tmp_path / "s" / "sample.jsonl").read_text().splitlines()) > 0
    assert (sample["weight"] * sample["chance"]).round(9).unique().to_list() == [1.0]
    code, out, _ = llmops(
        "eval", "sample", export, "--plan", tmp_path / "s" / "plan.json", "--dry-run", "--json"
    )
    facts = json.loads(out)
    assert (code, facts["drawn_count"], facts["sample"]) == (0, sample.height, None)
    assert "ann@" not in out


def test_a_period_without_calls_is_bad_input(llmops, export, tmp_path):
    """Exit code 2 and one line, not an empty sample."""
    code, _, err = llmops("eval", "sample", export, "--period", "2026-W10", "--out", tmp_path)
    assert (code, "no call that answers" in err) == (2, True)
    code, _, err = llmops("eval", "sample", export, "--period", "last week", "--out", tmp_path)
    assert (code, "no week, month or day" in err) == (2, True)


@pytest.mark.usefixtures("no_running_loop")
def test_a_sample_is_judged_with_the_dollars_first(llmops, export, tmp_path, serve, monkeypatch):
    """The dry run asks nobody; the run writes scores that keep their weights; again costs nothing."""

    def answer(asked):
        return reply(completion(honest(json.loads(json.loads(asked.body)["messages"][-1]["content"]))))

    server = serve(answer)
    for name, value in (("BASE_URL", f"{server.url}/v1"), ("API_KEY", "sk-test")):
        monkeypatch.setenv(f"OPENAI_{name}", value)
    monkeypatch.setenv("LLMOPS_ALLOW_LOCAL", "1")
    monkeypatch.chdir(tmp_path)
    llmops("eval", "sample", export, "--rate", "0.2", "--out", "s")
    code, out, _ = llmops("eval", "judge", "s", "--dry-run")
    assert (code, "at most" in out, server.asked) == (0, True, [])
    code, out, err = llmops("eval", "judge", "s", "--json")
    assert code == 0, err
    facts = json.loads(out)
    assert sample_scores(load_scores(facts["scores"])).height == facts["judged_count"] > 0
    code, out, _ = llmops("eval", "judge", "s/sample.jsonl")
    made = facts["call_count"]
    assert (code, f"{made} calls of the judge, {made} of them kept" in out) == (0, True)


def test_drift_is_said_with_candidates_and_an_exit_code(llmops, export, tmp_path, monkeypatch):
    """For a weekly job: 1 means look, and the file is what to look at."""
    monkeypatch.chdir(tmp_path)
    llmops("eval", "sample", export, "--rate", "1", "--out", "s")
    code, out, _ = llmops("eval", "drift", "s", "--suite", "support_quality", "--candidates", "c.jsonl")
    assert (code, "wording" in out, "c.jsonl: 1 cases for review" in out) == (1, True, True)
    assert "ann@" not in out + (tmp_path / "c.jsonl").read_text()
    assert llmops("eval", "drift", "s", "--suite", "support_quality", "--field", "x")[0] == 2
