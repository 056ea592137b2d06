"""What a gate says of one comparison, and of several together."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

_BY_SEVERITY = ("pass", "inconclusive", "block", "invalid")


@dataclass(frozen=True)
class GateResult:
    """What a gate says.

    Attributes:
        verdict: `pass`, `block`, `inconclusive` (no drop was proven, nor that there is none) or `invalid`
            (the runs cannot be compared).
        reasons: Why, a sentence each.
        metrics: One row per metric: `metric`, `decision`, `item_count`, `baseline_mean`, `candidate_mean`,
            `diff`, `lower_limit` (of the difference, one-sided), `margin`, `p_drop`, `p_adjusted` (Holm),
            `smallest_drop_seen` (with 80% chance), `trials_needed` (to see the margin), `population_lower`
            and `population_upper` (interval on traffic like this; never gating), `baseline_trials`,
            `candidate_trials`, `note` (what to bear in mind, such as `zero_variance`: no trial differs from
            another).
        failures: What must pass and did not: `example_id`, `metric`, `failed_count`, `trial_count`,
            `baseline_failed_count`, `baseline_trial_count`, `is_blocking` (it failed a larger share of its
            trials than before), `explanation`.
        items: What did worse: `metric`, `example_id`, `baseline_mean`, `candidate_mean`, `p_drop`,
            `p_adjusted` (Benjamini-Hochberg); never blocking.
        alpha: Level of the look that the verdict rests on.
        looked_at_trials: Trials of the candidate that an escalating gate looked at; None for any other.
        next_trials: Trials at which an escalating gate looks next; None where it is done.
    """

    verdict: str
    reasons: tuple[str, ...]
    metrics: pl.DataFrame
    failures: pl.DataFrame
    items: pl.DataFrame
    alpha: float
    looked_at_trials: int | None = None
    next_trials: int | None = None


def worst_verdict(results: Iterable[GateResult]) -> str:
    """The verdict of several comparisons together: the worst, where `invalid` is worst of all.

    Args:
        results: At least one.
    """
    return max((one.verdict for one in results), key=_BY_SEVERITY.index)
