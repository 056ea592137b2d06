"""What another router would have earned on logged traffic where the logged one decided by chance."""

from typing import Any

import numpy as np
import polars as pl

from llmops_lib.errors import OverlapError, SchemaError
from llmops_lib.frames import collected, narwhal
from llmops_lib.stats.off_policy import effective_count, importance_weights, policy_values

_LEAST_EFFECTIVE_SHARE = 0.1
_Z = 1.959963984540054
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
        (`no_overlap` where `effective_count` is below a tenth of the decisions; then the value is null).

    Raises:
        OverlapError: If the policy takes an action that the log never could have taken.
        SchemaError: If there is no decision, or one with an unknown value.

    Source:
        Dudík, Langford, Li (2011), Doubly Robust Policy Evaluation and Learning.
    """
    table = collected(narwhal(decisions, columns=_USED).to_native())
    numbers = table.select(pl.col(_USED).cast(pl.Float64).fill_nan(None))
    if not table.height or numbers.drop_nulls().height < table.height:
        msg = f"decisions: found {table.height} rows, expected at least one, with a value in each of {_USED}"
        raise SchemaError(msg)
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
    has_overlap = effective >= _LEAST_EFFECTIVE_SHARE * table.height
    rows = [_row(found.estimator, found.value, found.standard_error, known=has_overlap) for found in values]
    order = {name: place for place, name in enumerate(("dr", "snips", "ips", "dm"))}
    return pl.DataFrame(sorted(rows, key=lambda row: order[row["estimator"]]), schema=_SCHEMA).with_columns(
        pl.lit(table.height).cast(pl.Int64).alias("decision_count"),
        pl.lit(effective).alias("effective_count"),
        pl.lit(float(weights.max())).alias("largest_weight"),
        pl.lit(float(weights.mean())).alias("mean_weight"),
        pl.lit(None if has_overlap else "no_overlap", dtype=pl.String).alias("reason"),
    )


_SCHEMA = {
    "estimator": pl.String,
    "value": pl.Float64,
    "value_low": pl.Float64,
    "value_high": pl.Float64,
    "standard_error": pl.Float64,
}


def _row(estimator: str, value: float, standard_error: float | None, *, known: bool) -> dict[str, Any]:
    if not known:
        return {"estimator": estimator}
    half = None if standard_error is None else _Z * standard_error
    return {
        "estimator": estimator,
        "value": value,
        "value_low": None if half is None else value - half,
        "value_high": None if half is None else value + half,
        "standard_error": standard_error,
    }
