"""Quality so far, with limits that hold at every look."""

import math
from typing import Any

import polars as pl

from llmops_lib.sampling.estimates import JUDGE_SCORE, QUALITY
from llmops_lib.sampling.labels import judged_calls
from llmops_lib.sampling.streams import equal_chances
from llmops_lib.stats.bounded_sequences import bernoulli_sequence, betting_sequence, labelled_sequence
from llmops_lib.stats.prediction_powered import MIN_LABELS
from llmops_lib.stats.sequences import ConfidenceSequence

_SCHEMA = pl.Schema(
    {
        "day": pl.String,
        "what": pl.String,
        "judged_count": pl.Int64,
        "value": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "method": pl.String,
    }
)


def live_quality(scores: Any, labels: Any = None, *, scorer: str = "", alpha: float = 0.05) -> pl.DataFrame:
    """The mean of all calls judged so far, at the end of each day, with a confidence sequence.

    Looked at every day, a 95% interval misses the truth on far more than 5% of the days that somebody acts
    on; a confidence sequence holds on all of them at once with 95%. It is of the calls that were drawn with
    equal chances, in order of time, and takes calls to be independent: users with many calls make it narrower
    than it should be, so take the interval of `quality_estimate` for a claim.

    With 100 labels or more among them each call counts as `F + [labelled] (Y - F) / q`, q the share
    labelled, whose mean is the quality whatever the judge does (PPI with lambda 1): hedged betting, as an
    asymptotic sequence is wrong on the first days of most streams with rare failures. With fewer it is of
    the judge score, and says so: a beta mixture for passes, hedged betting for scores.

    Args:
        scores: SCORES of `llmops eval judge`, of one judge, on any engine.
        labels: `example_id`, `score` from 0 to 1 of a random part of these calls; None: there are none.
        scorer: Scorer whose scores count.
        alpha: Chance that any limit, ever, excludes the truth.

    Returns:
        One row per day (UTC) with a judgement: `day`, `what` (`quality` or `judge score`), `judged_count`
        (so far), `value`, `lower`, `upper`, `method`.

    Raises:
        SchemaError: As `quality_estimate`.

    Source:
        Howard et al. (2021); Waudby-Smith and Ramdas (2024); Angelopoulos et al. (arXiv:2301.09633).
    """
    calls = equal_chances(judged_calls(scores, labels, scorer=scorer, labels_from="sample"))
    if calls.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    what, sequence = _sequence(calls, alpha)
    limits = pl.DataFrame(
        {
            "judged_count": sequence.n,
            "value": sequence.estimate,
            "lower": sequence.lower.clip(0, 1),
            "upper": sequence.upper.clip(0, 1),
        }
    )
    counts = calls.group_by("day", maintain_order=True).len("judged_count")
    so_far = counts.with_columns(pl.col("judged_count").cum_sum().cast(pl.Int64))
    joined = so_far.join(limits, on="judged_count", how="left", maintain_order="left")
    return joined.with_columns(what=pl.lit(what), method=pl.lit(sequence.method)).select(_SCHEMA.names())


def _sequence(calls: pl.DataFrame, alpha: float) -> tuple[str, ConfidenceSequence]:
    labelled = calls["truth"].count()
    if labelled >= MIN_LABELS:
        known = calls["truth"].fill_null(math.nan)
        share = labelled / calls.height
        return QUALITY, labelled_sequence(calls["judgement"], known, label_share=share, alpha=alpha)
    if calls["judgement"].is_in([0.0, 1.0]).all():
        return JUDGE_SCORE, bernoulli_sequence(calls["judgement"], alpha=alpha)
    return JUDGE_SCORE, betting_sequence(calls["judgement"], alpha=alpha)
