"""The verdict on a candidate run: validity, what needs no statistics, then each metric; look by look."""

from dataclasses import replace

import polars as pl

from llmops_lib.gating.failures import FAILURES_SCHEMA, blocking_failures, known_failures, must_pass_failures
from llmops_lib.gating.metrics import ITEMS_SCHEMA, METRICS_SCHEMA, compared, item_rows, metric_rows, p_text
from llmops_lib.gating.results import GateResult
from llmops_lib.gating.rules import GateRules
from llmops_lib.gating.scores import first_trials, gated_metrics, prepared, trial_count
from llmops_lib.gating.validity import invalid_reasons


def decided(
    baseline: pl.DataFrame, candidate: pl.DataFrame, rules: GateRules, *, lists_items: bool = True
) -> GateResult:
    """What a gate says of a candidate run.

    Args:
        baseline: SCORES of one run.
        candidate: The same of the other run.
        rules: How it decides.
        lists_items: Whether the examples that did worse are listed, which takes most of the time.

    Raises:
        GateError: If a metric is not there, or an escalating gate has too few trials.
    """
    sides = prepared(baseline), prepared(candidate)
    reasons = _invalid(*sides, rules)
    if reasons:
        return _invalid_result(reasons, rules)
    trials = trial_count(sides[1])
    for look, alpha in rules.looks(trials):
        cut = sides[1] if look >= trials else first_trials(sides[1], look)
        reasons = _invalid(sides[0], cut, rules) if look < trials else []
        at_look = replace(rules, alpha=alpha)
        result = (
            _invalid_result(reasons, at_look) if reasons else _looked(sides[0], cut, at_look, lists_items)
        )
        result = replace(result, looked_at_trials=look if rules.escalates else None)
        if result.verdict != "inconclusive":
            return result
    following = rules.next_look(trials)
    if following is None:
        return result
    told = f"the gate looks again at {following} trials of each example"
    return replace(result, next_trials=following, reasons=(*result.reasons, told))


def _looked(
    baseline: pl.DataFrame, candidate: pl.DataFrame, rules: GateRules, lists_items: bool
) -> GateResult:
    names = gated_metrics(baseline, rules.metrics)
    known = [one for one in compared(baseline, candidate) if one.metric in names]
    table = metric_rows(known, {name: rules.margins.get(name, rules.margin) for name in names}, rules.alpha)
    failures = must_pass_failures(baseline, candidate)
    blocking = [*blocking_failures(failures), *_limits(candidate, rules), *_drops(table)]
    verdict, why = _verdict(table, blocking)
    items = item_rows(known) if lists_items else pl.DataFrame(schema=ITEMS_SCHEMA)
    return GateResult(verdict, (*why, *known_failures(failures)), table, failures, items, rules.alpha)


def _invalid(baseline: pl.DataFrame, candidate: pl.DataFrame, rules: GateRules) -> list[str]:
    return invalid_reasons(
        baseline,
        candidate,
        most_missing_share=rules.most_missing_share,
        allows_unlocked=rules.allows_unlocked,
    )


def _invalid_result(reasons: list[str], rules: GateRules) -> GateResult:
    metrics, failures, items = (
        pl.DataFrame(schema=schema) for schema in (METRICS_SCHEMA, FAILURES_SCHEMA, ITEMS_SCHEMA)
    )
    return GateResult("invalid", tuple(reasons), metrics, failures, items, rules.alpha)


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
        f"{told}; a drop of {row['smallest_drop_seen']:.3f} would have been seen (80%), "
        f"and about {row['trials_needed']} trials of each example in both runs would see the margin"
    )


def _drops(table: pl.DataFrame) -> list[str]:
    return [
        f"{row['metric']} dropped from {row['baseline_mean']:.3f} to {row['candidate_mean']:.3f} on "
        f"{row['item_count']} examples (p = {p_text(row['p_adjusted'])} over all metrics)"
        for row in table.filter(pl.col("decision") == "block").iter_rows(named=True)
    ]


def _limits(candidate: pl.DataFrame, rules: GateRules) -> list[str]:
    most_ms, most_usd = rules.most_p95_latency_ms, rules.most_cost_usd
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
