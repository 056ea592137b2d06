"""What one metric says of a change: exactly, on the very items of the suite."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from llmops_lib.stats.bounded_mean import paired_interval
from llmops_lib.stats.distributions import normal_above, normal_quantile, t_above, t_quantile
from llmops_lib.stats.multiplicity import benjamini_hochberg, holm
from llmops_lib.stats.regression_rule import regression_verdict
from llmops_lib.stats.suite import ArmTrials, SuiteDifference, suite_difference
from llmops_lib.stats.within_item import RESOLVED, within_item_exact
from llmops_lib.stats.within_item_scores import within_item_scores

POWER = 0.8
"""Chance of seeing the drop that `smallest_drop_seen` states."""

METRICS_SCHEMA = pl.Schema(
    {
        "metric": pl.String,
        "decision": pl.String,
        "item_count": pl.Int64,
        "baseline_mean": pl.Float64,
        "candidate_mean": pl.Float64,
        "diff": pl.Float64,
        "lower_limit": pl.Float64,
        "margin": pl.Float64,
        "p_drop": pl.Float64,
        "p_adjusted": pl.Float64,
        "smallest_drop_seen": pl.Float64,
        "trials_needed": pl.Int64,
        "population_lower": pl.Float64,
        "population_upper": pl.Float64,
        "baseline_trials": pl.Int64,
        "candidate_trials": pl.Int64,
        "note": pl.String,
    }
)
_ARMS = ("candidate", "baseline")
ITEMS_SCHEMA = pl.Schema(
    {
        "metric": pl.String,
        "example_id": pl.String,
        "baseline_mean": pl.Float64,
        "candidate_mean": pl.Float64,
        "p_drop": pl.Float64,
        "p_adjusted": pl.Float64,
    }
)


@dataclass(frozen=True)
class Compared:
    """One metric on the items of both runs.

    Attributes:
        metric: Its name.
        items: `example_id`, `baseline` and `candidate`: lists of the scores of the trials.
        is_binary: Whether every score is 0 or 1.
    """

    metric: str
    items: pl.DataFrame
    is_binary: bool

    def difference(self) -> SuiteDifference:
        """Candidate minus baseline on the suite."""
        return suite_difference(
            *(ArmTrials.from_scores(self.lists(arm)) for arm in ("candidate", "baseline"))
        )

    def p_drop(self) -> float:
        """Chance of so low a candidate where nothing changed, one-sided."""
        if self.is_binary:
            return within_item_exact(*self._counts("candidate"), *self._counts("baseline")).p_drop
        ids = self.items["example_id"].to_list()
        return within_item_scores(self.lists("candidate"), self.lists("baseline"), item_ids=ids).p_drop

    def lists(self, arm: str) -> list[list[float]]:
        """Scores of the trials of each item."""
        return self.items[arm].to_list()

    def _counts(self, arm: str) -> tuple[list[int], list[int]]:
        lists = self.lists(arm)
        return [round(sum(one)) for one in lists], [len(one) for one in lists]


def compared(baseline: pl.DataFrame, candidate: pl.DataFrame) -> list[Compared]:
    """The metrics of both runs, item by item, by name.

    Args:
        baseline: SCORES with scores.
        candidate: The same of the other run.
    """
    found = []
    for metric in sorted(set(baseline["scorer"]) & set(candidate["scorer"])):
        sides = [
            trials_by_item(one, metric).rename({"scores": name})
            for name, one in (("baseline", baseline), ("candidate", candidate))
        ]
        items = sides[0].join(sides[1], on="example_id", how="inner").sort("example_id")
        scores = pl.concat([items["baseline"].explode(), items["candidate"].explode()])
        if not items.is_empty():
            found.append(Compared(metric, items, bool(scores.is_in([0.0, 1.0]).all())))
    return found


def trials_by_item(scores: pl.DataFrame, metric: str) -> pl.DataFrame:
    """`example_id` and `scores`, a list of the scores of its trials, by example; missing ones left out.

    Args:
        scores: SCORES of one run.
        metric: Its name.
    """
    known = scores.filter(pl.col("scorer") == metric, pl.col("score").is_not_null()).sort(
        "example_id", "trial"
    )
    return known.group_by("example_id", maintain_order=True).agg(scores="score")


def metric_rows(metrics: Sequence[Compared], margins: dict[str, float], alpha: float) -> pl.DataFrame:
    """What each metric says, `METRICS_SCHEMA`; Holm over all of them.

    Args:
        metrics: The metrics.
        margins: Largest drop that still passes, by metric.
        alpha: Chance of blocking a harmless change, over all metrics together.
    """
    raw = [one.p_drop() for one in metrics]
    adjusted = holm(raw).tolist() if raw else []
    rows = [
        _row(one, margins[one.metric], p, together, alpha)
        for one, p, together in zip(metrics, raw, adjusted, strict=True)
    ]
    return pl.DataFrame(rows, schema=METRICS_SCHEMA)


def _row(one: Compared, margin: float, p: float, adjusted: float, alpha: float) -> dict[str, Any]:
    difference = one.difference()
    verdict = regression_verdict(adjusted, difference, alpha=alpha, margin=margin)
    means = {
        arm: [math.fsum(item) / len(item) for item in one.lists(arm)] for arm in ("candidate", "baseline")
    }
    population = paired_interval(means["candidate"], means["baseline"], alpha=alpha)
    trials = {f"{arm}_trials": min(len(item) for item in one.lists(arm)) for arm in _ARMS}
    seen = _smallest_drop(difference, alpha)
    return {
        "metric": one.metric,
        "decision": verdict.decision.value,
        "item_count": difference.n_items,
        "baseline_mean": math.fsum(means["baseline"]) / len(means["baseline"]),
        "candidate_mean": math.fsum(means["candidate"]) / len(means["candidate"]),
        "diff": difference.diff,
        "lower_limit": verdict.lower_limit,
        "margin": margin,
        "p_drop": p,
        "p_adjusted": adjusted,
        "smallest_drop_seen": seen,
        "trials_needed": _trials_needed(seen, margin, trials["candidate_trials"]),
        "population_lower": population.lower,
        "population_upper": population.upper,
        **trials,
        "note": ", ".join(reason.value for reason in verdict.reasons) or None,
    }


def _smallest_drop(difference: SuiteDifference, alpha: float) -> float | None:
    if difference.se is None:
        return None
    if difference.df is not None:
        quantiles = t_above(alpha, difference.df) + t_quantile(POWER, difference.df)
    else:
        quantiles = normal_above(alpha) + normal_quantile(POWER)
    return quantiles * difference.se


def _trials_needed(seen: float | None, margin: float, trials: int) -> int | None:
    # The noise of a mean falls with the square root of the trials of both runs.
    return None if seen is None else max(1, math.ceil(trials * (seen / margin) ** 2))


def item_rows(metrics: Sequence[Compared]) -> pl.DataFrame:
    """The items that did worse, `ITEMS_SCHEMA`, by p value; Fisher's exact test, Benjamini-Hochberg.

    For people who look for the cause: of many items some are this much worse by chance, so none of them
    blocks by itself.

    Args:
        metrics: The metrics; those that are not pass or fail have no p value.
    """
    rows = []
    for one in metrics:
        for name, before, after in one.items.rows():
            means = [math.fsum(side) / len(side) for side in (before, after)]
            counts = [(round(sum(side)), len(side)) for side in (after, before)]
            p = within_item_exact(*([number] for pair in counts for number in pair)).p_drop
            rows.append((one.metric, name, *means, p if one.is_binary else None, None))
    table = pl.DataFrame(rows, schema=ITEMS_SCHEMA, orient="row")
    known = table.filter(pl.col("p_drop").is_not_null())
    adjusted = known.with_columns(p_adjusted=pl.Series(benjamini_hochberg(known["p_drop"]), dtype=pl.Float64))
    every = pl.concat([adjusted, table.filter(pl.col("p_drop").is_null())])
    worse = every.filter(pl.col("candidate_mean") < pl.col("baseline_mean"))
    return worse.sort(
        "p_drop", pl.col("candidate_mean") - pl.col("baseline_mean"), "metric", "example_id", nulls_last=True
    )


def p_text(value: float) -> str:
    """A p value as people read it.

    Example:
        >>> p_text(0.0312), p_text(1e-20)
        ('0.031', '<1e-12')
    """
    return f"<{RESOLVED:g}" if value < RESOLVED else f"{value:.2g}"
