"""Whether a change may be merged: blocked when, and only when, quality really dropped."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from llmops_lib.errors import GateError
from llmops_lib.gating.failures import FAILURES_SCHEMA, blocking_failures, known_failures, must_pass_failures
from llmops_lib.gating.metrics import ITEMS_SCHEMA, METRICS_SCHEMA, compared, item_rows, metric_rows, p_text
from llmops_lib.gating.scores import gated_metrics, prepared
from llmops_lib.gating.validity import invalid_reasons

MARGIN = 0.05
"""Largest drop of a metric that still passes, where no other is given."""


@dataclass(frozen=True)
class GateResult:
    """What a gate says.

    Attributes:
        verdict: `pass`, `block`, `inconclusive` (no drop was proven, nor that there is none) or `invalid`
            (the runs cannot be compared).
        reasons: Why, a sentence each.
        metrics: One row per metric: `metric`, `decision`, `item_count`, `baseline_mean`, `candidate_mean`,
            `diff`, `lower_limit` (of the difference, one-sided), `margin`, `p_drop`, `p_adjusted` (Holm),
            `smallest_drop_seen` (with 80 % chance), `trials_needed` (to see the margin), `population_lower`
            and `population_upper` (interval on traffic like this; never gating), `baseline_trials`,
            `candidate_trials`, `note` (what to bear in mind, such as `zero_variance`: no trial differs from
            another).
        failures: What must pass and did not: `example_id`, `metric`, `failed_count`, `trial_count`,
            `baseline_failed_count`, `baseline_trial_count`, `is_blocking` (it failed a larger share of its
            trials than before), `explanation`.
        items: What did worse: `metric`, `example_id`, `baseline_mean`, `candidate_mean`, `p_drop`,
            `p_adjusted` (Benjamini-Hochberg); never blocking.
    """

    verdict: str
    reasons: tuple[str, ...]
    metrics: pl.DataFrame
    failures: pl.DataFrame
    items: pl.DataFrame


def gate(  # noqa: PLR0913 - two runs, and what a team decides beforehand
    baseline: pl.DataFrame,
    candidate: pl.DataFrame,
    *,
    alpha: float = 0.05,
    margin: float = MARGIN,
    margins: Mapping[str, float] | None = None,
    metrics: tuple[str, ...] = (),
    most_missing_share: float = 0.02,
    most_p95_latency_ms: float | None = None,
    most_cost_usd: float | None = None,
    allows_unlocked: bool = False,
) -> GateResult:
    """Holds a candidate run against a baseline run of the same locked suite.

    First what needs no statistics: runs that cannot be compared are `invalid`; an example or grader that
    must pass and fails a larger share of its trials than in the baseline blocks, and so does a limit on
    latency or cost. Then each metric: an exact permutation of trials within examples (McNemar's exact test
    at one trial) blocks where a drop is proven; the metric passes where its lower confidence limit is above
    minus the margin.

    Args:
        baseline: SCORES of one run.
        candidate: SCORES of one run of the same suite.
        alpha: Chance of blocking a harmless change, over all metrics together (Holm).
        margin: Largest drop that still passes, in the unit of the scores.
        margins: The same for single metrics.
        metrics: Metrics that gate; all but latency and cost without.
        most_missing_share: Largest share of examples that may be missing in one run only.
        most_p95_latency_ms: Largest 95th percentile of latency that passes.
        most_cost_usd: Largest mean cost of a call that passes; unknown costs do not pass it.
        allows_unlocked: Whether runs of suites without a lock are compared, such as those of other tools.

    Raises:
        GateError: If a level, a margin or a metric cannot be.

    Source:
        Fisher's exact test stratified by item; Holm, Scandinavian Journal of Statistics 6 (1979);
        non-inferiority by confidence limit: Piaggio et al., JAMA 308 (2012).

    Example:
        >>> rows = [{"run_id": "b", "example_id": f"case-{n}", "trial": 1, "scorer": "facts", "score": 1.0}
        ...         for n in range(20)]
        >>> before = pl.DataFrame(rows)
        >>> after = before.with_columns(run_id=pl.lit("c"), score=pl.lit(0.0))
        >>> [gate(before, other, allows_unlocked=True).verdict for other in (after, before)]
        ['block', 'pass']
    """
    _check(alpha, {"margin": margin, **(margins or {})})
    sides = [prepared(one) for one in (baseline, candidate)]
    reasons = invalid_reasons(*sides, most_missing_share=most_missing_share, allows_unlocked=allows_unlocked)
    if reasons:
        empty = (pl.DataFrame(schema=schema) for schema in (METRICS_SCHEMA, FAILURES_SCHEMA, ITEMS_SCHEMA))
        return GateResult("invalid", tuple(reasons), *empty)
    names = gated_metrics(sides[0], metrics)
    known = [one for one in compared(*sides) if one.metric in names]
    table = metric_rows(known, {one.metric: (margins or {}).get(one.metric, margin) for one in known}, alpha)
    failures = must_pass_failures(*sides)
    blocking = [
        *blocking_failures(failures),
        *_limits(sides[1], most_p95_latency_ms, most_cost_usd),
        *_drops(table),
    ]
    verdict, why = _verdict(table, blocking)
    return GateResult(verdict, (*why, *known_failures(failures)), table, failures, item_rows(known))


def _verdict(table: pl.DataFrame, blocking: list[str]) -> tuple[str, list[str]]:
    if blocking:
        return "block", blocking
    open_ones = table.filter(pl.col("decision") == "inconclusive")
    if open_ones.is_empty():
        told = [f"no metric dropped by more than its margin ({table.height} metrics)"]
        still = table.filter(pl.col("note").str.contains("zero_variance"))["metric"].to_list()
        if still:
            told.append(f"no trial of {', '.join(still)} differs from another: its noise is not known")
        return "pass", told
    return "inconclusive", [_undecided(row) for row in open_ones.iter_rows(named=True)]


def _undecided(row: dict[str, float]) -> str:
    told = f"{row['metric']}: no drop is proven, nor that it is below {row['margin']:g}"
    if row["smallest_drop_seen"] is None:
        return f"{told}; its noise is not known"
    return (
        f"{told}; a drop of {row['smallest_drop_seen']:.3f} would have been seen (80 %), "
        f"and about {row['trials_needed']} trials of each example in both runs would see the margin"
    )


def _drops(table: pl.DataFrame) -> list[str]:
    return [
        f"{row['metric']} dropped from {row['baseline_mean']:.3f} to {row['candidate_mean']:.3f} on "
        f"{row['item_count']} examples (p = {p_text(row['p_adjusted'])} over all metrics)"
        for row in table.filter(pl.col("decision") == "block").iter_rows(named=True)
    ]


def _limits(candidate: pl.DataFrame, most_ms: float | None, most_usd: float | None) -> list[str]:
    calls = candidate.unique(["example_id", "trial"])
    found = []
    latency = calls["latency_ms"].quantile(0.95, interpolation="higher")
    if most_ms is not None and (latency is None or latency > most_ms):
        shown = "unknown" if latency is None else f"{latency:,.0f} ms"
        found.append(f"the 95th percentile of latency is {shown}; the limit is {most_ms:,.0f} ms")
    costs = calls["cost_usd"]
    mean = sum(costs.drop_nulls()) / max(costs.count(), 1)
    if most_usd is not None and costs.has_nulls():
        found.append(
            f"the cost of {costs.null_count()} of {calls.height} calls is unknown; the limit is ${most_usd:g}"
        )
    elif most_usd is not None and mean > most_usd:
        found.append(f"a call costs ${mean:.6f} on average; the limit is ${most_usd:g}")
    return found


def _check(alpha: float, margins: Mapping[str, float]) -> None:
    if not 0 < alpha < 0.5:
        msg = f"found alpha {alpha:g}, expected a chance between 0 and 0.5"
        raise GateError(msg)
    wrong = {name: value for name, value in margins.items() if not 0 < value < float("inf")}
    if wrong:
        msg = f"found margins {wrong}, expected numbers above 0"
        raise GateError(msg)
