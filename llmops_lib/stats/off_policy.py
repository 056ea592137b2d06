"""What a policy would have earned, estimated from decisions that another one made by chance and logged."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PolicyValue:
    """One estimate of the mean reward of a policy.

    Attributes:
        estimator: `ips`, `snips`, `dm` or `dr`.
        value: Mean reward per decision.
        standard_error: Its standard error; None where the estimator has none of its own.
    """

    estimator: str
    value: float
    standard_error: float | None


def importance_weights(target: Floats, propensity: Floats) -> Floats:
    """How much more often the policy takes each logged action than the log did.

    Args:
        target: Chance that the policy takes the logged action.
        propensity: Chance with which it was taken when it was logged.

    Returns:
        `target / propensity`; infinite where the policy takes what the log never could.
    """
    return np.divide(
        target, propensity, out=np.where(target > 0, np.inf, 0.0), where=propensity > 0, dtype=np.float64
    )


def effective_count(weights: Floats) -> float:
    """How many unweighted rows the weighted ones are worth: (sum w)² / sum w²."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def policy_values(
    reward: Floats,
    weights: Floats,
    predicted: Floats,
    predicted_target: Floats,
    clusters: Floats | None = None,
) -> list[PolicyValue]:
    """The value of a policy by four estimators, the doubly robust one last.

    Args:
        reward: Observed reward of each decision.
        weights: `importance_weights` of the decisions.
        predicted: Predicted reward of the logged action.
        predicted_target: Predicted reward of the policy: over its actions, chance times prediction.
        clusters: Cluster code of each decision; None takes decisions as independent.

    Source:
        Dudík, Langford, Li (2011), Doubly Robust Policy Evaluation and Learning; Swaminathan and Joachims
        (2015), The Self-Normalized Estimator for Counterfactual Learning.
    """
    ips = weights * reward
    corrected = predicted_target + weights * (reward - predicted)
    snips = float(ips.sum() / weights.sum()) if weights.sum() > 0 else float("nan")
    linearised = weights * (reward - snips) / weights.mean()
    return [
        PolicyValue("ips", float(ips.mean()), _standard_error(ips - ips.mean(), clusters, ddof=1)),
        PolicyValue("snips", snips, _standard_error(linearised, clusters, ddof=0)),
        PolicyValue("dm", float(predicted_target.mean()), None),
        PolicyValue(
            "dr", float(corrected.mean()), _standard_error(corrected - corrected.mean(), clusters, ddof=1)
        ),
    ]


def _standard_error(residuals: Floats, clusters: Floats | None, *, ddof: int) -> float:
    count = len(residuals)
    if clusters is None:
        return float(np.sqrt((residuals**2).sum() / max(count - ddof, 1) / count))
    codes = np.unique(clusters, return_inverse=True)[1]
    sums = np.bincount(codes, residuals)
    factor = len(sums) / max(len(sums) - 1, 1)
    return float(np.sqrt((sums**2).sum() * factor) / count)
