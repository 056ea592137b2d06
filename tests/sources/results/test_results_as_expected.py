"""Every figure that was counted independently over a real file of eval results, and why some are no score."""

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from llmops_lib import load_scores

FIXTURES = Path(__file__).resolve().parents[4] / "shared" / "fixtures"
FOLDERS = ("alpaca_eval", "deepeval", "inspect_ai", "lm_eval", "openai_evals", "promptfoo", "ragas")
NO_SCORES = {
    "2024-08-29T15-11-17_00-00_popularity_5EAmX6wjMFqea6WY7XHzZp.json": "a log of averages, without a sample",
    "emitted_0.4.13_results_2026-11-23T09-45-07.722758.json": "averages of tasks, without an example",
    "real_legacy_bloom-1b1_gsm8k_8-shot.json": "averages of tasks, without an example",
    "real_pr3032_results_gpt2.json": "averages of tasks, without an example",
}
NOT_IN_SCORES = {
    "top_keys": "the shape of the file",
    "keys": "the shape of the file",
    "columns": "the shape of the file",
    "duplicate_column_names": "the shape of the file",
    "schema_version": "the shape of the file",
    "zip_compression_methods": "how the file is packed",
    "bytes": "the size of the file",
    "lines": "events, of which three at a time make a score",
    "types": "events, of which three at a time make a score",
    "final_report_line": "where a line stands",
    "final_report": "an average with a bootstrapped error; its accuracy is that of `correct`",
    "stats": "of the whole run, of which the file holds a part",
}


def expected_files():
    """The real files with the figures that were counted by other means; none where they are absent."""
    if not FIXTURES.is_dir():
        return []
    return [
        pytest.param(FIXTURES / folder / name, figures, id=f"{folder}/{name}")
        for folder in FOLDERS
        for name, figures in json.loads(
            (FIXTURES / folder / "EXPECTED.json").read_text(encoding="utf-8")
        ).items()
    ]


def of_metadata(scores, *names):
    """The values in the metadata under a path of names, one per row."""
    found = []
    for text in scores["metadata"]:
        value = json.loads(text or "{}")
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        found.append(value)
    return found


def examples(scores):
    """How many examples were tried, counting trials."""
    return scores.select("run_id", "example_id", "trial").n_unique()


def alpaca_figures(scores):
    """Annotations of pairs."""
    price = sum(value for value in of_metadata(scores, "judge_cost_usd") if value)
    return {
        "rows": scores.height,
        "preference_null": scores["error"].drop_nulls().len(),
        "wins_output_2": scores.filter(label="output_2").height,
        "price": pytest.approx(price),
    }


def deepeval_figures(scores):
    """Test cases, which pass with all of their metrics."""
    cases = scores.group_by("example_id", "trial").agg(pl.col("passed").fill_null(value=False).all())
    costs = [value for value in of_metadata(scores, "metric", "evaluationCost") if value]
    return {
        "test_cases": cases.height,
        "passed": cases["passed"].sum(),
        "metric_rows": scores.height,
        "metric_errors": scores["error"].drop_nulls().len(),
        "evaluation_cost": pytest.approx(sum(costs), abs=1e-4),
    }


def inspect_figures(scores):
    """A log: what its head says of every sample, and the values and tokens of the samples."""
    once = scores.unique(["example_id", "trial"])
    usage: dict[str, Counter[str]] = {}
    for sample in of_metadata(once, "model_usage"):
        for model, counts in (sample or {}).items():
            usage.setdefault(model, Counter()).update({name: count or 0 for name, count in counts.items()})
    values = scores.filter(pl.col("score").is_not_null() | pl.col("label").is_not_null())
    written = [json.dumps(label or score) for label, score in values.select("label", "score").rows()]
    return {
        "log_version": of_metadata(scores, "log_version")[0],
        "status": of_metadata(scores, "status")[0],
        "created": of_metadata(scores, "created")[0],
        "task": scores["suite"][0],
        "model": scores["model"][0],
        "samples": once.height,
        "sample_errors": once["error"].drop_nulls().len(),
        "epochs": scores["trial"].max(),
        "score_values": dict(Counter(written)),
        # Logs of 2024 counted tokens over the run only.
        "model_usage": usage or of_metadata(scores, "log_model_usage")[0] or {},
    }


def lm_eval_figures(scores):
    """Samples with the means of their metrics."""
    means = scores.group_by("scorer", maintain_order=True).agg(pl.col("score").mean())
    return {
        "rows": examples(scores),
        "metrics": means["scorer"].to_list(),
        "metric_means": pytest.approx(dict(means.rows()), abs=1e-6),
    }


def openai_evals_figures(scores):
    """Samples of a recorded run."""
    return {
        "samples": examples(scores),
        "correct": scores["passed"].sum(),
        "prompt_tokens": scores["input_tokens"].sum(),
    }


def promptfoo_figures(scores):
    """Whole tests, which have cost and tokens once."""
    tests = scores.filter(scorer="score")
    providers = [
        value.get("id") if isinstance(value, dict) else value for value in of_metadata(tests, "provider")
    ]
    return {
        "rows": tests.height,
        "data_rows": tests["example_id"].n_unique(),
        "success": tests["passed"].sum(),
        "failed_assert": tests.filter(passed=False).height,
        "errored": tests["error"].drop_nulls().len(),
        "cost": pytest.approx(tests["cost_usd"].sum()),
        "prompt_tokens": tests["input_tokens"].sum(),
        "completion_tokens": tests["output_tokens"].sum(),
        "providers": sorted({provider for provider in providers if provider}),
    }


def junit_figures(scores):
    """Test cases of a report, counted as its own attributes count them: in text."""
    counts = {
        "tests": scores.height,
        "failures": scores.filter(passed=False).height,
        "errors": scores["error"].drop_nulls().len(),
        "skipped": scores.filter(label="skipped").height,
    }
    return {name: str(count) for name, count in counts.items()}


def ragas_figures(scores):
    """Rows of a dataframe."""
    return {"rows": examples(scores), "data_rows": examples(scores)}


FIGURES = {
    "alpaca_eval": alpaca_figures,
    "deepeval": deepeval_figures,
    "inspect": inspect_figures,
    "junit": junit_figures,
    "lm_eval": lm_eval_figures,
    "openai_evals": openai_evals_figures,
    "promptfoo": promptfoo_figures,
    "ragas": ragas_figures,
}


@pytest.mark.parametrize(("path", "expected"), expected_files())
def test_a_real_file_gives_the_figures_that_were_counted_over_it(path, expected):
    """The figures come from plain passes over the raw files; no format is named."""
    scores = load_scores(path)
    if path.name in NO_SCORES:
        assert scores.is_empty()
        return
    found = FIGURES[scores["source_format"][0]](scores)
    wanted = {name: value for name, value in expected.items() if name not in NOT_IN_SCORES}
    assert {name: found.get(name, "not counted") for name in wanted} == wanted


def test_files_are_looked_at(shared):
    """Where the real files are present none of their folders may be left out in silence."""
    assert shared.is_dir()
    assert len(expected_files()) == sum(
        len(json.loads((FIXTURES / folder / "EXPECTED.json").read_text(encoding="utf-8")))
        for folder in FOLDERS
    )
