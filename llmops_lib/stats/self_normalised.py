"""The doubly robust value of a policy with self-normalised weights."""

import math
from typing import Any

from llmops_lib.stats.inputs import numbers, same_length


def self_normalised_doubly_robust(
    reward: Any, weights: Any, predicted: Any, predicted_target: Any
) -> float | None:
    """Mean prediction for the policy plus the weighted mean of what the prediction missed.

    `mean(q_pi) + sum w (y - q) / sum w`: steadier than the doubly robust value where weights do not average
    to one. None where no logged action has weight.

    Args:
        reward: Observed reward of each decision.
        weights: `off_policy.importance_weights` of the decisions.
        predicted: Predicted reward of the logged action.
        predicted_target: Predicted reward of the policy.

    Raises:
        EstimateError: If a value is NaN or infinite (the log does not cover the policy), or lengths differ.

    Source:
        Thomas and Brunskill, Data-Efficient Off-Policy Policy Evaluation (ICML 2016), weighted doubly robust.

    Example:
        >>> self_normalised_doubly_robust([1, 0], [2, 0], [0.5, 0.5], [0.5, 0.5])
        1.0
    """
    y, w = numbers(reward, "rewards"), numbers(weights, "weights")
    q, target = numbers(predicted, "predictions"), numbers(predicted_target, "predictions of the policy")
    n = same_length(reward=y, weights=w, predicted=q, predicted_target=target)
    total = math.fsum(w)
    return math.fsum(target) / n + math.fsum(w * (y - q)) / total if n and total else None
