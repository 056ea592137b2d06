"""A sample before a judge: every call has a row, keeps its weight, and is paid for once."""

import json

import pytest

from llmops_lib import (
    Judges,
    judge_sample,
    load_sample,
    plan_judging,
    sample_calls,
    sample_scores,
    sampling_plan,
    write_sample,
)
from llmops_lib.errors import SchemaError
from llmops_lib.schema import SCORES, validate
from tests.endpoints.conftest import client_of, completion
from tests.evals.test_judge import replying, said
from tests.measures.test_sampling import OUTPUT, call, spans
from tests.sources.fetch.conftest import reply, serve

__all__ = ["client_of", "serve"]

CALLS = [
    *(
        call(number, output=OUTPUT % ("Within 30 days." if number % 4 else "No idea."))
        for number in range(40)
    ),
    call(50, is_error=True, output=None),
    call(51, output=None),
]


def honest(data):
    """Finds the answers bad that this test wrote as bad, and the known wrong ones."""
    return said(data, "good" if "30 days" in data["candidate"] else "bad")


def sample(rate=1.0):
    """A sample of the calls."""
    traffic = spans(*CALLS)
    return sample_calls(traffic, sampling_plan(traffic, rate=rate)).collect()


def judged(reply_of, rows=None):
    """The run of a judge over the sample."""
    plan = plan_judging(sample() if rows is None else rows)
    return judge_sample(plan, Judges(replying(reply_of), plan.model, b"key"))


def test_every_sampled_call_has_one_row_with_its_chance():
    """What is not in the scores would be missing from the estimate without a word."""
    run = judged(honest)
    scores = sample_scores(validate(run.scores, SCORES))
    assert scores.height == len(CALLS)
    assert scores["chance"].to_list() == sample()["chance"].to_list()
    labels = dict(scores["label"].value_counts().rows())
    assert labels == {"good": 30, "bad": 10, "failed_call": 1, "no_answer": 1}
    assert scores["unit"].n_unique() == scores["user_id"].n_unique()


def test_a_failed_call_scores_zero_and_an_unknown_answer_nothing():
    """Failing is bad quality; an export without texts says nothing about it."""
    scores = {row["label"]: row["score"] for row in judged(honest).scores.to_dicts()}
    assert (scores["failed_call"], scores["no_answer"]) == (0.0, None)


def test_a_judge_that_passes_known_wrong_answers_gives_no_score():
    """No verdict of such a batch counts; the failed call is no verdict."""
    run = judged(lambda data: said(data, "good"))
    assert run.scores["score"].drop_nulls().to_list() == [0.0]
    assert "judge_untrusted" in run.scores["label"].to_list()


@pytest.mark.usefixtures("no_running_loop")
def test_a_larger_sample_pays_for_its_new_calls_only(serve, client_of, tmp_path):
    """The calls of a judge are the same whatever stands beside them, so that answers kept serve again."""

    def answer(asked):
        return reply(completion(honest(json.loads(json.loads(asked.body)["messages"][-1]["content"]))))

    client = client_of(serve(answer), cache=tmp_path / "answers")
    runs = []
    for rows in (sample().head(20), sample()):
        plan = plan_judging(rows)
        runs.append(judge_sample(plan, Judges(client.chat_all, plan.model, b"key")))
    assert runs[0].cached_count == 0
    assert runs[1].cached_count >= 20
    assert runs[1].scores.head(20)["score"].equals(runs[0].scores["score"])


def test_the_dollars_are_known_before(tmp_path):
    """A plan asks nobody; a model without a price has an unknown sum and never zero."""
    plan = plan_judging(load_sample(write_sample(sample(), sampling_plan(spans(*CALLS)), tmp_path)))
    assert len(plan.items) == 40
    assert 0 < plan.most_usd("openai") < 1
    assert plan_judging(sample(), model="unheard-of").most_usd("openai") is None


def test_scores_without_chances_are_no_sample():
    """Scores of a suite would be averaged as if they were traffic."""
    scores = judged(honest).scores
    with pytest.raises(SchemaError, match="no chance"):
        sample_scores(scores.with_columns(metadata=None))
    with pytest.raises(SchemaError, match="several scores"):
        sample_scores(scores.vstack(scores))
    with pytest.raises(SchemaError, match="judge_answer"):
        sample_scores(scores, scorer="other")
