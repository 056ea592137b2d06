"""Which calls another version of a prompt answers differently, the most changed first."""

from typing import Any

import polars as pl

from llmops_lib.calls.text_diffs import changed_share

CHANGES_SCHEMA = pl.Schema(
    {
        "example_id": pl.String,
        "feature": pl.String,
        "stratum": pl.String,
        "source_trace_id": pl.String,
        "changed_share": pl.Float64,
        "flips": pl.String,
        "old_output": pl.String,
        "new_output": pl.String,
        "old_cost_usd": pl.Float64,
        "new_cost_usd": pl.Float64,
        "old_latency_ms": pl.Float64,
        "new_latency_ms": pl.Float64,
    }
)
_FIELDS = pl.Struct({"feature": pl.String, "stratum": pl.String, "source_trace_id": pl.String})
_FIGURES = ("output", "cost_usd", "latency_ms")


def rerun_changes(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The calls of a rerun whose answers are not the same: one row per call, the most changed first.

    Args:
        old: SCORES of the version in force, as a rerun makes them.
        new: SCORES of the other version.

    Returns:
        `example_id`, `feature`, `stratum`, `source_trace_id` (of the call of production), `changed_share`
        (of words, 0 to 1; null where a side has no answer), `flips` (scores that differ, in words, such as
        `reply_schema 1 to 0`), `old_output` and `new_output` (whole and unmasked: mask before showing),
        `old_cost_usd`, `new_cost_usd`, `old_latency_ms`, `new_latency_ms`.

    Example:
        >>> row = {"example_id": "a", "scorer": "ok", "score": 1.0, "output": '"yes"', "cost_usd": 0.1,
        ...        "latency_ms": 5.0, "metadata": '{"feature": "faq"}'}
        >>> before = pl.DataFrame([row])
        >>> after = before.with_columns(score=pl.lit(0.0), output=pl.lit('"no"'))
        >>> rerun_changes(before, after).select("example_id", "changed_share", "flips").rows()
        [('a', 1.0, 'ok 1 to 0')]
    """
    calls = _calls(old, "old").join(_calls(new, "new"), on="example_id", how="full", coalesce=True)
    facts = old.unique("example_id", keep="first", maintain_order=True).select(
        "example_id", pl.col("metadata").str.json_decode(_FIELDS).alias("_facts")
    )
    whole = facts.unnest("_facts").join(calls, on="example_id", how="full", coalesce=True)
    whole = whole.join(_flips(old, new), on="example_id", how="left")
    # Sequences of words are matched pair by pair; there is no columnar expression for that.
    pairs = whole.select("old_output", "new_output").rows()
    shares = pl.Series("changed_share", [_share(*pair) for pair in pairs], dtype=pl.Float64)
    changed = whole.with_columns(shares).filter(
        pl.col("changed_share").fill_null(1) > 0,
        pl.any_horizontal(pl.col("old_output", "new_output").is_not_null()),
    )
    ordered = changed.sort(["changed_share", "example_id"], descending=[True, False], nulls_last=False)
    return ordered.select(CHANGES_SCHEMA.names()).cast(CHANGES_SCHEMA)


def _calls(scores: pl.DataFrame, side: str) -> pl.DataFrame:
    one = scores.unique("example_id", keep="first", maintain_order=True)
    text = one.with_columns(pl.col("output").str.json_decode(pl.String))
    return text.select("example_id", *(pl.col(name).alias(f"{side}_{name}") for name in _FIGURES))


def _flips(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    keys = ["example_id", "scorer"]
    joined = old.select(*keys, was="score").join(new.select(*keys, now="score"), on=keys, how="inner")
    flipped = joined.filter(pl.col("was") != pl.col("now"))
    told = pl.format("{} {} to {}", "scorer", _written("was"), _written("now"))
    return flipped.group_by("example_id").agg(told.sort().str.join(", ").alias("flips"))


def _written(column: str) -> pl.Expr:
    return pl.col(column).round(3).cast(pl.String).str.strip_suffix(".0")


def _share(old: Any, new: Any) -> float | None:
    return None if old is None or new is None else changed_share(old, new)
