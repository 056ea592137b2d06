"""What another version of a prompt does to calls like those of production, with intervals and a verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from llmops_lib.errors import EstimateError, MissingColumnError
from llmops_lib.stats.multiplicity import holm
from llmops_lib.stats.paired_effect import paired_effect

MARGIN, RATIO_MARGIN = 0.05, 0.10
"""Changes below these count as none: in points of a score, and as a share of cost, time or length."""

EFFECTS_SCHEMA = pl.Schema(
    {
        "metric": pl.String,
        "verdict": pl.String,
        "is_ratio": pl.Boolean,
        "pair_count": pl.Int64,
        "unit_count": pl.Int64,
        "missing_count": pl.Int64,
        "old_mean": pl.Float64,
        "new_mean": pl.Float64,
        "diff": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "margin": pl.Float64,
        "p_value": pl.Float64,
        "p_adjusted": pl.Float64,
        "method": pl.String,
        "note": pl.String,
    }
)
_RATIOS = ("cost_usd", "latency_ms", "output_chars")
_NEUTRAL = ("output_chars",)
_FIELDS = pl.Struct(
    {"weight": pl.Float64, "unit": pl.String, "is_neutral": pl.Boolean, "is_apart": pl.Boolean}
)


@dataclass(frozen=True)
class _Metric:
    name: str
    pairs: pl.DataFrame
    is_ratio: bool
    is_neutral: bool
    missing: int


def rerun_effects(
    old: pl.DataFrame,
    new: pl.DataFrame,
    *,
    alpha: float = 0.05,
    margin: float = MARGIN,
    ratio_margin: float = RATIO_MARGIN,
) -> pl.DataFrame:
    """What a new version changes on calls like those that were drawn: one row per metric.

    Calls are compared with themselves, in latency only where both were made side by side. Users (else
    sessions, else traces) are what varies, and each call counts as many times as it stands for. Cost, latency
    and length are compared as ratios.

    Args:
        old: SCORES of the version in force, as a rerun makes them: `metadata` holds `weight` and `unit`.
        new: SCORES of the other version.
        alpha: Chance of a `better` or `worse` where nothing changed, over all metrics together (Holm).
        margin: Change of a score that counts as none, decided beforehand.
        ratio_margin: The same for cost, latency and length, as a share.

    Returns:
        By metric, scores first: `metric`; `verdict`: `better`, `worse`, `different` (proven, where neither
        direction is good), `equivalent` (a change beyond the margin is ruled out) or `inconclusive`;
        `is_ratio`; `pair_count`; `unit_count`; `missing_count` (calls without the figure on a side);
        `old_mean`, `new_mean`; `diff` (of scores) or relative change, with its interval `lower`, `upper`;
        `margin`; `p_value`; `p_adjusted`; `method`; `note`.

    Raises:
        EstimateError: If a level or a margin cannot be.
        MissingColumnError: If the scores are not of a rerun.

    Source:
        Linearised weighted mean with CR2 by unit (Bell and McCaffrey 2002); where every unit has one call,
        McNemar's exact test and Tango's interval (1998) for scores of 0 and 1; Holm (1979).

    Example:
        >>> row = {"scorer": "whole", "score": 1.0, "cost_usd": None, "latency_ms": 100.0, "output": '"hi"'}
        >>> rows = [{**row, "example_id": f"{n}", "metadata": f'{{"weight": 2.0, "unit": "u{n}"}}'}
        ...         for n in range(40)]
        >>> before = pl.DataFrame(rows, schema_overrides={"cost_usd": pl.Float64})
        >>> after = before.with_columns(latency_ms=pl.lit(50.0), score=pl.Series([0.0] * 20 + [1.0] * 20))
        >>> for metric, verdict in rerun_effects(before, after).select("metric", "verdict").rows():
        ...     print(metric, verdict)
        whole worse
        cost_usd inconclusive
        latency_ms better
        output_chars equivalent
    """
    if not (0 < alpha < 0.5 and margin > 0 and 0 < ratio_margin < 1):
        msg = f"found alpha {alpha:g}, margins {margin:g} and {ratio_margin:g}; expected shares above 0"
        raise EstimateError(msg)
    metrics = list(_metrics(*(_with_fields(one) for one in (old, new))))
    rows = [_row(one, alpha, ratio_margin if one.is_ratio else margin) for one in metrics]
    tested = [row for row in rows if row["p_value"] is not None]
    adjusted = holm([row["p_value"] for row in tested]).tolist() if tested else []
    for row, p in zip(tested, adjusted, strict=True):
        row["p_adjusted"] = p
    told = [row | {"verdict": _verdict(row, one, alpha)} for row, one in zip(rows, metrics, strict=True)]
    return pl.DataFrame(told, schema=EFFECTS_SCHEMA)


def _with_fields(scores: pl.DataFrame) -> pl.DataFrame:
    lacking = {"example_id", "scorer", "score", "metadata", "output", "cost_usd", "latency_ms"} - set(
        scores.columns
    )
    if lacking:
        msg = f"the scores lack {', '.join(sorted(lacking))}; expected those of a rerun (load_rerun)"
        raise MissingColumnError(msg)
    facts = scores.with_columns(pl.col("metadata").str.json_decode(_FIELDS).alias("_facts")).unnest("_facts")
    text = pl.col("output").str.json_decode(pl.String)
    made = facts.with_columns(output_chars=text.str.len_chars().cast(pl.Float64))
    if made["weight"].has_nulls() or made["unit"].has_nulls():
        msg = "the metadata of the scores names no weight and unit; expected those of a rerun"
        raise MissingColumnError(msg)
    return made


def _metrics(old: pl.DataFrame, new: pl.DataFrame) -> Iterator[_Metric]:
    for scorer in old["scorer"].unique(maintain_order=True):
        sides = [one.filter(pl.col("scorer") == scorer) for one in (old, new)]
        yield _metric(scorer, sides, "score", is_ratio=False)
    sides = [one.unique("example_id", keep="first", maintain_order=True) for one in (old, new)]
    for column in _RATIOS:
        yield _metric(column, sides, column, is_ratio=True)


def _metric(name: str, sides: Sequence[pl.DataFrame], column: str, *, is_ratio: bool) -> _Metric:
    kept = [
        sides[0].select("example_id", "weight", "unit", "is_apart", pl.col(column).alias("old")),
        sides[1].select("example_id", pl.col(column).alias("new")),
    ]
    joined = kept[0].join(kept[1], on="example_id", how="full", coalesce=True)
    is_known = pl.col("old").is_not_null() & pl.col("new").is_not_null() & pl.col("weight").is_not_null()
    if name == "latency_ms":
        # Old answers that were kept from another hour say nothing of the latency of today's.
        is_known &= ~pl.col("is_apart").fill_null(value=False)
    if is_ratio:
        is_known &= (pl.col("old") > 0) & (pl.col("new") > 0)
    pairs = joined.filter(is_known)
    is_neutral = name in _NEUTRAL or bool(
        sides[0]["is_neutral"].fill_null(value=False).any() and column == "score"
    )
    return _Metric(name, pairs, is_ratio, is_neutral, joined.height - pairs.height)


def _row(metric: _Metric, alpha: float, margin: float) -> dict[str, Any]:
    pairs = metric.pairs
    found = paired_effect(
        pairs["new"].to_numpy(),
        pairs["old"].to_numpy(),
        pairs["weight"].to_numpy(),
        pairs["unit"].to_list(),
        is_ratio=metric.is_ratio,
        alpha=alpha,
    )
    return {
        "metric": metric.name,
        "is_ratio": metric.is_ratio,
        "pair_count": pairs.height,
        "unit_count": found.n_units,
        "missing_count": metric.missing,
        "old_mean": found.mean_baseline,
        "new_mean": found.mean_candidate,
        "diff": found.effect,
        "lower": found.interval.lower,
        "upper": found.interval.upper,
        "margin": margin,
        "p_value": found.p_two_sided,
        "p_adjusted": None,
        "method": found.interval.method,
        "note": ", ".join(reason.value for reason in found.interval.reasons),
    }


def _verdict(row: dict[str, Any], metric: _Metric, alpha: float) -> str:
    if row["p_adjusted"] is not None and row["p_adjusted"] <= alpha:
        if metric.is_neutral:
            return "different"
        is_better = (row["diff"] < 0) if metric.is_ratio else (row["diff"] > 0)
        return "better" if is_better else "worse"
    limits = (row["lower"], row["upper"])
    is_within = None not in limits and limits[0] > -row["margin"] and limits[1] < row["margin"]
    return "equivalent" if is_within else "inconclusive"
