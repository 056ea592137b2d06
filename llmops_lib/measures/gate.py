"""Whether a change may be merged: blocked when, and only when, quality really dropped."""

from collections.abc import Mapping

import polars as pl

from llmops_lib.gating.results import GateResult
from llmops_lib.gating.rules import MARGIN, GateRules
from llmops_lib.gating.verdicts import decided


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
    escalates: bool = False,
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
        escalates: Whether it looks at the first 2, 4 and 8 trials of the candidate in turn and stops where it
            knows; alpha is split over the looks (20, 30 and 50%), for blocking and for passing.

    Raises:
        GateError: If a level, a margin or a metric cannot be, or there are too few trials to escalate.

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
    rules = GateRules(
        alpha=alpha,
        margin=margin,
        margins=margins or {},
        metrics=metrics,
        most_missing_share=most_missing_share,
        most_p95_latency_ms=most_p95_latency_ms,
        most_cost_usd=most_cost_usd,
        allows_unlocked=allows_unlocked,
        escalates=escalates,
    )
    return decided(baseline, candidate, rules)
