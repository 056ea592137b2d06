"""The simulated experiment: users in arms, the prompts that follow from them, and labels that say so."""

import polars as pl
import pytest

from llmops_lib import assign, compare_prompts, load_traces, price_calls, write_demo
from llmops_lib.demo import DEMO_EXPERIMENT, demo_scores


@pytest.fixture(scope="module")
def spans(tmp_path_factory):
    """A week of the experiment, priced."""
    path = tmp_path_factory.mktemp("experiment") / "export.jsonl"
    write_demo(path, weeks=1, calls_per_week=1500, has_experiment=True)
    return price_calls(load_traces(path))


def test_every_user_has_the_prompt_of_the_arm_that_assign_gives(spans):
    """What the application would do is what the export shows."""
    calls = spans.filter(pl.col("prompt_name") == "support_answer")
    for user, version in calls.select("user_id", "prompt_version").unique().rows():
        assert assign(user, DEMO_EXPERIMENT).prompt == f"support_answer@{version}"


def test_arms_and_prompts_give_the_same_comparison(spans):
    """The attribute on the root and the version on the call tell the same arms."""
    by_arm = compare_prompts(spans, a="short", b="long", experiment="answer-length", monitoring="fixed")
    by_prompt = compare_prompts(spans, a="support_answer@3", b="support_answer@4", monitoring="fixed")
    assert by_arm.metrics.equals(by_prompt.metrics)
    tokens = by_prompt.metrics.filter(metric="input_tokens_per_call").row(0, named=True)
    assert tokens["diff"] == pytest.approx(620, abs=200)


def test_simulated_scores_say_what_they_are():
    """Nobody must take them for results of a real run."""
    found = demo_scores()
    assert found["output"].str.contains("Simulated").all()
    assert found["suite"].unique().to_list() == ["simulated_support"]
