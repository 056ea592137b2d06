"""From how many calls of each kind there are to the chance with which each is drawn."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from llmops_lib.sampling.kinds import KIND
from llmops_lib.stats.allocation import neyman_allocation, shrunken_variances

LEAST_CHANCE = 0.001
LEAST_PER_WEEK = 30
"""Judged calls per stratum and week that are wanted, however small the stratum is."""

LARGEST_RATIO = 50
"""Of the largest chance to the smallest: beyond it a few calls would decide the estimate."""

OWN_STRATUM_PER_WEEK = 3_000
"""Calls per week from which on a kind is a stratum of its own: 30 of them are 1%."""

_ASSUMED = {True: 0.25, False: 0.09}
_SMALLEST_VARIANCE = 0.0025
_LEVELS = (KIND, KIND[:3], KIND[:2], KIND[:1])
_COLUMNS = {
    "risk_flag": "risk_flag",
    "feature": "stratum_feature",
    "prompt": "stratum_prompt",
    "tenant_tier": "tenant_tier",
}


def with_strata(kinds: pl.DataFrame, weeks: float) -> pl.DataFrame:
    """The kinds with `stratum`: small kinds are joined over tenants, prompts, then features.

    What is wrong with a call is never joined with anything else. The rate has no part in this, so that a
    higher rate keeps every stratum and with it every call that was drawn.

    Args:
        kinds: One row per kind; uses its keys and `call_count`.
        weeks: Weeks that the counts are of.
    """
    waiting, done = kinds, []
    for level in _LEVELS:
        keys = [_COLUMNS[name] for name in level]
        is_large = pl.col("call_count").sum().over(keys) >= OWN_STRATUM_PER_WEEK * weeks
        named = waiting.with_columns(_named(keys), _is_large=is_large | (level == _LEVELS[-1]))
        done.append(named.filter("_is_large"))
        waiting = named.filter(~pl.col("_is_large"))
    return pl.concat(done).drop("_is_large")


def _named(keys: Sequence[str]) -> pl.Expr:
    parts = [pl.col(key).fill_null("(none)") for key in keys]
    rest = [pl.lit("all others")] if len(keys) < len(_COLUMNS) else []
    return pl.concat_str([*parts, *rest], separator=" / ").alias("stratum")


def with_deviations(kinds: pl.DataFrame, scores: pl.DataFrame | None) -> pl.DataFrame:
    """The kinds with `deviation`, the standard deviation of the score in their stratum.

    From earlier judgements, pulled towards the common one. Before there are any, a call with a flag is
    taken to pass half of the time and another nine times in ten: an assumption that makes a sample more or
    less efficient and never biased.

    Args:
        kinds: Uses `stratum`, `risk_flag`.
        scores: Uses `stratum`, `score`: judgements of an earlier period; None without any.
    """
    assumed = pl.col("risk_flag").ne("none").replace_strict(_ASSUMED, return_dtype=pl.Float64)
    if scores is None or scores.drop_nulls(["stratum", "score"]).is_empty():
        return kinds.with_columns(deviation=assumed.sqrt())
    seen = scores.drop_nulls(["stratum", "score"]).group_by("stratum")
    by_stratum = seen.agg(pl.col("score").var().fill_null(0).alias("variance"), pl.len().alias("n"))
    joined = kinds.join(by_stratum, on="stratum", how="left", maintain_order="left").with_columns(
        pl.col("variance").fill_null(0), pl.col("n").fill_null(0)
    )
    strata = joined.unique("stratum", maintain_order=True)
    pulled = shrunken_variances(strata["variance"], strata["n"])
    deviation = np.sqrt(np.maximum(pulled, _SMALLEST_VARIANCE))
    of_stratum = strata.select("stratum", pl.Series("deviation", deviation))
    return joined.drop("variance", "n").join(of_stratum, on="stratum", how="left", maintain_order="left")


def with_chances(kinds: pl.DataFrame, *, rate: float, weeks: float) -> pl.DataFrame:
    """The kinds with `chance`: Neyman's allocation over strata, its floors, and the cap on weights.

    `pi = 1 - (1 - rate)^c` with `c` Neyman's share over the stratum's share of calls: `c rate` where the
    rate is small, everything at a rate of 1, and never less at a higher rate. Then at least 0.001 and what
    gives 30 calls a week, and at most 50 times the smallest chance: where the two disagree, the cap holds.

    Args:
        kinds: Uses `stratum`, `call_count`, `deviation`.
        rate: Share of calls that is wanted, above 0 and at most 1.
        weeks: Weeks that the counts are of.

    Source:
        Neyman, JRSS 97 (1934); the floors and the cap are choices.
    """
    strata = kinds.group_by("stratum", maintain_order=True).agg(
        pl.col("call_count").sum(), pl.col("deviation").first()
    )
    sizes = strata["call_count"].to_numpy().astype(float)
    allotted = neyman_allocation(sizes, strata["deviation"], 1) / (sizes / sizes.sum())
    neyman = 1 - (1 - rate) ** allotted
    wanted = np.minimum(
        1, np.maximum.reduce([neyman, np.full_like(neyman, LEAST_CHANCE), LEAST_PER_WEEK * weeks / sizes])
    )
    chances = np.minimum(wanted, LARGEST_RATIO * wanted.min())
    of_stratum = strata.select("stratum", pl.Series("chance", chances))
    return kinds.join(of_stratum, on="stratum", how="left", maintain_order="left")
