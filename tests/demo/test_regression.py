"""The planted regression of a prompt: one version that users rate badly, and nothing else."""

import polars as pl

from llmops_lib import load_traces, write_demo

SIZE = {"weeks": 2, "calls_per_week": 1500}


def test_the_last_release_brings_a_prompt_that_users_rate_badly(tmp_path):
    """It is what a postmortem must find; everything else stays as it was."""
    facts = write_demo(tmp_path / "demo.jsonl", has_regression=True, **SIZE)
    write_demo(tmp_path / "plain.jsonl", **SIZE)
    event = next(event for event in facts.events if event.name == "prompt_regression")
    spans, plain = (load_traces(tmp_path / name) for name in ("demo.jsonl", "plain.jsonl"))
    answers = spans.filter(prompt_name="support_answer")
    bad = answers.filter(prompt_version="5")
    assert bad["started_at"].min() >= event.start > answers.filter(prompt_version="3")["started_at"].max()
    assert bad["feedback_score"].mean() < 0.5 < answers.filter(prompt_version="3")["feedback_score"].mean()
    assert not bad["output"].str.contains("See:").any()
    others = pl.col("prompt_name").ne_missing("support_answer")
    assert spans.filter(others).drop("source_file").equals(plain.filter(others).drop("source_file"))
