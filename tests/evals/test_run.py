"""A suite run against the bundled answerer, over a real connection."""

import json

import polars as pl
import pytest

from llmops_lib import load_prompt, load_scores, load_suite, load_traces
from llmops_lib.chat import BASELINE_MODEL
from llmops_lib.endpoints.client import EndpointClient
from llmops_lib.endpoints.settings import Endpoint, EndpointSettings
from llmops_lib.errors import PromptInputError, SuiteError
from llmops_lib.evals.plan import plan_eval
from llmops_lib.evals.run import run_eval, write_run
from llmops_lib.schema import SCORES
from tests.sources.fetch.conftest import patience, reply, serve  # noqa: F401 - the fixture is used by name


def client(url, **settings):
    """A client of a server on this machine."""
    endpoint = Endpoint.from_environment({"OPENAI_BASE_URL": url, "LLMOPS_ALLOW_LOCAL": "1"})
    return EndpointClient(endpoint, EndpointSettings(**(patience() | settings)))


def plan(**changes):
    """The bundled suite and prompt for the bundled answerer."""
    settings = {"model": BASELINE_MODEL} | changes
    return plan_eval(load_suite("support_quality"), load_prompt("support_answer"), **settings)


def test_the_bundled_answerer_is_told_by_its_answers_whatever_name_it_was_asked_by(answerer):
    """It answers to any name, and its scores must never stand as those of the model that was named."""
    with client(answerer.url) as caller:
        run = run_eval(plan(model="gpt-4o-mini", only=["single_passage"]), caller)
    told = {json.loads(metadata)["is_simulated"] for metadata in run.scores["metadata"]}
    assert told == {True}


def test_every_case_trial_and_grader_has_its_row(answerer, tmp_path):
    """SCORES that load again, with what a gate must know of the run."""
    with client(answerer.url, spans_file=tmp_path / "spans.jsonl") as caller:
        run = run_eval(plan(trials=2, only=["single_passage"]), caller)
    schema_rows = run.scores.filter(scorer="reply_schema")
    cases = [case for case in load_suite("support_quality").cases if "single_passage" in case.tags]
    assert schema_rows["example_id"].to_list() == [case.id for case in cases for _ in range(2)]
    assert schema_rows["trial"].to_list() == [1, 2] * len(cases)
    assert schema_rows["passed"].all()
    facts = json.loads(schema_rows["metadata"][0])
    assert (facts["is_locked"], facts["is_simulated"], facts["planned_case_count"]) == (
        True,
        True,
        len(cases),
    )
    assert run.call_count == 2 * len(cases)
    loaded = load_scores(write_run(run, tmp_path / "runs"))
    same = [name for name in SCORES.names if not name.startswith(("source_", "metadata"))]
    assert (
        loaded.select(same)
        .sort("example_id", "trial", "scorer")
        .equals(run.scores.select(same).sort("example_id", "trial", "scorer"))
    )
    spans = load_traces(tmp_path / "spans.jsonl")
    assert spans.height == run.call_count
    assert set(spans["prompt_hash"]) == {load_prompt("support_answer").prompt_hash}
    assert set(run.scores["trace_id"]) == set(spans["trace_id"])


def test_a_run_that_was_stopped_makes_only_the_missing_calls(serve, tmp_path):  # noqa: F811 - the fixture
    """What was answered is paid for."""
    text = '{"status": "not_in_context", "answer": "This is not in the context.", "sources": []}'
    message = {"message": {"content": text}, "finish_reason": "stop"}
    server = serve(lambda _: reply({"choices": [message]}))

    def interrupt(done, *_):
        if done == 10:
            raise KeyboardInterrupt

    with client(server.url, cache=tmp_path, concurrency=1) as caller, pytest.raises(KeyboardInterrupt):
        run_eval(plan(), caller, on_call=interrupt)
    made = len(server.asked)
    with client(server.url, cache=tmp_path) as caller:
        run = run_eval(plan(), caller)
    assert 10 <= made < 20
    assert len(server.asked) == run.call_count
    assert run.cached_count == made


def test_calls_without_an_answer_are_missing_and_refused_ones_are_failures(serve):  # noqa: F811 - the fixture
    """A crash of the provider must not lower a score, and a prompt that is refused must not raise it."""
    server = serve(lambda _: reply({}, 500))
    with client(server.url, attempts=1) as caller:
        missing = run_eval(plan(only=["returns-unopened"]), caller).scores
    assert missing.height > 3
    assert missing["score"].null_count() == missing["error"].count() == missing.height
    server = serve(lambda _: reply({"error": {"message": "too long"}}, 400))
    with client(server.url, attempts=1) as caller:
        refused = run_eval(plan(only=["returns-unopened"]), caller).scores
    assert refused.height == missing.height
    assert set(refused["score"]) == {0.0}
    assert not refused["passed"].any()


def test_a_prompt_that_a_case_does_not_fit_fails_before_any_call(tmp_path):
    """All prompts are rendered before the first call."""
    path = tmp_path / "prompts" / "support_answer.md"
    path.parent.mkdir()
    text = load_prompt("support_answer").path.read_text(encoding="utf-8")
    path.write_text(text.replace("required: [company,", "required: [tone, company,"), encoding="utf-8")
    with pytest.raises(PromptInputError, match="tone"):
        plan_eval(load_suite("support_quality"), load_prompt("support_answer", folder=path.parent))


def test_an_unknown_grader_or_a_missing_judge_is_refused_before_any_call():
    """A run that cannot be graded is not worth its money."""
    ready = plan(only=["single_passage"])
    grader = ready.suite.settings.graders[0]
    for kind, said in (("vibes", "unknown kind 'vibes'"), ("judge_correctness", "needs a model as judge")):
        settings = ready.suite.settings.model_copy(
            update={"graders": [grader.model_copy(update={"kind": kind})]}
        )
        object.__setattr__(ready.suite, "settings", settings)
        with pytest.raises(SuiteError, match=said):
            run_eval(ready, None)


def test_trials_must_be_at_least_one_and_a_choice_must_match():
    """A run of nothing passes everything."""
    with pytest.raises(SuiteError, match="0 trials"):
        plan(trials=0)
    with pytest.raises(SuiteError, match="no case"):
        plan(only=["nothing-like-this"])


def test_the_most_that_a_run_costs_is_known_before():
    """By the price list; unknown for a model that is not on it."""
    assert plan().most_usd(None) is None
    assert 0 < plan(model="gpt-4o-mini").most_usd("openai") < 1
    assert pl.Series([plan(trials=2, model="gpt-4o-mini").most_usd("openai")]).item() == pytest.approx(
        2 * plan(model="gpt-4o-mini").most_usd("openai")
    )
