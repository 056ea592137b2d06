"""Who won which case, with what both runs answered."""

from collections.abc import Collection, Sequence

import polars as pl

from llmops_lib.gating.metrics import Compared
from llmops_lib.stats.multiplicity import benjamini_hochberg
from llmops_lib.stats.within_item import within_item_exact

CASES_SCHEMA = pl.Schema(
    {
        "scorer": pl.String,
        "example_id": pl.String,
        "winner": pl.String,
        "baseline_mean": pl.Float64,
        "candidate_mean": pl.Float64,
        "diff": pl.Float64,
        "p_value": pl.Float64,
        "p_adjusted": pl.Float64,
        "input": pl.String,
        "baseline_output": pl.String,
        "candidate_output": pl.String,
    }
)


def case_rows(
    scorers: Sequence[Compared],
    baseline: pl.DataFrame,
    candidate: pl.DataFrame,
    lower_is_better: Collection[str],
) -> pl.DataFrame:
    """One row per scorer and case, `CASES_SCHEMA`, the widest gaps first.

    Of many cases some change by chance, so p values (Fisher's exact, for pass or fail in several trials) are
    adjusted by Benjamini and Hochberg, and none decides anything.

    Args:
        scorers: The scorers, on the items of both runs.
        baseline: SCORES of the baseline, for the texts.
        candidate: SCORES of the candidate.
        lower_is_better: Scorers of which less is better.
    """
    rows = [
        (one.metric, name, _mean(before), _mean(after), _p_value(one, before, after))
        for one in scorers
        for name, before, after in one.items.rows()
    ]
    names = ("scorer", "example_id", "baseline_mean", "candidate_mean", "p_value")
    table = pl.DataFrame(rows, schema={name: CASES_SCHEMA[name] for name in names}, orient="row")
    sign = pl.when(pl.col("scorer").is_in(list(lower_is_better))).then(-1).otherwise(1)
    gap = pl.col("candidate_mean") - pl.col("baseline_mean")
    winner = pl.when(gap * sign > 0).then(pl.lit("candidate")).when(gap * sign < 0).then(pl.lit("baseline"))
    told = _adjusted(table).with_columns(winner.otherwise(pl.lit("tie")).alias("winner"), gap.alias("diff"))
    keys = ["scorer", "example_id"]
    for name, one in (("baseline", baseline), ("candidate", candidate)):
        told = told.join(_telling(one, name), on=keys, how="left")
        # Of several trials the one that tells why: the best of the side that scored higher, else the worst.
        is_higher = pl.col("diff") > 0 if name == "candidate" else pl.col("diff") < 0
        best, worst = pl.col(f"{name}_best"), pl.col(f"{name}_worst")
        told = told.with_columns(pl.when(is_higher).then(best).otherwise(worst).alias(f"{name}_output"))
    told = told.join(baseline.select(*keys, "input").unique(keys, keep="first", maintain_order=True), on=keys)
    return told.select(CASES_SCHEMA.names()).sort(
        pl.col("diff").abs(), "scorer", "example_id", descending=[True, False, False]
    )


def _telling(scores: pl.DataFrame, name: str) -> pl.DataFrame:
    """The answers with the highest and the lowest score of each case."""
    known = scores.filter(pl.col("score").is_not_null()).sort("score", "trial", maintain_order=True)
    best, worst = pl.col("output").last(), pl.col("output").first()
    return known.group_by("scorer", "example_id").agg(
        best.alias(f"{name}_best"), worst.alias(f"{name}_worst")
    )


def _adjusted(table: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("p_value").is_not_null()
    found = table.filter(known)
    adjusted = found.with_columns(
        p_adjusted=pl.Series(benjamini_hochberg(found["p_value"]), dtype=pl.Float64)
    )
    return pl.concat([adjusted, table.filter(~known).with_columns(p_adjusted=pl.lit(None, pl.Float64))])


def _mean(scores: list[float]) -> float:
    return sum(scores) / len(scores)


def _p_value(one: Compared, before: list[float], after: list[float]) -> float | None:
    if not one.is_binary or min(len(before), len(after)) < 2:
        return None
    counts = [[number] for side in (after, before) for number in (round(sum(side)), len(side))]
    return within_item_exact(*counts).p_two_sided
