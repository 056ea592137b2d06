"""The difference of two eval runs on one scorer: estimate, interval and test by what the trials allow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from llmops_lib.gating.metrics import Compared
from llmops_lib.stats.bounded_mean import paired_interval
from llmops_lib.stats.clustered_cr2 import Scale, clustered_mean_cr2
from llmops_lib.stats.distributions import (
    normal_above,
    normal_quantile,
    t_above,
    t_quantile,
    two_sided_interval,
)
from llmops_lib.stats.inputs import Floats
from llmops_lib.stats.mcnemar import mcnemar
from llmops_lib.stats.paired import PairedDifference, paired_difference
from llmops_lib.stats.paired_proportions import tango
from llmops_lib.stats.results import Interval, Reason, no_interval
from llmops_lib.stats.within_item import within_item_exact
from llmops_lib.stats.within_item_scores import sign_flip, within_item_scores

IntervalAt = Callable[[float], Interval]
"""An interval at any alpha: the one that is shown, and the one that two one-sided tests read."""


@dataclass(frozen=True)
class PairedEffect:
    """Candidate minus baseline on one scorer.

    Attributes:
        population: The paired t answer over item means, with the standard error without pairing; its interval
            is Tango's on an effective number of items where scores are from 0 to 1.
        se: Standard error that the interval and the minimum detectable effect rest on.
        df: Its degrees of freedom; None for the normal.
        interval_at: Interval at an alpha.
        p_value: Two-sided p value; None where no test can be had.
        method: How the p value was had.
        unit: What is taken to be independent: `item`, `trial`, or what items are grouped by.
        n_units: Number of those.
        reasons: Why something is None, or what to bear in mind.
    """

    population: PairedDifference
    se: float | None
    df: float | None
    interval_at: IntervalAt
    p_value: float | None
    method: str
    unit: str
    n_units: int
    reasons: tuple[Reason, ...] = ()


def paired_effect(one: Compared, *, groups: Sequence[str] = (), unit: str = "item") -> PairedEffect:
    """The effect on one scorer, by the method that its trials and groups allow.

    Items in groups: CR2 over groups with Satterthwaite's freedom. Several trials: the noise of trials on
    these very items, with the exact permutation within items. Pass or fail once: Tango's interval and
    McNemar's exact test. A score once: the paired t; for scores from 0 to 1 with Tango's interval on as many
    passes as vary as much, since t covers too little where few items differ.

    Args:
        one: The scorer on the items of both runs.
        groups: Group of each item, where items come in groups.
        unit: What the groups are called.

    Source:
        Miller, Adding Error Bars to Evals (arXiv:2411.00640); Tango 1998; McNemar 1947; Bell and McCaffrey
        2002.
    """
    means = {arm: _means(one, arm) for arm in ("candidate", "baseline")}
    population = paired_difference(means["candidate"], means["baseline"])

    def interval_at(alpha: float) -> Interval:
        return paired_interval(means["candidate"], means["baseline"], alpha=alpha)

    population = replace(population, interval=interval_at(0.05))
    trials = max(len(scores) for arm in means for scores in one.lists(arm))
    if groups:
        scale: Scale = "gaps" if _are_shares(one) else "numbers"
        return _grouped(population, means["candidate"] - means["baseline"], groups, unit, scale)
    if trials > 1:
        return _of_trials(one, population)
    return _pass_or_fail(one, population) if one.is_binary else _scored(one, population, interval_at)


def _are_shares(one: Compared) -> bool:
    scores = [score for arm in ("candidate", "baseline") for item in one.lists(arm) for score in item]
    return all(0 <= score <= 1 for score in scores)


def _means(one: Compared, arm: str) -> Floats:
    return np.array([np.mean(scores) for scores in one.lists(arm)], dtype=np.float64)


def _grouped(
    population: PairedDifference, gaps: Floats, groups: Sequence[str], unit: str, scale: Scale
) -> PairedEffect:
    found = clustered_mean_cr2(gaps, groups, scale=scale)
    is_flat = population.se == 0 and population.diff == 0

    def interval_at(alpha: float) -> Interval:
        if is_flat:
            return Interval(0.0, 0.0, alpha, "cluster_cr2_t", (Reason.ZERO_VARIANCE,))
        return clustered_mean_cr2(gaps, groups, scale=scale, alpha=alpha).interval

    p = 1.0 if is_flat else found.p_two_sided
    return PairedEffect(
        population, found.se, found.df, interval_at, p, "cluster_cr2_t", unit, found.n_units, found.reasons
    )


def _of_trials(one: Compared, population: PairedDifference) -> PairedEffect:
    difference = one.difference()
    if one.is_binary:
        counts = [
            [make(scores) for scores in one.lists(arm)]
            for arm in ("candidate", "baseline")
            for make in (lambda scores: round(sum(scores)), len)
        ]
        p, method = within_item_exact(*counts).p_two_sided, "within_item_exact"
    else:
        ids = one.items["example_id"].to_list()
        tested = within_item_scores(one.lists("candidate"), one.lists("baseline"), item_ids=ids)
        p, method = tested.p_two_sided, f"within_item_{tested.method}"
    interval_at = _around(difference.diff, difference.se, difference.df, f"suite_{difference.se_kind}")
    unit = "trial" if difference.df is None else "item"
    n = sum(len(scores) for scores in one.lists("candidate")) if unit == "trial" else population.n
    return PairedEffect(
        population, difference.se, difference.df, interval_at, p, method, unit, n, difference.reasons
    )


def _pass_or_fail(one: Compared, population: PairedDifference) -> PairedEffect:
    after, before = (_means(one, arm) > 0 for arm in ("candidate", "baseline"))
    cells = {
        "both_pass": int((after & before).sum()),
        "regressions": int((before & ~after).sum()),
        "improvements": int((after & ~before).sum()),
        "both_fail": int((~after & ~before).sum()),
    }
    return PairedEffect(
        population, population.se, None, lambda alpha: tango(**cells, alpha=alpha),
        mcnemar(**cells).p_two_sided, "mcnemar_exact", "item", population.n, population.reasons,
    )  # fmt: skip


def _scored(one: Compared, population: PairedDifference, interval_at: IntervalAt) -> PairedEffect:
    p, method = population.p_two_sided, "paired_t"
    if p is None and population.n:
        # All items differ by the same: there is no t, and signs still say how unlikely that is.
        gaps = _means(one, "candidate") - _means(one, "baseline")
        p, method = sign_flip(gaps, item_ids=one.items["example_id"].to_list()).p_two_sided, "sign_flip"
    return PairedEffect(
        population, population.se, population.df, interval_at, p, method, "item", population.n,
        population.reasons,
    )  # fmt: skip


def _around(diff: float | None, se: float | None, df: float | None, method: str) -> IntervalAt:
    """Interval around a difference; none where its noise is not known."""

    def interval_at(alpha: float) -> Interval:
        if diff is None or se is None:
            return no_interval(alpha, method, Reason.N_TOO_SMALL)
        if se == 0:
            zero = None if diff else 0.0
            return Interval(zero, zero, alpha, method, (Reason.ZERO_VARIANCE,))
        return two_sided_interval(diff, se, alpha=alpha, method=method, df=df)

    return interval_at


def smallest_seen(se: float | None, df: float | None, *, alpha: float, power: float) -> float | None:
    """The minimum detectable effect of a two-sided test: `(t_{1-alpha/2} + t_power) se`.

    Args:
        se: Standard error; None or zero where the noise is not known.
        df: Degrees of freedom; None for the normal.
        alpha: Two-sided level.
        power: Chance of seeing it.

    Source:
        Bloom, Evaluation Review 19 (1995).

    Example:
        >>> round(smallest_seen(0.01, None, alpha=0.05, power=0.8), 4)
        0.028
    """
    if not se:
        return None
    if df is None:
        return (normal_above(alpha / 2) + normal_quantile(power)) * se
    return (t_above(alpha / 2, df) + t_quantile(power, df)) * se if df >= 1 else None
