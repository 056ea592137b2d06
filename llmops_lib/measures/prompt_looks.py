"""Two prompts day by day: what anybody who looked would have seen, and the smallest p value so far."""

from typing import Any

import polars as pl

from llmops_lib.calls import portable
from llmops_lib.comparing.arms import arm_calls, check_calls
from llmops_lib.comparing.monitoring import Gap
from llmops_lib.comparing.production_effects import effect_on
from llmops_lib.comparing.prompt_metrics import PromptMetric, metrics_named
from llmops_lib.comparing.users import Users, users_of
from llmops_lib.stats.anytime import anytime_difference
from llmops_lib.stats.ratios import ratio_of_sums
from llmops_lib.stats.survey import effective_sample_size
from llmops_lib.stats.welch import APPROXIMATE_BELOW

_TIGHTEST_AT = 500
_SCHEMA = pl.Schema(
    {
        "day": pl.String,
        "a_user_count": pl.Int64,
        "b_user_count": pl.Int64,
        "diff": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "p_value": pl.Float64,
        "is_early": pl.Boolean,
    }
)


@portable
def prompt_looks(  # noqa: PLR0913 - two arms, and what a team decides beforehand
    spans: Any,
    *,
    a: str,
    b: str,
    metric: str = "cost_per_call_usd",
    experiment: str = "",
    planned_users: int | None = None,
    alpha: float = 0.05,
) -> pl.DataFrame:
    """The difference of two prompts at the end of each day, with limits that hold on all days at once.

    Each day counts all calls so far, by user. The p value to report is the smallest so far: it stays valid
    however often one looks, and what it once proved it does not take back. Users seen in both arms by then
    are left out. A look is early, and proves nothing, below 50 users in an arm or where a few make so many of
    the calls that they weigh like fewer. May two arms be compared at all? `compare_prompts` checks that.

    Args:
        spans: As `compare_prompts` takes them.
        a: The baseline: `NAME@VERSION`, the hash of a prompt, or an arm of `experiment`.
        b: The candidate.
        metric: Metric of `compare_prompts`.
        experiment: Experiment whose arms these are.
        planned_users: Users of both arms at which the limits are to be tightest; 500 without.
        alpha: Chance that any limit, ever, excludes the truth.

    Returns:
        One row per day (UTC) with a call: `day`, `a_user_count`, `b_user_count`, `diff` (b minus a, in the
        unit of the metric), `lower`, `upper`, `p_value` (of this look), `is_early`, `p_so_far` (smallest of
        the looks that were not early; null before the first). Null where users are too few.

    Raises:
        ComparisonError: If an arm or the metric cannot be, or a call has no time or owner.

    Source:
        Waudby-Smith et al. (arXiv:2103.06476); Johari, Koomen, Pekelis and Walsh, Operations Research 70
        (2022), for the running minimum.
    """
    (asked,) = metrics_named([metric])
    calls = arm_calls(spans, a, b, experiment=experiment)
    check_calls(calls, "spans")
    dated = calls.with_columns(day=pl.col("started_at").dt.date())
    tightest = planned_users or _TIGHTEST_AT
    # One look a day, each at all calls so far.
    rows = [
        (str(day), *_look(asked, users_of(dated.filter(pl.col("day") <= day)), alpha, tightest))
        for day in dated["day"].unique().sort()
    ]
    found = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    counted = pl.when(~pl.col("is_early")).then("p_value")
    return found.with_columns(p_so_far=counted.cum_min().forward_fill())


def _look(metric: PromptMetric, users: Users, alpha: float, tightest: int) -> tuple[Any, ...]:
    gap, effective = _gap(metric, users)
    if gap is None:
        return (*users.sizes, None, None, None, None, True)
    found = anytime_difference(*gap.ratios(), alpha=alpha, tightest_at=tightest)
    ends = found.interval.lower, found.interval.upper
    return (*users.sizes, gap.diff, *ends, found.p_value, effective < APPROXIMATE_BELOW)


def _gap(metric: PromptMetric, users: Users) -> tuple[Gap | None, float]:
    """Difference and noise, and the users of the smaller arm, as many as alike ones would weigh."""
    if metric.quantile is not None:
        effect = effect_on(metric, users, None)
        return effect.gap, effect.effective_count
    sums = [arm.sums(metric) for arm in users.arms]
    a, b = (ratio_of_sums(*one) for one in sums)
    if b.value is None or a.value is None or b.variance is None or a.variance is None:
        return None, 0.0
    effective = min(effective_sample_size(bottoms) for _, bottoms in sums)
    return Gap(b.value - a.value, (b.variance, a.variance), (b.n_users, a.n_users)), effective
