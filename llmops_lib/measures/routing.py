"""What traffic would have cost, and how good it would have been, had part of it gone to another model."""

from typing import Any

import numpy as np
import polars as pl

from llmops_lib.stats.routing_plan import QUALITIES, Floats, planned
from llmops_lib.stats.strata import RoutingPolicy, RoutingStrata

_SCHEMA: dict[str, Any] = {
    "moved_share": pl.Float64,
    "moved_count": pl.Int64,
    "spend_usd_after": pl.Float64,
    "saving_usd": pl.Float64,
    "moved_unpriced_count": pl.Int64,
    **{f"{name}{end}": pl.Float64 for name in QUALITIES for end in ("", "_low", "_high")},
    "no_overlap_share": pl.Float64,
    "unjudged_share": pl.Float64,
    "quality_reason": pl.String,
}
_TRAFFIC = {
    "call_count": pl.Int64,
    "unpriced_count": pl.Int64,
    "spend_usd_before": pl.Float64,
    "eligible_count": pl.Int64,
}


def simulate_routing(strata: RoutingStrata, policy: RoutingPolicy) -> pl.DataFrame:
    """One row: what the policy would have cost and saved, and what it would have done to quality.

    Quality is compared within strata of feature and band: the judgements of the other model's own answers
    there against those of the models that answered. That takes for granted that within a stratum it was as
    good as chance which model answered and which answers were judged. Where a stratum that moves has no
    answers of the other model, or fewer than five users behind the judgements of either, quality is null and
    `quality_reason` says why: nothing is carried over from other strata.
    Cost takes for granted equal token counts and cache use. Calls whose rule value is unknown stay where they
    are.

    Args:
        strata: What `routing_strata` returns.
        policy: The policy.

    Returns:
        `call_count`, `unpriced_count` (calls without a cost), `spend_usd_before` (USD, priced calls),
        `eligible_count` (calls concerned), `moved_share` (of these), `moved_count`, `spend_usd_after`,
        `saving_usd` (both over the moved calls that have a price on both models), `moved_unpriced_count` (the
        others, whose cost there is unknown), `quality_before`, `quality_after`, `quality_change` (mean
        judgement of the moved calls, each with `_low` and `_high`, 95%), `no_overlap_share` (of the moved
        calls: the other model never answered there), `unjudged_share` (it did, but too few judged it or the
            model before),
        `quality_reason` (`nothing_moves`, `no_overlap`, `n_too_small` or null), `traffic_quality_change` (the
        change over all calls concerned, moved or not, with `_low` and `_high`).

    Raises:
        ParameterError: If the model, a feature or a model concerned is not in the strata.

    Source:
        Horvitz and Thompson (1952); with a saturated model of the strata, direct, weighted and doubly robust
        estimates are the same number. Intervals: CR1 over users, see `llmops_lib.stats.clusters`.
    """
    return _simulated(strata, policy, np.array([policy.share]))


def routing_tradeoff(strata: RoutingStrata, policy: RoutingPolicy, *, steps: int = 20) -> pl.DataFrame:
    """Cost against quality: what `simulate_routing` says at every share from none to all.

    Args:
        strata: What `routing_strata` returns.
        policy: The policy; its share does not matter.
        steps: How many steps there are from 0 to 1.

    Returns:
        The columns of `simulate_routing`, one row per share, upwards.
    """
    return _simulated(strata, policy, np.linspace(0, 1, steps + 1))


def routing_by_stratum(strata: RoutingStrata, policy: RoutingPolicy) -> pl.DataFrame:
    """Where the evidence is: the moved calls of each feature and band, alone.

    Args:
        strata: What `routing_strata` returns.
        policy: The policy.

    Returns:
        One row per stratum that moves, by `saving_usd` downwards: `feature`, `band`, and of
        `simulate_routing` `moved_count`, `saving_usd`, `moved_unpriced_count`, the quality before, after and
        its change, `quality_reason`; `judged_count` (judgements of the other model there).
    """
    plan = planned(strata, policy)
    fractions = plan.fractions(np.array([policy.share]))[0]
    moving = (
        strata.cells.select("feature", "band", pl.int_range(pl.len()).alias("_at"))
        .filter(pl.Series(fractions * plan.counts > 0))
        .group_by("feature", "band", maintain_order=True)
        .agg(pl.col("_at"))
    )
    # A loop over strata, of which there are a few dozen.
    rows = []
    for places in moving["_at"]:
        inside = np.zeros_like(fractions)
        inside[places] = fractions[places]
        rows.append(plan.outcome(inside, policy.share))
    judged = strata.cells.filter(model=policy.to_model).select("feature", "band", "judged_count")
    table = pl.concat([moving.drop("_at"), pl.DataFrame(rows, schema=_SCHEMA)], how="horizontal")
    joined = table.join(judged, on=["feature", "band"], how="left", nulls_equal=True, maintain_order="left")
    left_out = ["moved_share", "spend_usd_after", "no_overlap_share", "unjudged_share"]
    known = joined.drop(left_out).with_columns(pl.col("judged_count").fill_null(0))
    return known.sort("saving_usd", "feature", "band", descending=[True, False, False])


def _simulated(strata: RoutingStrata, policy: RoutingPolicy, shares: Floats) -> pl.DataFrame:
    plan = planned(strata, policy)
    fractions = plan.fractions(shares)
    rows = [plan.outcome(part, float(share)) for part, share in zip(fractions, shares, strict=True)]
    cells = strata.cells
    traffic: dict[str, Any] = {
        "call_count": int(cells["call_count"].sum()),
        "unpriced_count": int(cells["unpriced_count"].sum()),
        "spend_usd_before": plan.spend_usd,
        "eligible_count": int(plan.counts[plan.is_eligible].sum()),
    }
    columns = [pl.lit(value, _TRAFFIC[name]).alias(name) for name, value in traffic.items()]
    moved = pl.col("moved_count") / pl.lit(max(traffic["eligible_count"] or 0, 1))
    changes = [
        pl.when(pl.col("moved_count") == 0).then(0.0).otherwise(pl.col(name) * moved).alias(f"traffic_{name}")
        for name in (f"quality_change{end}" for end in ("", "_low", "_high"))
    ]
    return pl.DataFrame(rows, schema=_SCHEMA).select(*columns, pl.all(), *changes)
