"""The score of a suite, as it is and weighted to what people ask."""

from typing import Any

import polars as pl

from llmops_lib.frames import collected, narwhal
from llmops_lib.stats.post_stratified import post_stratified_mean

_SCHEMA = pl.Schema(
    {
        "scorer": pl.String,
        "raw_score": pl.Float64,
        "reweighted_score": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "standard_error": pl.Float64,
        "uncovered_share": pl.Float64,
        "case_count": pl.Int64,
        "effective_case_count": pl.Float64,
        "fresh_count": pl.Int64,
        "reason": pl.String,
    }
)


def reweighted_score(
    scores: Any, cases: Any, fresh: Any, *, by: str = "topic", alpha: float = 0.05
) -> pl.DataFrame:
    """The mean score of a suite, each kind of case weighing what production weighs it, per scorer.

    A suite asks what its authors thought of, in their proportions. Weighted to traffic its score says more of
    production, and nothing of the traffic that no case is like: `uncovered_share` says how much that is. It
    is a score of the suite all the same, not quality of production (`quality_estimate`).

    Args:
        scores: SCORES of one run; uses `scorer`, `example_id`, `score`. A case counts once, the
            mean of its trials.
        cases: One row per case: `case_id` and `by`.
        fresh: One row per production input: `by` and `unit` (its user).
        by: Column that both have: a topic, a feature, a band of lengths. Null is a kind of its own.
        alpha: One minus the confidence level.

    Returns:
        One row per scorer: `scorer`, `raw_score`, `reweighted_score`, `lower`, `upper`, `standard_error`,
        `uncovered_share` (of fresh inputs, of a kind without a scored case), `case_count`,
        `effective_case_count` (Kish; below 30 there is no interval), `fresh_count`, `reason`.

    Raises:
        MissingColumnError: If a column is missing.

    Source:
        As `post_stratified_mean`.

    Example:
        >>> scores = pl.DataFrame({"scorer": ["s"] * 2, "example_id": ["x", "y"], "score": [1.0, 0.0]})
        >>> cases = pl.DataFrame({"case_id": ["x", "y"], "topic": ["refund", "parcel"]})
        >>> fresh = pl.DataFrame({"topic": ["refund"] * 3 + ["parcel"], "unit": list("abcd")})
        >>> reweighted_score(scores, cases, fresh).select("raw_score", "reweighted_score").row(0)
        (0.5, 0.75)
    """
    known = collected(narwhal(scores, columns=["scorer", "example_id", "score"]).to_native())
    kinds = collected(narwhal(cases, columns=["case_id", by]).to_native())
    traffic = collected(narwhal(fresh, columns=[by, "unit"]).to_native())
    means = known.drop_nulls("score").group_by("scorer", "example_id").agg(pl.col("score").mean())
    placed = means.join(kinds.select(example_id="case_id", kind=pl.col(by).cast(pl.String)), on="example_id")
    asked, units = traffic[by].cast(pl.String).to_list(), traffic["unit"].to_list()
    rows = []
    for (scorer,), own in placed.sort("scorer", "example_id").group_by("scorer", maintain_order=True):
        found = post_stratified_mean(own["score"], own["kind"].to_list(), asked, units, alpha=alpha)
        limits = found.interval
        row = (scorer, found.raw, found.value, limits.lower, limits.upper, found.se, found.uncovered_share)
        why = ", ".join(limits.reasons) or None
        rows.append((*row, own.height, found.effective_count, traffic.height, why))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
