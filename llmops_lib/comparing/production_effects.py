"""The effect of a candidate arm on one metric: estimate, noise and test, with users as what varies."""

from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import polars as pl

from llmops_lib.calls import calls_to_resolve
from llmops_lib.comparing.monitoring import Gap
from llmops_lib.comparing.prompt_metrics import PromptMetric
from llmops_lib.comparing.users import Arm, Users, in_candidate
from llmops_lib.stats.cluster_permutation import cluster_permutation, permutation_interval
from llmops_lib.stats.cuped import cuped_difference
from llmops_lib.stats.inputs import Floats
from llmops_lib.stats.quantiles import quantile_over_clusters
from llmops_lib.stats.ratio_score import null_variance
from llmops_lib.stats.ratios import MIN_USERS, linearised, ratio_of_sums
from llmops_lib.stats.results import Reason
from llmops_lib.stats.welch import APPROXIMATE_BELOW

_QUANTILE_BELOW = 4 * MIN_USERS
"""Fewer users than this in an arm: the noise of a quantile is not known well enough for a t test."""


@dataclass(frozen=True)
class Effect:
    """Candidate minus baseline on one metric.

    Attributes:
        values: Value in the baseline and in the candidate; None where it is undefined.
        sizes: Users of baseline and candidate that have the metric.
        gap: Difference and noise; None where there is no noise to be had.
        p_permutation: p value by re-assigning users, where they are few.
        method: How the noise was had.
        variance_removed_share: What a covariate took away; None where none was used.
        reasons: Why something is None, or what to bear in mind.
        effective_count: Users of the smaller arm, as many as alike ones would weigh: Kish's
            `(sum N)^2 / sum N^2`.
    """

    values: tuple[float | None, float | None]
    sizes: tuple[int, int]
    gap: Gap | None = None
    p_permutation: float | None = None
    method: str = "ratio_delta"
    variance_removed_share: float | None = None
    reasons: tuple[Reason, ...] = ()
    effective_count: float = 0.0

    @property
    def is_early(self) -> bool:
        """Whether users are too few, or a few of them make too many calls, for limits that rest on many."""
        return self.effective_count < APPROXIMATE_BELOW


def effect_on(metric: PromptMetric, users: Users, covariates: pl.DataFrame | None) -> Effect:
    """The effect on a metric.

    Ratios of sums by the delta method over users; below 50 users in an arm, or where a few make so many of
    the calls that they weigh like fewer than 50, the p value is that of the studentised permutation; below 5
    there is none. Quantiles by Woodruff over users; below 20, the
    permutation of the logarithms of the users' own quantiles. With covariates and enough users, CUPED.

    Args:
        metric: The metric.
        users: Users of both arms.
        covariates: Sums per user from before the experiment.

    Source:
        Deng, Knoblich and Lu (KDD 2018); Deng, Xu, Kohavi and Walker (WSDM 2013); Woodruff 1952.
    """
    if metric.quantile is not None:
        return _quantile_effect(metric.quantile, users)
    sums = [arm.sums(metric) for arm in users.arms]
    arms = [ratio_of_sums(*one) for one in sums]
    values, sizes = (arms[0].value, arms[1].value), (arms[0].n_users, arms[1].n_users)
    before, after = arms[0].variance, arms[1].variance
    if values[0] is None or values[1] is None or before is None or after is None or min(sizes) < MIN_USERS:
        reason = Reason.N_TOO_SMALL if min(sizes) == 0 else Reason.TOO_FEW_CLUSTERS
        return Effect(values, sizes, reasons=(reason,))
    # Only planned looks ask for it, so it is not had beforehand.
    under = cache(partial(null_variance, *reversed(sums)))
    gap = Gap(values[1] - values[0], (after, before), (sizes[1], sizes[0]), under)
    effective = min(_effective(bottoms) for _, bottoms in sums)
    plain = Effect(values, sizes, gap, effective_count=effective)
    # Without any noise there is no t, and so clean a split of so many users is no chance at any look.
    if gap.se == 0 and gap.diff == 0:
        return plain
    if effective < APPROXIMATE_BELOW or gap.se == 0:
        return _re_assigned(plain, gap, metric, users)
    return plain if covariates is None else _adjusted(plain, metric, users, covariates)


