"""Judgements that no model gave and labels that nobody gave, of a sample whose quality is therefore known."""

import polars as pl

from llmops_lib.sampling.draw import draws
from llmops_lib.schema import SCORES, conform

GOOD_SHARE = 0.9
SENSITIVITY, SPECIFICITY = 0.96, 0.7
LABELLED_SHARE = 0.2
WORSE_FEATURE, WORSE_FROM, WORSE_BY = "agent_refunds", "2026-09-28", 0.6
"""From that day on answers of one feature are worse; what watches quality should say so."""

_FLAGGED = {"error": 1.0, "refusal": 0.3, "low_feedback": 0.5, "retry": 0.15, "outlier": 0.1}
_SAME = ("model", "provider", "prompt_name", "prompt_version", "started_at", "trace_id")
_TOLD = (
    "span_id",
    "user_id",
    "session_id",
    "feature",
    "tenant",
    "draw",
    "chance",
    "stratum",
    "risk_flag",
    "tenant_tier",
)


def simulated_judgements(sample: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Made scores of a judge and made labels of a part of a sample.

    90% of the answers are good, fewer of flagged calls, and 60 points fewer of one feature from one day on;
    the judge passes 96% of the good ones and 30% of the bad ones. All follows from hashes of the calls.

    Args:
        sample: What `sample_calls` gives.

    Returns:
        SCORES of `judge_answer` whose metadata say `is_simulated`, and labels: `example_id`, `score`.
    """
    calls = sample.with_columns(example_id=pl.format("{}/{}", "trace_id", "span_id"))
    names = calls["example_id"]
    chances = {part: draws(names, f"simulated {part}") for part in ("truth", "judge", "label")}
    is_worse = (pl.col("feature") == WORSE_FEATURE) & (
        pl.col("started_at").dt.date().cast(pl.String) >= WORSE_FROM
    )
    less = pl.col("risk_flag").replace_strict(_FLAGGED, default=0.0, return_dtype=pl.Float64)
    worse = pl.when(is_worse.fill_null(value=False)).then(WORSE_BY).otherwise(0.0)
    truth = (chances["truth"] < (GOOD_SHARE - less - worse)).cast(pl.Float64)
    passing = pl.when(truth > 0).then(SENSITIVITY).otherwise(1 - SPECIFICITY)
    judged = pl.when("is_error").then(0.0).otherwise((chances["judge"] < passing).cast(pl.Float64))
    scored = calls.select(
        *_SAME,
        "example_id",
        judged.alias("score"),
        run_id=pl.lit("simulated"),
        trial=pl.lit(1),
        scorer=pl.lit("judge_answer"),
        metadata=pl.struct(
            *_TOLD, judge_model=pl.lit("simulated"), judge_prompt_hash=pl.lit("simulated"), is_simulated=True
        ).struct.json_encode(),
        source_format=pl.lit("llmops_demo"),
        source_file=pl.lit("simulated"),
    )
    labels = calls.select("example_id", truth.alias("score")).filter(chances["label"] < LABELLED_SHARE)
    return conform(scored, SCORES), labels
