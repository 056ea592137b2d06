"""A sample of calls drawn by stratum, so that rare kinds of calls are in it and weights are known."""

import numpy as np
import polars as pl

from llmops_lib.stats.seeds import seeded_generator

_LEVELS = (("feature", "state", "length"), ("feature", "state"), ("state",), ())
"""Ways to cut calls into strata, the finest first."""


def drawn_by_stratum(calls: pl.DataFrame, *, size: int, seed: int = 0) -> pl.DataFrame:
    """Calls drawn at random by feature, failed or answered, and thirds of length; one row per drawn call.

    Each stratum gives as many calls as its share of all, and at least one; where there are more strata than
    half the sample, they are joined. The same calls and seed give the same sample, in any order of rows.

    Args:
        calls: Calls with `trace_id`, `span_id`, `feature`, `is_error`, `input_chars`.
        size: Calls to draw; all of them where there are no more.
        seed: Another number draws another sample.

    Returns:
        The drawn rows by stratum, with `stratum`, `stratum_count` (calls in it) and `weight` (how many calls
        a drawn one stands for).

    Example:
        >>> calls = pl.DataFrame({"trace_id": list("abcdefgh"), "span_id": list("abcdefgh"),
        ...     "feature": ["chat"] * 6 + ["search"] * 2, "is_error": [False] * 8,
        ...     "input_chars": [10] * 8})
        >>> drawn = drawn_by_stratum(calls, size=4)
        >>> drawn.group_by("stratum").agg(pl.len(), pl.sum("weight")).sort("stratum").rows()
        [('chat, answered, middle', 3, 6.0), ('search, answered, middle', 1, 2.0)]
    """
    named = _with_levels(calls.sort("trace_id", "span_id"))
    strata = next(
        strata
        for level in _LEVELS
        if (strata := named.with_columns(_stratum(level)))["stratum"].n_unique() * 2 <= size or not level
    )
    counts = strata.group_by("stratum").len("stratum_count").sort("stratum")
    counts = counts.with_columns(drawn_count=_allocated(counts["stratum_count"], size))
    generator = seeded_generator(f"drawn_by_stratum/1/{seed}", strata["trace_id"] + strata["span_id"])
    ranked = strata.with_columns(_luck=pl.Series(generator.random(strata.height)))
    ranked = ranked.join(counts, on="stratum", how="left", maintain_order="left")
    place = pl.col("_luck").rank("ordinal").over("stratum")
    drawn = ranked.filter(place <= pl.col("drawn_count")).sort("stratum", "_luck")
    weight = (pl.col("stratum_count") / pl.col("drawn_count")).alias("weight")
    return drawn.select(*calls.columns, "stratum", "stratum_count", weight)


def _with_levels(calls: pl.DataFrame) -> pl.DataFrame:
    state = pl.when(pl.col("is_error").fill_null(value=False)).then(pl.lit("failed"))
    third = (pl.col("input_chars").rank("average") - 1) * 3 / pl.col("input_chars").count()
    length = pl.when(third < 1).then(pl.lit("short")).when(third < 2).then(pl.lit("middle"))
    return calls.with_columns(
        _feature=pl.col("feature").fill_null("(not recorded)"),
        _state=state.otherwise(pl.lit("answered")),
        _length=length.otherwise(pl.lit("long")),
    )


def _stratum(level: tuple[str, ...]) -> pl.Expr:
    if not level:
        return pl.lit("all").alias("stratum")
    return pl.concat_str([f"_{name}" for name in level], separator=", ").alias("stratum")


def _allocated(counts: pl.Series, size: int) -> pl.Series:
    """How many to draw of each stratum: its share, at least one, at most all of it."""
    total = int(counts.sum())
    if total <= size:
        return counts
    found = counts.to_numpy()
    drawn = np.minimum(np.maximum(np.floor(found * size / total), 1), found).astype(np.int64)
    # What rounding left over goes to those that lack most of their share, one each.
    lacking = np.where(drawn < found, found * size / total - drawn, -np.inf)
    order = np.argsort(-lacking, kind="stable")
    drawn[order[: max(size - int(drawn.sum()), 0)]] += 1
    return pl.Series(drawn)