def _re_assigned(plain: Effect, gap: Gap, metric: PromptMetric, users: Users) -> Effect:
    """The effect with the p value, and the interval, of re-assigning users."""
    sums = [arm.sums(metric) for arm in users.arms]
    tops, bottoms = (np.concatenate(part) for part in zip(*sums, strict=True))
    ids = pl.concat([arm.names_with(metric) for arm in users.arms]).to_list()
    is_b = in_candidate(plain.sizes)
    tested = cluster_permutation(tops, bottoms, is_b, user_ids=ids)
    few = Reason.APPROXIMATE if gap.se else Reason.ZERO_VARIANCE
    permuted = cache(lambda: permutation_interval(tops, bottoms, is_b, user_ids=ids))
    return replace(
        plain,
        gap=replace(gap, permuted=permuted if gap.se else None),
        p_permutation=tested.p_two_sided,
        reasons=(*tested.reasons, few),
    )


def _adjusted(plain: Effect, metric: PromptMetric, users: Users, covariates: pl.DataFrame) -> Effect:
    """The effect with the part removed that the same metric explained before the experiment."""
    known = covariates.select("unit", top=metric.top, bottom=metric.bottom).filter(pl.col("bottom") > 0)
    if known.height < 2 or plain.gap is None:
        return plain
    earlier = linearised(known["top"], known["bottom"])
    told = pl.DataFrame({"unit": known["unit"], "x": earlier})
    sides = []
    for arm in users.arms:
        own = arm.names_with(metric).to_frame("unit").join(told, on="unit", how="left", maintain_order="left")
        sides.append((linearised(*arm.sums(metric)), own["x"].to_numpy()))
    if all(np.isnan(x).all() for _, x in sides):
        return plain
    found = cuped_difference(sides[1], sides[0])
    if found.theta == 0 or found.variances is None or found.adjusted.value is None:
        return plain
    gap = Gap(found.adjusted.value, found.variances, plain.gap.sizes)
    return Effect(
        plain.values, plain.sizes, gap, method="ratio_delta_cuped",
        variance_removed_share=found.variance_removed_share, effective_count=plain.effective_count,
    )  # fmt: skip


def _quantile_effect(quantile: float, users: Users) -> Effect:
    totals = [_known_latencies(arm) for arm in users.arms]
    arms = [
        quantile_over_clusters(arm.latencies, own[own > 0], partial(_below, arm), quantile)
        for arm, own in zip(users.arms, totals, strict=True)
    ]
    values, sizes = (arms[0].value, arms[1].value), (arms[0].n_clusters, arms[1].n_clusters)
    enough = min(arm.n for arm in arms) >= calls_to_resolve(100 * quantile)
    if values[0] is None or values[1] is None or min(sizes) < MIN_USERS or not enough:
        reason = Reason.TOO_FEW_CLUSTERS if enough else Reason.N_TOO_SMALL
        return Effect(values, sizes, method="quantile_delta", reasons=(reason,))
    before, after = (arm.se or 0.0 for arm in arms)
    gap = Gap(values[1] - values[0], (after**2, before**2), (sizes[1], sizes[0]))
    effective = min(_effective(own) for own in totals)
    if effective >= _QUANTILE_BELOW:
        return Effect(values, sizes, gap, method="quantile_delta", effective_count=effective)
    p = _permuted(users, quantile)
    few = (Reason.APPROXIMATE,)
    return Effect(values, sizes, gap, p, "quantile_delta", reasons=few, effective_count=effective)


def _known_latencies(arm: Arm) -> Floats:
    """Calls with a latency, of each user."""
    return arm.table["known_latency_ms"].to_numpy()


def _below(arm: Arm, latency_ms: float) -> Floats:
    """Calls at or below a latency, of each user who has calls with one."""
    known = _known_latencies(arm)
    return (known - arm.slower_calls(latency_ms))[known > 0]


def _effective(counts: Floats) -> float:
    """How many users of equal weight these are worth."""
    # A dot product would wake the threads of the linear algebra, which takes a hundred times as long.
    return float(counts.sum() ** 2 / (counts * counts).sum())


def _permuted(users: Users, quantile: float) -> float | None:
    """The permutation of the logarithms of each user's own quantile."""
    own = [_own_quantiles(arm, quantile) for arm in users.arms]
    sizes = [found.height for found in own]
    both = pl.concat(own)
    ids, ones = both["name"].to_list(), np.ones(both.height)
    return cluster_permutation(both["latency_ms"], ones, in_candidate(sizes), user_ids=ids).p_two_sided


def _own_quantiles(arm: Arm, quantile: float) -> pl.DataFrame:
    log_quantile = pl.col("latency_ms").quantile(quantile, "linear").log()
    own = arm.timed.filter(pl.col("latency_ms") > 0).group_by("code").agg(log_quantile).sort("code")
    return own.with_columns(name=arm.owners.names.gather(own["code"]))
