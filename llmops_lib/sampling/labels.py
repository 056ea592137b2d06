"""What people said of judged calls, beside what the judge said of them."""

from typing import Any, Literal, get_args

import polars as pl

from llmops_lib.errors import SchemaError
from llmops_lib.frames import collected, narwhal
from llmops_lib.sampling.scores import sample_scores
from llmops_lib.stats.judge_error import Calibration

LabelsFrom = Literal["sample", "elsewhere"]
"""`sample`: labels of a random part of the judged calls. `elsewhere`: of a calibration set."""


def judged_calls(scores: Any, labels: Any, *, scorer: str, labels_from: LabelsFrom) -> pl.DataFrame:
    """Judged calls with `judgement`, `truth` (null without a label), `weight` and `day`.

    Args:
        scores: SCORES of `llmops eval judge`, of one judge, on any engine.
        labels: Table with `example_id` and `score` (0 to 1); None without any.
        scorer: Scorer whose scores count.
        labels_from: Whether the labels are of these calls.

    Raises:
        SchemaError: If several judges gave the scores, a score is not in 0 to 1, or labels do not fit.
    """
    if labels_from not in get_args(LabelsFrom):
        msg = f"labels_from: found {labels_from!r}, expected one of {', '.join(get_args(LabelsFrom))}"
        raise SchemaError(msg)
    judged = sample_scores(scores, scorer=scorer)
    versions = judged.filter(pl.col("judge_model").is_not_null()).select("judge_model", "judge_prompt_hash")
    if versions.n_unique() > 1:
        msg = (
            f"scores of {versions.n_unique()} judges (model and prompt); expected one: a change of the judge "
            "looks like a change of quality, so estimate each alone"
        )
        raise SchemaError(msg)
    _require_shares(judged["score"], "scores")
    day = pl.col("started_at").dt.date().cast(pl.String).alias("day")
    told = judged.with_columns(day, judgement=pl.col("score"), weight=1 / pl.col("chance"))
    if labels is None or labels_from == "elsewhere":
        return told.with_columns(truth=pl.lit(None, dtype=pl.Float64))
    known = _labels(labels, ["example_id", "score"])
    strangers = known.join(judged, on="example_id", how="anti").height
    if strangers:
        msg = (
            f"{strangers} of {known.height} labels are of calls that were not judged; expected labels of a "
            "random part of the sample, or say that they are from elsewhere (labels_from='elsewhere')"
        )
        raise SchemaError(msg)
    truth = known.select("example_id", truth="score")
    return told.join(truth, on="example_id", how="left", maintain_order="left")


def calibration_of(labels: Any, judged: pl.DataFrame, labels_from: LabelsFrom) -> Calibration | None:
    """How the judge did where the truth is known; None where labels or judgements are no passes and failures.

    Args:
        labels: Of a calibration set, with `score` and `judge_score`; not used for labels of the sample.
        judged: What `judged_calls` gives.
        labels_from: Where the labels are from.

    Raises:
        SchemaError: If labels from elsewhere lack the judgement of the same calls.
    """
    if labels is None:
        return None
    if labels_from == "elsewhere":
        pairs = _labels(labels, ["example_id", "score", "judge_score"]).select("score", "judge_score")
        _require_shares(pairs["judge_score"], "judge_score")
    else:
        pairs = judged.select(score="truth", judge_score="judgement")
    pairs = pairs.drop_nulls()
    are_passes = _are_passes(pairs["score"]) and _are_passes(pairs["judge_score"])
    if labels_from == "elsewhere" and not (pairs.height and are_passes and _are_passes(judged["judgement"])):
        msg = f"{pairs.height} labels from elsewhere; expected some, and 0 or 1 as label and as judgement"
        raise SchemaError(msg)
    if not pairs.height or not are_passes:
        return None
    counts = dict(pairs.select(2 * pl.col("score") + pl.col("judge_score")).to_series().value_counts().rows())
    return Calibration(*(counts.get(cell, 0) for cell in (3.0, 2.0, 1.0, 0.0)))


def _labels(labels: Any, columns: list[str]) -> pl.DataFrame:
    table = collected(narwhal(labels).to_native())
    missing = [name for name in columns if name not in table.columns]
    if missing:
        msg = f"labels lack {missing}; expected the columns {columns}, one row per labelled call"
        raise SchemaError(msg)
    known = table.select(
        pl.col("example_id").cast(pl.String), *(_number(table, name) for name in columns[1:])
    )
    known = known.drop_nulls(["example_id", "score"])
    if known["example_id"].is_duplicated().any():
        msg = "labels hold a call twice; expected one label per call, so agree on one first"
        raise SchemaError(msg)
    _require_shares(known["score"], "labels")
    return known


def _number(labels: pl.DataFrame, name: str) -> pl.Series:
    """A column of labels as numbers; NaN is no label."""
    found = labels[name].cast(pl.Float64, strict=False)
    words = labels[name].filter(found.is_null() & labels[name].is_not_null())
    if len(words):
        msg = f"labels: {name} holds {words[0]!r}; expected numbers from 0 (bad) to 1 (good)"
        raise SchemaError(msg)
    return found.fill_nan(None)


def _require_shares(values: pl.Series, name: str) -> None:
    wrong = values.drop_nulls().filter(~values.drop_nulls().is_between(0, 1))
    if len(wrong):
        msg = f"{name} hold {wrong[0]:g}; expected 0 (bad) to 1 (good), so rescale first"
        raise SchemaError(msg)


def _are_passes(values: pl.Series) -> bool:
    return bool(values.drop_nulls().is_in([0.0, 1.0]).all())
