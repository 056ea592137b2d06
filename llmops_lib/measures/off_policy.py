"""What another router would have earned on logged traffic where the logged one decided by chance."""

from typing import Any

import numpy as np
import polars as pl

from llmops_lib.errors import OverlapError, SchemaError
from llmops_lib.frames import collected, narwhal
from llmops_lib.stats.clustered_mean import MIN_CLUSTERS
from llmops_lib.stats.off_policy import PolicyValue, effective_count, importance_weights, policy_values
from llmops_lib.stats.results import Reason

_LEAST_EFFECTIVE_SHARE = 0.1
_Z = 1.959963984540054
_CHANCES = ("propensity", "target_propensity")
_USED = ("reward", "propensity", "target_propensity", "predicted_reward", "predicted_target_reward")


def off_policy_value(decisions: Any, *, cluster: str = "") -> pl.DataFrame:
    """The mean reward that a policy would have earned, by four estimators.

    Only for decisions whose propensity was recorded when they were made: what a router decides by rule alone
    cannot be evaluated from its log, since no call says how the other model would have done there.

    Args:
        decisions: One row per decision, on any engine: `reward` (quality of the answer, or its cost),
            `propensity` (chance with which the logged action was taken), `target_propensity` (chance with
            which the policy takes it), `predicted_reward` (a model's guess for the logged action),
            `predicted_target_reward` (the same over the policy's actions, chance times guess).
        cluster: Column whose equal values make decisions alike, such as `user_id`; empty takes each as
            independent.

    Returns:
        One row per estimator, `dr` (doubly robust, the one to read), `snips`, `ips`, `dm`: `estimator`,
        `value`, `value_low`, `value_high` (95%, null for `dm`, which has no error of its own),
        `standard_error`, `decision_count`, `effective_count` (unweighted decisions that the weighted ones are
        worth), `largest_weight`, `mean_weight` (near 1 where the propensities are right), `reason`
        (`no_overlap` where `effective_count` is below a tenth of the decisions; then the value is null.
        `n_too_small` for a single decision and `too_few_clusters` below 5 of them: there is no interval).

    Raises:
        OverlapError: If the policy takes an action that the log never could have taken.
        SchemaError: If there is no decision, one with an unknown value, or a chance outside 0 to 1.

    Source:
        Dudík, Langford, Li (2011), Doubly Robust Policy Evaluation and Learning.
    """
    table = collected(narwhal(decisions, columns=[*_USED, *([cluster] if cluster else [])]).to_native())
    numbers = _numbers(table)
    reward, propensity, target, predicted, predicted_target = (numbers[name].to_numpy() for name in _USED)
    impossible = int(np.count_nonzero((target > 0) & (propensity <= 0)))
    if impossible:
        msg = (
            f"decisions: the policy takes an action that was logged with propensity 0 in {impossible} of "
            f"{table.height} rows; expected propensity > 0 there. Log with at least 2% exploration, or run "
            "both models on a random sample"
        )
        raise OverlapError(msg)
    weights = importance_weights(target, propensity)
    groups = table[cluster].rank("dense").fill_null(0).to_numpy() if cluster else None
    values = policy_values(reward, weights, predicted, predicted_target, groups)
    effective = effective_count(weights)
    unit_count = table.height if groups is None else len(np.unique(groups))
    reason = _reason(effective, table.height, unit_count, is_clustered=bool(cluster))
    rows = [_row(found, unit_count, reason) for found in values]
    order = {name: place for place, name in enumerate(("dr", "snips", "ips", "dm"))}
    return pl.DataFrame(sorted(rows, key=lambda row: order[row["estimator"]]), schema=_SCHEMA).with_columns(
        pl.lit(table.height).cast(pl.Int64).alias("decision_count"),
        pl.lit(effective).alias("effective_count"),
        pl.lit(float(weights.max())).alias("largest_weight"),
        pl.lit(float(weights.mean())).alias("mean_weight"),
        pl.lit(reason, dtype=pl.String).alias("reason"),
    )


_SCHEMA = {
    "estimator": pl.String,
    "value": pl.Float64,
    "value_low": pl.Float64,
    "value_high": pl.Float64,
    "standard_error": pl.Float64,
}


def _numbers(table: pl.DataFrame) -> pl.DataFrame:
    numbers = table.select(pl.col(_USED).cast(pl.Float64, strict=False))
    known = numbers.select(pl.when(pl.col(_USED).is_finite()).then(pl.col(_USED))).drop_nulls().height
    if not table.height or known < table.height:
        told = f"decisions: {known} of {table.height} rows hold a number in each of {_USED}"
        msg = f"{told}; expected all, and one row or more"
        raise SchemaError(msg)
    for name in _CHANCES:
        wrong = numbers[name].filter(~numbers[name].is_between(0, 1))
        if len(wrong):
            msg = f"decisions: {name} holds {wrong[0]:g}; expected the chance of an action, from 0 to 1"
            raise SchemaError(msg)
    return numbers


def _reason(effective: float, decisions: int, units: int, *, is_clustered: bool) -> str | None:
    if effective < _LEAST_EFFECTIVE_SHARE * decisions:
        return Reason.NO_OVERLAP.value
    if is_clustered and units < MIN_CLUSTERS:
        return Reason.TOO_FEW_CLUSTERS.value
    return Reason.N_TOO_SMALL.value if units < 2 else None


def _row(found: PolicyValue, unit_count: int, reason: str | None) -> dict[str, Any]:
    if reason == Reason.NO_OVERLAP.value:
        return {"estimator": found.estimator}
    # Of a single unit nothing says how much it varies: the formula gives zero.
    error = found.standard_error if unit_count > 1 else None
    half = None if error is None or reason else _Z * error
    return {
        "estimator": found.estimator,
        "value": found.value,
        "value_low": None if half is None else found.value - half,
        "value_high": None if half is None else found.value + half,
        "standard_error": error,
    }
