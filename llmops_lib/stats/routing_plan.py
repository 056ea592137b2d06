"""Which part of each stratum a routing policy moves, and what that comes to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.errors import ParameterError
from llmops_lib.stats.clusters import LEAST_CLUSTERS, weighted_interval
from llmops_lib.stats.strata import Order, RoutingPolicy, RoutingStrata

Floats = npt.NDArray[np.float64]

QUALITIES = ("quality_before", "quality_after", "quality_change")


@dataclass(frozen=True)
class Plan:
    """The strata as arrays, seen from one policy: one entry per cell.

    Attributes:
        strata: The strata.
        order: Which calls go first.
        counts: Calls of the cell.
        bands: Its band; -1 where unknown.
        is_eligible: Whether the policy concerns it.
        own_usd: What its calls cost that have a price on both models (USD).
        other_usd: What these would have cost on the other model (USD).
        repriced: How many these are.
        target: Place of the other model's own cell of the same feature and band; -1 where it never answered.
        spend_usd: What the priced calls cost (USD); None where none has a price.
    """

    strata: RoutingStrata
    order: Order
    counts: Floats
    bands: Floats
    is_eligible: npt.NDArray[np.bool_]
    own_usd: Floats
    other_usd: Floats
    repriced: Floats
    target: npt.NDArray[np.int64]
    spend_usd: float | None

    def fractions(self, shares: Floats) -> Floats:
        """The part of each cell that moves, a row per share."""
        eligible = np.where(self.is_eligible, self.counts, 0.0)
        if self.order == "by chance":
            return np.outer(shares, self.is_eligible)
        bands = np.where(self.is_eligible, self.bands, -1).astype(np.int64)
        sizes = np.bincount(bands[self.is_eligible], eligible[self.is_eligible], len(self.strata.edges) + 1)
        before = np.concatenate([[0.0], np.cumsum(sizes)[:-1]])
        wanted = shares[:, None] * sizes.sum() - before
        parts = np.clip(np.divide(wanted, sizes, out=np.zeros_like(wanted), where=sizes > 0), 0, 1)
        return np.where(self.is_eligible, parts[:, bands], 0.0)

    def outcome(self, fraction: Floats, share: float) -> dict[str, Any]:
        """What it comes to when this part of each cell moves."""
        moved = fraction * self.counts
        total, known = float(moved.sum()), float(fraction @ self.repriced)
        # Where nothing that moves has both prices, the saving is not zero but unknown.
        saving = float(fraction @ (self.own_usd - self.other_usd)) if known or not total else None
        spend = self.spend_usd
        return {
            "moved_share": share,
            "moved_count": round(total),
            "saving_usd": saving,
            "spend_usd_after": None if spend is None or saving is None else spend - saving,
            "moved_unpriced_count": round(total - known),
            **self._quality(moved, total),
        }

    def _quality(self, moved: Floats, total: float) -> dict[str, Any]:
        if not total:
            return {"quality_reason": "nothing_moves"}
        has_answers = self.target >= 0
        judges = self.strata.means.cluster_counts
        is_judged = has_answers & (judges >= LEAST_CLUSTERS) & (judges[self.target] >= LEAST_CLUSTERS)
        missing = float(moved[~has_answers].sum()) / total
        unjudged = float(moved[has_answers & ~is_judged].sum()) / total
        shares = {"no_overlap_share": missing, "unjudged_share": unjudged}
        if missing or unjudged:
            return {**shares, "quality_reason": "no_overlap" if missing else "n_too_small"}
        before = moved / total
        after = np.bincount(np.maximum(self.target, 0), before, len(before)).astype(np.float64)
        intervals = [
            weighted_interval(weights, self.strata.means) for weights in (before, after, after - before)
        ]
        ends = {
            f"{name}{end}": value
            for name, interval in zip(QUALITIES, intervals, strict=True)
            for end, value in zip(("", "_low", "_high"), interval, strict=True)
        }
        return {**shares, **ends, "quality_reason": None}


def planned(strata: RoutingStrata, policy: RoutingPolicy) -> Plan:
    """The strata as arrays, with what the policy concerns and where it leads.

    Raises:
        ParameterError: If the model, a feature or a model concerned is not in the strata.
    """
    _require_known(strata, policy)
    cells = strata.cells
    is_concerned = (pl.col("model") != policy.to_model) & pl.col("band").is_not_null()
    if policy.features:
        is_concerned &= pl.any_horizontal([pl.col("feature").eq_missing(name) for name in policy.features])
    if policy.from_models:
        is_concerned &= pl.col("model").is_in(list(policy.from_models))
    moves = strata.moves.filter(other_model=policy.to_model).drop("other_model")
    places = cells.select(
        "feature", "band", pl.col("model").alias("_model"), pl.int_range(pl.len()).alias("_at")
    )
    targets = places.filter(_model=policy.to_model).drop("_model")
    keys = ["feature", "band"]
    seen = cells.join(moves, on=[*keys, "model"], how="left", nulls_equal=True, maintain_order="left").join(
        targets, on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    own, other, repriced = (
        seen[name].cast(pl.Float64).fill_null(0.0).to_numpy()
        for name in ("own_usd", "other_usd", "repriced_count")
    )
    costs = cells["spend_usd"].drop_nulls()
    return Plan(
        strata,
        policy.order,
        cells["call_count"].cast(pl.Float64).to_numpy(),
        cells["band"].cast(pl.Float64).fill_null(-1).to_numpy(),
        cells.select(is_concerned.fill_null(value=False)).to_series().to_numpy(),
        own,
        other,
        repriced,
        seen["_at"].cast(pl.Int64).fill_null(-1).to_numpy(),
        float(costs.sum()) if len(costs) else None,
    )


def _require_known(strata: RoutingStrata, policy: RoutingPolicy) -> None:
    models = strata.cells["model"].drop_nulls().unique().to_list()
    for name, wanted, there in (
        ("to_model", [policy.to_model], strata.models),
        ("features", policy.features, strata.features),
        ("from_models", policy.from_models, models),
    ):
        unknown = [value for value in wanted if value not in there]
        if unknown:
            listed = ", ".join(sorted(str(value) for value in there)) or "none"
            msg = f"{name}: found {unknown[0]!r}, expected one of those in the strata: {listed}"
            raise ParameterError(msg)
