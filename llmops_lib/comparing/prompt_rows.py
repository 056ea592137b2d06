"""What each metric says of two production arms, as rows of a table."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from llmops_lib.comparing.monitoring import FIXED, Gap, Monitoring, seen_by
from llmops_lib.comparing.production_effects import Effect
from llmops_lib.comparing.prompt_metrics import PromptMetric
from llmops_lib.comparing.verdicts import INVALID, POWER, is_within, units_needed, verdict_of
from llmops_lib.stats.multiplicity import benjamini_hochberg
from llmops_lib.stats.results import Interval, Reason, no_interval

PRIMARY, GUARDRAIL, OTHER, CONTEXT = "primary", "guardrail", "other", "context"
HARM_ALPHA = 0.01
"""One-sided level at which a guardrail says that the candidate does harm."""
FALSE_DISCOVERY_SHARE = 0.10
"""Share of false finds among those of the metrics that are neither primary nor guardrail."""

METRICS_SCHEMA = pl.Schema(
    {
        "metric": pl.String,
        "role": pl.String,
        "verdict": pl.String,
        "higher_is_better": pl.Boolean,
        "a_value": pl.Float64,
        "b_value": pl.Float64,
        "diff": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "lift": pl.Float64,
        "lift_lower": pl.Float64,
        "lift_upper": pl.Float64,
        "p_value": pl.Float64,
        "p_adjusted": pl.Float64,
        "method": pl.String,
        "p_method": pl.String,
        "unit": pl.String,
        "a_user_count": pl.Int64,
        "b_user_count": pl.Int64,
        "se": pl.Float64,
        "margin": pl.Float64,
        "is_within_margin": pl.Boolean,
        "smallest_seen": pl.Float64,
        "users_needed": pl.Int64,
        "days_needed": pl.Int64,
        "variance_removed_share": pl.Float64,
        "reason": pl.String,
    }
)


@dataclass(frozen=True)
class Design:
    """What a team decided before it looked, and how fast users come.

    Attributes:
        roles: Role of each metric.
        margins: Largest difference that does not matter, by metric, where one was stated.
        alpha: Two-sided level of the primary metric.
        monitoring: How often the numbers are looked at.
        unit: What is independent.
        users_per_day: New users of both arms a day.
    """

    roles: Mapping[str, str]
    margins: Mapping[str, float]
    alpha: float
    monitoring: Monitoring
    unit: str
    users_per_day: float


def metric_rows(
    effects: Sequence[tuple[PromptMetric, Effect]], design: Design, void: Mapping[str, str]
) -> pl.DataFrame:
    """One row per metric, `METRICS_SCHEMA`.

    Args:
        effects: Metrics and their effects.
        design: What was decided.
        void: Why a metric cannot be compared, by its name.
    """
    p_values = [_p_value(effect, design.monitoring) for _, effect in effects]
    browsed = [
        place
        for place, (metric, _) in enumerate(effects)
        if design.roles[metric.name] == OTHER and p_values[place] is not None and metric.name not in void
    ]
    found = benjamini_hochberg([p_values[place] for place in browsed]).tolist()
    adjusted = dict(zip(browsed, found, strict=True))
    rows = [
        _row(metric, effect, (p_values[place], adjusted.get(place)), design, void.get(metric.name))
        for place, (metric, effect) in enumerate(effects)
    ]
    return pl.DataFrame(rows, schema=METRICS_SCHEMA)


def _p_value(effect: Effect, monitoring: Monitoring) -> float | None:
    if effect.p_permutation is not None:
        return effect.p_permutation
    return None if effect.gap is None else monitoring.p_value(effect.gap)


def _row(
    metric: PromptMetric,
    effect: Effect,
    p_values: tuple[float | None, float | None],
    design: Design,
    void: str | None,
) -> dict[str, Any]:
    gap, role = effect.gap, design.roles[metric.name]
    margin = _margin(metric, effect, design)
    shown, inner = (_interval(effect, design, alpha) for alpha in (design.alpha, 2 * design.alpha))
    lift = _lift(effect, shown)
    seen = None if gap is None else seen_by(shown, gap, POWER)
    needed = units_needed(sum(effect.sizes), seen, margin)
    early = effect.is_early and design.monitoring.kind != FIXED
    reasons = [reason.value for reason in dict.fromkeys((*shown.reasons, *effect.reasons))]
    is_proven = not early and _is_proven(metric, gap, p_values, design)
    verdict = verdict_of(
        None if early or gap is None else gap.diff,
        is_proven=is_proven,
        inner=no_interval(2 * design.alpha, effect.method) if early else inner,
        margin=margin,
        higher_is_better=bool(metric.higher_is_better),
    )
    return {
        "metric": metric.name,
        "role": role,
        "verdict": INVALID if void else None if role == CONTEXT else verdict,
        "higher_is_better": metric.higher_is_better,
        "a_value": effect.values[0],
        "b_value": effect.values[1],
        "diff": None if gap is None else gap.diff,
        "lower": shown.lower,
        "upper": shown.upper,
        "lift": lift[0],
        "lift_lower": lift[1],
        "lift_upper": lift[2],
        "p_value": p_values[0],
        "p_adjusted": p_values[1] if role == OTHER else p_values[0],
        "method": f"{effect.method}_{design.monitoring.kind}",
        "p_method": "cluster_permutation" if effect.p_permutation is not None else design.monitoring.kind,
        "unit": design.unit,
        "a_user_count": effect.sizes[0],
        "b_user_count": effect.sizes[1],
        "se": None if gap is None else gap.se,
        "margin": margin,
        "is_within_margin": None if margin is None else is_within(inner, margin),
        "smallest_seen": seen,
        "users_needed": needed,
        "days_needed": _days(needed, sum(effect.sizes), design.users_per_day),
        "variance_removed_share": effect.variance_removed_share,
        "reason": void or ", ".join(reasons) or None,
    }


def _interval(effect: Effect, design: Design, alpha: float) -> Interval:
    if effect.gap is None:
        return no_interval(alpha, effect.method, *effect.reasons)
    return design.monitoring.interval(effect.gap, alpha)


def _margin(metric: PromptMetric, effect: Effect, design: Design) -> float | None:
    stated = design.margins.get(metric.name)
    if stated is not None or not metric.is_relative:
        return stated if stated is not None else metric.margin
    return metric.margin * abs(effect.values[0]) if effect.values[0] else None


def _lift(effect: Effect, shown: Interval) -> tuple[float | None, float | None, float | None]:
    """The difference as a share of the baseline, its limits by the logarithm of the ratio."""
    gap, before = effect.gap, effect.values[0]
    if gap is None or before is None or before <= 0:
        return None, None, None
    after = before + gap.diff
    if after <= 0 or gap.se == 0 or shown.lower is None or shown.upper is None:
        return gap.diff / before, None, None
    critical = (shown.upper - shown.lower) / 2 / gap.se
    # Where the baseline itself may be zero, a share of it means nothing.
    if before <= critical * math.sqrt(gap.variances[1]):
        return None, None, None
    se = math.sqrt(gap.variances[0] / after**2 + gap.variances[1] / before**2)
    centre = math.log(after / before)
    return gap.diff / before, math.expm1(centre - critical * se), math.expm1(centre + critical * se)


def _is_proven(
    metric: PromptMetric, gap: Gap | None, p_values: tuple[float | None, float | None], design: Design
) -> bool:
    p, adjusted = p_values
    if p is None or gap is None:
        return False
    role = design.roles[metric.name]
    if role == GUARDRAIL:
        # Half of a two-sided p value is the one-sided one, in the direction that the difference has.
        return p / 2 <= HARM_ALPHA
    if role == PRIMARY:
        return p <= design.alpha
    return adjusted is not None and adjusted <= FALSE_DISCOVERY_SHARE


def _days(needed: int | None, found: int, users_per_day: float) -> int | None:
    if needed is None or not users_per_day:
        return None
    return math.ceil(max(0, needed - found) / users_per_day)


def reason_text(row: Mapping[str, Any]) -> str:
    """Why a metric is undecided, in words.

    Args:
        row: A row of `METRICS_SCHEMA`.
    """
    reason = row["reason"] or ""
    unknown = [arm for arm in ("a", "b") if row[f"{arm}_value"] is None]
    if unknown:
        return f"no call of {' or '.join(unknown)} tells it"
    if Reason.TOO_FEW_CLUSTERS.value in reason or row["se"] is None:
        return "too few users for any interval"
    if row["p_method"] == "cluster_permutation" and not row["method"].endswith(FIXED):
        p = "unknown" if row["p_value"] is None else f"{row['p_value']:.3g}"
        return (
            f"fewer than 50 users in an arm, or a few that make most of its calls: too early to act on while "
            f"anybody may look; as the only look, re-assigning users gives p = {p}"
        )
    if row["smallest_seen"] is None:
        return "its noise is not known"
    told = f"a difference of {row['smallest_seen']:.3g} would have been seen (80%)"
    more = row["days_needed"]
    when = "" if more is None else f", {more:,} more days at this traffic"
    if row["users_needed"] is None:
        return told
    return f"{told}; the margin of {row['margin']:.3g} takes {row['users_needed']:,} users{when}"
