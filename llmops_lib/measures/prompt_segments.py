"""Where a prompt does better or worse than elsewhere, and how its calls are spread."""

from typing import Any

import numpy as np
import polars as pl

from llmops_lib.calls import portable
from llmops_lib.comparing.arms import NUMBERS, arm_calls
from llmops_lib.comparing.production_effects import effect_on
from llmops_lib.comparing.prompt_metrics import metrics_named
from llmops_lib.comparing.users import users_of
from llmops_lib.errors import ComparisonError
from llmops_lib.stats.shrinkage import shrunken

_MOST_SEGMENTS = 20
_SEGMENT_SCHEMA = pl.Schema(
    {
        "segment": pl.String,
        "call_count": pl.Int64,
        "a_user_count": pl.Int64,
        "b_user_count": pl.Int64,
        "a_value": pl.Float64,
        "b_value": pl.Float64,
        "diff": pl.Float64,
        "se": pl.Float64,
    }
)


@portable
def prompt_segments(  # noqa: PLR0913 - arms, and what they are split by
    spans: Any,
    *,
    a: str,
    b: str,
    by: str,
    metric: str = "cost_per_call_usd",
    experiment: str = "",
) -> pl.DataFrame:
    """The effect of prompt b in each segment, and what is left of it after shrinkage.

    Of many small segments the most extreme are mostly noise: each is drawn towards the mean of all by as much
    as its own noise deserves (empirical Bayes). To look, not to decide: no segment has a verdict.

    Args:
        spans: As `compare_prompts` takes them; uses `by` too.
        a: The baseline.
        b: The candidate.
        by: Column that splits the calls, such as `model` or `tenant`; the 20 largest segments are kept.
        metric: Metric of `compare_prompts`.
        experiment: Experiment whose arms these are.

    Returns:
        One row per segment by `call_count` downwards: `segment` (null where unknown), `call_count`,
        `a_user_count`, `b_user_count`, `a_value`, `b_value`, `diff` (b minus a, in the unit of the metric),
        `se`, `shrunken`, `shrunken_lower`, `shrunken_upper` (95%), `own_weight_share` (what the segment's
        own difference keeps). Where users are too few, `se` and what follows from it are null.

    Raises:
        ComparisonError: If an arm or the metric cannot be.

    Source:
        Efron and Morris, JASA 70 (1975); DerSimonian and Laird 1986.
    """
    (wanted,) = metrics_named([metric])
    calls = arm_calls(spans, a, b, experiment=experiment, by=[by])
    sizes = calls.group_by(pl.col(by).cast(pl.String).alias("segment")).len("call_count")
    kept = sizes.sort("call_count", "segment", descending=[True, False]).head(_MOST_SEGMENTS)
    rows = []
    for segment, size in kept.rows():
        users = users_of(calls.filter(pl.col(by).cast(pl.String).eq_missing(pl.lit(segment))))
        effect = effect_on(wanted, users, None)
        noise = None if effect.gap is None or not effect.gap.se else effect.gap.se
        gap = None if effect.gap is None else effect.gap.diff
        rows.append((segment, size, *effect.sizes, *effect.values, gap, noise))
    return _with_shrinkage(pl.DataFrame(rows, schema=_SEGMENT_SCHEMA, orient="row"))


def _with_shrinkage(segments: pl.DataFrame) -> pl.DataFrame:
    known = segments.filter(pl.col("se").is_not_null())
    found = shrunken(known["diff"], known["se"])
    told = known.select("segment").with_columns(
        shrunken=pl.Series(found.values, dtype=pl.Float64),
        shrunken_lower=pl.Series(found.lower, dtype=pl.Float64),
        shrunken_upper=pl.Series(found.upper, dtype=pl.Float64),
        own_weight_share=pl.Series(found.own_weights, dtype=pl.Float64),
    )
    return segments.join(told, on="segment", how="left", nulls_equal=True, maintain_order="left")


@portable
def prompt_distributions(
    spans: Any, *, a: str, b: str, column: str = "latency_ms", experiment: str = ""
) -> pl.DataFrame:
    """How a number of each call is spread in each arm, as its percentiles.

    Args:
        spans: As `compare_prompts` takes them.
        a: The baseline.
        b: The candidate.
        column: One of `cost_usd`, `input_tokens`, `output_tokens`, `cache_read_tokens`, `latency_ms`,
            `feedback_score`.
        experiment: Experiment whose arms these are.

    Returns:
        For each arm the percentiles 1 to 99 that its calls can resolve: `arm`, `percentile`, `value`,
        `call_count` (calls that have the number).

    Raises:
        ComparisonError: If an arm or the column cannot be.
    """
    if column not in NUMBERS:
        msg = f"column: found {column!r}, expected one of {', '.join(NUMBERS)}"
        raise ComparisonError(msg)
    calls = arm_calls(spans, a, b, experiment=experiment)
    tables = []
    for is_b, arm in ((False, a), (True, b)):
        values = calls.filter(pl.col("is_b") == is_b)[column].drop_nulls().cast(pl.Float64).to_numpy()
        # A percentile is told only where a call is to be expected beyond it.
        least = 100 / max(len(values), 1)
        places = np.array([place for place in range(1, 100) if least <= place <= 100 - least])
        found = np.quantile(values, places / 100) if len(places) else np.empty(0)
        tables.append(
            pl.DataFrame({"percentile": places.astype(np.int64), "value": found}).select(
                pl.lit(arm).alias("arm"), "percentile", "value", pl.lit(len(values)).alias("call_count")
            )
        )
    return pl.concat(tables)
