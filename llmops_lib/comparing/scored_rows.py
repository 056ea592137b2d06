"""What each scorer says of two eval runs, as rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from llmops_lib.comparing.paired_effects import PairedEffect, paired_effect, smallest_seen
from llmops_lib.comparing.verdicts import POWER, is_not_worse, is_within, units_needed, verdict_of
from llmops_lib.gating.metrics import Compared
from llmops_lib.stats.multiplicity import holm

SCORERS_SCHEMA = pl.Schema(
    {
        "scorer": pl.String,
        "verdict": pl.String,
        "higher_is_better": pl.Boolean,
        "baseline_mean": pl.Float64,
        "candidate_mean": pl.Float64,
        "diff": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "interval_method": pl.String,
        "p_value": pl.Float64,
        "p_adjusted": pl.Float64,
        "p_method": pl.String,
        "unit": pl.String,
        "unit_count": pl.Int64,
        "item_count": pl.Int64,
        "se": pl.Float64,
        "se_unpaired": pl.Float64,
        "population_lower": pl.Float64,
        "population_upper": pl.Float64,
        "margin": pl.Float64,
        "is_within_margin": pl.Boolean,
        "is_not_worse": pl.Boolean,
        "smallest_seen": pl.Float64,
        "items_needed": pl.Int64,
        "items_still_needed": pl.Int64,
        "missing_baseline_count": pl.Int64,
        "missing_candidate_count": pl.Int64,
        "reason": pl.String,
    }
)


@dataclass(frozen=True)
class Decided:
    """What a team decides before it looks.

    Attributes:
        alpha: Two-sided level, over all scorers together.
        margins: Largest difference that does not matter, by scorer; None where none was stated.
        lower_is_better: Scorers of which less is better.
    """

    alpha: float
    margins: Mapping[str, float | None]
    lower_is_better: frozenset[str]


def scorer_rows(
    scorers: Sequence[Compared],
    groups: Mapping[str, Sequence[str]],
    unit: str,
    decided: Decided,
    missing: Mapping[str, tuple[int, int]],
) -> pl.DataFrame:
    """One row per scorer, `SCORERS_SCHEMA`; Holm over the scorers that have a p value.

    Args:
        scorers: The scorers, on the items of both runs.
        groups: Group of each item by scorer; empty where items are independent.
        unit: What the groups are called.
        decided: Level, margins and directions.
        missing: Items that only the other run has, of baseline and candidate, by scorer.
    """
    effects = [paired_effect(one, groups=groups.get(one.metric, ()), unit=unit) for one in scorers]
    known = [effect.p_value for effect in effects if effect.p_value is not None]
    adjusted = iter(holm(known).tolist())
    rows = [
        _row(one, effect, None if effect.p_value is None else next(adjusted), decided, missing[one.metric])
        for one, effect in zip(scorers, effects, strict=True)
    ]
    return pl.DataFrame(rows, schema=SCORERS_SCHEMA)


def _row(
    one: Compared, effect: PairedEffect, adjusted: float | None, decided: Decided, missing: tuple[int, int]
) -> dict[str, Any]:
    margin, up = decided.margins[one.metric], one.metric not in decided.lower_is_better
    shown, inner = effect.interval_at(decided.alpha), effect.interval_at(2 * decided.alpha)
    population, n = effect.population, effect.population.n
    is_proven = adjusted is not None and adjusted <= decided.alpha
    seen = smallest_seen(effect.se, effect.df, alpha=decided.alpha, power=POWER)
    needed = units_needed(n, seen, margin)
    reasons = dict.fromkeys((*shown.reasons, *effect.reasons))
    return {
        "scorer": one.metric,
        "verdict": verdict_of(
            population.diff, is_proven=is_proven, inner=inner, margin=margin, higher_is_better=up
        ),
        "higher_is_better": up,
        "baseline_mean": _mean(one, "baseline"),
        "candidate_mean": _mean(one, "candidate"),
        "diff": population.diff,
        "lower": shown.lower,
        "upper": shown.upper,
        "interval_method": shown.method,
        "p_value": effect.p_value,
        "p_adjusted": adjusted,
        "p_method": effect.method,
        "unit": effect.unit,
        "unit_count": effect.n_units,
        "item_count": n,
        "se": effect.se,
        "se_unpaired": population.se_unpaired,
        "population_lower": population.interval.lower,
        "population_upper": population.interval.upper,
        "margin": margin,
        "is_within_margin": None if margin is None else is_within(inner, margin),
        "is_not_worse": None if margin is None else is_not_worse(inner, margin, higher_is_better=up),
        "smallest_seen": seen,
        "items_needed": needed,
        "items_still_needed": None if needed is None else max(0, needed - n),
        "missing_baseline_count": missing[0],
        "missing_candidate_count": missing[1],
        "reason": ", ".join(reason.value for reason in reasons) or None,
    }


def _mean(one: Compared, arm: str) -> float:
    return sum(sum(scores) / len(scores) for scores in one.lists(arm)) / one.items.height
